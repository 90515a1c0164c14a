"""Go's error texts: every one that was measured, read; and the ones that are predicted, written."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

import pytest

from testbed.errnos import OUTCOMES
from testbed.model import Outcome, Phase
from testbed.probe.go_text import GoFailure, dial_failure, lookup_failure, read

URL = "https://host.containers.internal:19001/ping"

#: Go 1.19 and 1.27, http.Client with a Timeout of 3 s: what follows 'Get "URL": '.
MEASURED = [
    # No listener; a firewall's reset or ICMP port-unreachable.
    ("dial tcp 10.88.0.1:19001: connect: connection refused", Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED),
    ("dial tcp [::1]:19001: connect: connection refused", Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED),
    # ICMP host-unreachable or admin-prohibited, an unreachable route.
    ("dial tcp 10.9.0.1:1: connect: no route to host", Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH),
    # No route; a prohibit route; a blackhole route.
    (
        "dial tcp 10.9.0.1:1: connect: network is unreachable",
        Outcome.NETWORK_UNREACHABLE,
        Phase.CONNECT,
        errno.ENETUNREACH,
    ),
    ("dial tcp 10.9.0.1:1: connect: permission denied", Outcome.PROHIBITED, Phase.CONNECT, errno.EACCES),
    ("dial tcp 10.9.0.1:1: connect: invalid argument", Outcome.NETWORK_UNREACHABLE, Phase.CONNECT, errno.EINVAL),
    # A dropped SYN, a silent peer, and TLS without an answer are the same.
    (
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
        Outcome.TIMED_OUT,
        Phase.CONNECT,
        None,
    ),
    (
        "dial tcp 10.88.0.1:19001: i/o timeout (Client.Timeout exceeded while awaiting headers)",
        Outcome.TIMED_OUT,
        Phase.CONNECT,
        None,
    ),
    # Closed after the ClientHello, or after TLS without HTTP.
    ("EOF", Outcome.CLOSED, Phase.TLS, None),
    # A reset, or closed without reading.
    (
        "read tcp 10.88.0.5:40000->10.88.0.1:19001: read: connection reset by peer",
        Outcome.RESET,
        Phase.TLS,
        errno.ECONNRESET,
    ),
    (
        "write tcp 10.88.0.5:40000->10.88.0.1:19001: write: connection reset by peer",
        Outcome.RESET,
        Phase.TLS,
        errno.ECONNRESET,
    ),
    ("write tcp 10.88.0.5:40000->10.88.0.1:19001: write: broken pipe", Outcome.RESET, Phase.TLS, errno.EPIPE),
    # Something else than TLS, or TLS that is not trusted.
    ("http: server gave HTTP response to HTTPS client", Outcome.TLS_FAILED, Phase.TLS, None),
    ("tls: first record does not look like a TLS handshake", Outcome.TLS_FAILED, Phase.TLS, None),
    ("x509: certificate signed by unknown authority", Outcome.TLS_FAILED, Phase.TLS, None),
    (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        Outcome.TLS_FAILED,
        Phase.TLS,
        None,
    ),
    ("x509: certificate is valid for 10.88.0.9, not 10.99.0.1", Outcome.TLS_FAILED, Phase.TLS, None),
    # NXDOMAIN or an empty answer: Go's resolver, and the C library's.
    (
        "dial tcp: lookup agent on 203.0.113.53:53: no such host",
        Outcome.NAME_NOT_FOUND,
        Phase.RESOLVE,
        socket.EAI_NONAME,
    ),
    ("dial tcp: lookup agent: no such host", Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME),
    # A resolver that fails, is silent, or is not there.
    (
        "dial tcp: lookup agent on 203.0.113.53:53: server misbehaving",
        Outcome.RESOLVER_FAILED,
        Phase.RESOLVE,
        socket.EAI_AGAIN,
    ),
    (
        "dial tcp: lookup agent: Temporary failure in name resolution",
        Outcome.RESOLVER_FAILED,
        Phase.RESOLVE,
        socket.EAI_AGAIN,
    ),
    (
        "dial tcp: lookup agent on 203.0.113.53:53: read udp 10.88.0.5:4->203.0.113.53:53: i/o timeout",
        Outcome.RESOLVER_FAILED,
        Phase.RESOLVE,
        socket.EAI_AGAIN,
    ),
    (
        "dial tcp: lookup agent on 203.0.113.53:53: read udp 10.88.0.5:4->203.0.113.53:53: read: connection refused",
        Outcome.RESOLVER_FAILED,
        Phase.RESOLVE,
        socket.EAI_AGAIN,
    ),
]

#: Portainer's own words, when the ping was answered by something that is no agent.
PORTAINERS = ["Failed request with status 404", "Version Header is missing", "Agent Platform Header is missing"]


@pytest.mark.parametrize(
    ("text", "outcome", "phase", "number"), MEASURED, ids=[text.replace(":", " ") for text, *_ in MEASURED]
)
def test_text_of_go_is_read(text: str, outcome: Outcome, phase: Phase, number: int | None) -> None:
    """Each measured text has its outcome, the phase it proves, and its errno."""
    assert read(f'Get "{URL}": {text}') == GoFailure(outcome, phase, number)


@pytest.mark.parametrize("text", [*PORTAINERS, "Agent platform is invalid"])
def test_portainers_own_words_are_an_http_answer(text: str) -> None:
    """What Portainer says of a ping's answer means that HTTP was spoken."""
    assert read(text) == GoFailure(Outcome.HTTP_STATUS, Phase.HTTP)


