"""Causes where there is no way: routes, segments, forwarding. Pure."""

from __future__ import annotations

from dataclasses import replace

from testbed.evidence import MAIN_TABLE, Container, Link, Namespace, Network, PolicyRule, Route, RouteKind
from testbed.explain.by_ending import diagnose
from testbed.explain.case import Case, rows_of_walk
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.explain.publishing import not_running
from testbed.model import Address
from testbed.predict.ending import Martian, NoNeighbour, NoRoute, NoSource, NotForwarded, ReversePath, RouteForbids
from testbed.predict.routing import choose, link_of, own_addresses, reverse_path_fails, setting, source_for


@diagnose.register
def no_route(ending: NoRoute, case: Case) -> Diagnosis:
    """A namespace has no route to the address: the container's own, or one on the way."""
    return _no_route(case, ending.namespace, ending.destination, back=ending.back)


def _no_route(case: Case, here: Namespace, to: Address, *, back: bool) -> Diagnosis:
    """Find why a namespace has no route to an address.

    :param back: whether the address is the sender's, and it is the way of an answer that is missing
    """
    container = case.place.container
    if down := _own_link_down(here, to, alone=not case.is_host(here.key)):
        return _link_down(case, here, down, to)
    if here.key == case.place.namespace and container is not None and not case.is_host(here.key):
        if not any(link.name != "lo" for link in here.links):
            return _no_network(case, here, to)
        networks = case.networks_of(container)
        if networks and all(network.internal for network in networks):
            return _internal(case, here, to, networks[0])
        theirs = [n for n in case.networks_with(to, {container.host}) if n not in networks]
        if theirs:
            return _not_shared(case, container, to, theirs[0])
    name = here.label
    return Diagnosis(
        Cause.NO_ROUTE,
        f"{name} has no route {'back ' if back else ''}to {to}: none of its {len(_unicast(here, to))} routes covers "
        f"that address, and it has no default route for IPv{to.version}.",
        (*_routes(here, to), *rows_of_walk(case.prediction)),
        (Cure(f"Give {name} a route (run on {case.machine(here)})", case.command_in(here, _route_to(case, here, to))),),
    )


def _route_to(case: Case, here: Namespace, to: Address) -> str:
    """The command that adds the route that is missing, as far as the picture has its gateway."""
    if not case.is_host(here.key):
        for container in case.containers_in(here.key):
            for attachment in container.attachments:
                if gateway := next((g for g in attachment.gateways if g.version == to.version), None):
                    return f"ip route add default via {gateway}"
    own = [row.address for row in here.addresses if not row.address.ip.is_loopback]
    for namespace in case.evidence.namespaces.values():
        addresses = [row.address.ip for row in namespace.addresses]
        if namespace is here or to not in addresses:
            continue
        for address in addresses:
            if address.version == to.version and any(address in interface.network for interface in own):
                return f"ip route add {to} via {address}"
    return f"ip route add {to} via GATEWAY"


def _no_network(case: Case, here: Namespace, to: Address) -> Diagnosis:
    return Diagnosis(
        Cause.NO_NETWORK,
        f"{case.place.name} has no network: only its own loopback, so nothing leads to {to}.",
        (Row("links", here.label, " ".join(link.name for link in here.links)),),
        (
            Cure("Start it on a network", "podman run --network podman ... (a new container)"),
            Cure("Or share another container's", "podman run --network container:NAME ... (a new container)"),
        ),
    )


def _internal(case: Case, here: Namespace, to: Address, network: Network) -> Diagnosis:
    gateway = next(iter(network.gateways), None)
    host = f", the host's own address {gateway} apart" if gateway else ""
    return Diagnosis(
        Cause.INTERNAL_NETWORK,
        f"{case.place.name} is only on the network {network.name}, which is internal: containers on it have no default "
        f"route and reach nothing but each other{host}.",
        (Row("network", case.place.host.name, f"{network.name} internal=true {_subnets(network)}"), *_routes(here, to)),
        (
            Cure(
                "Connect it to a network with a way out as well",
                f"podman network connect podman {case.place.name}",
                f"{case.place.name} reaches whatever the host reaches",
            ),
            *([Cure("Or use the gateway's address, where the host listens there", str(gateway))] if gateway else []),
        ),
    )


