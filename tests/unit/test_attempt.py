"""Attempts on real servers of this process: what a probe sees of each way in which a peer can fail."""

from __future__ import annotations

import datetime as dt
import errno
import os
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from testbed.model import Answer, Outcome, Phase, Scheme, Target
from testbed.names import Naming
from testbed.probe.attempt import Seen, attempt
from tests.unit.stand_ins import HereNamespace

#: Long enough for a server of this process, short enough that a test that hangs is noticed.
ENOUGH = 5.0
#: For peers that never answer.
SHORT = 0.05
NAMELESS = Naming.parse("", "")

Handler = Callable[[socket.socket], object]


def reach(target: str, *, seconds: float = ENOUGH, hosts: str = "", net: HereNamespace | None = None) -> Seen:
    """Attempt a target from here."""
    return attempt(net or HereNamespace(), Naming.parse(hosts, ""), Target.parse(target), seconds=seconds)


@contextmanager
def listening(address: str = "127.0.0.1", *, port: int = 0, backlog: int = 5) -> Iterator[tuple[socket.socket, int]]:
    """A socket that listens, and its port; nobody accepts."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        listener.bind((address, port))
        listener.listen(backlog)
        yield listener, listener.getsockname()[1]


@contextmanager
def serving(handler: Handler, address: str = "127.0.0.1") -> Iterator[int]:
    """Accept one connection and hand it to ``handler``; gives the port."""
    with listening(address) as (listener, port):
        listener.settimeout(ENOUGH)

        def serve() -> None:
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(ENOUGH)
                    handler(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            thread.join()


@contextmanager
def port_without_listener() -> Iterator[int]:
    """A port of 127.0.0.1 that stays ours and on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def close_after_reading(connection: socket.socket) -> None:
    """Hear the request, and end in good order."""
    connection.recv(65536)


def reset(connection: socket.socket) -> None:
    """End by a reset, when the connection is closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_after_reading(connection: socket.socket) -> None:
    """Hear the request, and end by a reset."""
    connection.recv(65536)
    reset(connection)


def say(*parts: bytes) -> Handler:
    """Read a request, then say something and close."""

    def handler(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"".join(parts))

    return handler


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The server side of TLS with a certificate that nobody trusts, for another name, as the agent's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another-name")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(certificate + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def over(context: ssl.SSLContext, handler: Handler) -> Handler:
    """The same, spoken over TLS."""

    def encrypted(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            handler(inner)

    return encrypted


NO_CONTENT = b"HTTP/1.1 204 No Content\r\nPortainer-Agent: 2.23.0\r\nServer: x\r\n\r\n"


# Connecting


def test_listener_answers() -> None:
    """A bare TCP target is connected once the handshake is done, and the answer names the peer."""
    with listening() as (_, port):
        seen = reach(f"127.0.0.1:{port}")
    assert (seen.outcome, seen.phase, seen.errno, seen.text) == (Outcome.CONNECTED, Phase.CONNECT, None, "")
    assert seen.answer == Answer(f"127.0.0.1:{port}")


def test_ipv6_listener_answers() -> None:
    """Over IPv6 the peer stands in brackets."""
    with listening("::1") as (_, port):
        seen = reach(f"[::1]:{port}")
    assert (seen.outcome, seen.answer) == (Outcome.CONNECTED, Answer(f"[::1]:{port}"))


def test_port_of_another_address_is_refused() -> None:
    """A listener on 127.0.0.2 answers there and is out of reach at 127.0.0.1: the seed's failure, in small."""
    with port_without_listener() as port, listening("127.0.0.2", port=port):
        refused, control = reach(f"127.0.0.1:{port}"), reach(f"127.0.0.2:{port}")
    assert control.outcome is Outcome.CONNECTED
    assert (refused.outcome, refused.phase, refused.errno) == (Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED)
    assert (refused.text, refused.answer) == ("[Errno 111] Connection refused", None)


