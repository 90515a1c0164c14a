"""The order in which a client tries the addresses of a name: RFC 6724, 6, as the C libraries follow it. Pure.

glibc has the tables of RFC 3484 with additions of its own (sysdeps/posix/getaddrinfo.c), which gai.conf(5) replaces;
musl has those of RFC 6724 (src/network/lookup_name.c), and so has Go. They differ for IPv6 networks of one's own
(fc00::/7), which glibc prefers to IPv4. What is not known here is left out: deprecated and home addresses (rules 3 and
4), and tunnels (rule 7).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Final, TypeAlias

from testbed.model import Address
from testbed.resolver_files import GaiRow, GaiTable

_Table: TypeAlias = Sequence[tuple[ipaddress.IPv6Network, int]]

_MAPPED: Final = int(ipaddress.IPv6Address("::ffff:0:0"))
#: Scopes (RFC 4291, 2.7) of what reaches no further than a link, and of all else.
_LINK, _SITE, _GLOBAL = 2, 5, 14


@dataclass(frozen=True, slots=True)
class Destination:
    """An address of a name, and how it would be called from here."""

    address: Address
    source: Address | None
    """The address it would be called from; None where there is no way to it."""
    prefix_length: int = 0
    """Of the source, on its interface; 0 where it is not known."""


def _table(rows: dict[str, int]) -> _Table:
    """A table, longest prefixes first."""
    found = ((ipaddress.IPv6Network(prefix), value) for prefix, value in rows.items())
    return tuple(sorted(found, key=lambda row: -row[0].prefixlen))


_GLIBC_LABELS: Final = _table(
    {"::1/128": 0, "2002::/16": 2, "::/96": 3, "::ffff:0:0/96": 4, "fec0::/10": 5, "fc00::/7": 6, "2001::/32": 7}
    | {"::/0": 1}
)
_GLIBC_PRECEDENCES: Final = _table({"::1/128": 50, "2002::/16": 30, "::/96": 20, "::ffff:0:0/96": 10, "::/0": 40})
_MUSL_LABELS: Final = _table(
    {"::1/128": 0, "::ffff:0:0/96": 4, "2002::/16": 2, "2001::/32": 5, "fc00::/7": 13, "::/0": 1}
)
_MUSL_PRECEDENCES: Final = _table(
    {"::1/128": 50, "::ffff:0:0/96": 35, "2002::/16": 30, "2001::/32": 5, "fc00::/7": 3, "::/0": 40}
)


def ordered(found: Sequence[Destination], gai: Sequence[GaiRow] = (), *, musl: bool = False) -> tuple[Address, ...]:
    """The addresses of a name in the order in which they are tried; those that are alike stay as they were found.

    :param gai: the rows of gai.conf, which take the place of glibc's own
    """
    if not found[1:] or (musl and not any(isinstance(one.address, ipaddress.IPv6Address) for one in found)):
        return tuple(one.address for one in found)  # musl orders nothing where there is no IPv6
    labels, precedences = (_MUSL_LABELS, _MUSL_PRECEDENCES) if musl else _of_glibc(gai)

    def compare(one: Destination, other: Destination) -> int:
        first, second = (_rank(each, labels, precedences) for each in (one, other))
        if first != second:
            return -1 if first < second else 1
        if one.address.version != other.address.version:
            return 0
        return _common_bits(other) - _common_bits(one)

    return tuple(one.address for one in sorted(found, key=cmp_to_key(compare)))


def _of_glibc(gai: Sequence[GaiRow]) -> tuple[_Table, _Table]:
    """The tables of glibc: a file with rows for one replaces all of it, but for what it says of everything else."""
    tables = []
    for table, default, otherwise in (
        (GaiTable.LABEL, _GLIBC_LABELS, 1),
        (GaiTable.PRECEDENCE, _GLIBC_PRECEDENCES, 40),
    ):
        own = {str(row.prefix): row.value for row in gai if row.table is table}
        tables.append(_table({"::/0": otherwise, **own}) if own else default)
    return tables[0], tables[1]


def _rank(one: Destination, labels: _Table, precedences: _Table) -> tuple[bool, bool, bool, int, int]:
    """Rules 1, 2, 5, 6 and 8; the least is the first."""
    scope, precedence = _scope(one.address), -_value(precedences, one.address)
    if one.source is None:
        return True, False, False, precedence, scope
    other_scope = scope != _scope(one.source)
    other_label = _value(labels, one.address) != _value(labels, one.source)
    return False, other_scope, other_label, precedence, scope


def _value(table: _Table, address: Address) -> int:
    mapped = ipaddress.IPv6Address(_MAPPED | int(address)) if isinstance(address, ipaddress.IPv4Address) else address
    return next((value for prefix, value in table if mapped in prefix), 0)


def _scope(address: Address) -> int:
    if address.is_loopback or address.is_link_local:
        return _LINK
    return _SITE if isinstance(address, ipaddress.IPv6Address) and address.is_site_local else _GLOBAL


def _common_bits(one: Destination) -> int:
    """Rule 9. Of IPv4 addresses only those in the source's own subnet have bits in common that mean anything."""
    if one.source is None:
        return 0
    common = one.address.max_prefixlen - (int(one.address) ^ int(one.source)).bit_length()
    if isinstance(one.address, ipaddress.IPv4Address) and common < (one.prefix_length or one.address.max_prefixlen):
        return 0
    return common