def _not_shared(case: Case, container: Container, to: Address, network: Network) -> Diagnosis:
    return Diagnosis(
        Cause.NETWORKS_NOT_SHARED,
        f"{to} is on the network {network.name}, which {container.name} is not on, and nothing leads from one to the "
        "other.",
        (Row("network", case.place.host.name, f"{network.name} {_subnets(network)}"),),
        (
            Cure(
                f"Connect {container.name} to it",
                f"podman network connect {network.name} {container.name}",
                f"the containers of {network.name} and {container.name} reach each other on every port",
            ),
        ),
    )


@diagnose.register
def route_forbids(ending: RouteForbids, case: Case) -> Diagnosis:
    """An unreachable, prohibit or blackhole route, or policy rule."""
    here, to = ending.namespace, ending.destination
    what, text, remove = _forbidding(ending)
    return Diagnosis(
        Cause.ROUTE_FORBIDS,
        f"{here.label} has a {what} that forbids {to}: {text}.",
        (Row("route", here.label, text),),
        (
            Cure(
                f"Remove it, if it is not meant (run on {case.machine(here)}); a VPN's kill switch with its own tool",
                case.command_in(here, remove),
                "what it kept apart",
            ),
        ),
    )


def _forbidding(ending: RouteForbids) -> tuple[str, str, str]:
    """What forbids an address, ``route`` or ``policy rule``; its text; and the command that removes it."""
    ip = "ip" if ending.destination.version == 4 else "ip -6"
    by = ending.by
    if isinstance(by, PolicyRule):
        where = f" to {by.destination}" if by.destination else ""
        words = f"priority {by.priority}{where} {by.action}"
        return "policy rule", words, f"{ip} rule del {words}"
    words = f"{by.kind} {by.destination}{'' if by.table == MAIN_TABLE else f' table {by.table}'}"
    return "route", words, f"{ip} route del {words}"


@diagnose.register
def nobody_has_it(ending: NoNeighbour, case: Case) -> Diagnosis:
    """The address, or the gateway to it, is on a segment where nobody answers for it."""
    here, goal, link, to = ending.namespace, ending.destination, ending.link, ending.hop
    network = next(
        (n for n in case.evidence.networks if _has(n, to) and link.name in (n.bridge, *_behind(n, case))), None
    )
    if down := _down(case, here, link, to):
        return _link_down(case, *down, to)
    if keeps := _keeps_silent(ending, case):
        return _silent(case, *keeps)
    if stopped := _stopped_with(case, to):
        return not_running(case, stopped)
    shadowed = _shadowed(case, to, link)
    if network is not None and shadowed is not None:
        host, route, via = shadowed
        return Diagnosis(
            Cause.SUBNET_SHADOWS,
            f"{to} is also within {route.destination}, which {host.label} reaches by {via}, but Podman's network "
            f"{network.name} ({_subnets(network)}) has taken that range: packets stay on {network.bridge}, where "
            "nobody "
            f"has that address.",
            (
                Row("network", case.machine(host), f"{network.name} {_subnets(network)}"),
                Row("route", host.label, f"{route.destination} dev {via}"),
            ),
            (
                Cure(
                    "Make the network anew with another subnet",
                    f"podman network rm {network.name} && podman network create --subnet SUBNET {network.name}",
                ),
                Cure(
                    "Keep Podman off that range for good, in containers.conf(5)",
                    '[network]\ndefault_subnet_pools = [{"base" = "10.200.0.0/16", "size" = 24}]',
                ),
            ),
        )
    on = f"the network {network.name} ({_subnets(network)})" if network else f"{link.name} of {here.label}"
    way = "" if to == goal else f", the gateway to {goal},"
    return Diagnosis(
        Cause.NOBODY_HAS_ADDRESS,
        f"{to}{way} would be on {on}, and nobody there has it: the question who does (ARP) goes unanswered.",
        (Row("link", here.label, f"{link.name}: no neighbour {to}"), *rows_of_walk(case.prediction)),
        (
            Cure(
                "Look up the address that is meant: a container's changes whenever it is started anew",
                "podman inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' NAME",
            ),
            Cure("Call containers by name, on a network with DNS", "podman network create shared"),
        ),
        ("It takes the kernel three seconds to say so: a client with less patience only sees a timeout.",),
    )


