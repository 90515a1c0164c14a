"""Causes where somebody accepts and it fails afterwards: TLS, HTTP, tunnels, relays, a path too narrow. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from testbed.evidence import Attempt, Container, Evidence, Forwarder, HostFacts, Place
from testbed.explain import narrow, publishing
from testbed.explain.case import Case, at, holder
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row, Undecided
from testbed.explain.rows import listener_row
from testbed.model import Observation, Outcome, Phase, Scheme, Target
from testbed.predict import Disposition, Prediction, predict
from testbed.predict.ending import Accepted

#: How OpenSSL says that what came is no TLS at all (ssl/record): plain text where a record was expected.
_PLAIN: Final = re.compile(r"wrong.version.number|record.layer.failure", re.IGNORECASE)
#: How servers that speak TLS answer plain HTTP (net/http server.go; nginx's 497; Apache's ssl_engine_kernel.c).
_WANTS_TLS: Final = re.compile(
    r"HTTP request (was sent )?to (an )?HTTPS (server|port)|speaking plain HTTP to an SSL", re.IGNORECASE
)
#: The first bytes of a TLS alert record (RFC 8446, 5.1), as http.client shows a line that is none.
_ALERT: Final = re.compile(r"BadStatusLine: .{0,4}\\x15\\x03|BadStatusLine: \x15\x03")
#: How clients say that the certificate is for somebody else: Go, OpenSSL (curl, Python) and Node, in this order.
_OTHER_NAME: Final = re.compile(r"valid for|mismatch|doesn't match|no alternative certificate|ALTNAME", re.IGNORECASE)
#: What a gateway says with its answer (RFC 9110, 15.6.3 and 15.6.5).
_GATEWAYS: Final[Mapping[int, str]] = {
    502: "it got no valid answer from",
    504: "it got no answer in time from",
}
_SSH: Final = frozenset({"ssh", "sshd", "autossh"})


def failed(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    """What a failure after the handshake means; None where it says nothing more than that it failed."""
    for look in (_tunnel, _plain_to_tls, _tls, _by_outcome):
        if found := look(case, seen):
            return found
    return None


def _tls(case: Case, seen: Observation) -> Diagnosis | None:
    if seen.outcome is not Outcome.TLS_FAILED:
        return None
    return _tls_to_plain(case, seen) if _PLAIN.search(seen.text) else certificate(case, seen.text)


def _by_outcome(case: Case, seen: Observation) -> Diagnosis | None:
    match seen.outcome:
        case Outcome.HTTP_STATUS:
            return _status(case, seen)
        case Outcome.TIMED_OUT:
            return narrow.path(case) or _silent(case, seen)
        case Outcome.CLOSED:
            return _closes(case, seen)
        case Outcome.RESET:
            return _resets(case, seen)
    return None


def _who(case: Case) -> str:
    """Who accepted, and where."""
    listener, here = case.prediction.listener, case.end
    if listener is None or here is None:
        return f"whoever listens at {case.said}"
    return f"{holder(listener)} of {here.label}, listening on {at(listener.address, listener.port)},"


def _rows(case: Case, seen: Observation) -> tuple[Row, ...]:
    said = Row("observed", case.place.name, f"{seen.phase}: {seen.text or seen.outcome}")
    listener, here = case.prediction.listener, case.end
    return (listener_row(here, listener), said) if listener is not None and here is not None else (said,)


def _wants_tls(case: Case, seen: Observation) -> bool:
    if case.attempt.target.scheme is not Scheme.HTTP:
        return False
    excerpt = seen.answer.excerpt if seen.answer else ""
    return bool(_WANTS_TLS.search(excerpt) or _WANTS_TLS.search(seen.text) or _ALERT.search(seen.text))


def _tls_to_plain(case: Case, seen: Observation) -> Diagnosis:
    target = case.attempt.target
    return Diagnosis(
        Cause.TLS_TO_PLAIN,
        f"{_who(case)} does not speak TLS: you called it with https and it answered in plain text.",
        _rows(case, seen),
        (
            Cure("Call it with http", f"http://{target.authority}{target.path}", "what is sent is not encrypted"),
            Cure("Give it a certificate and let it speak TLS", ""),
        ),
    )


def _plain_to_tls(case: Case, seen: Observation) -> Diagnosis | None:
    target = case.attempt.target
    if not _wants_tls(case, seen):
        return None
    return Diagnosis(
        Cause.PLAIN_TO_TLS,
        f"{_who(case)} speaks TLS: you called it with http, in plain text.",
        _rows(case, seen),
        (Cure("Call it with https", f"https://{target.authority}{target.path}"),),
    )


def certificate(case: Case, text: str) -> Diagnosis:
    """The certificate is not one that the client takes: of another name, or of nobody it trusts."""
    target = case.attempt.target
    row = Row("observed", case.place.name, text)
    if _OTHER_NAME.search(text):
        return Diagnosis(
            Cause.CERTIFICATE_OTHER_NAME,
            f"{_who(case)} is reached and speaks TLS, but its certificate is for another name than {target.host}.",
            (row,),
            (
                Cure("Call it by a name that its certificate has", f"openssl s_client -connect {target.authority}"),
                Cure(f"Give it a certificate for {target.host}", ""),
            ),
        )
    return Diagnosis(
        Cause.CERTIFICATE_NOT_TRUSTED,
        f"{_who(case)} is reached and speaks TLS, but its certificate is signed by nobody that the client trusts.",
        (row,),
        (
            Cure(
                "Give the client the certificate, or that of its signer",
                f"curl --cacert FILE https://{target.authority}/",
            ),
            Cure(
                "Do not verify, for a test",
                f"curl -k https://{target.authority}{target.path}",
                "whoever is in between can read and change everything",
            ),
        ),
    )


def _status(case: Case, seen: Observation) -> Diagnosis:
    status = seen.answer.status if seen.answer else None
    if found := publishing.taken(case, f", with HTTP status {status}"):
        return found
    if meaning := _GATEWAYS.get(status or 0):
        return _gateway(case, seen, f"{status}: the word of a gateway that {meaning} the server behind it.")
    said = _line(seen.answer.excerpt) if seen.answer else ""
    return Diagnosis(
        Cause.HTTP_STATUS,
        f"The network is all right: {_who(case)} answered, with HTTP status {status}. What is wrong is above it.",
        (*_rows(case, seen), *([Row("answer", case.end.label if case.end else "", said)] if said else [])),
        (Cure("Read the log of the program that answers", _log(case)),),
    )


def _gateway(case: Case, seen: Observation, said: str) -> Diagnosis:
    """The network is all right as far as a gateway, which has no answer from whom it asked in turn."""
    here = case.end
    container = None if here is None or case.is_host(here.key) else next(iter(case.containers_in(here.key)), None)
    upstream, known = "UPSTREAM:PORT", ""
    rows = _rows(case, seen)
    if container is not None:
        named = _named(case, container)
        if len(named) == 1:
            name, other = named[0]
            upstream = f"{name}:{case.only_port_of(other) or 'PORT'}"
        stopped = [c for _, c in named if c.state != "running"]
        rows = (*rows, *(Row("container", case.named(c.host), f"{c.id[:12]} {c.name} {c.state}") for c in stopped))
        known = "".join(f" {c.name}, which its hosts file names, does not run: it is {c.state}." for c in stopped)
    place = container.name if container is not None else here.label if here is not None else "GATEWAY"
    return Diagnosis(
        Cause.HTTP_STATUS,
        f"The network is all right as far as {_who(case)} which answered with HTTP status {said}{known}",
        rows,
        (
            Cure("See in its log which server that is, and what failed", _log(case)),
            Cure("Then explain that line", "testbed explain 'THE LINE'"),
            Cure("Explain the gateway's own connection", f"testbed explain --from {place} http://{upstream}"),
        ),
    )


def _named(case: Case, container: Container) -> list[tuple[str, Container]]:
    """The other containers that a container's hosts file leads to, by the names that it has for them.

    That is whoever has the address now, or whoever is called so, where nobody has it.
    """
    found = []
    for name, addresses in container.names.hosts.addresses.items():
        others = [c for c in case.evidence.containers if c.host == container.host and c is not container]
        having = [c for c in others if any(a in on.addresses for on in c.attachments for a in addresses)]
        called = [c for c in others if c.name == name and c.state != "running"]
        found += [(name, c) for c in (having or called)[:1]]
    return found


def _line(excerpt: str) -> str:
    """What an answer says in words, in one line; empty for a page of HTML, which says no more than its status."""
    text = "".join(character if character.isprintable() else " " for character in excerpt)
    return "" if text.lstrip().startswith("<") else " ".join(text.split())


def _silent(case: Case, seen: Observation) -> Diagnosis:
    return Diagnosis(
        Cause.PEER_SILENT,
        f"{_who(case)} accepts the connection and then says nothing: it hangs, or waits for something else.",
        _rows(case, seen),
        (Cure("Read its log, and restart it if it is stuck", _log(case)),),
        ("Go's 'context deadline exceeded' means a dropped packet or a silent peer: here it is the peer.",),
    )


def _closes(case: Case, seen: Observation) -> Diagnosis:
    return Diagnosis(
        Cause.PEER_CLOSES,
        f"{_who(case)} accepts the connection and closes it without an answer: a proxy or tunnel whose far side failed "
        "does so, or a program that turns you away.",
        _rows(case, seen),
        (Cure("Read its log", _log(case)),),
        ("A server that only speaks TLS may do so too when it is called with http: try https.",)
        if case.attempt.target.scheme is Scheme.HTTP
        else (),
    )


def _resets(case: Case, seen: Observation) -> Diagnosis:
    return Diagnosis(
        Cause.PEER_RESETS,
        f"{_who(case)} accepts the connection and then resets it: it died, or did not read what was sent.",
        _rows(case, seen),
        (Cure("Read its log", _log(case)),),
    )


def _log(case: Case) -> str:
    listener = case.prediction.listener
    container = listener.process.container if listener is not None and listener.process is not None else None
    if container is None and case.end is not None and not case.is_host(case.end.key):
        container = next((c.name for c in case.containers_in(case.end.key)), None)
    return f"podman logs {container}" if container else ""


def _tunnel(case: Case, seen: Observation) -> Diagnosis | Undecided | None:
    """The listener is ssh's: it accepted, and could not get through at its far end."""
    listener, here = case.prediction.listener, case.end
    if seen.outcome not in (Outcome.RESET, Outcome.CLOSED):
        return None
    if listener is None or here is None or listener.process is None or listener.process.name not in _SSH:
        return None
    forward = case.forwarder_of(listener)
    where = at(forward.to_host, forward.to_port) if forward else "where it leads"
    takes = f"The tunnel takes the connection ({holder(listener)} of {here.label})"
    far, beyond = _at_far_end(case.evidence, forward) if forward else (None, None)
    if far is None or beyond is None:
        return Undecided(
            f"{takes} and drops it again: either nobody takes it at {where} on the far side, or the SSH server there "
            "forbids that forward. The far side is not in the picture.",
            "What ssh itself says with -v while it is tried: 'connect failed' is the first, 'administratively "
            "prohibited' the second.",
        )
    rows = (*_rows(case, seen), Row("predicted", far.name, beyond.why))
    if isinstance(beyond.ending, Accepted):
        return Diagnosis(
            Cause.TUNNEL_FORBIDDEN,
            f"{takes}, and {where} answers on {far.name} at its far end, but the SSH server there does not open it: "
            "its settings forbid that forward.",
            rows,
            (
                Cure(
                    f"Allow it on {far.name}, in sshd_config(5)",
                    f"AllowTcpForwarding local\nPermitOpen {where}",
                    f"{where} of {far.name}, to whoever may log in there",
                ),
                Cure("See the words of ssh itself (administratively prohibited)", "ssh -v -N -L ..."),
            ),
        )
    return Diagnosis(
        Cause.TUNNEL_FAR_END_DOWN,
        f"{takes} and drops it again: at its far end, on {far.name}, nobody takes it at {where}.",
        rows,
        (
            Cure(f"Start what is to listen on {where} of {far.name}", f"ss -ltnp 'sport = :{forward.to_port}'")
            if forward
            else Cure("Start what the tunnel leads to", ""),
            Cure("See the words of ssh itself (open failed: connect failed)", "ssh -v -N -L ..."),
        ),
        ("A tunnel's listener is no proof of anything behind it: a dead far end closes or resets, and never refuses.",),
    )


def _at_far_end(evidence: Evidence, forward: Forwarder) -> tuple[HostFacts | None, Prediction | None]:
    """The other host that has an SSH server, and what becomes there of a connection to where the tunnel leads.

    None where there is no such host, or several: which one ssh is connected to is not in the picture.
    """
    far = [host for host in evidence.hosts if host.namespace != forward.namespace and _has_sshd(evidence, host)]
    if len(far) != 1:
        return None, None
    beyond = predict(evidence, Attempt(Place(far[0]), Target(Scheme.TCP, forward.to_host, forward.to_port)))
    return far[0], None if beyond.disposition in (Disposition.UNKNOWN, Disposition.LEFT) else beyond


def _has_sshd(evidence: Evidence, host: HostFacts) -> bool:
    there = evidence.namespaces.get(host.namespace)
    return there is not None and any(entry.process and entry.process.name == "sshd" for entry in there.listeners)


def fails_above_tcp(seen: Observation) -> bool:
    """Whether a connection was made before it failed."""
    return seen.phase in (Phase.TLS, Phase.HTTP)
