"""Contradictions of a container, in itself and with the rest of a topology."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from testbed.topology.checks.index import Index
from testbed.topology.checks.networks import subnets
from testbed.topology.checks.shared import of_names, of_routes, of_sysctls
from testbed.topology.checks.syntax import (
    CAPABILITIES,
    address,
    is_path,
    is_port,
    is_restart,
    mac_fault,
    name_fault,
    twice,
)
from testbed.topology.specs import AttachmentSpec, ContainerSpec, FileSpec, Publish

#: Those of the IPC namespace (ipc_namespaces(7)), the only ones that are a container's own beside the network's.
_OF_IPC: Final = ("kernel.msg", "kernel.sem", "kernel.shm", "fs.mqueue.")
#: Files that Podman itself mounts into every container (podman-run(1), "Networking").
_PODMANS_FILES: Final = frozenset({"/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/run/.containerenv"})
_EVERY_ADDRESS: Final = ("0.0.0.0", "::")
_MODES: Final = 0o777
_IPV4, _IPV6 = 4, 6


def of_container(spec: ContainerSpec, index: Index) -> Iterator[str]:
    """One sentence for each field of a container that cannot be honoured."""
    who = f"container {spec.name!r}"
    if why := name_fault(spec.name):
        yield f"{who}: its name cannot be that: {why}"
    if spec.host not in index.hosts:
        yield f"{who}: there is no host {spec.host!r}: there are {', '.join(index.hosts) or 'none'}"
    elif not index.hosts[spec.host].with_engine:
        yield f"{who}: its host {spec.host!r} has no engine: leave with_engine=False out"
    yield from _of_namespace(who, spec, index)
    for attachment in spec.networks:
        yield from _of_attachment(who, spec, attachment, index)
    for name in twice(attachment.network for attachment in spec.networks):
        yield f"{who}: it is attached to the network {name!r} twice"
    yield from _of_ports(who, spec)
    yield from of_names(who, spec.names)
    if spec.mode != "host":
        yield from of_routes(who, spec.routes, list(index.on_link(spec.name)), "cables and networks")
    yield from _of_environment(who, spec)
    yield from _of_mounts(who, spec, index)
    yield from _of_capabilities(who, spec)
    yield from _of_sysctls(who, spec, index)
    if not is_restart(spec.restart):
        known = "'no', 'on-failure', 'on-failure:N', 'always' or 'unless-stopped'"
        yield f"{who}: restart {spec.restart!r} is no policy: it is {known}"


def published_twice(containers: Sequence[ContainerSpec]) -> Iterator[str]:
    """One sentence for each port of a host that is published twice on one address."""
    published = [(c, p) for c in containers for p in c.publish]
    for (one, first), (other, second) in combinations(published, 2):
        if one.host == other.host and first.host_port == second.host_port and _meet(first, second):
            whose = repr(one.name) if one is other else f"{one.name!r} and {other.name!r}"
            yield f"port {first.host_port} of {one.host!r} is published twice on one address, by {whose}"


def _meet(one: Publish, other: Publish) -> bool:
    addresses = (one.host_address, other.host_address)
    if addresses[0] == addresses[1]:
        return True
    versions = {ipaddress.ip_address(text).version for text in addresses if address(text)}
    return len(versions) == 1 and any(text in _EVERY_ADDRESS for text in addresses)


def _of_namespace(who: str, spec: ContainerSpec, index: Index) -> Iterator[str]:
    if spec.mode is None:
        if not spec.networks:
            default = "networks=(AttachmentSpec('podman'),) for Podman's default one"
            yield f"{who}: it has neither a network nor a mode: give it {default}, or mode='none'"
        return
    if spec.networks:
        names = ", ".join(repr(attachment.network) for attachment in spec.networks)
        yield f"{who}: mode {spec.mode!r} and the networks {names}: it has one or the other"
    kind, _, whose = spec.mode.partition(":")
    if kind == "container":
        yield from _of_sharing(who, spec, whose, index)
    elif spec.mode not in ("host", "none"):
        yield f"{who}: mode {spec.mode!r} is none of 'host', 'none' and 'container:NAME'"
    if spec.mode == "host" and spec.routes:
        yield f"{who}: routes {dict(spec.routes)!r} with mode 'host' are its host's: give them to {spec.host!r}"


def _of_sharing(who: str, spec: ContainerSpec, whose: str, index: Index) -> Iterator[str]:
    other = index.containers.get(whose)
    if other is None or other.host != spec.host:
        known = ", ".join(c.name for c in index.containers.values() if c.host == spec.host and c is not spec)
        yield f"{who}: mode {spec.mode!r}: {spec.host!r} has no container {whose!r}: there are {known or 'no others'}"
    elif other.mode is not None and other.mode != "none":
        has_none = f"{whose!r} has no network namespace of its own (mode {other.mode!r})"
        yield f"{who}: mode {spec.mode!r}: {has_none}: name whose it is"
    # Podman takes the hosts file, too, from whom it shares with (libpod, NetNsCtr).
    for field in ("names", "routes"):
        if value := getattr(spec, field):
            yield f"{who}: {field} {dict(value)!r} with mode {spec.mode!r} are those of {whose!r}: give them to it"


def _of_attachment(who: str, spec: ContainerSpec, attachment: AttachmentSpec, index: Index) -> Iterator[str]:
    there = f"on the network {attachment.network!r}"
    network = index.networks.get((spec.host, attachment.network))
    if network is None:
        known = ", ".join(repr(name) for host, name in index.networks if host == spec.host)
        yield f"{who}: {spec.host!r} has no network {attachment.network!r}: there are {known or 'none'}"
    for field, text, version in (
        ("address", attachment.address, _IPV4),
        ("ipv6_address", attachment.ipv6_address, _IPV6),
    ):
        if text is None:
            continue
        found = address(text)
        if found is None or found.version != version:
            yield f"{who}: {field} {text!r} {there} is no IPv{version} address"
        elif network:
            prefix = next((one for one in subnets(network) if one.version == version), None)
            if prefix is None:
                yield f"{who}: {field} {text!r} {there}, which has no IPv{version} subnet"
            elif found not in prefix:
                yield f"{who}: {field} {text!r} is outside of {prefix}, the subnet of the network {network.name!r}"
            elif found == prefix.network_address or (version == _IPV4 and found == prefix.broadcast_address):
                yield f"{who}: {field} {text!r} is the first or the last of {prefix}, which no host may have"
    if attachment.mac is not None and (why := mac_fault(attachment.mac)):
        yield f"{who}: mac {attachment.mac!r} {there}: {why}"


def _of_ports(who: str, spec: ContainerSpec) -> Iterator[str]:
    if spec.publish and spec.mode is not None:
        ports = ", ".join(str(published.host_port) for published in spec.publish)
        yield f"{who}: publish (host port {ports}) with mode {spec.mode!r}: only a container on a network can publish"
    for published in spec.publish:
        if address(published.host_address) is None:
            yield f"{who}: publish: host_address {published.host_address!r} is no IPv4 or IPv6 address"
        for field, port in (("port", published.port), ("host_port", published.host_port)):
            if not is_port(port):
                yield f"{who}: publish: {field} {port} is no port: it is 1 to 65535"


def _of_environment(who: str, spec: ContainerSpec) -> Iterator[str]:
    for name in spec.environment:
        if not name or "=" in name or "\0" in name:
            yield f"{who}: environment: {name!r} cannot be a variable's name (environ(7))"


def _of_mounts(who: str, spec: ContainerSpec, index: Index) -> Iterator[str]:
    host = index.hosts.get(spec.host)
    for name in spec.secrets:
        if host and name not in host.secrets:
            known = ", ".join(map(repr, host.secrets)) or "none"
            yield f"{who}: {spec.host!r} has no secret {name!r}: there are {known}"
    for name in spec.volumes:
        if why := name_fault(name):
            yield f"{who}: no volume can be called {name!r}: {why}"
    for file in spec.files:
        yield from _of_file(who, file)
    paths = [file.path for file in spec.files] + list(spec.volumes.values())
    for path in paths:
        if not is_path(path):
            yield f"{who}: nothing can be mounted at {path!r}: it needs an absolute path without ':', '.' and '..'"
    for path in twice([*paths, *(f"/run/secrets/{name}" for name in spec.secrets)]):
        yield f"{who}: two things are to be mounted at {path!r}"


def _of_file(who: str, file: FileSpec) -> Iterator[str]:
    if not 0 <= file.mode <= _MODES:
        yield f"{who}: the file {file.path!r} has the mode {file.mode:#o}: it is 0 to 0o777"
    if file.path in _PODMANS_FILES:
        yield f"{who}: the file {file.path!r} is one that Podman makes itself: use names, or another path"


def _of_capabilities(who: str, spec: ContainerSpec) -> Iterator[str]:
    if spec.sealed and spec.add_capabilities:
        yield f"{who}: sealed, and add_capabilities {spec.add_capabilities!r}: a sealed container has none"
    for field in ("add_capabilities", "drop_capabilities"):
        for name in getattr(spec, field):
            if name not in CAPABILITIES:
                yield f"{who}: {field}: {name!r} is no capability: write for example 'NET_ADMIN' (capabilities(7))"
    for name in sorted(set(spec.add_capabilities) & set(spec.drop_capabilities)):
        yield f"{who}: the capability {name!r} is both added and dropped"


def _of_sysctls(who: str, spec: ContainerSpec, index: Index) -> Iterator[str]:
    shares = spec.mode == "host" or (spec.mode or "").startswith("container:")
    if not shares:
        yield from of_sysctls(who, spec.sysctls, index.links(spec.name))
    for name in spec.sysctls:
        if name.startswith("net."):
            if shares:
                owner = spec.host if spec.mode == "host" else (spec.mode or "").partition(":")[2]
                yield f"{who}: sysctls: {name!r} with mode {spec.mode!r} is one of {owner!r}: give it to that one"
        elif not name.startswith(_OF_IPC):
            yield f"{who}: sysctls: {name!r} is the machine's: only those of 'net.' and of IPC are a container's own"
