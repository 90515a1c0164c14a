"""The target of a rule of iptables, with its options (iptables-extensions(8), TARGET EXTENSIONS). Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

from testbed.evidence import Act, Action, Chain
from testbed.readers.iptables_option import ALL_BITS, Option, value_and_mask

#: A hop limit of fewer may run out on the way.
_ENOUGH_HOPS: Final = 32
#: They change nothing that a later rule, a route or a listener looks at here.
_HARMLESS_TARGETS: Final = frozenset(
    {"AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "DSCP", "ECN", "IDLETIMER", "LED", "LOG", "NFLOG", "RATEEST"}
    | {"SECMARK", "SET", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "ULOG"}
)


def actions_of(options: Sequence[Option], chains: dict[str, Chain], chain: str) -> tuple[Action, ...]:
    """The actions of a target.

    :param options: ``-j`` or ``-g``, and the target's own; none of a rule without a target
    :param chains: the table's own, which may be jumped to
    :param chain: the one that the rule is in
    """
    if not options:
        return ()
    jump, own = options[0], {option.name: option.values for option in options[1:]}
    target = " ".join(jump.values)
    if jump.name == "-g":
        return (Action(Act.GOTO, target),)
    if target in chains:
        return (Action(Act.JUMP, target),)
    if target in _HARMLESS_TARGETS:
        return ()
    try:
        return _netmap(own, chain) if target == "NETMAP" else _TARGETS[target](own)
    except (KeyError, ValueError, IndexError):
        return (Action(Act.UNKNOWN, " ".join(word for option in options for word in option.words)),)


_Values = dict[str, tuple[str, ...]]
_Target = Callable[[_Values], tuple[Action, ...]]


def _always(act: Act) -> _Target:
    return lambda _: (Action(act),)


def _reject(own: _Values) -> tuple[Action, ...]:
    (how,) = own.get("--reject-with", ("icmp-port-unreachable",))
    return (Action(Act.REJECT, how),)


def _translate(act: Act, option: str) -> _Target:
    """DNAT or SNAT; a range of addresses, and ports drawn by lot, are not known."""

    def target(own: _Values) -> tuple[Action, ...]:
        (where,) = own[option]
        address, ports = _address_and_ports(where)
        if address:
            ipaddress.ip_address(address.strip("[]"))
        if "-" in ports and {"--random", "--random-fully"} & own.keys():
            raise ValueError("any of these ports")
        return (Action(act, where),)

    return target


def _address_and_ports(where: str) -> tuple[str, str]:
    if where.startswith("["):
        address, _, ports = where.partition("]:")
        return address, ports
    if where.count(":") > 1:
        return where, ""  # an IPv6 address without a port stands without brackets
    address, _, ports = where.partition(":")
    return address, ports


def _redirect(own: _Values) -> tuple[Action, ...]:
    if "--to-ports" not in own:
        return (Action(Act.REDIRECT),)
    (ports,) = own["--to-ports"]
    if "-" in ports and {"--random", "--random-fully"} & own.keys():
        raise ValueError("any of these ports")
    return (Action(Act.REDIRECT, f":{ports}"),)


def _set_mark(own: _Values, act: Act) -> tuple[Action, ...]:
    """All forms come down to one, mark = (mark & ~mask) ^ value (xt_mark.c, xt_connmark.c)."""
    ((option, (text, *_)),) = own.items()
    value, mask = value_and_mask(text)
    match option:
        case "--set-xmark":
            pass
        case "--set-mark":
            mask |= value
        case "--or-mark":
            mask = value
        case "--and-mark":
            value, mask = 0, ~value & ALL_BITS
        case "--xor-mark":
            mask = 0
        case _:
            raise KeyError(option)
    return (Action(act, f"{~mask & ALL_BITS:#x}/{value:#x}"),)


def _mark_packet(own: _Values) -> tuple[Action, ...]:
    return _set_mark(own, Act.SET_MARK)


def _mark_connection(own: _Values) -> tuple[Action, ...]:
    copies = {"--restore-mark": Act.SET_MARK, "--save-mark": Act.SET_CONNTRACK_MARK}
    act = next((act for option, act in copies.items() if option in own), None)
    if act is None:
        return _set_mark(own, Act.SET_CONNTRACK_MARK)
    (both,) = own.get("--mask", (hex(ALL_BITS),))
    (packet,), (connection,) = own.get("--nfmask", (both,)), own.get("--ctmask", (both,))
    return (Action(act, f"copy {int(packet, 0):#x}/{int(connection, 0):#x}"),)


def _netmap(own: _Values, chain: str) -> tuple[Action, ...]:
    """A translation of the subnet only, of the destination or of the source by its hook (xt_NETMAP.c).

    :raises KeyError: of a chain that is jumped to nobody knows the hook
    """
    (subnet,) = own["--to"]
    ipaddress.ip_network(subnet, strict=False)
    act = {"PREROUTING": Act.DNAT, "OUTPUT": Act.DNAT, "POSTROUTING": Act.SNAT, "INPUT": Act.SNAT}[chain]
    return (Action(act, f"prefix {subnet}"),)


def _hop_limit(own: _Values) -> tuple[Action, ...]:
    """Another hop limit does nothing to a packet as long as it does not run out.

    :raises ValueError: it may
    """
    ((option, (value,)),) = own.items()
    if option.endswith("-dec") or (option.endswith("-set") and int(value) < _ENOUGH_HOPS):
        raise ValueError(value)
    return ()


def _tracking(own: _Values) -> tuple[Action, ...]:
    if own.keys() == {"--notrack"}:
        return (Action(Act.NOTRACK),)
    if own.keys() <= {"--helper", "--timeout", "--ctevents", "--expevents"}:
        return ()  # they look into the connection once that is there, or tell of it
    raise KeyError("--zone and the like")


_TARGETS: Final[dict[str, _Target]] = {
    "ACCEPT": _always(Act.ACCEPT),
    "DROP": _always(Act.DROP),
    "RETURN": _always(Act.RETURN),
    "NOTRACK": _always(Act.NOTRACK),
    "REJECT": _reject,
    "DNAT": _translate(Act.DNAT, "--to-destination"),
    "SNAT": _translate(Act.SNAT, "--to-source"),
    "MASQUERADE": _always(Act.MASQUERADE),
    "REDIRECT": _redirect,
    "MARK": _mark_packet,
    "CONNMARK": _mark_connection,
    "CT": _tracking,
    "TTL": _hop_limit,
    "HL": _hop_limit,
}
