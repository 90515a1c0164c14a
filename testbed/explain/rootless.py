"""Causes of rootless Podman's: its networks are not the host's, and programs connect in the containers' place. Pure."""

from __future__ import annotations

import errno
from typing import Final

from testbed.evidence import Container, HostFacts, Listener, Namespace, Network
from testbed.evidence.programs import PASTA, SLIRP, only_holds
from testbed.explain.case import Case, at, covers, holder, listener_row, listeners, rows_of_walk
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.explain.rootless_ports import published_port
from testbed.model import Address, Outcome
from testbed.predict import StepKind
from testbed.predict.ending import (
    Left,
    NoListener,
    NoNeighbour,
    NoRoute,
    NoSource,
    Rejected,
    RelayRefuses,
    RouteForbids,
)
from testbed.predict.pasta import held_link
from testbed.predict.routing import choose, own_addresses

_NAME: Final = "host.containers.internal"
_NOT_HANDED_ON: Final = (
    "slirp4netns hands on only a reset: in a rootless container a rejection looks like silence, and a timeout does not "
    "show that a packet was dropped."
)
_ALL_REFUSED: Final = (
    "pasta hands on every failure as a refusal: in a rootless container 'connection refused' does not show that nobody "
    "listens, nor that anybody has answered."
)

#: Fails for the host in other words than for its containers.
_HIDDEN: Final = Rejected | NoNeighbour | NoRoute | RouteForbids | NoSource


def diagnose(case: Case) -> Diagnosis | None:
    """The cause, where it is one that only rootless Podman has."""
    for look in (_closed_loopback, published_port, _host_loopback, _inner_gateway, _own_copy, _inner_address):
        if found := look(case):
            return found
    return None


def warnings(case: Case) -> tuple[str, ...]:
    """Where slirp4netns or pasta hides what happened."""
    predicted, ending = case.prediction, case.prediction.ending
    if not isinstance(ending, _HIDDEN) or ending.back or not _relayed(case):
        return ()
    if predicted.errno is None:
        return (_NOT_HANDED_ON,) if isinstance(ending, Rejected | NoNeighbour) else ()
    return (_ALL_REFUSED,) if predicted.errno == errno.ECONNREFUSED and _by_pasta(case) else ()


def _relayed(case: Case) -> bool:
    """Whether a process of rootless Podman's connects in the place of whoever called."""
    return any(step.kind is StepKind.RELAY for step in case.prediction.steps)


def _host(case: Case) -> HostFacts | None:
    """The host of the place, where its Podman is an ordinary user's."""
    host = case.place.host
    return host if host.rootless and host.namespace in case.evidence.namespaces else None


def _by_pasta(case: Case) -> bool:
    """Whether it is pasta that makes the connections of the place, which may be on a bridge."""
    return _pastas(case) is not None


def _pastas(case: Case) -> Namespace | None:
    """The namespace of the place, or the one that its bridge is in, whose interface pasta holds."""
    own = case.evidence.namespaces.get(case.place.namespace or "")
    rootless = case.evidence.namespaces.get(case.place.host.rootless_namespace or "")
    if own is None or case.is_host(own.key):
        return None
    if any(link.holder for link in own.links):
        return own if held_link(own) else None
    return rootless if rootless and held_link(rootless) else None


# --- the host's loopback ----------------------------------------------------------------------------------------------


def _closed_loopback(case: Case) -> Diagnosis | None:
    """slirp4netns has an address for the host's loopback, and does not let it be used."""
    host = _host(case)
    if not isinstance(case.prediction.ending, RelayRefuses) or host is None:
        return None
    there = case.evidence.namespaces[host.namespace]
    found = _on_host(case, there)
    who = f" {holder(found[0])} listens there on {at(found[0].address, found[0].port)}." if found else ""
    by_name = Cure(
        f"Call {_NAME}, which is an address of {there.label} (its listener must be on that address, or on all)",
        at(_NAME, case.port),
        "the listener: whoever reaches that address",
    )
    open_outside = any(not entry.address.is_loopback for entry in found)
    opened = _opened(case, "Or let" if open_outside else "Let")
    return Diagnosis(
        Cause.ROOTLESS_HOST_LOOPBACK,
        f"{case.said} is slirp4netns's name for the loopback of {there.label}, and rootless Podman keeps that closed "
        f"to {case.place.name} unless told otherwise.{who}",
        (*rows_of_walk(case.prediction), *(listener_row(there, entry) for entry in found)),
        (by_name, opened) if open_outside else (opened, by_name),
        ("'Network is unreachable' does not show that a route is missing: slirp4netns says it too.",),
    )


