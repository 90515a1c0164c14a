"""Causes where there is no way: routes, segments, forwarding. Pure."""

from __future__ import annotations

from testbed.evidence import Link, Namespace, Network, Route, RouteKind
from testbed.explain.case import Case, rows_of_walk
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.explain.publishing import not_running
from testbed.model import Address
from testbed.predict import End


def no_route(case: Case) -> Diagnosis:
    """A namespace has no route to the address: the container's own, or one on the way."""
    here, to = case.end, case.prediction.destination
    assert here is not None and to is not None
    container = case.place.container
    if here.key == case.place.namespace and container is not None and not case.is_host(here.key):
        if not any(link.name != "lo" for link in here.links):
            return _no_network(case, here, to)
        networks = case.networks_of(container)
        if networks and all(network.internal for network in networks):
            return _internal(case, here, to, networks[0])
        theirs = case.networks_with(to, container.host)
        if theirs:
            return _not_shared(case, to, theirs[0])
    name = here.label
    back = "back " if case.prediction.back else ""
    return Diagnosis(
        Cause.NO_ROUTE,
        f"{name} has no route {back}to {to}: none of its {len(_unicast(here, to))} routes covers that address, and "
        "it has no "
        f"default route for IPv{to.version}.",
        (*_routes(here, to), *rows_of_walk(case.prediction)),
        (Cure(f"Give {name} a route", f"ip route add {to} via GATEWAY (in {name})"),),
    )


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
        (Row("network", case.place.host, f"{network.name} internal=true {_subnets(network)}"), *_routes(here, to)),
        (
            Cure(
                "Connect it to a network with a way out as well",
                f"podman network connect podman {case.place.name}",
                f"{case.place.name} reaches whatever the host reaches",
            ),
            *([Cure("Or use the gateway's address, where the host listens there", str(gateway))] if gateway else []),
        ),
    )


def _not_shared(case: Case, to: Address, network: Network) -> Diagnosis:
    container = case.place.container
    assert container is not None
    return Diagnosis(
        Cause.NETWORKS_NOT_SHARED,
        f"{to} is on the network {network.name}, which {container.name} is not on, and nothing leads from one to the "
        "other.",
        (Row("network", container.host, f"{network.name} {_subnets(network)}"),),
        (
            Cure(
                f"Connect {container.name} to it",
                f"podman network connect {network.name} {container.name}",
                f"the containers of {network.name} and {container.name} reach each other on every port",
            ),
        ),
    )


def route_forbids(case: Case) -> Diagnosis:
    """An unreachable, prohibit or blackhole route, or policy rule."""
    here, to = case.end, case.prediction.destination
    assert here is not None and to is not None
    routes = [
        r for r in here.routes if to in r.destination and r.kind.value in ("unreachable", "prohibit", "blackhole")
    ]
    text = f"{routes[0].kind} {routes[0].destination}" if routes else "a policy rule"
    return Diagnosis(
        Cause.ROUTE_FORBIDS,
        f"{here.label} has a route that forbids {to}: {text}.",
        (Row("route", here.label, text),),
        (Cure("Remove that route, if it is not meant", f"ip route del {text} (in {here.label})"),),
    )


