"""TLS over a socket of our own, so that what the server sends in a handshake that fails is seen too.

The ``ssl`` module speaks TLS, on two buffers in memory; here the bytes are carried between these and the socket.
"""

from __future__ import annotations

import functools
import io
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, ParamSpec, TypeVar

from testbed.model import Certificate, Handshake
from testbed.probe.trust import Trust

P = ParamSpec("P")
T = TypeVar("T")

#: As curl and Go offer it (RFC 7301); a server that has none of what is offered says so by an alert.
_ALPN: Final = ("http/1.1",)
_CHUNK: Final = 1 << 16
#: How much of what the server said first is kept, in bytes: more than one flight of a handshake has.
_KEPT: Final = 1 << 16
#: RFC 8446, 5.1 (record: type, version, length) and 4 (message: type, length of three bytes).
_RECORD: Final = 5
_MESSAGE: Final = 4
_HANDSHAKE: Final = 22
_RECORD_TYPES: Final = range(20, 25)
_SERVER_HELLO: Final = 2
_CERTIFICATE_REQUEST: Final = 13


class TlsStream:
    """A connection that TLS is spoken on; what ``http.client`` needs of a socket, and no more.

    :param connected: a TCP connection; closed with this one
    :param host: the name or address that the certificate is to be for, and that the server is told (RFC 6066, 3)
    :param trust: None takes any certificate
    :param deadline: by ``time.monotonic()``
    """

    def __init__(self, connected: socket.socket, host: str, trust: Trust | None, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = _context() if trust is None else _verifying(trust)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._first = b""

    def handshake(self) -> None:
        """Shake hands.

        :raises ssl.SSLError: one of the two ends did not want to go on
        :raises OSError: what the connection itself came to; ``TimeoutError`` at the deadline
        """
        self._carried(self._tls.do_handshake)

    @property
    def seen(self) -> Handshake:
        """The handshake as far as it has come."""
        types = _messages(self._first)
        return Handshake(
            hello=_SERVER_HELLO in types,
            asks_certificate=_CERTIFICATE_REQUEST in types,
            chain=tuple(map(_certificate, _sent(self._tls))),
        )

    @property
    def greeting(self) -> bytes:
        """The first words of the server, where they are no TLS; else nothing."""
        return b"" if self._first[:1] and self._first[0] in _RECORD_TYPES else self._first

    def sendall(self, data: bytes) -> None:
        """Send it all; what goes wrong is raised as by :meth:`handshake`.

        A server of TLS 1.3 that does not like its client says so after the client's handshake is done, and closes: of
        that the alert is raised and not the reset, where it has come.
        """
        try:
            self._carried(self._tls.write, data)
        except OSError as exc:
            if not isinstance(exc, ssl.SSLError):
                self._raise_alert()
            raise

    def makefile(self, mode: str) -> io.BufferedReader:
        """A file that reads what comes; its end is where the server ended the connection, in good order or not."""
        assert mode == "rb", mode
        return io.BufferedReader(_Reading(self._read))

    def settimeout(self, seconds: float) -> None:
        """Move the deadline."""
        self._deadline = time.monotonic() + seconds

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _read(self, size: int) -> bytes:
        try:
            return self._carried(self._tls.read, size)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def _raise_alert(self) -> None:
        """Raise what the server sent before it closed, where that is an alert."""
        with suppress(BlockingIOError, ConnectionError, ssl.SSLWantReadError):
            self._socket.setblocking(False)
            while data := self._socket.recv(_CHUNK):
                self._took(data)
        with suppress(ssl.SSLWantReadError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self._tls.read(1)

    def _carried(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something of TLS, carrying bytes both ways until it is done; what it has to say last is sent too."""
        while True:
            try:
                done = call(*args, **kwargs)
            except ssl.SSLWantReadError:
                self._send()
                self._receive()
            except ssl.SSLError:
                with suppress(OSError):
                    self._send()
                raise
            else:
                self._send()
                return done

    def _send(self) -> None:
        if data := self._outgoing.read():
            self._wait()
            self._socket.sendall(data)

    def _receive(self) -> None:
        self._wait()
        if data := self._socket.recv(_CHUNK):
            self._took(data)
        else:
            self._incoming.write_eof()

    def _took(self, data: bytes) -> None:
        self._first += data[: _KEPT - len(self._first)]
        self._incoming.write(data)

    def _wait(self) -> None:
        self._socket.settimeout(max(self._deadline - time.monotonic(), 0.001))


class _Reading(io.RawIOBase):
    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _messages(data: bytes) -> set[int]:
    """The types of the handshake messages that stand in the clear: all up to TLS 1.2, from then on the first."""
    clear = b""
    while len(data) >= _RECORD and data[0] == _HANDSHAKE:
        length = int.from_bytes(data[3:5], "big")
        clear += data[_RECORD : _RECORD + length]
        data = data[_RECORD + length :]
    types = set()
    while len(clear) >= _MESSAGE:
        types.add(clear[0])
        clear = clear[_MESSAGE + int.from_bytes(clear[1:4], "big") :]
    return types


def _sent(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates that the server sent, in DER. Before Python 3.13 only the object behind knows those refused."""
    public: Callable[[], list[bytes]] | None = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return public() or []
    inner: Any = getattr(tls, "_sslobj", None)
    chain = inner.get_unverified_chain() if hasattr(inner, "get_unverified_chain") else None
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain or []]


def _certificate(der: bytes) -> Certificate:
    from cryptography import x509  # noqa: PLC0415 - it takes long to import, and only TLS needs it

    found = x509.load_der_x509_certificate(der)
    names: list[str] = []
    with suppress(x509.ExtensionNotFound, ValueError):  # some are not as RFC 5280 wants them, and sent all the same
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names += alternative.get_values_for_type(x509.DNSName)
        names += map(str, alternative.get_values_for_type(x509.IPAddress))
    return Certificate(
        found.subject.rfc4514_string(),
        found.issuer.rfc4514_string(),
        tuple(names),
        found.not_valid_before_utc,
        found.not_valid_after_utc,
    )


@functools.cache
def _context() -> ssl.SSLContext:
    """TLS 1.2 or later without looking at the certificate, as Portainer's ping (api/crypto/tls.go)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _as_clients_do(context)


def _verifying(trust: Trust) -> ssl.SSLContext:
    """TLS as curl and Go speak it: each certificate of the store is trusted as it stands, an issuer or a server's own.

    (curl's lib/vtls/openssl.c sets X509_V_FLAG_PARTIAL_CHAIN; Go's crypto/x509 ends a chain at any of its pool.)
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    if trust.certificates:
        context.load_verify_locations(cadata="\n".join(trust.certificates))
    return _as_clients_do(context)


def _as_clients_do(context: ssl.SSLContext) -> ssl.SSLContext:
    """The versions and ciphers of OpenSSL's own default, which curl has; Python's would leave out some that work."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT")
    context.set_alpn_protocols(list(_ALPN))
    return context
