"""Rows of evidence, read: each has to be so in the picture. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from testbed.evidence import Chain, Names, Namespace, Published, Route, RouteKind
from truth.stated import Check, Pattern, Reading, pattern, plain

#: By the kind of the row, all that it may look like.
ROWS: Final[dict[str, list[Pattern]]] = {}
_ANY: Final = ("", "0.0.0.0", "::")


def row(kinds: str, text: str) -> Callable[[Check], Check]:
    """Enter a check of rows.

    :param kinds: of which kinds, with blanks between them
    """

    def enter(check: Check) -> Check:
        for kind in kinds.split():
            pattern(ROWS.setdefault(f"row {kind}", []), text)(check)
        return check

    return enter


@row("listener", r"(?:LISTEN \d+ \d+|UNCONN) (?P<address>\S+):(?P<port>\d+) (?P<who>.+?)(?: \(pid (?P<pid>\d+)\))?$")
def _listener(read: Reading) -> bool:
    def fits(here: Namespace) -> bool:
        return any(
            (one.address, one.port) == (plain(read["address"]), int(read["port"]))
            and (str(one.process.pid) if one.process else None) == read.of["pid"]
            and (one.process.name if one.process else "a process that is not visible") == read["who"]
            for one in here.listeners
        )

    return any(map(fits, read.at(read.where)))


@row("listener", r"ss -Hl(?P<kind>[tu])n 'sport = :(?P<port>\d+)' shows nothing for (?P<address>{A})")
def _no_listener(read: Reading) -> bool:
    protocol = "tcp" if read["kind"] == "t" else "udp"
    return not any(takes(here, protocol, read["address"], int(read["port"])) for here in read.at(read.where))


@row("rule", r"(?P<backend>\S+) (?P<family>\S+) (?P<table>\S+) (?P<chain>\S+): (?P<text>.+)")
def _rule(read: Reading) -> bool:
    named = tuple(read[part] for part in ("backend", "family", "table", "chain"))
    chains = [
        chain
        for here in read.at(read.where)
        for chain in here.firewall.chains
        if (chain.backend, chain.family, chain.table, chain.name) == named
    ]
    return any(has_rule(chain, read["text"]) for chain in chains)


@row("translate firewall", r"(?P<text>.+)")
def _translation(read: Reading) -> bool:
    chains = (chain for here in read.at(read.where) for chain in here.firewall.chains)
    return any(has_rule(chain, read["text"]) for chain in chains)


@row(
    "route forward",
    r"(?:(?P<kind>unreachable|prohibit|blackhole|throw|local|broadcast|multicast|anycast) )?"
    r"(?P<to>default|[0-9a-f.:/]+)"
    r"(?: via (?P<via>{A}))?(?: dev (?P<dev>\S+))?(?: src (?P<src>{A}))?(?: table (?P<table>\d+))?$",
)
def _route(read: Reading) -> bool:
    return any(_is_route(one, here, read) for here in read.at(read.where) for one in here.routes)


def _is_route(route: Route, here: Namespace, read: Reading) -> bool:
    to = "default" if not route.destination.prefixlen else str(route.destination)
    kind = read.of["kind"] or RouteKind.UNICAST
    links = {link.index: link.name for link in here.links}
    known = {links.get(route.link or 0)} | {links.get(one.link or 0) for one in route.nexthops}
    gateways = {str(route.gateway)} | {str(one.gateway) for one in route.nexthops}
    return (
        to == read["to"]
        and route.kind == kind
        and (read.of["via"] is None or read["via"] in gateways)
        and (read.of["dev"] is None or read["dev"] in known)
        and (read.of["src"] is None or read["src"] == str(route.source))
        and (read.of["table"] is None or read["table"] == str(route.table))
    )


@row("route", r"no route at all|no route (?:back )?to \S+")
def _no_route(read: Reading) -> bool:
    return bool(read.at(read.where))


@row("links", r"{N}(?:,? {N})*")
def _links(read: Reading) -> bool:
    names = {name.strip(",") for name in read["all"].split()}
    return any(names == {link.name for link in here.links} for here in read.at(read.where))


@row("links link", r"(?P<link>{N}) DOWN")
def _down(read: Reading) -> bool:
    return any(link.name == read["link"] and not link.up for here in read.at(read.where) for link in here.links)


@row("link", r"(?P<link>{N}) master (?P<master>{N}) hairpin off")
def _no_hairpin(read: Reading) -> bool:
    for here in read.at(read.where):
        names = {link.index: link.name for link in here.links}
        for link in here.links:
            if (link.name, names.get(link.master or 0)) == (read["link"], read["master"]):
                return not link.hairpin
    return False


@row("networks", r".+: .+")
def _networks(read: Reading) -> bool:
    return all(
        any(", ".join(sorted(a.network for a in one.attachments)) == _sorted(names) for one in read.containers(name))
        for name, names in (part.split(": ", 1) for part in read["all"].split("; "))
    )


@row("network", r"(?P<network>{N}) .+|(?P<other>{N})")
def _network(read: Reading) -> bool:
    name = read.of["network"] or read.of["other"]
    return any(one.name == name for one in read.evidence.networks)


@row("published", r"(?:(?P<address>{A}):)?(?P<outside>\d+)->(?P<inside>\d+)/(?P<protocol>tcp|udp) (?P<name>{N})")
def _published(read: Reading) -> bool:
    return any(_is_published(one, read) for c in read.containers(read["name"]) for one in c.published)


@row("published", r"(?P<name>{N}): nothing for (?P<inside>\d+)/(?P<protocol>tcp|udp)")
def _not_published(read: Reading) -> bool:
    found = read.containers(read["name"])
    inside = (int(read["inside"]), read["protocol"])
    return bool(found) and not any((p.container_port, p.protocol) == inside for c in found for p in c.published)


def _is_published(one: Published, read: Reading) -> bool:
    ports = (one.host_port, one.container_port, one.protocol)
    same = ports == (int(read["outside"]), int(read["inside"]), read["protocol"])
    address = read.of["address"]
    return same and (address is None or address.strip("[]") == one.host_address or _both_any(address, one.host_address))


def _both_any(one: str, other: str) -> bool:
    return one.strip("[]") in _ANY and other in _ANY


@row("resolve hosts", r"(?P<address>{A}) (?P<name>{N})")
def _line(read: Reading) -> bool:
    wanted = plain(read["address"])
    return any(wanted in names.hosts.lookup(read["name"]) for names in names_of(read, read.where))


@row("resolve", r"(?P<address>{A})")
def _resolver_of(read: Reading) -> bool:
    return any(plain(read["address"]) in names.nameservers for names in names_of(read, read.where))


@row("resolver", r"nameserver {A}(?: nameserver {A})*")
def _resolver(read: Reading) -> bool:
    wanted = tuple(plain(one) for one in read["all"].split()[1::2])
    return any(names.nameservers == wanted for names in names_of(read, read.where))


@row("resolv.conf", r"search (?P<domains>.+)")
def _search(read: Reading) -> bool:
    return any(" ".join(names.search) == read["domains"] for names in names_of(read, read.where))


@row("hosts", r"has (?P<names>.+)")
def _hosts(read: Reading) -> bool:
    wanted = read["names"].split(", ")
    return any(all(names.hosts.lookup(name) for name in wanted) for names in names_of(read, read.where))


@row("sysctl", r"(?P<name>net[./]\S+) = (?P<value>.*)")
def _sysctl(read: Reading) -> bool:
    return any(setting(here, read["name"]) in (read["value"], None) for here in read.at(read.where))


@row("container", r"(?P<id>[0-9a-f]{12}) (?P<name>{N}) (?P<state>\w+)")
def _container(read: Reading) -> bool:
    return any(c.id.startswith(read["id"]) and c.state == read["state"] for c in read.containers(read["name"]))


@row("neighbour", r"(?P<address>{A}) dev (?P<dev>\S+) lladdr (?P<mac>\S+) (?P<state>\w+)")
def _neighbour(read: Reading) -> bool:
    for here in read.at(read.where):
        names = {link.index: link.name for link in here.links}
        for one in here.neighbours:
            known = (str(one.address), names.get(one.link), one.mac, one.state.upper())
            if known == tuple(read[part] for part in ("address", "dev", "mac", "state")):
                return True
    return False


@row("neighbour link", r"(?P<dev>{N}): no neighbour (?P<address>{A})")
def _no_neighbour(read: Reading) -> bool:
    return any(link.name == read["dev"] for here in read.at(read.where) for link in here.links)


@row("address", r"link/ether (?P<mac>\S+)")
def _hardware(read: Reading) -> bool:
    return any(link.mac == read["mac"] for here in read.at(read.where) for link in here.links)


# --- what prose says too ----------------------------------------------------------------------------------------------


def takes(here: Namespace, protocol: str, address: str, port: int) -> bool:
    """Tell if a namespace has a listener for an address and port (ipv6(7), IPV6_V6ONLY)."""
    to = plain(address)
    for one in here.listeners:
        if (one.protocol, one.port) != (protocol, port):
            continue
        if one.address == to:
            return True
        if one.address.is_unspecified and (
            one.address.version == to.version or (one.address.version == 6 and not one.v6only)
        ):
            return True
    return False


def has_rule(chain: Chain, text: str) -> bool:
    """Tell if a text is a rule of a chain, or says what its policy is."""
    if text.startswith(f"policy of the chain {chain.name} is {chain.policy}"):
        return chain.hook is not None
    return any(rule.text and text.startswith(rule.text) for rule in chain.rules)


def names_of(read: Reading, name: str) -> Iterator[Names]:
    """How names are resolved at the hosts and containers of a name, or in a network namespace that is called so."""
    keys = {here.key for here in read.evidence.namespaces.values() if here.label == name}
    yield from (one.names for one in read.evidence.containers if one.name == name or one.namespace in keys)
    yield from (one.names for one in read.evidence.hosts if one.name == name or one.namespace in keys)


def setting(here: Namespace, name: str) -> str | None:
    """A kernel parameter, by its name for sysctl(8); None where the picture does not have it."""
    return here.sysctls.get(name.removeprefix("net").lstrip("./").replace(".", "/"))


def _sorted(names: str) -> str:
    return ", ".join(sorted(names.split(", ")))