def test_dropped_syn_is_timed_out() -> None:
    """A listener whose queue is full drops the SYN: nothing comes back within the budget, and it is no errno."""
    with listening(backlog=0) as (_, port), socket.create_connection(("127.0.0.1", port)):
        seen = reach(f"https://127.0.0.1:{port}/", seconds=SHORT)
    assert (seen.outcome, seen.phase, seen.errno, seen.text) == (Outcome.TIMED_OUT, Phase.CONNECT, None, "timed out")
    assert SHORT <= seen.seconds < ENOUGH


def test_each_address_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name's first address that drops the SYN leaves half of the budget for the second one, which connects."""
    monkeypatch.setattr("testbed.probe.attempt._LEAST_SHARE", 0.0)
    waits: list[float] = []

    class Waiting(socket.socket):
        def settimeout(self, value: float | None) -> None:
            waits.append(value or 0.0)
            super().settimeout(value)

    with (
        listening(backlog=0) as (_, port),
        socket.create_connection(("127.0.0.1", port)),
        listening("127.0.0.2", port=port),
    ):
        net = HereNamespace(Waiting)
        seen = reach(f"two:{port}", hosts="127.0.0.1 two\n127.0.0.2 two\n", seconds=10 * SHORT, net=net)
    assert (seen.outcome, seen.peer) == (Outcome.CONNECTED, ip_address("127.0.0.2"))
    assert waits[0] <= 5 * SHORT


def test_the_address_that_an_error_is_of_is_told() -> None:
    """Where no address connects the first one's error is the outcome, and it is that one's."""
    with port_without_listener() as port:
        seen = reach(f"two:{port}", hosts="127.0.0.1 two\n127.0.0.2 two\n")
    assert (seen.outcome, seen.peer) == (Outcome.REFUSED, ip_address("127.0.0.1"))


def test_a_name_without_an_address_was_of_no_peer() -> None:
    """Nobody was called."""
    assert reach("nobody:80").peer is None


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (errno.EHOSTUNREACH, Outcome.HOST_UNREACHABLE),
        (errno.ENETUNREACH, Outcome.NETWORK_UNREACHABLE),
        (errno.EACCES, Outcome.PROHIBITED),
        (errno.ENOBUFS, Outcome.INCONCLUSIVE),
    ],
    ids=["no route to host", "no route", "prohibited", "unknown"],
)
def test_errno_and_text_of_connect_are_kept(number: int, outcome: Outcome) -> None:
    """Beside its outcome an attempt has connect(2)'s errno and words."""
    seen = reach("192.0.2.1:1", net=HereNamespace(scripted({"192.0.2.1": number})))
    assert (seen.outcome, seen.phase, seen.errno) == (outcome, Phase.CONNECT, number)
    assert seen.text == f"[Errno {number}] {os.strerror(number)}"


