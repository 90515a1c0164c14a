"""Causes of rootless Podman's: its networks are not the host's, and programs connect in the containers' place. Pure."""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.change.listening import Rebind
from testbed.change.networks import Connect, NewOnNetwork
from testbed.change.publishing import Publish
from testbed.change.rootless import MapGuestAddress, OpenHostLoopback
from testbed.evidence import Container, HostFacts, Listener, Namespace, Network, Published
from testbed.evidence.programs import PASTA, SLIRP, only_holds
from testbed.explain.case import Case, any_address, at, covers, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.elsewhere import HOST_NAME
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import listener_row, rows_of_walk
from testbed.model import Address, Outcome, Target
from testbed.predict import StepKind
from testbed.predict.ending import (
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

_NOT_HANDED_ON: Final = (
    "slirp4netns hands on only a reset: in a rootless container a rejection looks like silence, and a timeout does not "
    "show that a packet was dropped."
)
_ALL_REFUSED: Final = (
    "pasta hands on every failure as a refusal: in a rootless container 'connection refused' does not show that nobody "
    "listens, nor that anybody has answered."
)
#: The address that Podman from 5.3 on lets pasta take for the host (libnetwork/pasta, mapGuestIpv4).
_GUEST: Final = ipaddress.ip_address("169.254.1.2")
#: The address that slirp4netns takes for the host's loopback (slirp4netns(1), --cidr).
_SLIRP_HOST: Final = "10.0.2.2"

#: Fails for the host in other words than for its containers.
_HIDDEN: Final = Rejected | NoNeighbour | NoRoute | RouteForbids | NoSource


def proposals(case: Case) -> Iterator[Proposal]:
    """Causes that only rootless Podman has."""
    for look in (_closed_loopback, _host_loopback, _inner_gateway, _own_copy, _inner_address):
        if found := look(case):
            yield found


def warnings(case: Case) -> tuple[str, ...]:
    """Where slirp4netns or pasta hides what happened."""
    predicted, ending = case.prediction, case.prediction.ending
    if not isinstance(ending, _HIDDEN) or ending.back or not _relayed(case):
        return ()
    if predicted.errno is None:
        return (_NOT_HANDED_ON,) if isinstance(ending, Rejected | NoNeighbour) else ()
    return (_ALL_REFUSED,) if predicted.errno == errno.ECONNREFUSED and _by_pasta(case) else ()


def _relayed(case: Case) -> bool:
    """Tell if a process of rootless Podman's connects in the place of whoever called."""
    return any(step.kind is StepKind.RELAY for step in case.prediction.steps)


def _host(case: Case) -> HostFacts | None:
    """The host of the place, where its Podman is an ordinary user's."""
    host = case.place.host
    return host if host.rootless and host.namespace in case.evidence.namespaces else None


def _by_pasta(case: Case) -> bool:
    """Tell if it is pasta that makes the connections of the place, which may be on a bridge."""
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


def _closed_loopback(case: Case) -> Proposal | None:
    """slirp4netns has an address for the host's loopback, and does not let it be used."""
    host = _host(case)
    if not isinstance(case.prediction.ending, RelayRefuses) or host is None:
        return None
    there = case.evidence.namespaces[host.namespace]
    found = _on_host(case, there)
    who = f" {holder(found[0])} listens there on {at(found[0].address, found[0].port)}." if found else ""
    return Proposal(
        Cause.ROOTLESS_HOST_LOOPBACK,
        f"{case.said} is slirp4netns's name for the loopback of {there.label}, and rootless Podman keeps that closed "
        f"to {case.place.name} unless told otherwise.{who}",
        (*rows_of_walk(case.prediction), *(listener_row(there, entry) for entry in found)),
        (*_by_name(case, there, found), *_opened(case, None)),
        ("'Network is unreachable' does not show that a route is missing: slirp4netns says it too.",),
    )


def _by_name(case: Case, there: Namespace, found: list[Listener]) -> Iterator[Remedy]:
    """Calling the host by the name that Podman has for it; with a listener that is reached there."""
    target = replace(case.attempt.target, host=HOST_NAME)
    yield Remedy(f"Call {HOST_NAME}, which is an address of {there.label}", target=target)
    for listener in found:
        for address, where in _outer_binds(case, there):
            yield Remedy(
                f"Call {HOST_NAME}, and let {holder(listener)} listen on {where}",
                changes=(Rebind(there.key, listener, address, listener.port),),
                target=target,
            )


def _outer_binds(case: Case, there: Namespace) -> Iterator[tuple[Address, str]]:
    """Where a listener of the host is reached by containers: the address that their name for it has, and all."""
    own = _outside(there)
    named = [address for address in case.place.names.hosts.lookup(HOST_NAME) if address in own]
    for address in (*named, *own)[:1]:
        yield address, str(address)
    yield any_address(4), "every address"


def _host_loopback(case: Case) -> Proposal | None:
    """The host is called by its own address, and there only its loopback is listened on."""
    host = _host(case)
    if host is None or host.namespace == case.place.namespace or not _called_host(case, host):
        return None
    there = case.evidence.namespaces[host.namespace]
    found = _on_host(case, there)
    if not found or not all(entry.address.is_loopback for entry in found):
        return None
    who, bound = holder(found[0]), " and ".join(at(entry.address, entry.port) for entry in found)
    program = PASTA if _by_pasta(case) else SLIRP
    ending = case.prediction.ending
    own = ending.destination if isinstance(ending, NoListener) else any_address(4)
    return Proposal(
        Cause.ROOTLESS_HOST_LOOPBACK,
        f"{case.said} leads to {there.label}, where on port {case.port} only {bound} is listened on, by {who}: "
        f"{program}, which connects there for {case.place.name}, may not use the host's loopback.",
        (*(listener_row(there, entry) for entry in found), *rows_of_walk(case.prediction)),
        (
            *(
                Remedy(
                    f"Make {who} listen on {where}",
                    at(address, case.port),
                    (Rebind(there.key, found[0], address, found[0].port),),
                )
                for address, where in ((own, f"{own}, the host's own address"), (any_address(4), "every address"))
            ),
            *_opened(case, replace(case.attempt.target, host=_SLIRP_HOST)),
        ),
        ("Rootless Podman has no bridge on the host: there is no address that only the containers reach.",),
    )


def _called_host(case: Case, host: HostFacts) -> bool:
    """Tell if it is the host that refuses."""
    ending = case.prediction.ending
    if not isinstance(ending, NoListener):
        return False
    return ending.namespace.key == host.namespace and _relayed(case) and not ending.destination.is_loopback


def _opened(case: Case, target: Target | None) -> Iterator[Remedy]:
    """Letting slirp4netns reach the host's loopback."""
    container = case.place.container
    if container is not None:
        yield Remedy(
            f"Let slirp4netns reach the host's loopback, and call {_SLIRP_HOST}",
            f"podman run --network slirp4netns:allow_host_loopback=true ... (a new container; then "
            f"{at(_SLIRP_HOST, case.port)})",
            (OpenHostLoopback(container.host, container.id),),
            target,
        )


def _on_host(case: Case, there: Namespace) -> list[Listener]:
    """Who listens on the port on the host, apart from those that only hold it."""
    return [entry for entry in listeners(there, case.port, case.protocol) if covers(entry, 4) and not only_holds(entry)]


def _outside(namespace: Namespace) -> list[Address]:
    return [address for address in own_addresses(namespace, 4) if not address.is_loopback]


# --- addresses that are not the host's --------------------------------------------------------------------------------


def _inner_gateway(case: Case) -> Proposal | None:
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
    return Proposal(
        Cause.ROOTLESS_ADDRESS,
        f"{address} is not {there.label}: rootless Podman's bridges are in a network namespace of its own, where "
        f"nobody listens on port {case.port}. {who}, which is another namespace.",
        (_network_row(host, network), *rows_of_walk(case.prediction), *(listener_row(there, entry) for entry in found)),
        (*_by_name(case, there, found), *_by_own_address(case, there, found)),
    )


def _by_own_address(case: Case, there: Namespace, found: list[Listener]) -> Iterator[Remedy]:
    """Calling the host by an address of its own, where its name leads elsewhere."""
    for own in _outside(there):
        target = replace(case.attempt.target, host=str(own))
        yield Remedy(f"Call {there.label}'s own address", target=target)
        for listener in found:
            yield Remedy(
                f"Call {there.label}'s own address, and let {holder(listener)} listen there",
                changes=(Rebind(there.key, listener, own, listener.port),),
                target=target,
            )


def _own_copy(case: Case) -> Proposal | None:
    """pasta gives a container, or the bridges', the host's own address: dialling that never gets to the host."""
    host, ending, copied = _host(case), case.prediction.ending, _pastas(case)
    if host is None or not isinstance(ending, NoListener) or copied is None:
        return None
    address = ending.destination
    there = case.evidence.namespaces[host.namespace]
    found = _on_host(case, there)
    if ending.namespace.key != copied.key or address not in _outside(there) or not found:
        return None
    whose = "" if copied.key == case.place.namespace else f", where the bridge of {case.place.name} is,"
    return Proposal(
        Cause.ROOTLESS_ADDRESS,
        f"{case.said} is {there.label}'s address, and pasta has given {copied.label}{whose} the same one: what is "
        f"sent to it never leaves {copied.label}, where nobody listens on port {case.port}. {holder(found[0])} "
        f"listens on {at(found[0].address, found[0].port)} of {there.label}.",
        (*rows_of_walk(case.prediction), *(listener_row(there, entry) for entry in found)),
        (*_by_name(case, there, found), *_mapped(case, there, found)),
    )


def _mapped(case: Case, there: Namespace, found: list[Listener]) -> Iterator[Remedy]:
    """Giving the host another address inside, which pasta takes to it."""
    container, target = case.place.container, replace(case.attempt.target, host=str(_GUEST))
    if container is None:
        return
    mapped = MapGuestAddress(container.host, container.id, _GUEST)
    text = f"Give the host another address inside, and call that (Podman 5.3 and later do so, as {HOST_NAME})"
    command = f"podman run --network pasta:--map-guest-addr={_GUEST} ... (a new container; then {target.authority})"
    yield Remedy(text, command, (mapped,), target)
    for listener in found:
        for own in _outside(there)[:1]:
            yield Remedy(
                f"{text}, and let {holder(listener)} listen on {own}",
                command,
                (mapped, Rebind(there.key, listener, own, listener.port)),
                target,
            )


def _inner_address(case: Case) -> Proposal | None:
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
    return Proposal(
        Cause.ROOTLESS_ADDRESS,
        f"{address} is {whose} rootless Podman's network {network.name}, which is in a network namespace of its "
        f"own: {there.label} has no way into it.",
        (_network_row(host, network), *rows_of_walk(case.prediction)),
        tuple(_ways_in(case, there, owner, network)),
    )


def _ways_in(case: Case, there: Namespace, owner: Container | None, network: Network) -> Iterator[Remedy]:
    port, outside = case.attempt.target.port, case.place.namespace != there.key
    by = HOST_NAME if outside else "127.0.0.1"
    local = replace(case.attempt.target, host=by)
    if owner is None:
        yield Remedy(f"Call {there.label} itself", target=local)
        return
    for published in owner.published:
        if published.container_port == port and published.protocol == case.protocol:
            target = replace(local, port=published.host_port)
            yield Remedy(f"Call the port of {owner.name} that is published", target=target)
    bind = "" if outside else "127.0.0.1"
    yield Remedy(
        f"Publish the port, and call {local.authority}",
        f"podman run -p {f'{bind}:' if bind else ''}{port}:{port} ... (a new container)",
        (Publish(owner.host, owner.id, Published(case.protocol, port, port, bind)),),
        local,
    )
    caller = case.place.container
    if outside and caller is not None:
        for change, command in (
            (Connect(caller.host, caller.id, network.name), f"podman network connect {network.name} {caller.name}"),
            (
                NewOnNetwork(caller.host, caller.id, network.name),
                f"podman run --network {network.name} ... (a new container)",
            ),
        ):
            yield Remedy(f"Put {caller.name} on the network {network.name} too", command, (change,))


def _network_with(case: Case, host: HostFacts, address: Address) -> Network | None:
    return next((n for n in case.networks_with(address, {host.key}) if n.driver == "bridge"), None)


def _has(container: Container, host: HostFacts, address: Address) -> bool:
    return container.host == host.key and any(address in a.addresses for a in container.attachments)


def _network_row(host: HostFacts, network: Network) -> Row:
    subnets = " ".join(map(str, network.subnets))
    return Row("network", host.name, f"{network.name} {network.bridge} {subnets}, in the rootless-netns")
