"""Resolving a name as one vantage would: its hosts file first, then its resolvers ("files dns" of nsswitch.conf(5))."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.hosts_file import HostsFile
from testbed.model import Address, Outcome, family
from testbed.namespaces import NetworkNamespace

#: Names files of other people's containers are read with a limit.
_LARGEST_FILE: Final = 1 << 20
_ONE_SERVER: Final = 1.0
_DNS_PORT: Final = 53


class NameFailure(Exception):  # noqa: N818 - seen, not raised to anybody
    """A name that could not be resolved; not an error of the testbed but something observed.

    :param outcome: NAME_NOT_FOUND or RESOLVER_FAILED
    :param number: the EAI_... code that getaddrinfo(3) would give
    """

    def __init__(self, outcome: Outcome, number: int) -> None:
        super().__init__(f"[Errno {number}] {_EAI_TEXTS[number]}")
        self.outcome = outcome
        self.number = number


#: gai_strerror(3) of glibc.
_EAI_TEXTS: Final = {
    socket.EAI_NONAME: "Name or service not known",
    socket.EAI_AGAIN: "Temporary failure in name resolution",
}


@dataclass(frozen=True, slots=True)
class Naming:
    """The two files that name things at a vantage, as values."""

    hosts: HostsFile
    nameservers: tuple[str, ...]
    search: tuple[str, ...] = ()

    @classmethod
    def read(cls, hosts: Path, resolv_conf: Path) -> Naming:
        """Read a hosts file and a resolv.conf; a missing one is an empty one."""
        return cls.parse(_text(hosts), _text(resolv_conf))

    @classmethod
    def parse(cls, hosts: str, resolv_conf: str) -> Naming:
        """The same from texts. Lines that make no sense are passed over, as the C library does (resolv.conf(5))."""
        servers: list[str] = []
        search: tuple[str, ...] = ()
        for line in resolv_conf.splitlines():
            match line.split():
                case ["nameserver", server, *_] if _is_address(server):
                    servers.append(server)
                case ["search", *names]:
                    search = tuple(stripped for name in names if (stripped := name.rstrip(".")))
                case ["domain", name, *_]:  # an old word for a search list of one
                    search = tuple(stripped for stripped in [name.rstrip(".")] if stripped)
        return cls(HostsFile.parse(hosts), tuple(servers), search)

    def resolve(self, name: str, net: NetworkNamespace, *, seconds: float = 3.0) -> tuple[Address, ...]:
        """The addresses of a name, in the order in which a client tries them (RFC 6724, 6).

        :param net: where questions to the resolver are sent from
        :raises NameFailure: there is none, or no resolver answered
        """
        try:
            return (ipaddress.ip_address(name),)
        except ValueError:
            pass
        found = self.hosts.lookup(name) or self._ask(name, net, seconds)
        return _ordered(found, net)

    def _ask(self, name: str, net: NetworkNamespace, seconds: float) -> tuple[Address, ...]:
        deadline = time.monotonic() + seconds
        answered = False
        for candidate in self._candidates(name):
            for server in self.nameservers:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                found = _query(candidate, server, net, min(left, _ONE_SERVER))
                if found is None:
                    continue
                answered = True
                if found:
                    return found
                break
        if answered:
            raise NameFailure(Outcome.NAME_NOT_FOUND, socket.EAI_NONAME)
        raise NameFailure(Outcome.RESOLVER_FAILED, socket.EAI_AGAIN)

    def _candidates(self, name: str) -> tuple[str, ...]:
        """The names to ask for, in order (resolv.conf(5): search, with ndots 1)."""
        if name.endswith("."):
            return (name,)
        searched = tuple(f"{name}.{suffix}" for suffix in self.search)
        return (name, *searched) if "." in name else (*searched, name)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE).decode(errors="replace")
    except OSError:
        return ""


def _query(name: str, server: str, net: NetworkNamespace, seconds: float) -> tuple[Address, ...] | None:
    """Ask one server for both families: addresses, () for "no such name", None for no usable answer."""
    # A tenth of a second, for names that no hosts file has.
    import dns.exception  # noqa: PLC0415
    import dns.message  # noqa: PLC0415
    import dns.name  # noqa: PLC0415
    import dns.query  # noqa: PLC0415
    import dns.rcode  # noqa: PLC0415
    import dns.rdatatype  # noqa: PLC0415

    try:
        asked = dns.name.from_text(name)
    except dns.exception.DNSException:
        return ()  # what no server can be asked for, such as an empty label, is no name
    found: list[Address] = []
    for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
        question = dns.message.make_query(asked, kind)
        try:
            with net.socket(family(ipaddress.ip_address(server)), socket.SOCK_DGRAM) as sock:
                sock.connect((server, _DNS_PORT))  # connected, so that a refusal by ICMP is seen (udp(7))
                sock.setblocking(False)  # dnspython keeps to its timeout only with such a socket
                answer = dns.query.udp(question, server, timeout=seconds, port=_DNS_PORT, sock=sock)
        except (OSError, dns.exception.DNSException):
            return None
        if answer.rcode() == dns.rcode.NXDOMAIN:
            return tuple(found)  # some servers deny a name that they have in the other family (RFC 4074, 4.2)
        if answer.rcode() != dns.rcode.NOERROR:
            return None
        for rrset in answer.answer:
            if rrset.rdtype == kind:
                found += [ipaddress.ip_address(record.address) for record in rrset]
    return tuple(found)


def _ordered(addresses: tuple[Address, ...], net: NetworkNamespace) -> tuple[Address, ...]:
    """RFC 6724, 6, as far as it concerns loopback and private addresses.

    Rule 1 puts addresses that cannot be reached from here last, rule 6 puts IPv6 before IPv4.
    """
    if not addresses[1:]:
        return addresses  # nothing to order, as for nearly every name
    return tuple(sorted(addresses, key=lambda a: (not _routable(a, net), -a.version)))


def _routable(address: Address, net: NetworkNamespace) -> bool:
    try:
        with net.socket(family(address), socket.SOCK_DGRAM) as sock:
            sock.connect((str(address), _DNS_PORT))  # sends nothing: it only chooses a route
    except OSError:
        return False
    return True
