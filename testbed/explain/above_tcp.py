"""Causes where somebody accepts and it fails afterwards: TLS, HTTP, tunnels, relays, a path too narrow. Pure."""

from __future__ import annotations

import re
from typing import Final

from testbed.evidence import Attempt, Forwarder, Protocol
from testbed.explain.case import Case, at, holder, listener_row, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Observation, Outcome, Phase, Scheme, Target
from testbed.predict import End, predict

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
_ROOTLESS: Final = "rootlessport"
_SSH: Final = frozenset({"ssh", "sshd", "autossh"})


def failed(case: Case, seen: Observation) -> Diagnosis | None:
    """What a failure after the handshake means; None where it says nothing more than that it failed."""
    for look in (_behind_rootlessport, _tunnel, _plain_to_tls, _tls, _by_outcome):
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
            return _narrow_path(case) or _silent(case, seen)
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
            Cure("Or give it a certificate and let it speak TLS", ""),
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
                Cure(f"Or give it a certificate for {target.host}", ""),
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
                "Or do not verify, for a test",
                f"curl -k https://{target.authority}{target.path}",
                "whoever is in between can read and change everything",
            ),
        ),
    )


def _status(case: Case, seen: Observation) -> Diagnosis:
    status = seen.answer.status if seen.answer else None
    return Diagnosis(
        Cause.HTTP_STATUS,
        f"The network is all right: {_who(case)} answered, with HTTP status {status}. What is wrong is above it.",
        _rows(case, seen),
        (Cure("Read the log of the program that answers", _log(case)),),
    )


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
        f"{_who(case)} accepts the connection and closes it at once, without an answer: a proxy or tunnel whose far "
        "side "
        f"failed does so, or a program that turns you away.",
        _rows(case, seen),
        (Cure("Read its log", _log(case)),),
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


def _narrow_path(case: Case) -> Diagnosis | None:
    """Small packets pass and full ones do not: a link on the way takes less than the first one."""
    path = [link for link in case.prediction.path if link.name != "lo"]
    if not path:
        return None
    narrow = min(path, key=lambda link: link.mtu)
    if narrow.mtu >= path[0].mtu:
        return None
    return Diagnosis(
        Cause.MTU,
        f"The connection is made, and then full packets are lost: {case.place.name} sends up to {path[0].mtu} bytes, "
        "and "
        f"{narrow.name} on the way takes {narrow.mtu} (and what should say so does not come back).",
        tuple(Row("link", "", f"{link.name} mtu {link.mtu}") for link in path),
        (
            Cure(
                "Make the network anew with that MTU",
                f"podman network create -o mtu={narrow.mtu} NAME (and new containers)",
            ),
            Cure(
                "Or lower what TCP announces, on the host",
                "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
            ),
        ),
        ("Small requests work, large ones and TLS hang: a firewall that drops ICMP hides the reason.",),
    )


def _tunnel(case: Case, seen: Observation) -> Diagnosis | None:
    """The listener is ssh's: it accepted, and could not get through at its far end."""
    listener, here = case.prediction.listener, case.end
    if seen.outcome not in (Outcome.RESET, Outcome.CLOSED):
        return None
    if listener is None or here is None or listener.process is None or listener.process.name not in _SSH:
        return None
    forward = next(
        (f for f in case.evidence.forwards if f.pid == listener.process.pid and f.port == listener.port), None
    )
    where = f"{forward.to_host}:{forward.to_port}" if forward else "where it leads"
    row = listener_row(here, listener)
    if forward is not None and _far_end_answers(case, forward):
        return Diagnosis(
            Cause.TUNNEL_FORBIDDEN,
            f"The tunnel takes the connection ({holder(listener)}), and {where} answers at its far end, but the SSH "
            f"server there does not open it: sshd forbids that forward.",
            (row,),
            (
                Cure("Allow it on the server, in sshd_config(5)", f"AllowTcpForwarding local\nPermitOpen {where}"),
                Cure("See the words of ssh itself (administratively prohibited)", "ssh -v -N -L ..."),
            ),
        )
    return Diagnosis(
        Cause.TUNNEL_FAR_END_DOWN,
        f"The tunnel takes the connection ({holder(listener)}) and closes it again: at its far end nobody takes it at "
        f"{where}.",
        (row,),
        (
            Cure(f"Start what is to listen on {where}, on the far side", ""),
            Cure("See the words of ssh itself (open failed: connect failed)", "ssh -v -N -L ..."),
        ),
        ("A tunnel's listener is no proof of anything behind it: a dead far end closes or resets, and never refuses.",),
    )


def _far_end_answers(case: Case, forward: Forwarder) -> bool:
    """Whether some other host of the picture would connect to where the tunnel leads, on its own side."""
    for host in case.evidence.hosts:
        if host.namespace == forward.namespace or not host.podman:
            continue
        goal = Attempt(host.name, Target(Scheme.TCP, forward.to_host, forward.to_port))
        if predict(case.evidence, goal).end is End.ACCEPTED:
            return True
    return False


def _behind_rootlessport(case: Case, seen: Observation) -> Diagnosis | None:
    """rootlessport accepts for a published port, whatever the container does."""
    listener = case.prediction.listener
    if seen.outcome not in (Outcome.RESET, Outcome.CLOSED) or listener is None or listener.process is None:
        return None
    if not listener.process.name.startswith(_ROOTLESS):
        return None
    for container, published in case.published_at(case.host_of(case.prediction.namespace), case.port):
        there = case.evidence.namespaces.get(container.namespace or "")
        if there is None:
            continue
        found = listeners(there, published.container_port, Protocol.TCP)
        outside = [entry for entry in found if not entry.address.is_loopback]
        if outside:
            return None
        row = Row(
            "published", container.host, f"{published.host_port}->{published.container_port}/tcp {container.name}"
        )
        if found:
            return Diagnosis(
                Cause.ROOTLESS_PORT_LOOPBACK,
                f"Rootless Podman's {_ROOTLESS} takes the connection for {container.name}, where {holder(found[0])} "
                f"listens only on {at(found[0].address, found[0].port)}, the container's own loopback: accepted, and "
                "then "
                f"reset.",
                (row, listener_row(there, found[0])),
                (
                    Cure(
                        f"Make the program in {container.name} listen on all of the container's addresses",
                        at("0.0.0.0", published.container_port),
                        "whoever reaches the published port",
                    ),
                ),
                ("Connecting to a rootless published port succeeds even where nothing listens behind it.",),
            )
        return Diagnosis(
            Cause.NOBODY_LISTENS,
            f"Rootless Podman's {_ROOTLESS} takes the connection for {container.name}, where nobody listens on port "
            f"{published.container_port}: accepted, and then reset.",
            (row,),
            (Cure("Start the program that is to listen there", f"podman logs {container.name}"),),
            ("Connecting to a rootless published port succeeds even where nothing listens behind it.",),
        )
    return None


def fails_above_tcp(seen: Observation) -> bool:
    """Whether a connection was made before it failed."""
    return seen.phase in (Phase.TLS, Phase.HTTP)
