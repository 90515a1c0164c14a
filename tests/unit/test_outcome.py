"""The closed set of outcomes: what each error means, and the words that each client and table has for them."""

from __future__ import annotations

import ast
import errno
import inspect
import os
import socket
import ssl

import pytest

from testbed import model
from testbed.errnos import OUTCOMES
from testbed.explain.pasted import Client, read
from testbed.model import Outcome
from testbed.probe.outcome import of_error
from testbed.report.outcome_words import SHORT
from tests.unit.pasted.wordings import NO_ERROR, WORDS, Never


def test_outcomes_are_the_closed_set_of_the_design() -> None:
    """The outcomes are these fourteen: reports, JSON and predictions of others depend on their words."""
    assert [outcome.value for outcome in Outcome] == [
        "connected",
        "refused",
        "reset",
        "closed",
        "timed out",
        "no answer",
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
    """An error gives every outcome but those that come from names, HTTP, success and the silence of UDP."""
    errors = [
        *(OSError(number, "") for number in OUTCOMES),
        ssl.SSLEOFError(),
        ssl.SSLError(),
        OSError(),
    ]
    names = {Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED}
    elsewhere = {*names, Outcome.CONNECTED, Outcome.NO_ANSWER, Outcome.HTTP_STATUS}
    assert {of_error(error) for error in errors} == set(Outcome) - elsewhere


# --- in words ---------------------------------------------------------------------------------------------------------


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