def scripted(errors: Mapping[str, int]) -> Callable[[int, int, int], socket.socket]:
    """Sockets whose connect(2) fails for some addresses with an errno."""

    class Scripted(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            number = errors.get(address[0])
            if number is not None:
                raise OSError(number, os.strerror(number))
            super().connect(address)

    return Scripted


# Names with several addresses


def test_first_addresss_error_is_reported() -> None:
    """Where no address connects, the error is the first one's, as with Go's client."""
    net = HereNamespace(scripted({"127.0.0.2": errno.EHOSTUNREACH, "127.0.0.3": errno.ECONNREFUSED}))
    seen = reach("both:1", hosts="127.0.0.2 both\n127.0.0.3 both\n", net=net)
    assert (seen.outcome, seen.errno) == (Outcome.HOST_UNREACHABLE, errno.EHOSTUNREACH)


def test_second_address_is_tried() -> None:
    """A name whose first address refuses is connected at its second, and the answer says which one it was."""
    with port_without_listener() as port, listening("127.0.0.2", port=port):
        seen = reach(f"both:{port}", hosts="127.0.0.1 both\n127.0.0.2 both\n")
    assert (seen.outcome, seen.answer) == (Outcome.CONNECTED, Answer(f"127.0.0.2:{port}"))


def test_missing_family_does_not_hide_the_other() -> None:
    """Where the kernel has no IPv6, a name with both families is still reached over IPv4."""

    def only_ipv4(family: int, kind: int, protocol: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return socket.socket(family, kind, protocol)

    with listening() as (_, port):
        seen = reach(f"both:{port}", hosts="::1 both\n127.0.0.1 both\n", net=HereNamespace(only_ipv4))
    assert (seen.outcome, seen.answer) == (Outcome.CONNECTED, Answer(f"127.0.0.1:{port}"))


def test_name_that_does_not_resolve_ends_before_anything_is_sent() -> None:
    """A failed name is an observation of the phase RESOLVE with getaddrinfo's number and words."""
    seen = reach("https://agent:1/")
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.RESOLVER_FAILED, Phase.RESOLVE, socket.EAI_AGAIN)
    assert seen.text == "[Errno -3] Temporary failure in name resolution"


# After the connection: closed, reset, silent


@pytest.mark.parametrize(("scheme", "phase"), [("http", Phase.HTTP), ("https", Phase.TLS)])
def test_peer_that_closes_after_accept_is_closed(scheme: str, phase: Phase) -> None:
    """An orderly close before an answer is CLOSED: a tunnel whose far end is dead, never "refused"."""
    with serving(close_after_reading) as port:
        seen = reach(f"{scheme}://127.0.0.1:{port}/ping")
    assert (seen.outcome, seen.phase, seen.errno, seen.answer) == (Outcome.CLOSED, phase, None, None)
    assert seen.text


def test_peer_that_closes_after_tls_is_closed(tls: ssl.SSLContext) -> None:
    """TLS that ends without an HTTP answer is CLOSED in the phase HTTP."""
    with serving(over(tls, close_after_reading)) as port:
        seen = reach(f"https://127.0.0.1:{port}/ping")
    assert (seen.outcome, seen.phase) == (Outcome.CLOSED, Phase.HTTP)


@pytest.mark.parametrize(("scheme", "phase"), [("http", Phase.HTTP), ("https", Phase.TLS)])
def test_peer_that_resets_is_reset(scheme: str, phase: Phase) -> None:
    """A reset in answer to the first bytes is RESET, with its errno."""
    with serving(reset_after_reading) as port:
        seen = reach(f"{scheme}://127.0.0.1:{port}/ping")
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.RESET, phase, errno.ECONNRESET)
    assert seen.text == "[Errno 104] Connection reset by peer"


class WaitsForReset(socket.socket):
    """A socket that comes back from connect(2) only once the peer has reset it, which the peer does after that."""

    connected = threading.Event()

    def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
        """Connect, let the peer know, and wait for its reset."""
        super().connect(address)
        self.connected.set()
        poller = select.poll()
        poller.register(self, 0)  # POLLERR and POLLHUP are always looked for
        assert poller.poll(ENOUGH * 1000), "the peer did not reset"


@pytest.mark.parametrize(
    ("scheme", "outcome", "phase"),
    [
        ("tcp", Outcome.CONNECTED, Phase.CONNECT),
        ("http", Outcome.RESET, Phase.HTTP),
        ("https", Outcome.RESET, Phase.TLS),
    ],
)
def test_reset_that_is_quicker_than_we_are_is_seen_too(scheme: str, outcome: Outcome, phase: Phase) -> None:
    """A peer that resets before the first byte is observed in the phase that comes next, and never raises."""
    WaitsForReset.connected.clear()

    def reset_once_connected(connection: socket.socket) -> None:
        assert WaitsForReset.connected.wait(ENOUGH)
        reset(connection)

    with serving(reset_once_connected) as port:
        seen = reach(f"{scheme}://127.0.0.1:{port}", net=HereNamespace(WaitsForReset))
    assert (seen.outcome, seen.phase) == (outcome, phase)


@pytest.mark.parametrize(("scheme", "phase"), [("http", Phase.HTTP), ("https", Phase.TLS)])
def test_reset_that_connect_itself_reports_belongs_to_the_next_phase(scheme: str, phase: Phase) -> None:
    """connect(2) that says ECONNRESET had connected: the phase does not hang on who was quicker."""
    seen = reach(f"{scheme}://192.0.2.1:1/", net=HereNamespace(scripted({"192.0.2.1": errno.ECONNRESET})))
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.RESET, phase, errno.ECONNRESET)


