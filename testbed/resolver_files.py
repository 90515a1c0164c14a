"""The files beside hosts(5) that say how a C library resolves names: resolv.conf, nsswitch.conf and gai.conf. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from testbed.model import Address

#: As many servers as the C libraries ask (resolv.conf(5), MAXNS; src/internal/resolvconf.h of musl).
_MOST_SERVERS: Final = 3
#: What ``ndots`` is at the most (resolv.conf(5)).
_MOST_DOTS: Final = 15
#: The services for host names where nsswitch.conf says nothing about them (nsswitch.conf(5)).
DEFAULT_SOURCES: Final = ("files", "dns")
#: The addresses of localhost, in the order in which they are tried.
LOOPBACKS: Final = (ipaddress.ip_address("::1"), ipaddress.ip_address("127.0.0.1"))


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """A resolv.conf, as far as it decides what is asked, of whom and in what order (resolv.conf(5))."""

    nameservers: tuple[Address, ...] = ()
    search: tuple[str, ...] = ()
    """Domains without a dot at the end."""
    ndots: int = 1
    """How many dots a name has at the least that is asked for as it is before the search list is gone through."""
    rotate: bool = False
    """True where the servers are asked in turns, beginning with any of them."""

    @classmethod
    def parse(cls, text: str) -> ResolvConf:
        """Read a resolv.conf. Lines that make no sense are passed over, as the C libraries do."""
        servers: list[Address] = []
        search: tuple[str, ...] = ()
        ndots, rotate = 1, False
        for line in text.splitlines():
            match line.split():
                case ["nameserver", server, *_]:
                    with suppress(ValueError):
                        servers.append(ipaddress.ip_address(server.partition("%")[0]))
                case ["search", *names]:
                    search = _domains(names)
                case ["domain", name, *_]:  # an old word for a search list of one
                    search = _domains([name])
                case ["options", *options]:
                    rotate = rotate or "rotate" in options
                    for number in (option.removeprefix("ndots:") for option in options if option.startswith("ndots:")):
                        ndots = min(int(number), _MOST_DOTS) if number.isdecimal() else ndots
        return cls(tuple(servers[:_MOST_SERVERS]), search, ndots, rotate)


def _domains(names: list[str]) -> tuple[str, ...]:
    return tuple(stripped for name in names if (stripped := name.rstrip(".")))


def host_sources(text: str) -> tuple[str, ...]:
    """The services that are asked for host names in order, and actions between them, of nsswitch.conf(5).

    :returns: words such as ``files``, ``dns`` and ``[NOTFOUND=return]``
    """
    for line in text.splitlines():
        database, colon, services = line.partition("#")[0].partition(":")
        if colon and database.strip() == "hosts" and services.split():
            return tuple(_joined(services.split()))
    return DEFAULT_SOURCES


def _joined(words: list[str]) -> Iterator[str]:
    """The words of a line, what stands between brackets in one."""
    action: list[str] = []
    for word in words:
        if action or word.startswith("["):
            action.append(word)
            if word.endswith("]"):
                yield " ".join(action)
                action = []
        else:
            yield word


class GaiTable(StrEnum):
    """A table by which the addresses of a name are ordered (RFC 6724, 2.1)."""

    LABEL = "label"
    PRECEDENCE = "precedence"


@dataclass(frozen=True, slots=True)
class GaiRow:
    """A row of one of these tables (gai.conf(5))."""

    table: GaiTable
    prefix: ipaddress.IPv6Network
    value: int


def gai_rows(text: str) -> tuple[GaiRow, ...]:
    """The rows of a gai.conf; lines that make no sense are passed over, as the C library does."""
    found = []
    for line in text.splitlines():
        match line.partition("#")[0].split():
            case [("label" | "precedence") as table, prefix, value, *_] if value.isdecimal():
                with suppress(ValueError):
                    found.append(GaiRow(GaiTable(table), ipaddress.IPv6Network(prefix, strict=False), int(value)))
    return tuple(found)


def is_localhost(name: str) -> bool:
    """Tell if a name is the loopback's for nss-myhostname(8): localhost, localhost.localdomain, and all below them."""
    bare = name.rstrip(".").lower().removesuffix(".localdomain")
    return bare == "localhost" or bare.endswith(".localhost")


def candidates(name: str, search: tuple[str, ...], ndots: int, *, musl: bool = False) -> tuple[str, ...]:
    """The names that are asked for in the place of one, in order, none of them with a dot at the end.

    glibc and Go go through the search list in any case, before the name as it is or after it (glibc,
    resolv/res_query.c, __res_context_search; Go, net/dnsclient_unix.go, nameList). musl leaves the list out for a name
    with enough dots (musl, src/network/lookup_name.c, name_from_dns_search).

    :param ndots: how many dots are enough
    """
    bare = name.rstrip(".")
    if name.endswith("."):
        return (bare,)
    searched = tuple(f"{name}.{domain}" for domain in search)
    if name.count(".") < ndots:
        return (*searched, name)
    return (name,) if musl else (name, *searched)
