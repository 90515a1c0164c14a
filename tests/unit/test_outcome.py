"""The closed set of outcomes: what each error means, and the words that each client and table has for them."""

from __future__ import annotations

import ast
import errno
import inspect
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from testbed import model
from testbed.errnos import OUTCOMES
from testbed.explain.pasted import Client, read
from testbed.model import Outcome
from testbed.probe.outcome import of_error
from testbed.report.outcome_words import SHORT


def test_outcomes_are_the_closed_set_of_the_design() -> None:
    """The outcomes are these thirteen: reports, JSON and predictions of others depend on their words."""
    assert [outcome.value for outcome in Outcome] == [
        "connected",
        "refused",
        "reset",
        "closed",
        "timed out",
        "host unreachable",
        "network unreachable",
        "prohibited",
        "name not found",
        "resolver failed",
        "TLS failed",
        "HTTP status",
        "inconclusive",
    ]


def test_every_outcome_says_what_the_one_who_connects_sees() -> None:
    """Each member of Outcome is followed by a sentence about it, in the source where readers and editors look."""
    (definition,) = ast.parse(inspect.getsource(model.Outcome)).body
    assert isinstance(definition, ast.ClassDef)
    documented = {
        member.targets[0].id
        for member, after in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(member, ast.Assign)
        and isinstance(member.targets[0], ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and str(after.value.value).endswith(".")
    }
    assert documented == set(Outcome.__members__)


TABLE = [
    (errno.ECONNREFUSED, Outcome.REFUSED),
    (errno.ECONNRESET, Outcome.RESET),
    (errno.EPIPE, Outcome.RESET),
    (errno.ETIMEDOUT, Outcome.TIMED_OUT),
    (errno.EHOSTUNREACH, Outcome.HOST_UNREACHABLE),
    (errno.EHOSTDOWN, Outcome.HOST_UNREACHABLE),
    (errno.ENETUNREACH, Outcome.NETWORK_UNREACHABLE),
    (errno.ENETDOWN, Outcome.NETWORK_UNREACHABLE),
    (errno.EINVAL, Outcome.NETWORK_UNREACHABLE),
    (errno.EADDRNOTAVAIL, Outcome.NETWORK_UNREACHABLE),
    (errno.EACCES, Outcome.PROHIBITED),
    (errno.EPERM, Outcome.PROHIBITED),
]


@pytest.mark.parametrize(("number", "outcome"), TABLE, ids=[errno.errorcode[number] for number, _ in TABLE])
def test_errno_has_its_outcome(number: int, outcome: Outcome) -> None:
    """Each errno of connect(2) and read(2) means one outcome."""
    assert of_error(OSError(number, os.strerror(number))) is outcome


def test_every_errno_of_the_map_has_a_row_above() -> None:
    """The table of this test and the map have the same errno values."""
    assert {number for number, _ in TABLE} == set(OUTCOMES)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError("timed out"), Outcome.TIMED_OUT),
        (TimeoutError("_ssl.c:989: The handshake operation timed out"), Outcome.TIMED_OUT),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), Outcome.CLOSED),
        (ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed"), Outcome.CLOSED),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), Outcome.TLS_FAILED),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), Outcome.TLS_FAILED),
        # OpenSSL's numbers are no errno: this one is ECONNREFUSED's.
        (ssl.SSLError(errno.ECONNREFUSED, "made up"), Outcome.TLS_FAILED),
        (OSError(errno.ENOSPC, "No space left on device"), Outcome.INCONCLUSIVE),
        (OSError("without a number"), Outcome.INCONCLUSIVE),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Outcome.INCONCLUSIVE),
    ],
    ids=lambda value: str(value) if isinstance(value, OSError) else "",
)
def test_error_without_an_errno_of_its_own_has_its_outcome(error: OSError, outcome: Outcome) -> None:
    """Time-outs and TLS errors are told by their kind, and what nobody knows is inconclusive."""
    assert of_error(error) is outcome


def test_every_outcome_of_connecting_is_reachable() -> None:
    """An error gives every outcome but those that come from names, from HTTP and from success."""
    errors = [
        *(OSError(number, "") for number in OUTCOMES),
        ssl.SSLEOFError(),
        ssl.SSLError(),
        OSError(),
    ]
    elsewhere = {Outcome.CONNECTED, Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED, Outcome.HTTP_STATUS}
    assert {of_error(error) for error in errors} == set(Outcome) - elsewhere


# --- in words ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Never:
    """The client has no words for the outcome."""

    why: str


#: No error text says that it was none, and none is read that stands for nothing of ours.
NO_ERROR: Final = frozenset({Outcome.CONNECTED, Outcome.INCONCLUSIVE})
NO_STATUS: Final = Never("it speaks no HTTP")
NO_TLS: Final = Never("it speaks no TLS")
NGINX_TAIL: Final = 'upstream, client: 10.88.0.1, request: "GET / HTTP/1.1", upstream: "http://10.88.0.11:8000/"'