@pytest.mark.parametrize("text", ["", "something new", f'Get "{URL}": connection refused, they said'])
def test_unknown_text_is_inconclusive(text: str) -> None:
    """A text that is not known is not guessed at."""
    assert read(text) == GoFailure(Outcome.INCONCLUSIVE, Phase.CONNECT)


def test_seeds_line_byte_for_byte() -> None:
    """The failure that this project is about."""
    assert dial_failure(URL, ip_address("10.88.0.1"), 19001, errno.ECONNREFUSED) == (
        'Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused'
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ECONNREFUSED, "connection refused"),
        (errno.EHOSTUNREACH, "no route to host"),
        (errno.ENETUNREACH, "network is unreachable"),
        (errno.EACCES, "permission denied"),
        (errno.EPERM, "operation not permitted"),
        (errno.EINVAL, "invalid argument"),
        (errno.EADDRNOTAVAIL, "cannot assign requested address"),
        (errno.ECONNRESET, "connection reset by peer"),
        (errno.ETIMEDOUT, "connection timed out"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_errno_is_written_in_gos_words(number: int, words: str) -> None:
    """Go has words of its own for each errno (syscall/zerrors_linux_amd64.go)."""
    assert dial_failure(URL, ip_address("10.88.0.1"), 1, number).endswith(f"dial tcp 10.88.0.1:1: connect: {words}")


def test_ipv6_address_is_written_in_brackets() -> None:
    """Go writes [ADDRESS]:PORT (net.JoinHostPort)."""
    assert dial_failure("https://localhost:1/", ip_address("::1"), 1, errno.ENETUNREACH) == (
        'Get "https://localhost:1/": dial tcp [::1]:1: connect: network is unreachable'
    )


@pytest.mark.parametrize(
    ("server", "shown"), [("203.0.113.53", "203.0.113.53:53"), ("2001:db8::53", "[2001:db8::53]:53")]
)
def test_name_that_nobody_knows_is_written_as_gos_resolver_does(server: str, shown: str) -> None:
    """The text has the name and the server that was asked, and is read back as such."""
    text = lookup_failure("https://agent:1/ping", "agent", server)
    assert text == f'Get "https://agent:1/ping": dial tcp: lookup agent on {shown}: no such host'
    assert read(text).outcome is Outcome.NAME_NOT_FOUND


@pytest.mark.parametrize("address", ["10.88.0.1", "::1"])
@pytest.mark.parametrize("number", OUTCOMES, ids=lambda number: errno.errorcode[number])
def test_written_text_is_read_back(number: int, address: str) -> None:
    """Reading what was written for an errno gives that errno, and the outcome that our own probe would see."""
    text = dial_failure(URL, ip_address(address), 19001, number)
    assert read(text) == GoFailure(OUTCOMES[number], Phase.CONNECT, number)
