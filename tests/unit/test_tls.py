"""TLS of attempts, on servers of this process: which end ended the handshake, and what the server had sent by then."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from testbed.model import Outcome, Phase, SocketState, Target
from testbed.names import Naming
from testbed.probe.attempt import How, Seen, attempt
from testbed.probe.tls import TlsStream
from testbed.probe.trust import Trust
from tests.unit.stand_ins import HereNamespace
from truth.faults.authority import Signed, signed

ENOUGH: Final = 5.0
SHORT: Final = 0.2
HOUR: Final = timedelta(hours=1)
#: X509_V_ERR_... (include/openssl/x509_vfy.h.in).
EXPIRED, SELF_SIGNED, NO_ISSUER, OTHER_NAME = 10, 18, 20, 62

Prepare = Callable[[ssl.SSLContext], None]


def trusting(*certificates: Signed) -> Trust:
    """A client that trusts these."""
    return Trust("a test", tuple(one.pem for one in certificates))


def reach(port: int, *, how: How | None = None, seconds: float = ENOUGH) -> Seen:
    """Attempt https at a server of this process, which is called agent."""
    naming = Naming.parse("127.0.0.1 agent\n", "")
    return attempt(HereNamespace(), naming, Target.parse(f"https://agent:{port}/"), seconds=seconds, how=how)


@contextmanager
def serving(folder: Path, own: Signed, *chain: Signed, prepare: Prepare = lambda context: None) -> Iterator[int]:
    """A server of HTTPS that answers 204 with a date of 2030; gives the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = folder / "own.pem"
    file.write_text(own.key_pem + own.pem + "".join(one.pem for one in chain))
    context.load_cert_chain(file)
    prepare(context)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            inner.recv(65536)
            inner.sendall(b"HTTP/1.1 204 No Content\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\n\r\n")

    with accepting(answer) as port:
        yield port


