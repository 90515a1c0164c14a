"""The bind address of a forward: its cases, how each is written, and the addresses that it listens on. Pure.

The rules are OpenSSH's: ssh(1) on ``-L [bind_address:]port:host:hostport``, GatewayPorts of ssh_config(5), and
channel_fwd_bind_addr of channels.c. :func:`parse` and :func:`text` are each other's inverse: a case is written alike on
the command line, in JSON and for people.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from testbed.errors import UsageError
from testbed.hosts_file import HostsFile
from testbed.model import Address

WILDCARDS: Final[tuple[Address, ...]] = (ipaddress.IPv4Address("0.0.0.0"), ipaddress.IPv6Address("::"))
LOOPBACKS: Final[tuple[Address, ...]] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))

#: A host name (RFC 1123, 2.1): its last label is not all digits, so that a mistyped IPv4 address is none.
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_.-]{0,253}(?<![.-])", re.ASCII)
_LAST_LABEL_IS_A_NUMBER: Final = re.compile(r"(?:.*\.)?[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class NoTunnel:
    """No forward at all, written ``none``: nothing listens."""


@dataclass(frozen=True, slots=True)
class Unspecified:
    """No bind address is given to ssh, written ``default``: GatewayPorts of ssh_config(5) decides what that means."""


@dataclass(frozen=True, slots=True)
class EveryAddress:
    """Every address of both families, written ``*``; the empty string is read as this too, as ssh(1) has it."""


@dataclass(frozen=True, slots=True)
class Localhost:
    """Both loopback addresses, written ``localhost``, whatever the hosts file says of that name."""


@dataclass(frozen=True, slots=True)
class OneAddress:
    """One address, and nothing of the other family: OpenSSH sets IPV6_V6ONLY, so ``::`` is IPv6 only."""

    address: Address


@dataclass(frozen=True, slots=True)
class NamedHost:
    """A name, which is looked up in the hosts file of the host that listens."""

    name: str


#: What a forward can be told to listen on.
BindAddress: TypeAlias = Unspecified | EveryAddress | Localhost | OneAddress | NamedHost
#: The same, or that there is no forward.
Bind: TypeAlias = NoTunnel | BindAddress

_WORDS: Final[dict[str, Bind]] = {
    "none": NoTunnel(),
    "default": Unspecified(),
    "*": EveryAddress(),
    "": EveryAddress(),
    "localhost": Localhost(),
}


def parse(written: str) -> Bind:
    """Read a bind address.

    :param written: ``none``, ``default``, ``*``, ``localhost``, an IP address, or a name of the hosts file
    :raises UsageError: it is none of these
    """
    if written in _WORDS:
        return _WORDS[written]
    try:
        return OneAddress(ipaddress.ip_address(written))
    except ValueError:
        pass
    if not _HOST_NAME.fullmatch(written) or _LAST_LABEL_IS_A_NUMBER.fullmatch(written):
        raise UsageError(
            f"bind address {written!r} is neither an IP address nor a host name: give an address of the host, "
            "localhost, '*', or none"
        )
    return NamedHost(written)


def address(given: BindAddress | str) -> BindAddress:
    """Read what a forward is to listen on, where it is not read yet.

    :raises UsageError: it is no bind address, or says that there is no forward
    """
    read = parse(given) if isinstance(given, str) else given
    if isinstance(read, NoTunnel):
        raise UsageError(f"bind address {text(read)!r} means no tunnel, and a forward was asked for: leave it out")
    return read


def text(bind: Bind) -> str:
    """Write a bind address as :func:`parse` reads it; JSON has it so too."""
    match bind:
        case OneAddress(one):
            return str(one)
        case NamedHost(name):
            return name
        case _:
            return next(word for word, meant in _WORDS.items() if meant == bind)


def described(bind: Bind) -> str:
    """Say in a few words of a report what the tunnel is bound to, or that there is none."""
    return "no tunnel" if isinstance(bind, NoTunnel) else f"tunnel bound to {text(bind)}"


def addresses(bind: Bind, hosts: HostsFile, *, gateway_ports: bool = False) -> tuple[Address, ...]:
    """List the addresses that are listened on, one socket each, IPv6 ones for IPv6 only.

    :param hosts: the hosts file of the host that listens
    :param gateway_ports: GatewayPorts of ssh_config(5): whether an unspecified address means every one, or loopback
    :raises UsageError: a name that the hosts file does not have
    """
    match bind:
        case NoTunnel():
            return ()
        case Unspecified():
            return WILDCARDS if gateway_ports else LOOPBACKS
        case EveryAddress():
            return WILDCARDS
        case Localhost():
            return LOOPBACKS
        case OneAddress(one):
            return (one,)
        case NamedHost(name):
            found = hosts.lookup(name)
    if not found:
        raise UsageError(f"bind address {name!r} is no address and not in the hosts file: give an address of the host")
    return found
