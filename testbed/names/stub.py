"""Resolving a name as one vantage would: by its hosts file, then by its resolvers, where nsswitch.conf(5) has them."""

from __future__ import annotations

import array
import fcntl
import ipaddress
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.destination_order import Destination, ordered
from testbed.evidence.podman import Names
from testbed.model import Address, Outcome, family
from testbed.namespaces import NetworkNamespace
from testbed.resolver_files import LOOPBACKS, candidates, is_localhost

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
    """The files that name things at a vantage, and asking as they say."""

    names: Names

    @classmethod
    def read(cls, hosts: Path, resolv_conf: Path) -> Naming:
        """Read a hosts file and a resolv.conf; a missing one is an empty one."""
        return cls.parse(_text(hosts), _text(resolv_conf))

    @classmethod
    def parse(cls, hosts: str, resolv_conf: str) -> Naming:
        """Read the texts of a hosts file and a resolv.conf."""
        return cls(Names.parse(hosts, resolv_conf))

    def resolve(self, name: str, net: NetworkNamespace, *, seconds: float = 3.0) -> tuple[Address, ...]:
        """The addresses of a name, in the order in which a client tries them (RFC 6724, 6).

        :param net: where questions to the resolver are sent from
        :raises NameFailure: there is none, or no resolver answered
        """
        try:
            return (ipaddress.ip_address(name),)
        except ValueError:
            pass
        failure = NameFailure(Outcome.NAME_NOT_FOUND, socket.EAI_NONAME)
        for source in self.names.sources:
            try:
                found = self._by(source, name, net, seconds)
            except NameFailure as exc:
                failure = exc
                continue
            if found:
                return self._ordered(found, net)
        raise failure

    def _by(self, source: str, name: str, net: NetworkNamespace, seconds: float) -> tuple[Address, ...]:
        """The word of one service of nsswitch.conf(5); none of those that are no files and no resolver.

        :raises NameFailure: the resolvers have no address for it
        """
        if source == "files":
            return self.names.hosts.lookup(name)
        if source == "myhostname" and is_localhost(name):
            return LOOPBACKS
        return self._ask(name, net, seconds) if source == "dns" else ()

    def _ask(self, name: str, net: NetworkNamespace, seconds: float) -> tuple[Address, ...]:
        """Ask for each name that may be meant; where none is known the name as it is decides what failed.

        Once no server answers for one, no more of the search list are asked for (glibc, resolv/res_query.c,
        __res_context_search).
        """
        deadline = time.monotonic() + seconds
        bare, answered, silent = name.rstrip("."), False, False
        for candidate in candidates(name, self.names.search, self.names.ndots, musl=self.names.musl):
            if silent and candidate != bare:
                continue
            found = self._ask_servers(candidate, net, deadline)
            if found:
                return found
            silent = silent or found is None
            answered = answered or (candidate == bare and found is not None)
        if answered:
            raise NameFailure(Outcome.NAME_NOT_FOUND, socket.EAI_NONAME)
        raise NameFailure(Outcome.RESOLVER_FAILED, socket.EAI_AGAIN)

    def _ask_servers(self, name: str, net: NetworkNamespace, deadline: float) -> tuple[Address, ...] | None:
        """The word of the first server that has one: addresses, or () for "no such name"."""
        for server in self.names.nameservers:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            found = _query(name, str(server), net, min(left, _ONE_SERVER))
            if found is not None:
                return found
        return None

    def _ordered(self, addresses: tuple[Address, ...], net: NetworkNamespace) -> tuple[Address, ...]:
        if not addresses[1:]:
            return addresses  # nothing to order, as for nearly every name
        found = [_destination(address, net) for address in addresses]
        return ordered(found, self.names.gai, musl=self.names.musl)


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


def _destination(address: Address, net: NetworkNamespace) -> Destination:
    """An address, and the one that the kernel would call it from."""
    try:
        with net.socket(family(address), socket.SOCK_DGRAM) as sock:
            sock.connect((str(address), _DNS_PORT))  # sends nothing: it only chooses a route
            source = ipaddress.ip_address(sock.getsockname()[0])
            return Destination(address, source, _prefix_length(source, sock))
    except OSError:
        return Destination(address, None)


#: netdevice(7); include/uapi/linux/sockios.h.
_SIOCGIFCONF: Final = 0x8912
_SIOCGIFNETMASK: Final = 0x891B
_IFREQ: Final = struct.Struct("16s 4x 4s 16x")
_IFCONF: Final = struct.Struct("i 4x P")
_MOST_ADDRESSES: Final = 256


def _prefix_length(own: Address, sock: socket.socket) -> int:
    """The length of the prefix of an IPv4 address of this namespace (netdevice(7)); 0 for any other address."""
    rows = array.array("B", bytes(_IFREQ.size * _MOST_ADDRESSES))
    where, length = rows.buffer_info()
    said = fcntl.ioctl(sock, _SIOCGIFCONF, _IFCONF.pack(length, where))
    used = _IFCONF.unpack(said)[0]
    for name, address in _IFREQ.iter_unpack(rows.tobytes()[: used - used % _IFREQ.size]):
        if address == own.packed:
            mask = _IFREQ.unpack(fcntl.ioctl(sock, _SIOCGIFNETMASK, _IFREQ.pack(name, address)))[1]
            return int.from_bytes(mask, "big").bit_count()
    return 0
