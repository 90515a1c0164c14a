"""Causes where somebody accepts and it fails afterwards: each module is asked, what is surer first. Pure."""

from __future__ import annotations

from testbed.explain import certificates, greetings, http_answers, silence, ssh_tunnels, tls
from testbed.explain.acceptor import log, rows, who
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Diagnosis, Undecided
from testbed.model import Observation, Outcome, Phase, Scheme
from testbed.predict import Disposition


def failed(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    """The meaning of a failure after the TCP handshake; None where it says nothing more than that it failed.

    Where something on the way is not modelled nothing is claimed: nobody knows who accepted. Where the packet leaves
    the picture the words of whoever accepted stand for themselves; silence, a reset or an end of file do not.
    """
    if case.prediction.disposition is Disposition.UNKNOWN:
        return None
    if behind := _behind_certificate(case, seen.unverified):
        return behind
    for look in (ssh_tunnels.tunnel, http_answers.plain_to_tls, tls.failed, greetings.other_protocol):
        if found := look(case, seen):
            return found
    if seen.outcome is Outcome.HTTP_STATUS:
        return http_answers.status(case, seen)
    return None if case.prediction.disposition is Disposition.LEFT else _by_outcome(case, seen)


def _behind_certificate(case: Case, seen: Observation | None) -> Diagnosis | None:
    """A failure for whoever takes any certificate too: the certificate is then not all that there is to be cured.

    :param seen: what such a client saw; None where the certificate was taken, or that was not tried
    """
    if seen is None or seen.outcome is Outcome.CONNECTED:
        return None
    found = failed(case, seen)
    if not isinstance(found, Diagnosis) or found.cause is Cause.HTTP_STATUS:
        return None
    return certificates.as_well(case, found)


def fails_above_tcp(seen: Observation) -> bool:
    """Tell if a connection was made before it failed."""
    return seen.phase in (Phase.TLS, Phase.HTTP)


def _by_outcome(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    match seen.outcome:
        case Outcome.TIMED_OUT:
            return silence.nothing_came(case, seen)
        case Outcome.CLOSED:
            return _closes(case, seen)
        case Outcome.RESET:
            return _resets(case, seen)
    return None


def _closes(case: Case, seen: Observation) -> Diagnosis:
    return Diagnosis(
        Cause.PEER_CLOSES,
        f"{who(case)} accepts the connection and closes it without an answer: a proxy or tunnel whose far side failed "
        "does so, or a program that turns you away.",
        rows(case, seen),
        (),
        ("A server that only speaks TLS may do so too when it is called with http: try https.",)
        if case.attempt.target.scheme is Scheme.HTTP
        else (),
        decide=f"Why it does: {log(case)}",
    )


def _resets(case: Case, seen: Observation) -> Diagnosis:
    return Diagnosis(
        Cause.PEER_RESETS,
        f"{who(case)} accepts the connection and then it is reset: the program died, or did not read what was sent, or "
        "something on the way reset it.",
        rows(case, seen),
        decide=f"Why: {log(case)}",
    )
