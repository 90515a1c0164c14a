"""Causes where the client refuses the server's certificate: its signer, its name, its dates. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from testbed.explain.acceptor import who
from testbed.explain.case import Case, as_address
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row, Undecided
from testbed.explain.refusals import Refusal, is_for, refusal_in
from testbed.model import Certificate, Handshake, Observation, bracketed

#: How far two clocks may be apart before one of them is said to be wrong: RFC 9110's Date counts seconds.
_CLOCKS_AGREE: Final = timedelta(minutes=5)
_OTHER_LISTS: Final = "Java, Node.js and Python's certifi bring lists of their own: those are not what was looked at."


#: Those for which it counts what the client's list has; of a certificate that signed itself public lists have none.
_BY_A_LIST: Final = (Refusal.ROOT_NOT_TRUSTED, Refusal.ISSUER_MISSING)


def refused(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    """The meaning of a refused certificate; None where the client did not say why it refused it."""
    refusal, handshake = refusal_in(seen), seen.handshake
    if refusal is None:
        return None
    if handshake is not None and handshake.store and not handshake.trusted and refusal in _BY_A_LIST:
        return _no_list(case, handshake)
    return _DIAGNOSES[refusal](case, seen)


def as_well(case: Case, behind: Diagnosis) -> Diagnosis:
    """A failure that comes whether the client verifies or not, and beside it that one which does refuses before.

    :param behind: the failure that a client has which takes any certificate
    """
    warning = (
        f"{case.place.name} ends the handshake before that, where it verifies: it does not take the server's "
        "certificate (testbed explain --insecure leaves that out). TRUSTED.pem is that one, or its signer's."
    )
    cures = tuple(
        replace(one, command=one.command.replace("curl ", "curl --cacert TRUSTED.pem ", 1)) for one in behind.cures
    )
    return replace(behind, cures=cures, warnings=(warning, *behind.warnings))


def _no_list(case: Case, handshake: Handshake) -> Undecided:
    """The place has no trust store, so that nobody knows what its client trusts."""
    return Undecided(
        f"{who(case)} is reached and speaks TLS, and whether the client takes its certificate depends on the client: "
        f"{handshake.store}. One that uses the system's list refuses every certificate, one that brings its own (Java, "
        "Node.js, Python's certifi) was not looked at.",
        "What the client itself says; with the list that it has: testbed explain --cacert FILE, or --insecure for one "
        "that takes any. A list for the container: podman run -v "
        "/etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt:ro ...",
    )


def _trust(case: Case, seen: Observation) -> Diagnosis:
    """The certificate is signed by its own key, or that of its signer stands in no list of the client's."""
    own = _own(seen)
    signer = f" ({own.issuer})" if own else ""
    said = {
        Refusal.SELF_SIGNED: f"is self-signed{signer} and not among those that the client trusts",
        Refusal.ROOT_NOT_TRUSTED: f"comes with its chain up to a root{_root(seen)} that the client does not trust",
    }.get(refusal_in(seen) or Refusal.NOT_TRUSTED, "is signed by nobody that the client trusts")
    return _diagnosis(
        Cause.CERTIFICATE_NOT_TRUSTED,
        case,
        seen,
        f"its certificate {said}",
        (_given(case, seen), _unverified(case)),
    )


def _issuer(case: Case, seen: Observation) -> Diagnosis:
    """The chain ends at a certificate whose issuer nobody has."""
    chain = seen.handshake.chain if seen.handshake else ()
    count = {0: "what it sends", 1: "the one certificate that it sends"}.get(len(chain), f"{len(chain)} certificates")
    missing = f"{chain[-1].issuer!r}" if chain else "the issuer"
    return _diagnosis(
        Cause.CERTIFICATE_ISSUER_MISSING,
        case,
        seen,
        f"{count} leads to {missing}, which it does not send and the client does not have: either it leaves out an "
        "intermediate certificate (RFC 8446, 4.4.2), or that is a private authority",
        (
            Cure(
                "If it is an intermediate: let the server send it too, after its own certificate",
                "cat SERVER.pem INTERMEDIATE.pem >CHAIN.pem",
            ),
            _trusting(case, seen, "If it is your own authority: give the client its certificate", "AUTHORITY.pem"),
            _unverified(case),
        ),
    )


