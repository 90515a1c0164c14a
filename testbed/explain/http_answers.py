"""Causes that an answer of HTTP tells, or what a server of TLS says to a client of HTTP. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from testbed.evidence import Container
from testbed.explain import publishing
from testbed.explain.acceptor import log, rows, who
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Observation, Scheme

#: How servers that speak TLS answer plain HTTP (net/http server.go; nginx's 497; Apache's ssl_engine_kernel.c).
_WANTS_TLS: Final = re.compile(
    r"HTTP request (was sent )?to (an )?HTTPS (server|port)|speaking plain HTTP to an SSL", re.IGNORECASE
)
#: The first bytes of a TLS alert record (RFC 8446, 5.1), as http.client shows a line that is none.
_ALERT: Final = re.compile(r"BadStatusLine: .{0,4}\\x15\\x03|BadStatusLine: \x15\x03")
#: How a server says above TLS that the client showed no certificate (nginx's 496; Apache's ssl_engine_kernel.c).
_WANTS_CERTIFICATE: Final = re.compile(
    r"No required SSL certificate was sent|SSL certificate error|client certificate (is )?required", re.IGNORECASE
)
#: What a gateway says with its answer (RFC 9110, 15.6.3 and 15.6.5).
_GATEWAYS: Final[Mapping[int, str]] = {
    502: "it got no valid answer from",
    504: "it got no answer in time from",
}


def plain_to_tls(case: Case, seen: Observation) -> Diagnosis | None:
    """A server of TLS that is called in plain text, and says so; None where it does not."""
    target = case.attempt.target
    if not _wants_tls(case, seen):
        return None
    return Diagnosis(
        Cause.PLAIN_TO_TLS,
        f"{who(case)} speaks TLS: you called it with http, in plain text.",
        rows(case, seen),
        (
            Cure(
                "Call it with https",
                f"https://{target.authority}{target.path}",
                target=replace(target, scheme=Scheme.HTTPS),
            ),
        ),
        ("What certificate it has is not known yet: explain it with https then.",),
    )


def _wants_tls(case: Case, seen: Observation) -> bool:
    if case.attempt.target.scheme is not Scheme.HTTP:
        return False
    excerpt = seen.answer.excerpt if seen.answer else ""
    return bool(_WANTS_TLS.search(excerpt) or _WANTS_TLS.search(seen.text) or _ALERT.search(seen.text))


def status(case: Case, seen: Observation) -> Diagnosis:
    """An answer whose status is no success: who gave it, and what it is about as far as it says so."""
    number = seen.answer.status if seen.answer else None
    if found := publishing.taken(case, f", with HTTP status {number}"):
        return found
    if meaning := _GATEWAYS.get(number or 0):
        return _gateway(case, seen, f"{number}: the word of a gateway that {meaning} the server behind it.")
    if seen.answer is not None and _WANTS_CERTIFICATE.search(seen.answer.excerpt):
        return _wants_certificate(case, seen)
    said = _line(seen.answer.excerpt) if seen.answer else ""
    return Diagnosis(
        Cause.HTTP_STATUS,
        f"The network is all right: {who(case)} answered, with HTTP status {number}. What is wrong is above it.",
        (*rows(case, seen), *([Row("answer", case.end.label if case.end else "", said)] if said else [])),
        decide=f"What it did not like: {log(case)}",
    )


def _wants_certificate(case: Case, seen: Observation) -> Diagnosis:
    """A server that lets anybody shake hands, and says in HTTP that it wanted a certificate of the client."""
    target = case.attempt.target
    said = " ".join(re.sub(r"<[^>]*>", " ", seen.answer.excerpt if seen.answer else "").split())
    return Diagnosis(
        Cause.CLIENT_CERTIFICATE,
        f"{who(case)} wants a certificate of the client, which has none: it says so with HTTP status "
        f"{seen.answer.status if seen.answer else ''}.",
        (*rows(case, seen), Row("answer", case.end.label if case.end else "", said)),
        (
            Cure(
                "Give the client a certificate, signed by an authority that the server takes, and its key",
                f"curl --cert CLIENT.pem --key CLIENT.key https://{target.authority}{target.path}",
            ),
        ),
    )


def _gateway(case: Case, seen: Observation, said: str) -> Diagnosis:
    """The network is all right as far as a gateway, which has no answer from whom it asked in turn."""
    here = case.end
    container = None if here is None or case.is_host(here.key) else next(iter(case.containers_in(here.key)), None)
    upstream, known = "UPSTREAM:PORT", ""
    stopped: list[Container] = []
    shown = rows(case, seen)
    if container is not None:
        named = _named(case, container)
        if len(named) == 1:
            name, other = named[0]
            upstream = f"{name}:{case.only_port_of(other) or 'PORT'}"
        stopped = [c for _, c in named if c.state != "running"]
        shown = (*shown, *(Row("container", case.named(c.host), f"{c.id[:12]} {c.name} {c.state}") for c in stopped))
        known = "".join(f" {c.name}, which its hosts file names, does not run: it is {c.state}." for c in stopped)
    place = container.name if container is not None else here.label if here is not None else "GATEWAY"
    return Diagnosis(
        Cause.HTTP_STATUS,
        f"The network is all right as far as {who(case)} which answered with HTTP status {said}{known}",
        shown,
        tuple(Cure(f"Start {c.name}, if it is the server that is meant", f"podman start {c.name}") for c in stopped),
        decide=f"Which server that is, and what failed: {log(case)}, and testbed explain 'THE LINE' of it. Or explain "
        f"the gateway's own connection: testbed explain --from {place} http://{upstream}",
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
    """The words of an answer, in one line; empty for a page of HTML, which says no more than its status."""
    text = "".join(character if character.isprintable() else " " for character in excerpt)
    return "" if text.lstrip().startswith("<") else " ".join(text.split())