def _stopped_with(case: Case, address: Address) -> Container | None:
    """The container that has an address whenever it runs: Podman forgets that at its end, a hosts file does not."""
    for container in case.evidence.containers:
        named = container.host == case.place.host.key and address in case.place.names.hosts.lookup(container.name)
        if container.state != "running" and (named or any(address in a.addresses for a in container.attachments)):
            return container
    return None


@diagnose.register
def not_forwarded(ending: NotForwarded, case: Case) -> Diagnosis:
    """A host on the way keeps what is not its own."""
    here, link, to = ending.namespace, ending.link, ending.destination
    network = next(
        (n for n in case.evidence.networks if n.bridge == link.name and n.host in case.hosts_of(here.key)), None
    )
    if network is not None and network.internal:
        return Diagnosis(
            Cause.INTERNAL_NETWORK,
            f"{case.place.name} is on the network {network.name}, which is internal: {here.label} forwards nothing "
            "from it.",
            (Row("sysctl", here.label, f"net.ipv4.conf.{link.name}.forwarding = 0"),),
            (
                Cure(
                    "Connect it to a network with a way out as well",
                    f"podman network connect podman {case.place.name}",
                    f"{case.place.name} reaches whatever the host reaches",
                ),
            ),
        )
    v4 = to.version == 4
    name = f"net.ipv4.conf.{link.name}.forwarding" if v4 else "net.ipv6.conf.all.forwarding"
    switch = "net.ipv4.ip_forward" if v4 and not setting(here, "ipv4/ip_forward") else name
    back = "the answer to " if ending.back else ""
    return Diagnosis(
        Cause.FORWARDING_OFF,
        f"{here.label} does not forward: {back}what {link.name} brings for {to} ends there without a word ({name} is "
        "0).",
        (Row("sysctl", here.label, f"{name} = 0"),),
        (
            Cure(
                "Turn forwarding on (Podman does so when it starts a container, and something turned it off again)",
                case.command_in(here, f"sysctl -w {switch}=1"),
                f"{here.label} passes on packets between all its networks, as its firewall lets it",
            ),
        ),
    )


@diagnose.register
def reverse_path(ending: ReversePath, case: Case) -> Diagnosis:
    """rp_filter drops what comes in by another interface than an answer would leave by."""
    here, link, sender = ending.namespace, ending.link, ending.packet.source
    if choose(here, sender).kind is None:
        # Loose or strict, the filter drops what could not be answered at all (RFC 3704, 2.4).
        return _no_route(case, here, sender, back=True)
    return _filtered_path(here, link, "the answer" if ending.back else "the packet", (_loose(case, here, link),))


def _silent(case: Case, here: Namespace, link: Link, sender: Address) -> Diagnosis:
    """rp_filter drops the question who has an address (ARP), so that its owner does not answer.

    :param sender: who asked
    """
    route = Cure(
        f"Give {here.label} a way back by that interface (run on {case.machine(here)})",
        case.command_in(here, f"ip route add {sender} dev {link.name}"),
    )
    found = _filtered_path(here, link, f"what {sender} sends", (route, _loose(case, here, link)))
    return replace(
        found, warnings=(*found.warnings, "Not even ARP is answered: it looks as if nobody had the address.")
    )


