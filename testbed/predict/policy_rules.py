"""Whether a routing policy rule selects a packet, as net/core/fib_rules.c (fib_rule_match) says. Pure."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final

from testbed.evidence import LOCAL_TABLE, MAIN_TABLE, Link, Namespace, NumberRange, PolicyRule, Protocol
from testbed.model import Address

_DEFAULT_TABLE: Final = 253
_UNSPECIFIED: Final = {4: ipaddress.ip_address("0.0.0.0"), 6: ipaddress.ip_address("::")}
#: What a port that is not known may be (ip(7), ip_local_port_range, the default).
_EPHEMERAL: Final = NumberRange(32768, 60999)
_ROOT: Final = 0
_MOST_UIDS: Final = 0xFFFF_FFFE
_NUMBERS: Final = {
    Protocol.TCP: socket.IPPROTO_TCP,
    Protocol.UDP: socket.IPPROTO_UDP,
    "icmp": socket.IPPROTO_ICMP,
    "icmpv6": socket.IPPROTO_ICMPV6,
}
#: The rules that a namespace has from the start (ip-rule(8)).
_INITIAL: Final = {
    family: tuple(
        PolicyRule(priority, family, table)
        for priority, table in ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, _DEFAULT_TABLE))
    )
    for family in (4, 6)
}


@dataclass(frozen=True, slots=True)
class Flow:
    """The key of a lookup of a route (include/net/flow.h, struct flowi), as far as policy rules look at it."""

    destination: Address
    source: Address | None = None
    """None where the socket has none yet."""
    mark: int = 0
    incoming: str = "lo"
    """The interface that the packet came in by; ``lo`` for one of the namespace's own."""
    protocol: str = ""
    """``tcp``, ``udp``, ``icmp`` or ``icmpv6``; empty where the lookup is for no transport protocol, as ARP's is."""
    source_port: int | None = None
    """None where the kernel chooses it."""
    destination_port: int | None = None

    @property
    def own(self) -> bool:
        """True where the packet is the namespace's own: a user's socket sends it, and whose that is is not known."""
        return self.incoming == "lo"


def rules_of(namespace: Namespace, version: int) -> list[PolicyRule]:
    """The policy rules of one version of IP, in the order in which the kernel asks them.

    A picture that was made by hand may have none; then they are those that a namespace has from the start. IPv6 goes by
    those too, whichever of them were removed, until any other is added (net/ipv6/fib6_rules.c, fib6_rule_lookup).
    """
    rules = [rule for rule in namespace.policy_rules if rule.family == version]
    if not namespace.policy_rules or (version == 6 and all(rule in _INITIAL[6] for rule in rules)):
        return list(_INITIAL[version])
    return sorted(rules, key=lambda rule: rule.priority)


def selects(namespace: Namespace, rule: PolicyRule, flow: Flow) -> bool | None:
    """Tell if a rule selects a packet; None where that depends on what the picture does not show.

    What ``oif`` names is an interface that the socket is bound to (SO_BINDTODEVICE), which those of attempts are not.
    A type of service is never selected: attempts leave it at 0. The user of what a namespace passes on counts as its
    root (net/ipv4/route.c, ip_route_input_slow).
    """
    found = _matches(namespace, rule, flow)
    return found if found is None else found != rule.inverted


def _matches(namespace: Namespace, rule: PolicyRule, flow: Flow) -> bool | None:
    """Tell if all selectors of a rule fit; the plainest are asked first, as a table of rules is asked often."""
    if rule.incoming not in (None, flow.incoming) or rule.outgoing is not None or rule.tos:
        return False
    if (
        (rule.source is not None and not _within(rule, flow))
        or (rule.destination is not None and flow.destination not in rule.destination)
        or (rule.mark is not None and flow.mark & rule.mask != rule.mark & rule.mask)
        or (rule.protocol is not None and rule.protocol != _NUMBERS.get(flow.protocol, 0))
    ):
        return False
    if rule.l3mdev and vrf_of(namespace, flow.incoming) is None:
        return False
    answers = (
        _port(rule.source_ports, flow.source_port, flow),
        _port(rule.destination_ports, flow.destination_port, flow),
        _user(rule.uids, flow),
        None if rule.other else True,
    )
    return False if False in answers else (None if None in answers else True)


def _within(rule: PolicyRule, flow: Flow) -> bool:
    """Tell if the source is one of the rule's; IPv6 asks no such rule before it has one (fib6_rule_match)."""
    if flow.source is None and rule.family == 6:
        return False
    return rule.source is not None and (flow.source or _UNSPECIFIED[rule.family]) in rule.source


def _port(ports: NumberRange | None, port: int | None, flow: Flow) -> bool | None:
    if ports is None:
        return True
    if flow.protocol not in (Protocol.TCP, Protocol.UDP):
        return False
    if port is not None:
        return port in ports
    if ports.first <= _EPHEMERAL.first and ports.last >= _EPHEMERAL.last:
        return True
    return None if ports.first <= _EPHEMERAL.last and ports.last >= _EPHEMERAL.first else False


def _user(uids: NumberRange | None, flow: Flow) -> bool | None:
    if uids is None or (uids.first == 0 and uids.last >= _MOST_UIDS):
        return True
    return None if flow.own else _ROOT in uids


def vrf_of(namespace: Namespace, name: str) -> Link | None:
    """The VRF that an interface is enslaved to (Documentation/networking/vrf.rst); None where it is to none."""
    link = next((one for one in namespace.links if one.name == name), None)
    if link is None or link.master is None:
        return None
    return next((one for one in namespace.links if one.index == link.master and one.kind == "vrf"), None)