def _name(case: Case, seen: Observation) -> Diagnosis:
    """The certificate is for others than who was called."""
    target, own = case.attempt.target, _own(seen)
    names = own.names if own else ()
    listed = f": it is for {', '.join(names)}" if names else ": it is for no name at all" if own else ""
    command = _curl(case, seen)
    cures = [] if command is None else [Cure("Call it by a name that its certificate has", command)]
    cures.append(_issued(case))
    return _diagnosis(
        Cause.CERTIFICATE_OTHER_NAME,
        case,
        seen,
        f"its certificate is for another name than {target.host}{listed}",
        (*cures, _unverified(case)),
    )


def _dates(case: Case, seen: Observation) -> Diagnosis | Undecided:
    """The certificate is not valid now, by the client's clock; the server's own says whether that one is off."""
    refusal, own, handshake = refusal_in(seen), _own(seen), seen.handshake
    if refusal is Refusal.EXPIRED_OR_NOT_YET_VALID:
        return Undecided(
            f"{who(case)} is reached and speaks TLS, and its certificate is expired or not yet valid.",
            "Its dates, and the client's clock: openssl s_client -connect "
            f"{case.attempt.target.authority} </dev/null | openssl x509 -noout -dates; date -u",
        )
    expired = refusal is Refusal.EXPIRED
    cause = Cause.CERTIFICATE_EXPIRED if expired else Cause.CERTIFICATE_NOT_YET_VALID
    what = "expired" if expired else "is not valid yet"
    renew = Cure("Renew it", "") if expired else Cure("Give it a certificate that is valid now", "")
    if own is None:
        return _diagnosis(
            cause, case, seen, f"its certificate {what}, by the client's clock", (renew, _unverified(case))
        )
    when = f"{what}: it is valid from {own.not_before:%Y-%m-%d %H:%M} to {own.not_after:%Y-%m-%d %H:%M} UTC"
    clock = handshake.clock if handshake else None
    answer = seen.unverified.answer if seen.unverified else None
    theirs = answer.clock if answer else None
    if clock is None:
        return _diagnosis(cause, case, seen, f"its certificate {when}", (renew, _unverified(case)))
    when += f", and the client's clock says {clock:%Y-%m-%d %H:%M}"
    if theirs is None:
        return _diagnosis(cause, case, seen, f"its certificate {when}", (renew, _unverified(case)))
    if abs(theirs - clock) <= _CLOCKS_AGREE:
        when += ", as the server's does"
    elif own.not_before <= theirs <= own.not_after:
        when += f"; the server's says {theirs:%Y-%m-%d %H:%M}, by which it is valid: one of the two clocks is wrong"
        return _diagnosis(
            cause, case, seen, f"its certificate {when}", (Cure("Set the clock that is wrong", "timedatectl"), renew)
        )
    return _diagnosis(cause, case, seen, f"its certificate {when}", (renew, _unverified(case)))


_DIAGNOSES: Final[dict[Refusal, Callable[[Case, Observation], Diagnosis | Undecided]]] = {
    Refusal.SELF_SIGNED: _trust,
    Refusal.ROOT_NOT_TRUSTED: _trust,
    Refusal.NOT_TRUSTED: _trust,
    Refusal.ISSUER_MISSING: _issuer,
    Refusal.OTHER_NAME: _name,
    Refusal.EXPIRED: _dates,
    Refusal.NOT_YET_VALID: _dates,
    Refusal.EXPIRED_OR_NOT_YET_VALID: _dates,
}


def _diagnosis(cause: Cause, case: Case, seen: Observation, fact: str, cures: tuple[Cure, ...]) -> Diagnosis:
    handshake = seen.handshake
    by = f" It was verified by {handshake.store}." if handshake and handshake.store else ""
    without = f" A client that does not verify gets {_gets(seen.unverified)} there." if seen.unverified else ""
    verified = handshake is not None and bool(handshake.store)
    return Diagnosis(
        cause,
        f"{who(case)} is reached and speaks TLS, and the client ends the handshake: {fact}.{by}{without}",
        (Row("observed", case.place.name, seen.text), *_chain(case, handshake)),
        cures,
        (*_others(case, cause, seen), *((_OTHER_LISTS,) if verified and cause in _BY_LIST else ())),
    )


