"""The resolver of a private host: it knows a few names and answers everything else with "no such name".

Its sockets are born in the host's network namespace and served by a thread of this process, so that it ends with it.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from testbed.namespaces import NetworkNamespace
from testbed.zone import lookup

DNS_PORT: Final = 53
_TTL: Final = 0
_TCP_TIMEOUT: Final = 2.0
_LARGEST_QUERY: Final = 4096


class NameServer:
    """Answers DNS over UDP and TCP (RFC 1035) until :meth:`close`.

    :param net: where it listens
    :param address: an address of that namespace
    :param zone: name to addresses, as :func:`testbed.zone.lookup` reads it; any other name gets NXDOMAIN
    :raises OSError: the address or port cannot be bound
    """

    def __init__(self, net: NetworkNamespace, address: str, zone: Mapping[str, Sequence[str]]) -> None:
        self._zone = {name.rstrip(".").lower(): tuple(addresses) for name, addresses in zone.items()}
        self._udp = net.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = net.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._stop, self._stopped = socket.socketpair()
        for sock in (self._udp, self._tcp):
            sock.bind((address, DNS_PORT))
        self._tcp.listen()
        self._thread = threading.Thread(target=self._serve, name=f"resolver-{net.what}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering and wait for the thread."""
        self._stop.close()
        self._thread.join()
        for sock in (self._udp, self._tcp, self._stopped):
            sock.close()

    def _serve(self) -> None:
        poller = select.poll()  # select(2) stops at descriptor 1023, and a hundred hosts have more
        for sock in (self._udp, self._tcp, self._stopped):
            poller.register(sock, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poller.poll()}
            if self._stopped.fileno() in ready:
                return
            with suppress(OSError):  # the one who asked went away, or a filter is in between: nobody is there to tell
                if self._udp.fileno() in ready:
                    self._serve_datagram()
                if self._tcp.fileno() in ready:
                    self._serve_stream()

    def _serve_datagram(self) -> None:
        query, peer = self._udp.recvfrom(_LARGEST_QUERY)
        answer = reply(query, self._zone)
        if answer is not None:
            self._udp.sendto(answer, peer)

    def _serve_stream(self) -> None:
        """One query over TCP: two bytes of length in front (RFC 1035, 4.2.2)."""
        connection, _ = self._tcp.accept()
        with connection:
            connection.settimeout(_TCP_TIMEOUT)
            stream = connection.makefile("rb")
            length = int.from_bytes(stream.read(2), "big")
            answer = reply(stream.read(min(length, _LARGEST_QUERY)), self._zone)
            if answer is not None:
                connection.sendall(len(answer).to_bytes(2, "big") + answer)


def reply(query: bytes, zone: Mapping[str, Sequence[str]]) -> bytes | None:
    """The answer to one DNS message, None where it is no question at all.

    :param zone: by names in lower case without a dot at the end
    """
    try:
        asked = dns.message.from_wire(query)
    except dns.exception.DNSException:
        return None
    if asked.flags & dns.flags.QR or not asked.question:
        return None
    answer = dns.message.make_response(asked, recursion_available=True)
    question = asked.question[0]
    addresses = lookup(zone, question.name.to_text())
    if addresses is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        kind = dns.rdatatype.AAAA if question.rdtype == dns.rdatatype.AAAA else dns.rdatatype.A
        fitting = [a for a in addresses if (":" in a) == (kind == dns.rdatatype.AAAA)]
        if fitting and question.rdtype == kind:
            answer.answer.append(dns.rrset.from_text(question.name, _TTL, "IN", kind, *fitting))
    return answer.to_wire(want_shuffle=False)  # the order of the zone, every time
