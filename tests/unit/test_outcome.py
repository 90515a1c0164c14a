"""From errors to outcomes."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest

from testbed.errnos import OUTCOMES
from testbed.model import Outcome
from testbed.probe.outcome import of_error

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
