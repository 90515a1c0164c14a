"""Sentences, warnings and words of cures, read: each fact that they state has to be so in the picture. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from testbed.evidence import Chain, Namespace, Protocol
from truth.shown import has_rule, names_of, setting, takes
from truth.stated import ADDRESS, Check, Pattern, Reading, pattern, plain

PROSE: Final[list[Pattern]] = []
_SOCKET: Final = re.compile(rf"({ADDRESS}):(\d+)")


def _says(text: str) -> Callable[[Check], Check]:
    return pattern(PROSE, text)


# --- whose address, and who listens -----------------------------------------------------------------------------------


@_says(r"(?P<address>{A})\)?(?:, which)? is (?P<label>{N})'s own address(?: on (?P<link>{N}))?")
def _own_address(read: Reading) -> bool:
    read.here, read.address = read.at(read["label"]), plain(read["address"])
    return any(_has(here, read["address"], read.of["link"]) for here in read.here)


@_says(r"(?P<address>{A})\)?(?:, which)? is (?P<label>{N})'s own(?! address)")
def _own(read: Reading) -> bool:
    read.here, read.address = read.at(read["label"]), plain(read["address"])
    return any(_has(here, read["address"], None) for here in read.here)


@_says(r"(?P<address>{A})\)? is not (?P<label>{N})'s own")
def _not_own(read: Reading) -> bool:
    return not any(_has(here, read["address"], None) for here in read.at(read["label"]))


@_says(r"nobody listens on (?P<protocol>TCP|UDP) port (?P<port>\d+) there")
def _nobody_there(read: Reading) -> bool:
    protocol = read["protocol"].lower()
    return read.address is not None and not any(
        takes(here, protocol, str(read.address), int(read["port"])) for here in read.here
    )


@_says(r"nothing there takes (?P<protocol>tcp|udp) for (?P<address>{A}):(?P<port>\d+)")
def _nothing_takes(read: Reading) -> bool:
    return not any(takes(here, read["protocol"], read["address"], int(read["port"])) for here in read.here)


@_says(r"No TCP port is listened on at all")
def _nobody_at_all(read: Reading) -> bool:
    return not any(one.protocol is Protocol.TCP for here in read.here for one in here.listeners)


@_says(r"Others are listened on: (?P<places>.+?)\.(?: |$)")
def _listens_elsewhere(read: Reading) -> bool:
    found = _SOCKET.findall(read["places"])
    return bool(found) and all(any(_bound(here, address, int(port)) for here in read.here) for address, port in found)


@_says(r"(?:(?P<who>[\w./:-]+) \(pid (?P<pid>\d+)\)|\((?P<other>[\w./:-]+), pid (?P<number>\d+)\))")
def _process(read: Reading) -> bool:
    wanted = (int(read.of["pid"] or read["number"]), read.of["who"] or read["other"])
    known = {
        (one.process.pid, one.process.name)
        for here in read.evidence.namespaces.values()
        for one in here.listeners
        if one.process
    }
    return wanted in known | {(one.pid, one.process) for one in read.evidence.forwards}


@_says(r"listens on port (?P<port>\d+) inside the container (?P<label>{N})")
def _listens_inside(read: Reading) -> bool:
    return any(one.port == int(read["port"]) for here in read.at(read["label"]) for one in here.listeners)


@_says(r"(?<!nobody )(?:listens(?: only)?|listening) on (?P<address>{A}):(?P<port>\d+)")
def _listens_on(read: Reading) -> bool:
    port = int(read["port"])
    return any(_bound(here, read["address"], port) for here in read.evidence.namespaces.values())


@_says(r"on port (?P<port>\d+) there only (?P<address>{A}):(?P<same>\d+) is listened on")
def _only_there(read: Reading) -> bool:
    port = int(read["port"])
    return any(_bound(here, read["address"], port) for here in read.here)


@_says(r"(?P<address>{A}):(?P<port>\d+) of (?P<label>{N})(?: \([^)]*\))? (?:accepts|holds the port)")
def _accepts(read: Reading) -> bool:
    return any(_bound(here, read["address"], int(read["port"])) for here in read.at(read["label"]))


@_says(r"Behind the rule nobody listens on (?P<address>{A}):(?P<port>\d+)")
def _behind(read: Reading) -> bool:
    port = int(read["port"])
    return not any(
        takes(here, Protocol.TCP, read["address"], port)
        for here in read.evidence.namespaces.values()
        if _has(here, read["address"], None) and not plain(read["address"]).is_loopback
    )


@_says(r"the program (?:for|that is to listen on) port (?P<port>\d+) of (?P<label>{N})")
def _program(read: Reading) -> bool:
    return bool(read.at(read["label"])) or bool(read.containers(read["label"]))


@_says(r"(?P<name>{N}) \((?P<address>{A})\)")
def _named(read: Reading) -> bool:
    wanted = plain(read["address"])
    own = {address for c in read.containers(read["name"]) for one in c.attachments for address in one.addresses}
    known = {a for names in names_of(read, read.where) for a in names.hosts.lookup(read["name"])}
    zones = {a for h in read.evidence.hosts for a in (h.zone or {}).get(read["name"].lower(), ())}
    labelled = {row.address.ip for here in read.at(read["name"]) for row in here.addresses}
    bound = re.search(rf"on the address {re.escape(read['name'])} only", read["all"])
    return wanted in own | known | zones | labelled or bool(bound) or read["name"] in ("only", "gateway")


@_says(r"(?P<address>{A}) in (?P<label>{N}) is (?P<same>{N}) itself: each network namespace has a loopback of its own")
def _own_loopback(read: Reading) -> bool:
    return plain(read["address"]).is_loopback and read["label"] == read["same"] and bool(read.at(read["label"]))


# --- rules ------------------------------------------------------------------------------------------------------------


@_says(
    r"[Aa] firewall rule in (?P<hook>[A-Z]+) of (?P<label>{N}) (?:drops|rejects) "
    r"(?:it|the answer|its answers|its packets|the \w+(?: \w+)? that finds \S+): (?P<rule>.+)"
)
def _filtered(read: Reading) -> bool:
    return any(_stops(chain, read["rule"], read["hook"]) for here in read.at(read["label"]) for chain in _chains(here))


@_says(r"The firewall of (?P<label>{N}) (?:drops|rejects) .+? in (?P<hook>[A-Z]+): by the rule (?P<rule>.+)")
def _stopped(read: Reading) -> bool:
    return any(_stops(chain, read["rule"], read["hook"]) for here in read.at(read["label"]) for chain in _chains(here))


@_says(
    r"[Tt]he firewall of (?P<label>{N}) (?:drops|rejects) .+? in (?P<hook>[A-Z]+): no rule lets it pass, "
    r"and the (?P<rule>policy of the chain \S+ is \w+)"
)
def _policy(read: Reading) -> bool:
    return any(has_rule(chain, read["rule"]) for here in read.at(read["label"]) for chain in _chains(here))


@_says(
    r"A rule of (?P<label>{N}) (?:rewrites what is for .+? before any other rule is asked"
    r"|(?:keeps|gives) packets .+? fails for that): (?P<rule>.+)"
)
def _rewrites(read: Reading) -> bool:
    return any(has_rule(chain, read["rule"]) for here in read.at(read["label"]) for chain in _chains(here))


@_says(r"to (?P<address>{A}):\d+, which is (?P<name>{N})'s,")
def _whose(read: Reading) -> bool:
    return any(_has(here, read["address"], None) for here in read.at(read["name"]))


@_says(r"Set the policy of (?P<chain>\S+) to accept")
def _is_drop(read: Reading) -> bool:
    chains = (chain for here in read.evidence.namespaces.values() for chain in _chains(here))
    return any(chain.name == read["chain"] and chain.policy == "drop" for chain in chains)


# --- names ------------------------------------------------------------------------------------------------------------


@_says(r"(?P<name>{N}) is not in the hosts file of (?P<place>{N})")
def _not_in_hosts(read: Reading) -> bool:
    read.where = read["place"]
    return not any(names.hosts.lookup(read["name"]) for names in names_of(read, read["place"]))


@_says(r"(?P<place>{N}) does not know the name (?P<name>{N}): that is a container")
def _is_container(read: Reading) -> bool:
    return bool(read.containers(read["name"]))


@_says(r"(?:asks|the resolvers?|its resolver) (?P<address>{A})")
def _asks(read: Reading) -> bool:
    names = [*(one.names for one in read.evidence.hosts), *(one.names for one in read.evidence.containers)]
    hosts = {server for each in names for server in each.nameservers}
    networks = {server for network in read.evidence.networks for server in (*network.dns_servers, *network.gateways)}
    return plain(read["address"]) in hosts | networks


@_says(r"(?P<place>{N}) asks for (?P<name>{N}) as (?P<asked>{N}) first, by the search list")
def _searches(read: Reading) -> bool:
    known = {f"{read['name']}.{domain}" for names in names_of(read, read["place"]) for domain in names.search}
    return read["asked"] in known


@_says(r"(?P<one>{N}) and (?P<other>{N}) are both on the networks? (?P<network>{N}), where Podman answers for no names")
def _without_names(read: Reading) -> bool:
    on = all(_is_on(read, read[name], read["network"]) for name in ("one", "other"))
    return on and all(not one.dns_enabled for one in read.evidence.networks if one.name == read["network"])


@_says(r"(?P<one>{N}) does not know (?P<other>{N}): they are on no network together")
def _apart(read: Reading) -> bool:
    mine, theirs = (
        {a.network for one in read.containers(read[name]) for a in one.attachments} for name in ("one", "other")
    )
    return not mine & theirs


@_says(r"the hosts file of (?P<place>{N})")
def _place(read: Reading) -> bool:
    return any(True for _ in names_of(read, read["place"]))


@_says(r"[Tt]he container (?P<name>{N})(?: on {N})? does not run: it is (?P<state>\w+)")
def _does_not_run(read: Reading) -> bool:
    return any(one.state == read["state"] for one in read.containers(read["name"]))


# --- networks and published ports -------------------------------------------------------------------------------------


@_says(r"(?P<name>{N}) publishes port (?P<port>\d+) on the address (?P<address>{A}) only")
def _publishes_on(read: Reading) -> bool:
    wanted = (int(read["port"]), read["address"].strip("[]"))
    return any((p.host_port, p.host_address) == wanted for c in read.containers(read["name"]) for p in c.published)


@_says(r"(?P<name>{N})(?: itself)?,? (?:which )?publishes port (?P<port>\d+)")
def _publishes(read: Reading) -> bool:
    return any(p.host_port == int(read["port"]) for c in read.containers(read["name"]) for p in c.published)


@_says(r"[Pp]ort (?P<port>\d+) of (?P<name>{N}) is published for IPv4")
def _published_four(read: Reading) -> bool:
    return any(p.host_port == int(read["port"]) for c in read.containers(read["name"]) for p in c.published)


@_says(r"[Pp]ort (?P<outside>\d+) is published to port (?P<inside>\d+) of the container (?P<name>{N})")
def _published_to(read: Reading) -> bool:
    wanted = (int(read["outside"]), int(read["inside"]))
    ports = [(p.host_port, p.container_port) for c in read.containers(read["name"]) for p in c.published]
    return wanted in ports


@_says(r"(?P<name>{N}|{A}) is (?:only )?on the network (?P<network>{N}), which is internal")
def _internal(read: Reading) -> bool:
    on = _is_on(read, read["name"], read["network"])
    return on and all(one.internal for one in read.evidence.networks if one.name == read["network"])


@_says(r"(?P<address>{A}) is on the network (?P<network>{N}), which (?P<name>{N}) is not on")
def _not_on(read: Reading) -> bool:
    inside = any(
        plain(read["address"]) in subnet
        for one in read.evidence.networks
        if one.name == read["network"]
        for subnet in one.subnets
    )
    return inside and not _is_on(read, read["name"], read["network"])


@_says(r"(?P<name>{N}) is on (?P<one>.+?) and .+? is on (?P<other>{N}), and these networks are kept apart")
def _isolated(read: Reading) -> bool:
    return _is_on(read, read["name"], read["one"].removeprefix("the network "))


@_says(r"(?P<name>{N}) has no network: only its own loopback")
def _no_network(read: Reading) -> bool:
    return all(not one.attachments for one in read.containers(read["name"]))


@_says(r"(?:the network|on network|to the network) (?P<network>{N})")
def _a_network(read: Reading) -> bool:
    return read["network"] in {one.name for one in read.evidence.networks} | {"namespace", "anew"}


# --- routes, interfaces, neighbours, parameters -----------------------------------------------------------------------


@_says(r"[Tt]he interface (?P<link>{N}) of (?P<label>{N}), on the way to \S+, is down")
def _is_down(read: Reading) -> bool:
    return any(one.name == read["link"] and not one.up for here in read.at(read["label"]) for one in here.links)


@_says(r"(?P<link>{N}) of (?P<label>{N}), on the way there, is down")
def _down_on_the_way(read: Reading) -> bool:
    return any(one.name == read["link"] and not one.up for here in read.at(read["label"]) for one in here.links)


@_says(r"\(?(?P<name>net[./][\w./-]+) (?:is|=) (?P<value>\d+)")
def _parameter(read: Reading) -> bool:
    values = {setting(here, read["name"]) for here in read.evidence.namespaces.values()}
    return read["value"] in values or values == {None}


@_says(r"(?P<label>{N}) does not forward: what (?P<link>{N}) brings")
def _no_forwarding(read: Reading) -> bool:
    return any(one.name == read["link"] for here in read.at(read["label"]) for one in here.links)


@_says(r"(?P<label>{N}) drops .+ as it comes in by (?P<link>{N})")
def _reverse_path(read: Reading) -> bool:
    return any(
        "1" in (setting(here, f"net.ipv4.conf.{name}.rp_filter") for name in ("all", read["link"]))
        for here in read.at(read["label"])
    )


@_says(r"(?P<label>{N}) would not answer \S+ by (?P<link>{N}), so rp_filter drops it")
def _would_not_answer(read: Reading) -> bool:
    return any(
        {"1", "2"} & {setting(here, f"net.ipv4.conf.{name}.rp_filter") for name in ("all", read["link"])}
        for here in read.at(read["label"])
    )


@_says(r"nobody answers for (?P<address>{A}) on (?P<link>{N}) of (?P<label>{N})(?P<more>:?)")
def _nobody_answers(read: Reading) -> bool:
    return any(one.name == read["link"] for here in read.at(read["label"]) for one in here.links)


@_says(r"(?P<address>{A})(?:, the gateway to \S+,)? would be on .+?, and nobody there has it")
def _nobody_has(read: Reading) -> bool:
    there = [here for here in read.evidence.namespaces.values() if _has(here, read["address"], None)]
    return all(_is_unreachable(here, read["address"]) for here in there)


@_says(r"(?P<label>{N})(?:, on the way,)? has no route (?:back )?to (?P<address>{A})")
def _no_route(read: Reading) -> bool:
    return bool(read.at(read["label"]))


@_says(r"(?P<label>{N}) has no IPv(?P<version>[46]) address")
def _no_address(read: Reading) -> bool:
    return not any(
        row.address.version == int(read["version"]) and row.usable and row.scope == "global"
        for here in read.at(read["label"])
        for row in here.addresses
    )


@_says(r"(?P<kind>unreachable|prohibit|blackhole|throw) (?:route \()?(?P<to>\d[0-9a-f.:/]+)")
def _forbids(read: Reading) -> bool:
    wanted = (read["kind"], read["to"].rstrip("."))
    return any(
        (route.kind, str(route.destination)) == wanted
        for here in read.evidence.namespaces.values()
        for route in here.routes
    )


@_says(r"the bridge (?P<bridge>{N}) of (?P<label>{N}) would have to send the packet back by (?P<port>{N})")
def _hairpin(read: Reading) -> bool:
    for here in read.at(read["label"]):
        names = {one.index: one.name for one in here.links}
        if any((one.name, names.get(one.master or 0)) == (read["port"], read["bridge"]) for one in here.links):
            return True
    return False


@_says(r"(?P<label>{N}) believes that (?P<address>{A}) is at (?P<mac>[0-9a-f:]{17})")
def _believes(read: Reading) -> bool:
    known = {(str(one.address), one.mac) for here in read.at(read["label"]) for one in here.neighbours}
    return (read["address"], read["mac"]) in known


def _is_unreachable(here: Namespace, address: str) -> bool:
    """Tell if an address is on an interface that is down, or may not be used yet, or is a link-local one."""
    links = {one.index: one for one in here.links}
    wanted = plain(address)
    rows = [row for row in here.addresses if row.address.ip == wanted]
    return wanted.is_link_local or all(not row.usable or not links[row.link].carrier for row in rows)


# --- what all of them use ---------------------------------------------------------------------------------------------


def _has(here: Namespace, address: str, link: str | None) -> bool:
    wanted = plain(address)
    names = {one.index: one.name for one in here.links}
    rows = [row for row in here.addresses if link is None or names.get(row.link) == link]
    if wanted.version == 4 and wanted.is_loopback:
        return any(row.address.ip.is_loopback for row in rows)
    return any(row.address.ip == wanted for row in rows)


def _bound(here: Namespace, address: str, port: int) -> bool:
    return any((one.address, one.port) == (plain(address), port) for one in here.listeners)


def _chains(here: Namespace) -> tuple[Chain, ...]:
    return here.firewall.chains


def _stops(chain: Chain, text: str, hook: str) -> bool:
    """Tell if a text begins with a rule of a chain, or with the words for its policy, which is to drop."""
    if re.match(rf"the policy of {re.escape(chain.name)}\b", text):
        return chain.policy == "drop" and str(chain.hook).upper() == hook
    return any(rule.text and text.startswith(rule.text) for rule in chain.rules)


def _is_on(read: Reading, name: str, network: str) -> bool:
    return any(network in {one.network for one in c.attachments} for c in read.containers(name))
