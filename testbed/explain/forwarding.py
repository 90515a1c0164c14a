"""Causes where a namespace does not pass a packet on, or does not take it as it comes in. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from testbed.change.containers import ReloadNetworks
from testbed.change.firewall import ChainName, RemoveRule
from testbed.change.listening import Rebind
from testbed.change.routing import AddRoute, SetSysctl
from testbed.evidence import MAIN_TABLE, Container, Link, Namespace, Network, Route, RouteKind
from testbed.explain.by_ending import propose
from testbed.explain.case import Case, any_address, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.routing import connects, without_route
from testbed.explain.rows import rows_of_walk
from testbed.model import Address
from testbed.predict.ending import Martian, NotForwarded, ReversePath
from testbed.predict.routing import choose, setting
from testbed.predict.steps import Translation


@propose.register
def not_forwarded(ending: NotForwarded, case: Case) -> Iterator[Proposal]:
    """A host on the way keeps what is not its own."""
    here, link, to = ending.namespace, ending.link, ending.destination
    name = f"ipv{to.version}/conf/{link.name}/forwarding"
    network = next(
        (n for n in case.evidence.networks if n.bridge == link.name and n.host in case.hosts_of(here.key)), None
    )
    container = case.place.container
    if network is not None and network.internal and container is not None:
        yield Proposal(
            Cause.INTERNAL_NETWORK,
            f"{_sender(case, ending, network)} is on the network {network.name}, which is internal: {here.label} "
            f"forwards nothing from it{', not even an answer' if ending.back else ''}.",
            (sysctl_row(here, name, "1"),),
            (
                *connects(case, container, network),
                *_by_gateway(case, network),
                Remedy(
                    "Let the host forward from it all the same, until Podman turns that off again",
                    changes=(SetSysctl(here.key, name, "1"),),
                ),
            ),
        )
        # netavark turned it off there on purpose, and does so again.
        return
    switch = "ipv4/ip_forward" if not setting(here, "ipv4/ip_forward") else name
    if to.version == 6:
        switch = "ipv6/conf/all/forwarding"
    back = "the answer to " if ending.back else ""
    yield Proposal(
        Cause.FORWARDING_OFF,
        f"{here.label} does not forward: {back}what {link.name} brings for {to} ends there without a word "
        f"({_dotted(switch)} is {setting(here, switch)}).",
        (sysctl_row(here, switch, "1"),),
        (
            Remedy(
                "Turn forwarding on (Podman does so when it starts a container, and something turned it off again)",
                changes=(SetSysctl(here.key, switch, "1"),),
            ),
        ),
    )


def _sender(case: Case, ending: NotForwarded, network: Network) -> str:
    """Whose packet comes in from a network: the caller's, or its answer's sender."""
    source = ending.packet.source
    on = (c.name for c in case.evidence.containers if network in case.networks_of(c) and _has(c, source))
    return next(on, str(source))


def _has(container: Container, address: Address) -> bool:
    return any(address in attachment.addresses for attachment in container.attachments)


def _by_gateway(case: Case, network: Network) -> Iterator[Remedy]:
    for gateway in network.gateways:
        target = replace(case.attempt.target, host=str(gateway))
        yield Remedy("Call the gateway's address", target=target)


@propose.register
def reverse_path(ending: ReversePath, case: Case) -> Iterator[Proposal]:
    """rp_filter drops what comes in by another interface than an answer would leave by."""
    here, link, sender = ending.namespace, ending.link, ending.packet.source
    if choose(here, sender).kind is None:
        # Loose or strict, the filter drops what could not be answered at all (RFC 3704, 2.4).
        yield from without_route(case, here, sender, back=True)
    what = "the answer" if ending.back else "the packet"
    yield _filtered_path(here, link, what, (*_loose(case, here, link), _way_back(case, here, link, sender)))


def silent(case: Case, here: Namespace, link: Link, sender: Address) -> Proposal:
    """rp_filter drops the question who has an address (ARP), so that its owner does not answer.

    :param sender: who asked
    """
    remedies = (_way_back(case, here, link, sender), *_loose(case, here, link))
    found = _filtered_path(here, link, f"what {sender} sends", remedies)
    return replace(
        found, warnings=(*found.warnings, "Not even ARP is answered: it looks as if nobody had the address.")
    )


def _filtered_path(here: Namespace, link: Link, what: str, remedies: tuple[Remedy, ...]) -> Proposal:
    names = [f"ipv4/conf/{name}/rp_filter" for name in ("all", link.name)]
    return Proposal(
        Cause.REVERSE_PATH,
        f"{here.label} drops {what} as it comes in by {link.name}: its own way back leads by another interface, and "
        "the reverse path filter (rp_filter) is strict.",
        tuple(sysctl_row(here, name, "0") for name in names),
        remedies,
        ("With rp_filter 1 in sysctl.d every reload of it brings this back.",),
    )


def _way_back(case: Case, here: Namespace, link: Link, sender: Address) -> Remedy:
    route = Route(MAIN_TABLE, RouteKind.UNICAST, _alone(sender), link.index)
    return Remedy(
        f"Give {here.label} a way back by that interface (run on {case.machine(here)})",
        changes=(AddRoute(here.key, route),),
    )


def _alone(address: Address) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(address)


def _loose(case: Case, here: Namespace, link: Link) -> Iterator[Remedy]:
    """Make the filter take what can be reached at all: the greater of all and the interface counts (ip-sysctl)."""
    name = f"ipv4/conf/{link.name}/rp_filter"
    yield Remedy(f"Make the filter loose (run on {case.machine(here)})", changes=(SetSysctl(here.key, name, "2"),))


@propose.register
def martian(ending: Martian, case: Case) -> Iterator[Proposal]:
    """A loopback or own address came, or would leave, by a real interface."""
    if not ending.leaving and not ending.address.is_loopback:
        yield from _own_packet(ending, case)
        return
    here, name = ending.namespace, f"ipv4/conf/{ending.link.name}/route_localnet"
    four = ending.address.version == 4
    remedies: list[Remedy] = []
    for step in case.prediction.steps:
        if isinstance(step, Translation) and step.by is not None and step.by.rule is not None:
            remedies += _listens_instead(case, step)
    if four:
        remedies.append(Remedy("Allow it", changes=(SetSysctl(here.key, name, "1"),)))
    other = replace(case.attempt.target, host="127.0.0.1")
    if not four and case.prediction.address is not None and case.prediction.address.is_loopback:
        remedies.append(Remedy("Call it by its IPv4 address", target=other))
    why = case.prediction.why
    if not four and ending.address.is_loopback and remedies:
        yield Proposal(
            Cause.PUBLISHED_IPV6_LOOPBACK,
            f"What is for [{case.prediction.address}]:{case.attempt.target.port} is rewritten to a container, and the "
            f"kernel of {here.label} lets no packet from or to {ending.address} pass {ending.link.name}: for IPv6 "
            "nothing allows that.",
            rows_of_walk(case.prediction),
            tuple(remedies),
            ("localhost is often ::1 first: a client that tries only one address fails, another one works.",),
        )
        return
    yield Proposal(
        Cause.LOOPBACK_FROM_OUTSIDE,
        f"{why}: the kernel drops such packets without a word.",
        (*([sysctl_row(here, name, "1")] if four else []), *rows_of_walk(case.prediction)),
        tuple(remedies),
    )


def _own_packet(ending: Martian, case: Case) -> Iterator[Proposal]:
    """A container called its own published port, and its packet came back to it with its own source address."""
    here, steps = ending.namespace, [s for s in case.prediction.steps if isinstance(s, Translation) and not s.back]
    hosts = {step.namespace.key: step.namespace for step in steps}
    port = ending.packet.destination_port or case.attempt.target.port
    direct = [replace(case.attempt.target, host=host, port=port) for host in ("127.0.0.1", str(ending.destination))]
    yield Proposal(
        Cause.PUBLISHED_NO_RULE,
        f"{case.said} leads back to {here.label} itself by a published port, and what {here.label} sends comes back to "
        f"it with its own address {ending.address}: no rule masquerades it, and the kernel takes no packet of its own "
        "from outside.",
        rows_of_walk(case.prediction),
        (
            *(Remedy(f"Let {here.label} call itself directly", target=t) for t in direct),
            *(
                Remedy("Write Podman's rules anew", changes=(ReloadNetworks(facts),))
                for key in hosts
                for facts in case.hosts_of(key)
            ),
        ),
        ("The host and other containers reach the published port: it is only the container itself that does not.",),
    )


def _listens_instead(case: Case, step: Translation) -> Iterator[Remedy]:
    """The listener listening on the address that is called, instead of a rule that rewrites to the loopback."""
    here, by, to = step.namespace, step.by, step.after.destination
    if by is None or by.rule is None or not to.is_loopback:
        return
    gone = RemoveRule(here.key, ChainName.of(by.chain), by.rule)
    for listener in listeners(here, step.after.destination_port or 0, case.protocol):
        port = step.before.destination_port or listener.port
        yield Remedy(
            f"Let {holder(listener)} listen on every address, instead of rewriting to the loopback",
            changes=(gone, Rebind(here.key, listener, any_address(to.version), port)),
        )


def sysctl_row(here: Namespace, name: str, otherwise: str) -> Row:
    """A kernel parameter as sysctl(8) shows it.

    :param name: with slashes, as in a picture
    :param otherwise: the value that it would have to have
    """
    value = here.sysctls.get(name, "0")
    return Row("sysctl", here.label, f"{_dotted(name)} = {value}", SetSysctl(here.key, name, otherwise))


def _dotted(name: str) -> str:
    """A parameter's name as sysctl(8) writes it; an interface's dots become slashes there."""
    return "net." + ".".join(part.replace(".", "/") for part in name.split("/"))
