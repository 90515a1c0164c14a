"""nginx's error log, where it is the client of an upstream (src/event/ngx_event_connect.c, ngx_http_upstream.c)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.phrase import UNREACHED
from testbed.explain.client_texts.places import as_address, url
from testbed.explain.client_texts.said import NAMES_HINT, Client, Pasted, from_errno, plain, several
from testbed.model import Outcome, Phase, Target

#: ngx_log_errno: (NUMBER: words).
_CALL: Final = re.compile(
    r"\b(connect|recv|send|writev|sendfile|SSL_write|SSL_read)\(\) (?:to \S{1,300} )?failed \(([0-9]{1,3}): "
    r"[^\n)]{1,60}\)(?: while [^\n,]{1,80})?"
)
#: First match wins.
_WORDS: Final = (
    (re.compile(r"\bupstream timed out \(110: [^\n)]{1,60}\)(?: while [^\n,]{1,80})?"), Outcome.TIMED_OUT),
    (
        re.compile(
            r"\b(?:SSL_do_handshake\(\) failed [^\n]{1,300} while SSL handshaking to upstream"
            r"|upstream SSL certificate (?:verify error|does not match)[^\n,]{1,200})"
        ),
        Outcome.TLS_FAILED,
    ),
    (
        re.compile(
            r"\b(?:upstream prematurely closed connection|peer closed connection in SSL handshake)(?: [^\n,]{1,80})?"
        ),
        Outcome.CLOSED,
    ),
)
#: ngx_resolver_log_error: while a name is looked up, the other end is the resolver.
_RESOLVING: Final = re.compile(
    r"\b(?:connect|recv|send)\(\) failed \(([0-9]{1,3}): [^\n)]{1,60}\) while resolving, resolver: "
    r"(\S{2,45}):[0-9]{1,5}"
)
_NO_LIVE: Final = re.compile(r"\bno live upstreams(?: while [^\n,]{1,80})?")
_NOT_FOUND: Final = re.compile(r"\bhost not found in upstream \"([^\"\n]{1,255})\"(?: in [^\n]{1,255}:[0-9]{1,6})?")
_NOT_RESOLVED: Final = re.compile(r"(\S{1,255}) could not be resolved \(([0-9]{1,3}): ([^\n)]{1,60})\)")
_PLAIN: Final = re.compile(r"\bclient sent plain HTTP request to HTTPS port\b")
_UPSTREAM: Final = re.compile(r"\bupstream: \"([^\"\n]{1,2000})\"")

_NO_LIVE_HINT: Final = (
    "nginx gave up on every server of this upstream for a while (fail_timeout): the lines before say how each of them "
    "failed."
)


def find(text: str) -> Pasted | None:
    """What nginx said about its upstream."""
    if resolving := _RESOLVING.search(text):
        unresolved = _NOT_RESOLVED.search(text)
        name = unresolved.group(1).strip("\"'") if unresolved else ""
        found = plain(Client.NGINX, Outcome.RESOLVER_FAILED, resolving.group(), None)
        return replace(found, resolver=as_address(resolving.group(2)), name=name)
    upstream = _UPSTREAM.search(text)
    target = url(upstream.group(1)) if upstream else None
    if (call := _CALL.search(text)) and (upstream is not None or "upstream" in call.group()):
        address = as_address(target.host) if target else None
        found = from_errno(Client.NGINX, int(call.group(2)), call.group(), target, address=address)
        return replace(found, phase=_phase(call.group())) if call.group(1) != "connect" else found
    for pattern, outcome in _WORDS:
        if match := pattern.search(text):
            phase = Phase.TLS if outcome is Outcome.TLS_FAILED else _phase(match.group())
            return plain(Client.NGINX, outcome, match.group(), target, phase=phase)
    if none := _NO_LIVE.search(text):
        return several(Client.NGINX, UNREACHED, none.group(), _with_address(target), _NO_LIVE_HINT)
    return _unresolved(text)


def _unresolved(text: str) -> Pasted | None:
    outcomes = (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED)
    if unknown := _NOT_FOUND.search(text):
        name, _, port = unknown.group(1).partition(":")
        target = url(f"http://{name}:{port or 80}")
        # Only ever said while its settings are read, and nginx ends over it (ngx_http_upstream_round_robin.c).
        return replace(several(Client.NGINX, outcomes, unknown.group(), target, NAMES_HINT, name=name), ended=True)
    if unresolved := _NOT_RESOLVED.search(text):
        name, number, _ = unresolved.groups()
        # ngx_resolver.h: NGX_RESOLVE_NXDOMAIN is 3.
        outcome = Outcome.NAME_NOT_FOUND if number == "3" else Outcome.RESOLVER_FAILED
        return replace(plain(Client.NGINX, outcome, unresolved.group(), None), name=name.strip("\"'"))
    if spoken := _PLAIN.search(text):
        return plain(Client.NGINX, Outcome.HTTP_STATUS, spoken.group(), None)
    return None


def _phase(doing: str) -> Phase:
    if "connecting to upstream" in doing:
        return Phase.CONNECT
    return Phase.TLS if "SSL handshak" in doing else Phase.HTTP


def _with_address(target: Target | None) -> Target | None:
    """The target, unless its host is the name of an upstream block: no live upstreams are reported by that."""
    return target if target is not None and as_address(target.host) is not None else None