def _host_loopback(case: Case) -> Diagnosis | None:
    """The host is called by its own address, and there only its loopback is listened on."""
    host = _host(case)
    if host is None or host.namespace == case.place.namespace or not _called_host(case, host):
        return None
    there = case.evidence.namespaces[host.namespace]
    found = _on_host(case, there)
    if not found or not all(entry.address.is_loopback for entry in found):
        return None
    who, bound = holder(found[0]), " and ".join(at(entry.address, entry.port) for entry in found)
    pasta = _by_pasta(case)
    program = PASTA if pasta else SLIRP
    ending = case.prediction.ending
    address = ending.destination if isinstance(ending, NoListener) else next(iter(_outside(there)), "0.0.0.0")
    own = str(address)
    return Diagnosis(
        Cause.ROOTLESS_HOST_LOOPBACK,
        f"{case.said} leads to {there.label}, where on port {case.port} only {bound} is listened on, by {who}: "
        f"{program}, which connects there for {case.place.name}, may not use the host's loopback.",
        (*(listener_row(there, entry) for entry in found), *rows_of_walk(case.prediction)),
        (
            Cure(f"Make it listen on {own}, the host's own address", at(own, case.port), "also your LAN"),
            _mapped(case) if pasta else _opened(case, "Or let"),
        ),
        ("Rootless Podman has no bridge on the host: there is no address that only the containers reach.",),
    )


def _called_host(case: Case, host: HostFacts) -> bool:
    """Whether it is the host that refuses: by what is predicted, or with pasta by its name and what was seen."""
    ending, seen = case.prediction.ending, case.observation
    if isinstance(ending, NoListener):
        return ending.namespace.key == host.namespace and _relayed(case) and not ending.destination.is_loopback
    refused = seen is not None and seen.outcome is Outcome.REFUSED
    return isinstance(ending, Left) and refused and _by_pasta(case) and case.attempt.target.host == _NAME


def _opened(case: Case, let: str) -> Cure:
    return Cure(
        f"{let} slirp4netns reach the host's loopback, and call 10.0.2.2",
        f"podman run --network slirp4netns:allow_host_loopback=true ... (a new container; then 10.0.2.2:{case.port})",
        f"every service on the host's loopback, to {case.place.name}",
    )


def _mapped(case: Case) -> Cure:
    bridge = ", on no bridge" if case.place.container and case.place.container.mode == "bridge" else ""
    return Cure(
        f"Or let pasta bring that one port of the host's loopback, and call 127.0.0.1 in {case.place.name}",
        f"podman run --network pasta:-T,{case.port} ... (a new container{bridge})",
        f"port {case.port} of the host's loopback, to {case.place.name}",
    )


def _on_host(case: Case, there: Namespace) -> list[Listener]:
    """Who listens on the port on the host, apart from those that only hold it."""
    return [entry for entry in listeners(there, case.port) if covers(entry, 4) and not only_holds(entry)]


def _outside(namespace: Namespace) -> list[Address]:
    return [address for address in own_addresses(namespace, 4) if not address.is_loopback]


# --- addresses that are not the host's --------------------------------------------------------------------------------


def _inner_gateway(case: Case) -> Diagnosis | None:
    """The gateway of a rootless bridge is not the host: what listens on the host is not there."""
    host, ending = _host(case), case.prediction.ending
    if host is None or not isinstance(ending, NoListener):
        return None
    address = ending.destination
    network = _network_with(case, host, address)
    if network is None or address not in network.gateways or ending.namespace.key != host.rootless_namespace:
        return None
    there = case.evidence.namespaces[host.namespace]
    found = _on_host(case, there)
    if not found:
        return None
    who = f"{holder(found[0])} of {there.label} listens on {at(found[0].address, found[0].port)}"
    return Diagnosis(
        Cause.ROOTLESS_ADDRESS,
        f"{address} is not {there.label}: rootless Podman's bridges are in a network namespace of its own, where "
        f"nobody listens on port {case.port}. {who}, which is another namespace.",
        (_network_row(host, network), *rows_of_walk(case.prediction), *(listener_row(there, entry) for entry in found)),
        (
            Cure(
                f"Call {_NAME}, which is the host (the listener must be on the host's own address, or on all)",
                at(_NAME, case.port),
                "the listener: also your LAN",
            ),
        ),
    )