def _filtered_path(here: Namespace, link: Link, what: str, cures: tuple[Cure, ...]) -> Diagnosis:
    names = [f"ipv4/conf/{name}/rp_filter" for name in ("all", link.name)]
    return Diagnosis(
        Cause.REVERSE_PATH,
        f"{here.label} drops {what} as it comes in by {link.name}: its own way back leads by another interface, and "
        "the reverse path filter (rp_filter) is strict.",
        tuple(Row("sysctl", here.label, f"net.{n.replace('/', '.')} = {here.sysctls.get(n, '0')}") for n in names),
        cures,
        ("With rp_filter 1 in sysctl.d every reload of it brings this back.",),
    )


def _loose(case: Case, here: Namespace, link: Link) -> Cure:
    return Cure(
        f"Make the filter loose (run on {case.machine(here)})",
        case.command_in(here, f"sysctl -w net.ipv4.conf.{link.name}.rp_filter=2"),
        "nothing in a usual network",
    )


@diagnose.register
def martian(ending: Martian, case: Case) -> Diagnosis:
    """A loopback or own address came, or would leave, by a real interface."""
    here, name = ending.namespace, ending.link.name
    return Diagnosis(
        Cause.LOOPBACK_FROM_OUTSIDE,
        f"{case.prediction.why[0].upper()}{case.prediction.why[1:]}: the kernel drops such packets without a word.",
        (Row("sysctl", here.label, f"net.ipv4.conf.{name}.route_localnet = 0"), *rows_of_walk(case.prediction)),
        (
            Cure("Let the listener listen on the address that is called, instead of rewriting to loopback", ""),
            Cure(
                "Or allow it",
                f"sysctl -w net.ipv4.conf.{name}.route_localnet=1",
                "loopback services, to whoever is on that interface and a rule leads there",
            ),
        ),
    )


@diagnose.register
def no_source(ending: NoSource, case: Case) -> Diagnosis:  # noqa: ARG001 - the ending says it all
    """There is no address to send from: that IP version is off."""
    here, to = ending.namespace, ending.destination
    return Diagnosis(
        Cause.NO_ROUTE,
        f"{here.label} has no IPv{to.version} address to send from, so nothing leads to {to}.",
        (
            Row(
                "sysctl",
                here.label,
                f"net.ipv6.conf.all.disable_ipv6 = {here.sysctls.get('ipv6/conf/all/disable_ipv6', '?')}",
            ),
        ),
        (Cure(f"Call it by its IPv{10 - to.version} address", ""),),
    )


def _unicast(here: Namespace, to: Address) -> list[Route]:
    return [r for r in here.routes if r.kind is RouteKind.UNICAST and r.destination.version == to.version]


def _routes(here: Namespace, to: Address) -> tuple[Row, ...]:
    names = {link.index: link.name for link in here.links}
    routes = [f"{r.destination} dev {names.get(r.link or 0, '?')}" for r in _unicast(here, to)]
    return tuple(Row("route", here.label, route) for route in routes[:8]) or (
        Row("route", here.label, "no route at all"),
    )


def _subnets(network: Network) -> str:
    return ", ".join(map(str, network.subnets))


def _has(network: Network, address: Address) -> bool:
    return any(address in subnet for subnet in network.subnets)


def _behind(network: Network, case: Case) -> tuple[str, ...]:
    """The names that a network's interface may have inside its containers."""
    container = case.place.container
    if container is None or network not in case.networks_of(container):
        return ()
    namespace = case.evidence.namespaces.get(container.namespace or "")
    return tuple(link.name for link in namespace.links if link.name != "lo") if namespace else ()


