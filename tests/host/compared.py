"""Two pictures held against each other: what every place gets to, and what Podman set up for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from testbed.evidence import Attempt, Evidence, LinkAddress, Namespace, Protocol
from testbed.evidence.programs import AARDVARK, CONMON, ROOTLESSPORT
from testbed.model import Scheme, Target, bracketed
from testbed.predict import predict

#: A container's id, whole or short: one that is made anew has another.
_ID: Final = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b")


def cells(evidence: Evidence) -> dict[tuple[str, str, int], str]:
    """How an attempt from every place to every address and name ends, on every port that is listened on anywhere."""
    ports = {
        one.port
        for namespace in evidence.namespaces.values()
        for one in namespace.listeners
        if one.protocol is Protocol.TCP and one.port < 30000
    }
    found = {}
    for place in evidence.places():
        for host in sorted(_hosts(evidence)):
            for port in sorted(ports):
                ending = predict(evidence, Attempt(place, Target(Scheme.TCP, bracketed(host), port)))
                found[place.name, host, port] = f"{ending.outcome} {ending.errno}"
    return found


def _hosts(evidence: Evidence) -> set[str]:
    addresses = {str(row.address.ip) for namespace in evidence.namespaces.values() for row in _addresses(namespace)}
    names = {container.name for container in evidence.containers}
    return addresses | names | {"host.containers.internal"}


def differences(made: Evidence, real: Evidence) -> list[str]:
    """What a picture that a change made has otherwise than one that was taken after it, a line each."""
    return [*_differing_cells(made, real), *_differing_rows(made, real)]


def _differing_cells(made: Evidence, real: Evidence) -> Iterator[str]:
    ours, theirs = cells(made), cells(real)
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            yield f"{key}: predicted {ours.get(key)}, in truth {theirs.get(key)}"


def _differing_rows(made: Evidence, real: Evidence) -> Iterator[str]:
    ours, theirs = _rows(made), _rows(real)
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            yield f"{key}: made {ours.get(key)}, in truth {theirs.get(key)}"


def _rows(evidence: Evidence) -> dict[str, object]:
    found: dict[str, object] = {}
    for namespace in evidence.namespaces.values():
        label = namespace.label
        names = {link.index: link.name for link in namespace.links}
        found[f"{label} addresses"] = sorted(
            (names.get(row.link, "?"), str(row.address)) for row in _addresses(namespace)
        )
        found[f"{label} links"] = sorted((link.name, link.kind, link.up, link.carrier) for link in namespace.links)
        found[f"{label} defaults"] = [
            (names.get(row.link or 0), str(row.gateway), row.metric)
            for row in namespace.routes
            if not row.destination.prefixlen and not (row.gateway and row.gateway.is_link_local)
        ]
        found[f"{label} listeners"] = sorted(_listeners(namespace))
        for chain in namespace.firewall.chains:
            if chain.rules:
                key = f"{label} {chain.family} {chain.table} {chain.name}"
                found[key] = sorted(_ID.sub("ID", rule.text) for rule in chain.rules)
    for container in evidence.containers:
        found[f"{container.name} container"] = (container.state, container.mode, container.published)
        found[f"{container.name} networks"] = [(a.network, a.addresses, a.gateways) for a in container.attachments]
        found[f"{container.name} hosts"] = {
            name: value for name, value in container.names.hosts.addresses.items() if value and not _ID.fullmatch(name)
        }
        found[f"{container.name} servers"] = (container.names.nameservers, container.names.search)
    return found


def _addresses(namespace: Namespace) -> Iterator[LinkAddress]:
    """All but those that come from an interface's hardware address, which is by chance (RFC 4862)."""
    for row in namespace.addresses:
        if row.address.version == 4 or not (row.address.ip.is_link_local or b"\xff\xfe" in row.address.ip.packed[8:]):
            yield row


def _listeners(namespace: Namespace) -> Iterator[str]:
    for one in namespace.listeners:
        who = one.process.name if one.process and one.process.name in (AARDVARK, CONMON, ROOTLESSPORT) else ""
        yield f"{one.protocol} {one.address}:{one.port} {who}"