def _own_copy(case: Case) -> Diagnosis | None:
    """pasta gives a container, or the bridges', the host's own address: dialling that never gets to the host."""
    host, ending, copied = _host(case), case.prediction.ending, _pastas(case)
    if host is None or not isinstance(ending, NoListener) or copied is None:
        return None
    address = ending.destination
    there = case.evidence.namespaces[host.namespace]
    found = [entry for entry in _on_host(case, there) if not entry.address.is_loopback]
    if ending.namespace.key != copied.key or address not in _outside(there) or not found:
        return None
    whose = "" if copied.key == case.place.namespace else f", where the bridge of {case.place.name} is,"
    return Diagnosis(
        Cause.ROOTLESS_ADDRESS,
        f"{case.said} is {there.label}'s address, and pasta has given {copied.label}{whose} the same one: what is "
        f"sent to it never leaves {copied.label}, where nobody listens on port {case.port}. {holder(found[0])} "
        f"listens on {at(found[0].address, found[0].port)} of {there.label}.",
        (*rows_of_walk(case.prediction), listener_row(there, found[0])),
        (_by_another_name(case, copied),),
    )


def _by_another_name(case: Case, copied: Namespace) -> Cure:
    """Call the host by the address that pasta takes for it, or let it have one."""
    link = held_link(copied)
    names = link.pasta if link else None
    if names is not None and names.host is not None and names.host in case.place.names.hosts.lookup(_NAME):
        return Cure(f"Call {_NAME}, which is {names.host} here: pasta takes it to the host", at(_NAME, case.port))
    return Cure(
        f"Give the host another address inside, and call that (Podman 5.3 and later do so by themselves, as {_NAME})",
        "podman run --network pasta:--map-guest-addr=169.254.1.2 ... (a new container)",
    )


def _inner_address(case: Case) -> Diagnosis | None:
    """An address of a rootless network is called from outside that: the host has no way to it."""
    host, address = _host(case), case.prediction.address
    if host is None or address is None or case.prediction.outcome is Outcome.CONNECTED:
        return None
    from_host = case.place.namespace == host.namespace or any(
        step.kind is StepKind.RELAY and step.namespace.key == host.namespace for step in case.prediction.steps
    )
    network = _network_with(case, host, address)
    owner = next((c for c in case.evidence.containers if _has(c, host, address)), None)
    if network is None or not from_host or (owner is None and address not in network.gateways):
        return None
    there = case.evidence.namespaces[host.namespace]
    route = choose(there, address).route
    if route is not None and route.destination.prefixlen > 0:
        return None
    whose = f"the address of {owner.name} on" if owner else "the gateway of"
    return Diagnosis(
        Cause.ROOTLESS_ADDRESS,
        f"{address} is {whose} rootless Podman's network {network.name}, which is in a network namespace of its "
        f"own: {there.label} has no way into it.",
        (_network_row(host, network), *rows_of_walk(case.prediction)),
        _ways_in(case, there, owner),
    )


def _ways_in(case: Case, there: Namespace, owner: Container | None) -> tuple[Cure, ...]:
    port, outside = case.attempt.target.port, case.place.namespace != there.key
    by = _NAME if outside else "127.0.0.1"
    if owner is None:
        return (Cure(f"Call {there.label} itself", at(by, port)),)
    published = next((p for p in owner.published if p.container_port == port and p.protocol == "tcp"), None)
    if published is not None:
        return (Cure(f"Call the port of {owner.name} that is published", at(by, published.host_port)),)
    bind = "" if outside else "127.0.0.1:"
    return (
        Cure(
            f"Publish the port, and call {at(by, port)}",
            f"podman run -p {bind}{port}:{port} ... (a new container)",
            "also your LAN" if outside else "only this host; without 127.0.0.1: also your LAN",
        ),
        *((Cure(f"Or put {case.place.name} on the same network", "podman run --network ..."),) if outside else ()),
    )


def _network_with(case: Case, host: HostFacts, address: Address) -> Network | None:
    return next((n for n in case.networks_with(address, {host.key}) if n.driver == "bridge"), None)


def _has(container: Container, host: HostFacts, address: Address) -> bool:
    return container.host == host.key and any(address in a.addresses for a in container.attachments)


def _network_row(host: HostFacts, network: Network) -> Row:
    subnets = " ".join(map(str, network.subnets))
    return Row("network", host.name, f"{network.name} {network.bridge} {subnets}, in the rootless-netns")