def _own_link_down(here: Namespace, to: Address, *, alone: bool) -> Link | None:
    """An interface that is down and with it its routes, among them the one to an address.

    :param alone: whether a missing default route is its doing too, as in a container, which has no other way
    """
    no_other = alone and not any(link.up for link in here.links if link.name != "lo")
    for row in here.addresses:
        link = link_of(here, row.link)
        if link is None or link.up or link.name == "lo" or row.address.version != to.version:
            continue
        if to in row.address.network or no_other:
            return link
    return None


def _down(case: Case, here: Namespace, link: Link, to: Address) -> tuple[Namespace, Link] | None:
    """The interface that is down between an asker's own and whoever has the address."""
    beyond = _peer(case, link)
    if beyond is not None:
        there, end = beyond
        bridge = link_of(there, end.master)
        for one in (end, bridge):
            if one is not None and not one.up:
                return there, one
    for namespace in case.evidence.namespaces.values():
        for row in namespace.addresses:
            own = link_of(namespace, row.link) if row.address.ip == to else None
            if own is None:
                continue
            if not own.up:
                return namespace, own
            beyond = _peer(case, own)
            if beyond is not None and not beyond[1].up:
                return beyond
    return None if link.up else (here, link)


def _peer(case: Case, link: Link) -> tuple[Namespace, Link] | None:
    """The other end of a veth pair."""
    there = case.evidence.namespaces.get(link.peer.namespace or "") if link.peer else None
    end = link_of(there, link.peer.index) if there and link.peer else None
    return (there, end) if there and end else None


def _link_down(case: Case, namespace: Namespace, down: Link, to: Address) -> Diagnosis:
    near = any(to in row.address.network for row in namespace.addresses if row.link == down.index)
    name = next((c.name for c in case.containers_in(namespace.key) if not case.is_host(namespace.key)), None)
    cures = [
        Cure(
            f"Set it up again (run on {case.machine(namespace)})",
            case.command_in(namespace, f"ip link set {down.name} up"),
        )
    ]
    if name is not None:
        restart = Cure("Or restart the container, which makes its interfaces and routes anew", f"podman restart {name}")
        cures.insert(1 if near else 0, restart)
    return Diagnosis(
        Cause.LINK_DOWN,
        f"The interface {down.name} of {namespace.label}, on the way to {to}, is down: nothing passes it.",
        (Row("link", namespace.label, f"{down.name} DOWN"),),
        tuple(cures),
        ("An interface that is down shows at its other end as NO-CARRIER, and the routes by it are gone.",),
    )


def _keeps_silent(ending: NoNeighbour, case: Case) -> tuple[Namespace, Link, Address] | None:
    """Whoever has the address, where it does not answer the question who has it: rp_filter drops that too."""
    here, to = ending.namespace, ending.hop
    source = source_for(here, to, choose(here, to))
    # An answer comes from the address that was called, whatever way it takes.
    senders = own_addresses(here, to.version) if ending.back else (source,)
    for sender in (one for one in senders if one is not None and not one.is_loopback):
        for namespace in case.evidence.namespaces.values():
            for row in namespace.addresses:
                link = link_of(namespace, row.link) if row.address.ip == to else None
                if link is not None and reverse_path_fails(namespace, link, sender):
                    return namespace, link, sender
    return None


def _shadowed(case: Case, to: Address, link: Link) -> tuple[Namespace, Route, str] | None:
    """A less specific route of the host, by another interface, that the network's own has taken the place of."""
    for host in case.evidence.hosts:
        namespace = case.evidence.namespaces.get(host.namespace)
        if namespace is None or host.key != case.place.host.key:
            continue
        names = {entry.index: entry.name for entry in namespace.links}
        bridges = {n.bridge for n in case.evidence.networks if n.host == host.key and _has(n, to)}
        for route in _unicast(namespace, to):
            via = names.get(route.link or 0, "")
            if to in route.destination and route.destination.prefixlen and via not in bridges and via != link.name:
                return namespace, route, via
    return None