def nobody_has_it(case: Case) -> Diagnosis:
    """The address is on a segment where nobody answers for it."""
    here, to, link = case.end, case.prediction.destination, case.prediction.link
    assert here is not None and to is not None and link is not None
    network = next(
        (n for n in case.evidence.networks if _has(n, to) and link.name in (n.bridge, *_behind(n, case))), None
    )
    down = _down(case, to)
    if down is not None:
        namespace, ended = down
        return Diagnosis(
            Cause.LINK_DOWN,
            f"{to} is {namespace.label}'s, whose interface {ended.name} is down, or the other end of it is.",
            (
                Row(
                    "link",
                    namespace.label,
                    f"{ended.name} {'UP' if ended.up else 'DOWN'}{'' if ended.carrier else ' NO-CARRIER'}",
                ),
            ),
            (Cure("Set it up again", f"ip link set {ended.name} up (in {namespace.label}, and its peer)"),),
        )
    stopped = [
        c for c in case.evidence.containers if c.state != "running" and any(to in a.addresses for a in c.attachments)
    ]
    if stopped:
        return not_running(case, stopped[0])
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
                Row("network", case.host_of(host.key), f"{network.name} {_subnets(network)}"),
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
    return Diagnosis(
        Cause.NOBODY_HAS_ADDRESS,
        f"{to} would be on {on}, and nobody there has it: the question who does (ARP) goes unanswered.",
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


def not_forwarded(case: Case) -> Diagnosis:
    """A host on the way keeps what is not its own."""
    here, link, to = case.end, case.prediction.link, case.prediction.destination
    assert here is not None and link is not None
    network = next(
        (n for n in case.evidence.networks if n.bridge == link.name and n.host == case.host_of(here.key)), None
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
    name = f"net.ipv4.conf.{link.name}.forwarding" if to is None or to.version == 4 else "net.ipv6.conf.all.forwarding"
    back = "the answer to " if case.prediction.back else ""
    return Diagnosis(
        Cause.FORWARDING_OFF,
        f"{here.label} does not forward: {back}what {link.name} brings for {to} ends there without a word ({name} is "
        "0).",
        (Row("sysctl", here.label, f"{name} = 0"),),
        (
            Cure(
                "Turn forwarding on (Podman does so when it starts a container, and something turned it off again)",
                "sysctl -w "
                f"{'net.ipv4.ip_forward' if to is None or to.version == 4 else 'net.ipv6.conf.all.forwarding'}=1",
                f"{here.label} passes on packets between all its networks, as its firewall lets it",
            ),
        ),
    )


def reverse_path(case: Case) -> Diagnosis:
    """rp_filter drops what comes in by another interface than an answer would leave by."""
    here, link = case.end, case.prediction.link
    assert here is not None and link is not None
    names = [f"ipv4/conf/{name}/rp_filter" for name in ("all", link.name)]
    rows = tuple(Row("sysctl", here.label, f"net.{n.replace('/', '.')} = {here.sysctls.get(n, '0')}") for n in names)
    return Diagnosis(
        Cause.REVERSE_PATH,
        f"{here.label} drops it as it comes in by {link.name}: an answer would leave by another interface, and the "
        f"reverse path filter is strict.",
        rows,
        (
            Cure(
                "Make the filter loose",
                f"sysctl -w net.ipv4.conf.{link.name}.rp_filter=2",
                "nothing in a usual network",
            ),
        ),
        ("With rp_filter 1 in sysctl.d every reload of it brings this back.",),
    )


def martian(case: Case) -> Diagnosis:
    """A loopback or own address came, or would leave, by a real interface."""
    here = case.end
    assert here is not None
    name = case.prediction.link.name if case.prediction.link else "INTERFACE"
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


def no_source(case: Case) -> Diagnosis:
    """There is no address to send from: that IP version is off."""
    here, to = case.end, case.prediction.destination
    assert here is not None and to is not None
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


def _down(case: Case, to: Address) -> tuple[Namespace, Link] | None:
    """The interface that has the address but cannot carry anything, or whose other end cannot."""
    for namespace in case.evidence.namespaces.values():
        for row in namespace.addresses:
            if row.address.ip == to:
                for link in namespace.links:
                    if link.index == row.link and not (link.up and link.carrier):
                        return namespace, link
    return None


def _shadowed(case: Case, to: Address, link: Link) -> tuple[Namespace, Route, str] | None:
    """A less specific route of the host, by another interface, that the network's own has taken the place of."""
    for host in case.evidence.hosts:
        namespace = case.evidence.namespaces.get(host.namespace)
        if namespace is None or host.name != case.place.host:
            continue
        names = {entry.index: entry.name for entry in namespace.links}
        bridges = {n.bridge for n in case.evidence.networks if n.host == host.name and _has(n, to)}
        for route in _unicast(namespace, to):
            via = names.get(route.link or 0, "")
            if to in route.destination and route.destination.prefixlen and via not in bridges and via != link.name:
                return namespace, route, via
    return None


BY_END = {
    End.NO_ROUTE: no_route,
    End.ROUTE_FORBIDS: route_forbids,
    End.NO_NEIGHBOUR: nobody_has_it,
    End.NOT_FORWARDED: not_forwarded,
    End.REVERSE_PATH: reverse_path,
    End.MARTIAN: martian,
    End.NO_SOURCE: no_source,
}