#: For each client how it words each outcome.
WORDS: Final[Mapping[Client, Mapping[Outcome, str | Never]]] = {
    Client.GO: {
        Outcome.REFUSED: "dial tcp 10.88.0.1:1: connect: connection refused",
        Outcome.RESET: 'Get "https://a:1/": read tcp 10.88.0.5:4->10.88.0.1:1: read: connection reset by peer',
        Outcome.CLOSED: 'Get "https://a:1/": EOF',
        Outcome.TIMED_OUT: "dial tcp 10.88.0.1:1: i/o timeout",
        Outcome.HOST_UNREACHABLE: "dial tcp 10.88.0.1:1: connect: no route to host",
        Outcome.NETWORK_UNREACHABLE: "dial tcp 10.88.0.1:1: connect: network is unreachable",
        Outcome.PROHIBITED: "dial tcp 10.88.0.1:1: connect: permission denied",
        Outcome.NAME_NOT_FOUND: 'Get "https://a:1/": dial tcp: lookup a on 10.89.0.1:53: no such host',
        Outcome.RESOLVER_FAILED: 'Get "https://a:1/": dial tcp: lookup a on 10.89.0.1:53: server misbehaving',
        Outcome.TLS_FAILED: 'Get "https://a:1/": x509: certificate signed by unknown authority',
        Outcome.HTTP_STATUS: "Failed request with status 502",
    },
    Client.CURL: {
        Outcome.REFUSED: "curl: (7) Failed to connect to a port 1: Connection refused",
        Outcome.RESET: "curl: (56) Recv failure: Connection reset by peer",
        Outcome.CLOSED: "curl: (52) Empty reply from server",
        Outcome.TIMED_OUT: "curl: (28) Connection timed out after 3000 milliseconds",
        Outcome.HOST_UNREACHABLE: "* connect to 10.88.0.1 port 9 failed: No route to host",
        Outcome.NETWORK_UNREACHABLE: "* connect to 10.88.0.1 port 9 failed: Network is unreachable",
        Outcome.PROHIBITED: "* connect to 10.88.0.1 port 9 failed: Permission denied",
        Outcome.NAME_NOT_FOUND: "curl: (6) Could not resolve host: nosuch.invalid",
        Outcome.RESOLVER_FAILED: "curl: (6) Could not resolve host: nosuch.invalid",
        Outcome.TLS_FAILED: "curl: (60) SSL certificate problem: self-signed certificate",
        Outcome.HTTP_STATUS: "curl: (22) The requested URL returned error: 502",
    },
    Client.PYTHON: {
        Outcome.REFUSED: "ConnectionRefusedError: [Errno 111] Connection refused",
        Outcome.RESET: "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
        Outcome.CLOSED: "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        Outcome.TIMED_OUT: "<urlopen error timed out>",
        Outcome.HOST_UNREACHABLE: "<urlopen error [Errno 113] No route to host>",
        Outcome.NETWORK_UNREACHABLE: "OSError: [Errno 101] Network is unreachable",
        Outcome.PROHIBITED: "PermissionError: [Errno 13] Permission denied",
        Outcome.NAME_NOT_FOUND: "socket.gaierror: [Errno -2] Name or service not known",
        Outcome.RESOLVER_FAILED: "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        Outcome.TLS_FAILED: "<urlopen error [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)>",
        Outcome.HTTP_STATUS: (
            "HTTPConnectionPool(host='a', port=1): Max retries exceeded with url: / (Caused by ResponseError('too many "
            "502 error responses'))"
        ),
    },
    Client.NODE: {
        Outcome.REFUSED: "Error: connect ECONNREFUSED 192.168.28.131:5432",
        Outcome.RESET: "Error: read ECONNRESET",
        Outcome.CLOSED: "Error: socket hang up",
        Outcome.TIMED_OUT: "connect ETIMEDOUT 10.0.0.1:80",
        Outcome.HOST_UNREACHABLE: "connect EHOSTUNREACH 10.0.0.1:80 - Local (192.168.1.2:5000)",
        Outcome.NETWORK_UNREACHABLE: "connect ENETUNREACH 10.0.0.1:80 - Local (0.0.0.0:0)",
        Outcome.PROHIBITED: "connect EACCES 10.0.0.1:80",
        Outcome.NAME_NOT_FOUND: "getaddrinfo ENOTFOUND agent",
        Outcome.RESOLVER_FAILED: "getaddrinfo EAI_AGAIN agent",
        Outcome.TLS_FAILED: "Error: self-signed certificate",
        Outcome.HTTP_STATUS: Never("its http module and fetch take any status for an answer"),
    },
    Client.OPENSSH: {
        Outcome.REFUSED: "ssh: connect to host gateway port 22: Connection refused",
        Outcome.RESET: "kex_exchange_identification: read: Connection reset by peer",
        Outcome.CLOSED: "kex_exchange_identification: Connection closed by remote host",
        Outcome.TIMED_OUT: "ssh: connect to host gateway port 22: Connection timed out",
        Outcome.HOST_UNREACHABLE: "ssh: connect to host gateway port 22: No route to host",
        Outcome.NETWORK_UNREACHABLE: "ssh: connect to host gateway port 22: Network is unreachable",
        Outcome.PROHIBITED: "ssh: connect to host gateway port 22: Permission denied",
        Outcome.NAME_NOT_FOUND: "ssh: Could not resolve hostname gateway: Name or service not known",
        Outcome.RESOLVER_FAILED: "ssh: Could not resolve hostname gateway: Temporary failure in name resolution",
        Outcome.TLS_FAILED: NO_TLS,
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.NGINX: {
        Outcome.REFUSED: f"connect() failed (111: Connection refused) while connecting to {NGINX_TAIL}",
        Outcome.RESET: f"recv() failed (104: Connection reset by peer) while reading response header from {NGINX_TAIL}",
        Outcome.CLOSED: f"upstream prematurely closed connection while reading response header from {NGINX_TAIL}",
        Outcome.TIMED_OUT: f"upstream timed out (110: Connection timed out) while connecting to {NGINX_TAIL}",
        Outcome.HOST_UNREACHABLE: f"connect() failed (113: No route to host) while connecting to {NGINX_TAIL}",
        Outcome.NETWORK_UNREACHABLE: (
            f"connect() to 10.88.0.11:8000 failed (101: Network is unreachable) while connecting to {NGINX_TAIL}"
        ),
        Outcome.PROHIBITED: (
            f"connect() to 10.88.0.11:8000 failed (13: Permission denied) while connecting to {NGINX_TAIL}"
        ),
        Outcome.NAME_NOT_FOUND: "agent could not be resolved (3: Host not found)",
        Outcome.RESOLVER_FAILED: "agent could not be resolved (110: Operation timed out)",
        Outcome.TLS_FAILED: (
            "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking "
            "to upstream"
        ),
        Outcome.HTTP_STATUS: "client sent plain HTTP request to HTTPS port while reading client request headers",
    },
    Client.UNKNOWN: {
        Outcome.REFUSED: "nc: connect to 10.88.0.1 port 19001 (tcp) failed: Connection refused",
        Outcome.RESET: "Read error (Connection reset by peer) in headers.",
        Outcome.CLOSED: ('connection to server at "db", port 5432 failed: server closed the connection unexpectedly'),
        Outcome.TIMED_OUT: "nc: connect to 10.88.0.1 port 19001 (tcp) failed: Connection timed out",
        Outcome.HOST_UNREACHABLE: "nc: connect to 10.88.0.1 port 19001 (tcp) failed: No route to host",
        Outcome.NETWORK_UNREACHABLE: "nc: connect to 10.88.0.1 port 19001 (tcp) failed: Network is unreachable",
        Outcome.PROHIBITED: "nc: connect to 10.88.0.1 port 19001 (tcp) failed: Permission denied",
        Outcome.NAME_NOT_FOUND: 'psql: error: could not translate host name "db" to address: Name or service not known',
        Outcome.RESOLVER_FAILED: "wget: bad address 'agent:9001'",
        Outcome.TLS_FAILED: "verify error:num=18:self-signed certificate",
        Outcome.HTTP_STATUS: "Client sent an HTTP request to an HTTPS server.",
    },
}


@pytest.mark.parametrize("client", Client)
def test_each_outcome_has_a_text_of_each_client_or_a_reason(client: Client) -> None:
    """A new outcome or client has a row here for each of the other: none is passed over."""
    assert set(WORDS[client]) == set(Outcome) - NO_ERROR


@pytest.mark.parametrize("client", Client)
def test_the_text_of_a_client_is_read_as_its_outcome(client: Client) -> None:
    """What the client prints for an outcome stands for that outcome, or for several with it among them."""
    texts = {outcome: words for outcome, words in WORDS[client].items() if not isinstance(words, Never)}
    found = {outcome: read(words) for outcome, words in texts.items()}
    assert {outcome: said.client for outcome, said in found.items()} == dict.fromkeys(texts, client)
    assert [str(outcome) for outcome, said in found.items() if outcome not in (said.possible or (said.outcome,))] == []


def test_each_outcome_has_a_word_in_the_matrix() -> None:
    """A cell of the matrix has a short word for each outcome, and no two outcomes have the same."""
    assert set(SHORT) == set(Outcome)
    assert len(set(SHORT.values())) == len(Outcome)
