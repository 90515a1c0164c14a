"""Causes in a TLS handshake: which end ended it, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from testbed.explain import certificates, greetings
from testbed.explain.acceptor import log, rows, who
from testbed.explain.case import Case, as_address
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Undecided
from testbed.explain.tls_alerts import (
    ABOUT_THE_CLIENTS_CERTIFICATE,
    CERTIFICATE_REQUIRED,
    HANDSHAKE_FAILURE,
    INAPPROPRIATE_FALLBACK,
    INSUFFICIENT_SECURITY,
    NO_APPLICATION_PROTOCOL,
    PROTOCOL_VERSION,
    UNRECOGNIZED_NAME,
    Alert,
    alert_in,
)
from testbed.model import Observation, Outcome, Scheme, bracketed

#: How OpenSSL, Go and Node.js say that what came is no TLS at all: plain text where a record was expected.
_PLAIN: Final = re.compile(
    r"wrong.version.number|record.layer.failure|packet length too long|first record does not look like"
    r"|server gave HTTP response|Unsupported or unrecognized SSL message",
    re.IGNORECASE,
)
#: How clients say that the version which the server chose is too old for them: OpenSSL (ssl/ssl_err.c), Go
#: (crypto/tls/handshake_client.go).
_TOO_OLD: Final = re.compile(
    r"unsupported.protocol|wrong.ssl.version|legacy sigalg disallowed|server selected unsupported protocol version",
    re.IGNORECASE,
)
#: Versions before 1.2 are forbidden, and broken.
_OLD: Final = "TLS 1.0 and 1.1 can be broken by whoever is in between (RFC 8996)"


def failed(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    """The meaning of a failed TLS handshake; None where it is none, or nobody said anything that is known."""
    if seen.outcome is not Outcome.TLS_FAILED:
        return None
    if found := greetings.other_protocol(case, seen):
        return found
    alert = alert_in(seen.text)
    return _by_server(case, seen, alert) if alert is not None else _by_client(case, seen)


def _by_client(case: Case, seen: Observation) -> Diagnosis | Undecided:
    """The client did not want to go on: it says why."""
    if found := certificates.refused(case, seen):
        return found
    if _TOO_OLD.search(seen.text):
        return _version(
            case, seen, "the client ends the handshake: the version that the server chose is too old for it"
        )
    if _PLAIN.search(seen.text):
        return _to_plain(case, seen)
    return Undecided(
        f"{who(case)} is reached, and the client ends the TLS handshake: {seen.text}.",
        f"What openssl s_client -connect {case.attempt.target.authority} prints",
    )


def _by_server(case: Case, seen: Observation, alert: Alert) -> Diagnosis | Undecided:
    """The server sent an alert, and with it ended the handshake (RFC 8446, 6.2)."""
    handshake = seen.handshake
    if alert.number == HANDSHAKE_FAILURE:
        if handshake is None:
            return _cipher_or_certificate(case, alert)
        # With a ServerHello the server has agreed to a version and a cipher: what it then misses is the client's part.
        wanted = handshake.asks_certificate or handshake.hello
        return (_wants_certificate if wanted else _cipher)(case, seen, alert)
    if diagnose := _BY_ALERT.get(alert.number):
        return diagnose(case, seen, alert)
    return Undecided(
        f"{who(case)} is reached, and ends the TLS handshake: {_said(alert)}.",
        f"What {log(case)} says about it",
    )


def _said(alert: Alert) -> str:
    return f"the server sent the alert {alert.name} ({alert.number})"


def _cipher_or_certificate(case: Case, alert: Alert) -> Undecided:
    authority = case.attempt.target.authority
    return Undecided(
        f"{who(case)} is reached, and ends the TLS handshake: {_said(alert)}. Either the two have no cipher in common, "
        "or it wants a certificate of the client: before TLS 1.3 servers say the same for both.",
        f"Whether a ServerHello comes before the alert: openssl s_client -msg -connect {authority} </dev/null "
        "(with one it is the certificate)",
    )


def _wants_certificate(case: Case, seen: Observation, alert: Alert) -> Diagnosis:
    target = case.attempt.target
    what = (
        "has none"
        if alert.number == CERTIFICATE_REQUIRED or seen.handshake is not None
        else "has none, or one that the server does not take"
    )
    if alert.number in ABOUT_THE_CLIENTS_CERTIFICATE:
        proof = "which is about the certificate of whoever gets it (RFC 8446, 6.2)"
    elif seen.handshake is not None and seen.handshake.asks_certificate:
        proof = "after it had agreed to a cipher and asked for a certificate"
    else:
        proof = "after it had agreed to a version and a cipher"
    return Diagnosis(
        Cause.CLIENT_CERTIFICATE,
        f"{who(case)} wants a certificate of the client, which {what}: {_said(alert)}, {proof}.",
        rows(case, seen),
        (
            Cure(
                "Give the client a certificate, signed by an authority that the server takes, and its key",
                f"curl --cert CLIENT.pem --key CLIENT.key https://{target.authority}{target.path}",
            ),
        ),
        ("Not to verify does not help: it is not the server's certificate that is in question.",),
    )


def _cipher(case: Case, seen: Observation, alert: Alert) -> Diagnosis:
    target = case.attempt.target
    return Diagnosis(
        Cause.TLS_CIPHER,
        f"{who(case)} is reached, and ends the TLS handshake before it chose anything: {_said(alert)}. It has no "
        "cipher, key exchange or signature in common with the client, which offers those of OpenSSL's default.",
        rows(case, seen),
        (
            Cure("Let the server offer one that clients have, such as ECDHE with AES-GCM (nginx: ssl_ciphers)", ""),
            Cure(
                "For a test, offer all that the client knows",
                f"curl --ciphers 'ALL:@SECLEVEL=0' https://{target.authority}{target.path}",
                "weak ciphers can be broken by whoever is in between",
            ),
        ),
    )


def _version(case: Case, seen: Observation, fact: str) -> Diagnosis:
    target = case.attempt.target
    return Diagnosis(
        Cause.TLS_VERSION,
        f"{who(case)} is reached, and has no version of TLS in common with the client, which speaks 1.2 and "
        f"1.3: {fact}.",
        rows(case, seen),
        (
            Cure("Let the server speak TLS 1.2 or 1.3 (nginx: ssl_protocols)", ""),
            Cure(
                "For a test, speak the older version",
                f"curl --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 https://{target.authority}{target.path}",
                _OLD,
            ),
        ),
    )


def _old_version(case: Case, seen: Observation, alert: Alert) -> Diagnosis:
    return _version(case, seen, _said(alert))


def _name(case: Case, seen: Observation, alert: Alert) -> Diagnosis:
    target = case.attempt.target
    address = bracketed(str(case.prediction.address or target.host))
    asked = (
        f"has no site called {target.host}, which the client asked for by Server Name Indication (RFC 6066, 3)"
        if as_address(target.host) is None
        else "wants to be told a name, which a client does not do that calls it by an address (RFC 6066, 3)"
    )
    return Diagnosis(
        Cause.TLS_NAME,
        f"{who(case)} is reached, and {asked}: {_said(alert)}.",
        rows(case, seen),
        (
            Cure(
                "Call it by a name that it serves",
                f"curl --connect-to NAME:{target.port}:{address}:{target.port} https://NAME:{target.port}{target.path}",
            ),
            Cure(f"Let it serve that name too, with a certificate for it: {target.host}", ""),
        ),
    )


def _application(case: Case, seen: Observation, alert: Alert) -> Diagnosis:
    target = case.attempt.target
    return Diagnosis(
        Cause.TLS_ALPN,
        f"{who(case)} is reached, and speaks none of the protocols that the client offered inside TLS (ALPN, RFC 7301; "
        f"http/1.1 was): {_said(alert)}. A server of HTTP/2 only, such as one of gRPC, does so.",
        rows(case, seen),
        (
            Cure("Call it with a client that offers HTTP/2", f"curl --http2 https://{target.authority}{target.path}"),
            Cure(
                "Call it with one that offers nothing, and leaves it to the server",
                f"curl --no-alpn https://{target.authority}{target.path}",
            ),
        ),
        decide=f"Which one it takes: openssl s_client -alpn h2 -connect {target.authority} </dev/null | grep ALPN",
    )


_BY_ALERT: Final[dict[int, Callable[[Case, Observation, Alert], Diagnosis]]] = {
    **dict.fromkeys(ABOUT_THE_CLIENTS_CERTIFICATE, _wants_certificate),
    INSUFFICIENT_SECURITY: _cipher,
    PROTOCOL_VERSION: _old_version,
    INAPPROPRIATE_FALLBACK: _old_version,
    UNRECOGNIZED_NAME: _name,
    NO_APPLICATION_PROTOCOL: _application,
}


def _to_plain(case: Case, seen: Observation) -> Diagnosis:
    target = case.attempt.target
    return Diagnosis(
        Cause.TLS_TO_PLAIN,
        f"{who(case)} does not speak TLS: you called it with https and it answered in plain text.",
        rows(case, seen),
        (
            Cure(
                "Call it with http",
                f"http://{target.authority}{target.path}",
                "what is sent is not encrypted",
                target=replace(target, scheme=Scheme.HTTP),
            ),
            Cure("Give it a certificate and let it speak TLS", ""),
        ),
    )