@pytest.mark.parametrize(("scheme", "phase"), [("http", Phase.HTTP), ("https", Phase.TLS)])
def test_silent_peer_is_timed_out_within_the_budget(scheme: str, phase: Phase) -> None:
    """A peer that accepts and says nothing ends with the budget, in the phase that a dropped SYN never reaches."""
    with listening() as (_, port):
        seen = reach(f"{scheme}://127.0.0.1:{port}/ping", seconds=SHORT)
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.TIMED_OUT, phase, None)
    assert "timed out" in seen.text
    assert SHORT / 2 <= seen.seconds < ENOUGH


class Clock:
    """A clock that has jumped by its second look: connecting has used up nearly everything."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = list(seconds)

    def monotonic(self) -> float:
        """The next of its times; the last one for ever."""
        return self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_connecting_takes_is_taken_from_the_rest(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is the whole attempt's: after a slow connect little is left for the answer."""
    waits: list[float | None] = []

    class Noted(socket.socket):
        def settimeout(self, value: float | None) -> None:
            waits.append(value)
            super().settimeout(value)

    clock = Clock(0.0, 0.0, ENOUGH - SHORT)
    monkeypatch.setattr("testbed.probe.attempt.time", clock)
    monkeypatch.setattr("testbed.probe.tls.time", clock)
    with listening() as (_, port):
        seen = reach(f"{scheme}://127.0.0.1:{port}/", net=HereNamespace(Noted))
    assert seen.outcome is Outcome.TIMED_OUT
    connecting, *rest = waits
    assert connecting == ENOUGH
    assert rest
    assert rest == [pytest.approx(SHORT)] * len(rest)


def test_budget_that_is_over_still_waits_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that is used up becomes 1 ms: 0 would mean a socket that does not wait, and another errno."""
    monkeypatch.setattr("testbed.probe.attempt.time", Clock(0.0, 9.0))
    with listening(backlog=0) as (_, port), socket.create_connection(("127.0.0.1", port)):
        seen = reach(f"127.0.0.1:{port}", seconds=1.0)
    assert (seen.outcome, seen.errno) == (Outcome.TIMED_OUT, None)


def test_requests_are_sent_at_once() -> None:
    """Small packets are not held back (TCP_NODELAY), which would add 40 ms to some answers."""

    class Connecting(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            at_once.append(self.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
            super().connect(address)

    at_once: list[bool] = []
    with listening() as (_, port):
        reach(f"127.0.0.1:{port}", net=HereNamespace(Connecting))
    assert at_once == [True]


# What is spoken


@pytest.mark.parametrize(
    "words", [b"HTTP/1.0 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n"], ids=["HTTP server", "ssh banner"]
)
def test_peer_without_tls_fails_tls(words: bytes) -> None:
    """TLS with a port that speaks something else is TLS_FAILED with OpenSSL's words, and no errno."""
    with serving(say(words)) as port:
        seen = reach(f"https://127.0.0.1:{port}/")
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.TLS_FAILED, Phase.TLS, None)
    assert seen.text.startswith("[SSL")


