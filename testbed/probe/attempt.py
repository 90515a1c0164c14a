"""One attempt: resolve, connect, TLS, HTTP, as far as the target asks, from sockets born in the vantage's namespace."""

from __future__ import annotations

import functools
import http.client
import os
import socket
import ssl
import string
import time
import urllib.parse
from dataclasses import dataclass
from typing import Final

from testbed.model import Address, Answer, Outcome, Phase, Scheme, Target, bracketed, family
from testbed.names import NameFailure, Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe.outcome import of_error

#: Headers in which a server says what it is, most telling first.
_NAMING_HEADERS: Final = ("Portainer-Agent", "Server")
_SUCCESS: Final = range(200, 300)
#: How much of an answer that is no success is kept, in bytes.
_EXCERPT: Final = 256
#: Of an answer that is read to its end: what is longer than this is not.
_MOST: Final = 1 << 20
#: Seconds that an address gets at the least, where as many are left (Go, net/dial.go, saneMinimum).
_LEAST_SHARE: Final = 2.0
#: What comes once TCP is connected.
_NEXT_PHASE: Final = {Scheme.TCP: Phase.CONNECT, Scheme.HTTP: Phase.HTTP, Scheme.HTTPS: Phase.TLS}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for by HTTP, where it is more than a GET whose good answer nobody reads."""

    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one attempt saw, before it is known whose it was."""

    outcome: Outcome
    phase: Phase
    seconds: float
    errno: int | None = None
    text: str = ""
    answer: Answer | None = None
    peer: Address | None = None


def attempt(  # noqa: PLR0911 - one return for each way an attempt ends
    net: NetworkNamespace, naming: Naming, target: Target, *, seconds: float, ask: Ask | None = None
) -> Seen:
    """Try once. Never raises for what the network does: that is what it reports.

    :param seconds: the budget of the whole attempt, as Portainer gives its ping 3 s
    :param ask: what to ask for; the answer is read to its end then, good or not, and its beginning kept
    """
    start = time.monotonic()
    deadline = start + seconds
    peer: Address | None = None

    def seen(
        outcome: Outcome, phase: Phase, number: int | None = None, text: str = "", answer: Answer | None = None
    ) -> Seen:
        return Seen(outcome, phase, time.monotonic() - start, number, text, answer, peer)

    try:
        addresses = naming.resolve(target.host, net, seconds=seconds)
    except NameFailure as failure:
        return seen(failure.outcome, Phase.RESOLVE, failure.number, str(failure))
    found, peer = _connect(net, addresses, target.port, deadline)
    if isinstance(found, OSError):
        # A handshake that fails is ECONNREFUSED: a reset means that it was over already.
        phase = _NEXT_PHASE[target.scheme] if isinstance(found, ConnectionResetError) else Phase.CONNECT
        return seen(of_error(found), phase, _errno(found), str(found))
    connected, reached = found, f"{bracketed(str(peer))}:{target.port}"
    phase = Phase.CONNECT
    try:
        if target.scheme is Scheme.TCP:
            return seen(Outcome.CONNECTED, phase, answer=Answer(reached))
        if target.scheme is Scheme.HTTPS:
            phase = Phase.TLS
            _raise_pending(connected)
            connected.settimeout(_left(deadline))
            connected = _tls_context().wrap_socket(connected, server_hostname=target.host)
        phase = Phase.HTTP
        connected.settimeout(_left(deadline))
        answer = _get(connected, target, reached, ask)
    except http.client.RemoteDisconnected as exc:
        return seen(Outcome.CLOSED, phase, None, str(exc))
    except http.client.HTTPException as exc:
        return seen(Outcome.INCONCLUSIVE, phase, None, f"{type(exc).__name__}: {exc}")
    except OSError as exc:
        return seen(of_error(exc), phase, _errno(exc), str(exc))
    finally:
        connected.close()
    good = answer.status in _SUCCESS
    return seen(
        Outcome.CONNECTED if good else Outcome.HTTP_STATUS, phase, None, "" if good else f"HTTP {answer.status}", answer
    )


def _connect(
    net: NetworkNamespace, addresses: tuple[Address, ...], port: int, deadline: float
) -> tuple[socket.socket | OSError, Address]:
    """The first address that connects, else the first one with its error, which Go's client reports too.

    Each gets its share of the time, as Go's dialSerial gives it (net/dial.go, partialDeadline): one that is silent does
    not keep the next from being tried.
    """
    first: tuple[OSError, Address] | None = None
    for number, address in enumerate(addresses):
        left = _left(deadline)
        share = min(left, max(left / (len(addresses) - number), _LEAST_SHARE))
        try:
            sock = net.socket(family(address), socket.SOCK_STREAM)
        except OSError as exc:
            first = first or (exc, address)
            continue
        try:
            sock.settimeout(share)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as HTTP clients do
            sock.connect((str(address), port))
        except OSError as exc:
            sock.close()
            first = first or (exc, address)
        else:
            return sock, address
    assert first is not None, "a name that resolves has an address"
    return first


def _get(connected: socket.socket, target: Target, peer: str, ask: Ask | None) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port)  # adds the brackets itself
    connection.sock = connected
    path = urllib.parse.quote(target.path, safe=string.punctuation)  # as browsers and Go do with other than ASCII
    headers = {"User-Agent": "testbed", "Connection": "close", **dict(ask.headers if ask else ())}
    connection.request(ask.method if ask else "GET", path, (ask.body or None) if ask else None, headers=headers)
    response = connection.getresponse()
    name = next((header for header in _NAMING_HEADERS if response.headers.get(header)), None)
    server = "" if name is None else f"{name if name != 'Server' else ''} {response.headers[name]}".strip()
    if ask is not None:
        excerpt = response.read(_MOST)[:_EXCERPT].decode(errors="replace")
    else:
        excerpt = "" if response.status in _SUCCESS else response.read(_EXCERPT).decode(errors="replace")
    response.close()
    return Answer(peer, response.status, server, excerpt)


def _left(deadline: float) -> float:
    """Seconds until the deadline, never 0: that would mean a socket that does not wait at all."""
    return max(deadline - time.monotonic(), 0.001)


def _errno(error: OSError) -> int | None:
    """TLS errors carry OpenSSL's numbers, which are no errno."""
    return None if isinstance(error, ssl.SSLError) else error.errno


def _raise_pending(connected: socket.socket) -> None:
    """Raise for a reset that came already: on such a socket ``ssl`` would leave the handshake out without a word."""
    number = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """TLS 1.2 or later without looking at the certificate, as Portainer's ping (api/crypto/tls.go)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