_BY_LIST: Final = (Cause.CERTIFICATE_NOT_TRUSTED, Cause.CERTIFICATE_ISSUER_MISSING)


def _gets(seen: Observation) -> str:
    """An observation in a few words."""
    return f"HTTP {seen.answer.status}" if seen.answer and seen.answer.status else seen.text or str(seen.outcome)


def _others(case: Case, cause: Cause, seen: Observation) -> tuple[str, ...]:
    """Further faults of the certificate: clients say the first thing that they find."""
    own, handshake, host = _own(seen), seen.handshake, case.attempt.target.host
    if own is None or handshake is None:
        return ()
    found = []
    if cause is not Cause.CERTIFICATE_OTHER_NAME and not is_for(own, host):
        found.append(f"It is for another name than {host} as well ({', '.join(own.names) or 'it has none'}).")
    dated = cause in (Cause.CERTIFICATE_EXPIRED, Cause.CERTIFICATE_NOT_YET_VALID)
    if handshake.clock is not None and not dated and not own.not_before <= handshake.clock <= own.not_after:
        found.append(f"It is valid from {own.not_before:%Y-%m-%d} to {own.not_after:%Y-%m-%d} only, as well.")
    return tuple(found)


def _chain(case: Case, handshake: Handshake | None) -> tuple[Row, ...]:
    """The certificates that came, as ``openssl s_client -showcerts`` heads them."""
    label = case.end.label if case.end else ""
    return tuple(
        Row("certificate", label, f"{depth} s:{one.subject} i:{one.issuer}")
        for depth, one in enumerate(handshake.chain if handshake else ())
    )


def _own(seen: Observation) -> Certificate | None:
    """The server's own certificate."""
    return next(iter(seen.handshake.chain), None) if seen.handshake else None


def _root(seen: Observation) -> str:
    chain = seen.handshake.chain if seen.handshake else ()
    return f" ({chain[-1].subject})" if chain else ""


def _given(case: Case, seen: Observation) -> Cure:
    """The client is given a certificate: it can be had from the server where that is its own signer."""
    if refusal_in(seen) is not Refusal.SELF_SIGNED:
        return _trusting(case, seen, "Give the client the certificate of its signer", "AUTHORITY.pem")
    found = _trusting(case, seen, "Give the client that certificate", "server.pem")
    if "server.pem" not in found.command:
        return found
    fetched = (
        f"openssl s_client -connect {case.attempt.target.authority} </dev/null 2>/dev/null | openssl x509 >server.pem"
    )
    exposes = "nobody else; but whoever answers at that moment is trusted: copy it from the server itself if you can"
    return Cure(found.text, f"{fetched}\n{found.command}", exposes)


def _trusting(case: Case, seen: Observation, text: str, file: str) -> Cure:
    """The client trusts a certificate; where it would still refuse that one, a new one is what helps."""
    command = _curl(case, seen, f"--cacert {file} ")
    return _issued(case) if command is None else Cure(text, command)


def _issued(case: Case) -> Cure:
    """The server is given another certificate."""
    host = case.attempt.target.host
    return Cure(f"Give it a certificate that is valid now, for {host}", f"subjectAltName = {_alternative(host)}")


def _curl(case: Case, seen: Observation, options: str = "") -> str | None:
    """A command that verifies and takes the certificate, called by a name that is in it; None where none would."""
    target, own = case.attempt.target, _own(seen)
    clock = seen.handshake.clock if seen.handshake else None
    if own is not None and clock is not None and not own.not_before <= clock <= own.not_after:
        return None
    if own is None or is_for(own, target.host):
        return f"curl {options}{_url(case)}"
    called = next((name for name in own.names if as_address(name) is None and "*" not in name), None)
    if called is None:
        return None
    address = bracketed(str(case.prediction.address or target.host))
    return f"curl {options}--connect-to {called}:{target.port}:{address}:{target.port} {_url(case, called)}"


def _unverified(case: Case) -> Cure:
    return Cure(
        "Do not verify, for a test",
        f"curl -k {_url(case)}",
        "whoever is in between can read and change everything",
    )


def _url(case: Case, host: str = "") -> str:
    target = case.attempt.target
    return f"https://{f'{host}:{target.port}' if host else target.authority}{target.path}"


def _alternative(host: str) -> str:
    return f"IP:{host}" if as_address(host) is not None else f"DNS:{host}"