@contextmanager
def accepting(handler: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that hands each connection to ``handler``, one after the other, until it is left; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    connection.settimeout(ENOUGH)
                    handler(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def until_tls_1_2(context: ssl.SSLContext) -> None:
    """What a server of the time before TLS 1.3 speaks."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2


# Verifying


def test_a_certificate_that_is_trusted_connects(tmp_path: Path) -> None:
    """Its own certificate in the trust store is enough, as for curl and Go: no authority is needed."""
    own = signed("agent", "agent")
    with serving(tmp_path, own) as port:
        seen = reach(port, how=How(trust=trusting(own)))
    assert (seen.outcome, seen.phase) == (Outcome.CONNECTED, Phase.HTTP)
    assert seen.handshake is not None
    assert seen.handshake.store == "a test"


@pytest.mark.parametrize(
    ("names", "valid", "trusted", "code"),
    [
        (("agent",), (-HOUR, HOUR), False, SELF_SIGNED),
        (("other",), (-HOUR, HOUR), True, OTHER_NAME),
        (("agent",), (-2 * HOUR, -HOUR), True, EXPIRED),
    ],
    ids=["self-signed", "for another name", "expired"],
)
def test_a_certificate_that_is_refused_says_why(
    tmp_path: Path, names: tuple[str, ...], valid: tuple[timedelta, timedelta], trusted: bool, code: int
) -> None:
    """The code is OpenSSL's, the certificate is there to be looked at, and so is the clock it was judged by."""
    own = signed("agent", *names, valid=valid)
    with serving(tmp_path, own) as port:
        seen = reach(port, how=How(trust=trusting(own) if trusted else trusting(signed("x"))))
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.TLS_FAILED, Phase.TLS, None)
    assert seen.handshake is not None
    assert seen.handshake.verify_code == code
    (certificate,) = seen.handshake.chain
    assert (certificate.subject, certificate.names) == ("CN=agent", names)
    assert seen.handshake.clock is not None
    assert abs(seen.handshake.clock - datetime.now(UTC)) < timedelta(minutes=1)


def test_who_does_not_verify_is_tried_too(tmp_path: Path) -> None:
    """Where the certificate is refused it is said what a client gets that takes any, and the server's clock."""
    with serving(tmp_path, signed("agent", "agent")) as port:
        seen = reach(port, how=How(trust=trusting(signed("x"))))
    assert seen.unverified is not None
    assert seen.unverified.outcome is Outcome.CONNECTED
    assert seen.unverified.answer is not None
    assert seen.unverified.answer.clock == datetime(2030, 1, 1, tzinfo=UTC)


def test_the_chain_is_told_as_it_was_sent(tmp_path: Path) -> None:
    """A server that leaves out the intermediate sends one certificate, whose issuer nobody has."""
    root = signed("root", authority=True)
    between = signed("between", by=root, authority=True)
    own = signed("agent", "agent", by=between)
    with serving(tmp_path, own) as port:
        without = reach(port, how=How(trust=trusting(root)))
    with serving(tmp_path, own, between) as port:
        whole = reach(port, how=How(trust=trusting(root)))
    assert whole.outcome is Outcome.CONNECTED
    assert without.handshake is not None
    assert without.handshake.verify_code == NO_ISSUER
    assert [one.issuer for one in without.handshake.chain] == ["CN=between"]


# The server ends it


def demanding(authority: Path, *, old: bool) -> Prepare:
    """A server that wants a certificate of its clients."""

    def prepare(context: ssl.SSLContext) -> None:
        context.load_verify_locations(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        if old:
            until_tls_1_2(context)

    return prepare


@pytest.mark.parametrize(
    ("old", "words", "asks"),
    [(False, "tlsv13 alert certificate required", False), (True, "sslv3 alert handshake failure", True)],
    ids=["TLS 1.3", "TLS 1.2"],
)
def test_a_server_that_wants_a_certificate_says_so_in_the_handshake(
    tmp_path: Path, old: bool, words: str, asks: bool
) -> None:
    """In TLS 1.3 the client's own handshake is over when it comes; in 1.2 the CertificateRequest is seen."""
    authority = tmp_path / "authority.pem"
    authority.write_text(signed("clients", authority=True).pem)
    with serving(tmp_path, signed("agent"), prepare=demanding(authority, old=old)) as port:
        seen = reach(port)
    assert (seen.outcome, seen.phase) == (Outcome.TLS_FAILED, Phase.TLS)
    assert words in seen.text
    assert seen.handshake is not None
    assert (seen.handshake.hello, seen.handshake.asks_certificate) == (True, asks)


def test_a_server_without_a_common_cipher_never_says_hello(tmp_path: Path) -> None:
    """It says handshake_failure, as one that wants a certificate: the ServerHello tells the two apart."""

    def prepare(context: ssl.SSLContext) -> None:
        until_tls_1_2(context)
        context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")

    with serving(tmp_path, signed("agent"), prepare=prepare) as port:
        seen = reach(port)
    assert "sslv3 alert handshake failure" in seen.text
    assert seen.handshake is not None
    assert not seen.handshake.hello
    assert seen.answer is None, "an alert is no greeting"


def test_an_alert_is_not_lost_to_the_reset_that_follows_it(tmp_path: Path) -> None:
    """A server that refused its client and is gone before the request: the alert is what is raised."""
    authority = tmp_path / "authority.pem"
    authority.write_text(signed("clients", authority=True).pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own, file = signed("agent"), tmp_path / "own.pem"
    file.write_text(own.key_pem + own.pem)
    context.load_cert_chain(file)
    demanding(authority, old=False)(context)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            inner = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            with inner, suppress(ssl.SSLError):
                inner.do_handshake()

        thread = threading.Thread(target=refuse)
        thread.start()
        with socket.create_connection(server.getsockname()) as connected:
            stream = TlsStream(connected, "agent", None, time.monotonic() + ENOUGH)
            stream.handshake()
            thread.join()

            def send() -> None:
                for _ in range(3):  # the first is answered by the reset
                    stream.sendall(b"x")

            with pytest.raises(ssl.SSLError, match="certificate required"):
                send()


# No TLS at all


def test_what_a_server_says_first_is_kept_where_it_is_no_tls() -> None:
    """OpenSSL says "wrong version number" to whatever it is; the words themselves say what it is."""
    with accepting(lambda connection: connection.sendall(b"SSH-2.0-test\r\n")) as port:
        seen = reach(port)
    assert seen.outcome is Outcome.TLS_FAILED
    assert seen.answer is not None
    assert seen.answer.excerpt == "SSH-2.0-test\r\n"


def test_the_two_ends_are_looked_at_while_the_connection_is_there() -> None:
    """Of a server that says nothing: the client's port is that of a connection that the server still has."""
    there: list[int] = []
    done = threading.Event()

    def keep(connection: socket.socket) -> None:
        there.append(connection.getpeername()[1])
        done.wait(ENOUGH)
        # Nothing was closed so far: beside the ClientHello there is nothing to read, not even an end of file.
        connection.setblocking(False)
        connection.recv(65536)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        there.append(0)

    state = SocketState("here", "ESTAB", "", "", accepted=True, unread=0, unacknowledged=0, retransmitted=0,
                        received=0, acknowledged=0)  # fmt: skip

    def look(port: int) -> tuple[SocketState, ...]:
        there.append(port)
        done.set()
        time.sleep(SHORT)  # as long as the server looks
        return (state,)

    with accepting(keep) as port:
        seen = reach(port, how=How(look=look), seconds=SHORT)
    assert (seen.outcome, seen.phase, seen.sockets) == (Outcome.TIMED_OUT, Phase.TLS, (state,))
    assert there[0] == there[1]
    assert there[2] == 0


def test_ends_are_not_looked_at_where_something_came() -> None:
    """A reset is an answer."""

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def look(port: int) -> tuple[SocketState, ...]:
        raise AssertionError(port)

    with accepting(reset) as port:
        assert reach(port, how=How(look=look)).outcome is Outcome.RESET
