"""Letting through what a firewall stops: a rule before the one that decides, or that one removed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from testbed.change.firewall import ChainName, InsertRule, RemoveRule, SetPolicy
from testbed.evidence import Act, Action, Backend, Chain, Field, Hook, Match, Namespace, Rule, Subnet
from testbed.explain.case import Case
from testbed.explain.explanation import Remedy
from testbed.predict.ending import Filtered, NeighbourFiltered
from testbed.predict.packet import Packet

_PASSES = (Action(Act.ACCEPT),)


def let_through(ending: Filtered, case: Case) -> Iterator[Remedy]:
    """Accept this connection before the rule is asked; take out what stops it."""
    here, verdict = ending.namespace, ending.verdict
    let = "Let this connection through before that is asked (or with your firewall's own tool: ufw, firewall-cmd)"
    if ending.back:
        let = "Let answers to connections through before that is asked (or with your firewall's own tool)"
    base = _base(here, verdict.chain, verdict.hook)
    packet = ending.frame if isinstance(ending, NeighbourFiltered) else ending.packet
    accept = _accept(packet, base, _senders(case, packet), back=ending.back)
    yield Remedy(let, changes=(InsertRule(here.key, ChainName.of(base), accept),))
    chain, rule = verdict.chain, verdict.rule
    if rule is None:
        yield Remedy(
            f"Set the policy of {chain.name} to accept, if that is not meant",
            changes=(SetPolicy(here.key, ChainName.of(chain), Act.ACCEPT),),
        )
    else:
        yield Remedy(
            "Take out what stops it, if it is not meant", changes=(RemoveRule(here.key, ChainName.of(chain), rule),)
        )


def _senders(case: Case, packet: Packet) -> Subnet:
    """Whom a packet like that comes from: its sender, or all that a place which was added to the picture stands for."""
    own = ip_network(packet.source)
    namespace = case.evidence.namespaces.get(case.place.namespace or "")
    sent = namespace is not None and any(row.address.ip == packet.source for row in namespace.addresses)
    networks = case.place.host.stands_for if sent else ()
    return next((one for one in networks if packet.source in one), own)


def _accept(packet: Packet, base: Chain, senders: Subnet, *, back: bool) -> Rule:
    """A rule that accepts a packet like that from some senders.

    Of an answer it is all that belong to a connection; of neighbour discovery all of ICMPv6, as RFC 4890 has it.
    """
    nft = base.backend is Backend.NFTABLES
    if back:
        words = "ct state established,related accept" if nft else "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
        return Rule(words, (Match(Field.STATE, ("established", "related")),), _PASSES)
    if packet.protocol == "icmpv6":
        words = "meta l4proto ipv6-icmp accept" if nft else "-p ipv6-icmp -j ACCEPT"
        return Rule(words, (Match(Field.PROTOCOL, (packet.protocol,)),), _PASSES)
    family = "ip" if packet.destination.version == 4 else "ip6"
    to, protocol, port = packet.destination, packet.protocol, packet.destination_port
    source = str(senders.network_address if senders.prefixlen == senders.max_prefixlen else senders)
    anybody = senders.prefixlen == 0
    words = (
        f"{'' if anybody else f'{family} saddr {source} '}{family} daddr {to} {protocol} dport {port} accept"
        if nft
        else f"{'' if anybody else f'-s {source} '}-d {to} -p {protocol} --dport {port} -j ACCEPT"
    )
    matches = (
        Match(Field.FAMILY, (str(to.version),)),
        *(() if anybody else (Match(Field.SOURCE, (source,)),)),
        Match(Field.DESTINATION, (str(to),)),
        Match(Field.PROTOCOL, (protocol,)),
        Match(Field.DESTINATION_PORT, (str(port),)),
    )
    return Rule(words, matches, _PASSES)


def _base(here: Namespace, chain: Chain, hook: Hook) -> Chain:
    """The base chain that leads to a chain: an accept there is not lost when the other one is written anew."""
    for base in here.firewall.chains:
        if base.hook is hook and any(chain == below for below in _below(here, base, set())):
            return base
    return chain


def _below(here: Namespace, chain: Chain, seen: set[str]) -> Iterator[Chain]:
    """A chain, and all that it jumps to."""
    if chain.name in seen:
        return
    seen.add(chain.name)
    yield chain
    for rule in chain.rules:
        for action in rule.actions:
            target = here.firewall.chain(chain, action.argument) if action.act in (Act.JUMP, Act.GOTO) else None
            if target is not None:
                yield from _below(here, target, seen)