def test_peer_that_speaks_no_http_is_inconclusive() -> None:
    """HTTP with a port that speaks something else is inconclusive, and the text says what was heard."""
    with serving(say(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as port:
        seen = reach(f"http://127.0.0.1:{port}/")
    assert (seen.outcome, seen.phase) == (Outcome.INCONCLUSIVE, Phase.HTTP)
    assert seen.text == "BadStatusLine: SSH-2.0-OpenSSH_9.2p1\r\n"


@pytest.mark.parametrize(
    ("status", "outcome", "text"),
    [
        ("200 OK", Outcome.CONNECTED, ""),
        ("204 No Content", Outcome.CONNECTED, ""),
        ("299 Well", Outcome.CONNECTED, ""),
        ("300 Multiple Choices", Outcome.HTTP_STATUS, "HTTP 300"),
        ("301 Moved Permanently", Outcome.HTTP_STATUS, "HTTP 301"),
        ("403 Forbidden", Outcome.HTTP_STATUS, "HTTP 403"),
        ("500 Internal Server Error", Outcome.HTTP_STATUS, "HTTP 500"),
    ],
)
def test_http_status_decides(status: str, outcome: Outcome, text: str) -> None:
    """2xx is connected; any other status is HTTP_STATUS; both have the status in their answer."""
    with serving(say(f"HTTP/1.1 {status}\r\n\r\n".encode())) as port:
        seen = reach(f"http://127.0.0.1:{port}/ping")
    assert (seen.outcome, seen.phase, seen.errno, seen.text) == (outcome, Phase.HTTP, None, text)
    assert seen.answer == Answer(f"127.0.0.1:{port}", int(status[:3]), "")


@pytest.mark.parametrize(
    ("headers", "server"),
    [
        (b"Portainer-Agent: 2.23.0\r\nServer: nginx\r\n", "Portainer-Agent 2.23.0"),
        (b"Server: nginx\r\n", "nginx"),
        (b"Date: today\r\n", ""),
    ],
    ids=["agent", "server", "nameless"],
)
def test_who_answered_is_what_the_answer_says(headers: bytes, server: str) -> None:
    """The answer's name is the most telling header's."""
    with serving(say(b"HTTP/1.1 204 No Content\r\n", headers, b"\r\n")) as port:
        seen = reach(f"http://127.0.0.1:{port}/")
    assert seen.answer is not None
    assert seen.answer.server == server


def test_certificate_is_not_looked_at(tls: ssl.SSLContext) -> None:
    """A self-signed, expired certificate for another name is taken, as Portainer's ping takes it."""
    with serving(over(tls, say(NO_CONTENT))) as port:
        seen = reach(f"https://127.0.0.1:{port}/ping")
    assert (seen.outcome, seen.phase) == (Outcome.CONNECTED, Phase.HTTP)
    assert seen.answer == Answer(f"127.0.0.1:{port}", 204, "Portainer-Agent 2.23.0")


@pytest.mark.parametrize(
    ("target", "line", "host"),
    [
        ("http://agent:{}/ping?a=b", "GET /ping?a=b HTTP/1.1", "Host: agent:{}"),
        ("http://agent:{}", "GET / HTTP/1.1", "Host: agent:{}"),
        ("http://agent:{}/é%20%", "GET /%C3%A9%20% HTTP/1.1", "Host: agent:{}"),
        ("http://[::1]:{}/", "GET / HTTP/1.1", "Host: [::1]:{}"),
    ],
    ids=["path and query", "no path", "other than ASCII", "IPv6"],
)
def test_what_was_typed_is_what_is_asked_for(target: str, line: str, host: str) -> None:
    """The request has the target's path and the host as it was typed, whatever address that is."""
    heard: list[str] = []

    def listen(connection: socket.socket) -> None:
        heard.extend(connection.recv(65536).decode("ascii").split("\r\n"))
        connection.sendall(NO_CONTENT)

    with serving(listen, "::1" if "[" in target else "127.0.0.1") as port:
        seen = reach(target.format(port), hosts="127.0.0.1 agent\n")
    assert seen.outcome is Outcome.CONNECTED
    assert heard[0] == line
    assert host.format(port) in heard
    assert {"User-Agent: testbed", "Connection: close"} <= set(heard)


@pytest.mark.parametrize("scheme", ["tcp", "http", "https"])
def test_attempt_leaves_no_socket_open(scheme: str) -> None:
    """However it ends, the connection is closed when an attempt is over."""
    made: list[socket.socket] = []

    def noted(family: int, kind: int, protocol: int) -> socket.socket:
        made.append(socket.socket(family, kind, protocol))
        return made[-1]

    with serving(close_after_reading) as port:
        reach(f"{scheme}://127.0.0.1:{port}", net=HereNamespace(noted))
    assert [sock.fileno() for sock in made] == [-1]


def test_sockets_are_born_in_the_namespace() -> None:
    """Every socket of an attempt comes from the vantage's namespace, whose family fits the address."""
    families: list[int] = []

    def noted(family: int, kind: int, protocol: int) -> socket.socket:
        families.append(family)
        raise OSError(errno.EPERM, "Operation not permitted")

    seen = attempt(HereNamespace(noted), NAMELESS, Target(Scheme.TCP, "::1", 1), seconds=1)
    assert (seen.outcome, families) == (Outcome.PROHIBITED, [socket.AF_INET6])
