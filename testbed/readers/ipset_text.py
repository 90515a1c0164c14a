"""The output of ``ipset save``, and what a rule that looks into a set of it matches. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from testbed.evidence import Field, Match

_WITH_PORTS: Final = frozenset({"tcp", "udp"})
#: By dimension and direction (ipset(8), SET TYPES).
_FIELDS: Final = {
    ("ip", "src"): Field.SOURCE,
    ("ip", "dst"): Field.DESTINATION,
    ("net", "src"): Field.SOURCE,
    ("net", "dst"): Field.DESTINATION,
    ("port", "src"): Field.SOURCE_PORT,
    ("port", "dst"): Field.DESTINATION_PORT,
    ("iface", "src"): Field.IIF,
    ("iface", "dst"): Field.OIF,
}


@dataclass(frozen=True, slots=True)
class IpSet:
    """A set of one type, with what is in it."""

    kind: str
    """Such as ``hash:ip,port``."""
    elements: tuple[str, ...] = ()
    excludes: bool = False
    """True where an element is an exception to others (``nomatch``)."""


#: By name.
IpSets = Mapping[str, IpSet]


def sets_of(text: str) -> IpSets:
    """Read ``ipset save``."""
    found: dict[str, IpSet] = {}
    for words in map(str.split, text.splitlines()):
        match words:
            case ["create", name, kind, *_]:
                found[name] = IpSet(kind)
            case ["add", name, element, *options] if name in found:
                known = found[name]
                excludes = known.excludes or "nomatch" in options
                found[name] = IpSet(known.kind, (*known.elements, element), excludes)
    return found


def match_set(sets: IpSets, name: str, directions: Sequence[str], *, negated: bool) -> Match:
    """The condition that a packet is in a set (iptables-extensions(8), set).

    :param directions: ``src`` or ``dst`` for each dimension of the set
    :raises KeyError: the set is not there, or of a type that is not modelled
    :raises ValueError: an element is of a form that is not modelled
    """
    found = sets[name]
    dimensions = found.kind.partition(":")[2].split(",")
    if found.excludes or len(directions) < len(dimensions):
        raise ValueError(name)
    looks_at = [_FIELDS[pair] for pair in zip(dimensions, directions, strict=False)]
    if found.kind == "bitmap:port" or "port" not in dimensions:
        rows = [element.split(",") for element in found.elements]
    else:
        at = dimensions.index("port")
        looks_at.insert(at, Field.PROTOCOL)
        rows = [row for element in found.elements if (row := _with_protocol(element.split(","), at)) is not None]
    if any(len(row) != len(looks_at) for row in rows):
        raise ValueError(name)
    if len(looks_at) == 1:
        return Match(looks_at[0], tuple(row[0] for row in rows), negated)
    return Match(Field.CONCATENATION, tuple(" . ".join(row) for row in rows), negated, tuple(looks_at))


def _with_protocol(cells: list[str], at: int) -> list[str] | None:
    """A row with its protocol before its port; None for one of ICMP and the like, which none of our packets is."""
    protocol, colon, port = cells[at].partition(":")
    if not colon:
        protocol, port = "tcp", protocol  # ipset(8): TCP where it is not said
    return [*cells[:at], protocol, port, *cells[at + 1 :]] if protocol in _WITH_PORTS else None
