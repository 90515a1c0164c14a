"""Node.js: libuv's error names, the http and tls modules, and fetch (undici)."""

from __future__ import annotations

import errno
import re
import socket
from typing import Final

from testbed.errnos import OUTCOMES
from testbed.explain.client_texts.phrase import UNREACHED
from testbed.explain.client_texts.places import as_address, as_port, tcp, typed, url
from testbed.explain.client_texts.said import NAMES_HINT, Client, Pasted, from_errno, plain, several, with_also
from testbed.model import Outcome, Phase, Target, bracketed

_ERRNOS: Final = {name: number for number in OUTCOMES if (name := errno.errorcode[number])}
_NAMES: Final = "|".join(_ERRNOS)
#: lib/internal/errors.js, ExceptionWithHostPort: an IPv6 address stands there without brackets.
_CALL: Final = re.compile(
    rf"\b(connect|read|write) ({_NAMES})\b(?: ([0-9a-fA-F.:]{{2,45}}(?:%\w{{1,15}})?):([0-9]{{1,5}})\b)?"
)
_LOOKUP: Final = re.compile(
    r"\bgetaddrinfo (ENOTFOUND|EAI_AGAIN|EAI_FAIL|EAI_NODATA)\b"
    r"(?: (\[?[\w.:%-]{1,255}\]?)(?: [\w.-]{1,255}:([0-9]{1,5})\b)?)?"
)
_UNDICI_TIMEOUT: Final = re.compile(
    r"\bConnect Timeout Error(?: \(attempted address(?:es)?: ([^\s,)]{1,255}):([0-9]{1,5})[^\n)]{0,200}\))?"
)
#: console.log of an error object: the names stand in lines of their own.
_CODE: Final = re.compile(rf"\bcode: '({_NAMES})'")
_LOOKUP_CODE: Final = re.compile(r"\bcode: '(ENOTFOUND|EAI_AGAIN|EAI_FAIL|EAI_NODATA)'")
_HOSTNAME: Final = re.compile(r"\bhostname: '([\w.:-]{1,255})'")
_ADDRESS: Final = re.compile(r"\baddress: '([0-9a-fA-F.:]{2,45})'")
_PORT: Final = re.compile(r"\bport: ([0-9]{1,5})\b")

_HANG_UP: Final = re.compile(r"\bsocket hang up\b")
#: http-proxy-middleware and webpack's development server: from whom, to where, libuv's name.
_PROXIED: Final = re.compile(
    rf"\bproxy request \S{{1,300}} from \S{{1,255}} to (https?://[^\s\"'<>)]{{1,500}}?)\.?\s[^\n]{{0,20}}(?:[^\n]{{0,120}}\n)?[^\n(]{{0,160}}\(({_NAMES})\)"
)
#: Bun: the name of its error, and the URL below it.
_BUN: Final = re.compile(
    r"\b(ConnectionRefused|ConnectionClosed|FailedToOpenSocket): [^\n]{0,200}(?:\s{1,4}path: \"([^\"\n]{1,500})\")?"
)
_AXIOS_HINT: Final = "axios counts the whole request: connecting and the answer look the same."
_HANG_UP_HINT: Final = (
    "Node.js prints this too when the program itself gave up: its own time-out, or abort(), destroyed the request."
)


def find(text: str) -> Pasted | None:
    """What Node.js said."""
    readers = (_calls, _lookups, _undici, _hung_up, _proxied, _printed, _bun, _words)
    return next((said for reader in readers if (said := reader(text))), None)


def _calls(text: str) -> Pasted | None:
    found = [
        _errno(text, call.group().rstrip(), call.group(2), call.group(3) or "", call.group(4) or "")
        for call in _CALL.finditer(text)
    ]
    # An AggregateError has an error for each address of the name.
    return with_also(found[0], [one.address for one in found[1:]]) if found else None


def _lookups(text: str) -> Pasted | None:
    lookup = _LOOKUP.search(text)
    if lookup is None:
        return None
    # Before Node.js 13 the port was said too.
    return _unresolved(text, lookup.group(), lookup.group(1), lookup.group(2) or "", lookup.group(3) or "")


def _undici(text: str) -> Pasted | None:
    late = _UNDICI_TIMEOUT.search(text)
    if late is None:
        return None
    host, port = late.groups()
    return plain(Client.NODE, Outcome.TIMED_OUT, late.group(), typed(text, tcp(host, port) if host else None))


def _printed(text: str) -> Pasted | None:
    """An error object as console.log prints it, a property a line."""
    if code := _CODE.search(text):
        address, port = _ADDRESS.search(text), _PORT.search(text)
        return _errno(
            text, code.group(), code.group(1), address.group(1) if address else "", port.group(1) if port else ""
        )
    if code := _LOOKUP_CODE.search(text):
        hostname = _HOSTNAME.search(text)
        return _unresolved(text, code.group(), code.group(1), hostname.group(1) if hostname else "")
    return None


def _hung_up(text: str) -> Pasted | None:
    """The end of a connection before the answer: its code is ECONNRESET too (lib/_http_client.js)."""
    hung_up = _HANG_UP.search(text)
    return plain(Client.NODE, Outcome.CLOSED, hung_up.group(), typed(text), hint=_HANG_UP_HINT) if hung_up else None


def _proxied(text: str) -> Pasted | None:
    proxied = _PROXIED.search(text)
    if proxied is None:
        return None
    target = url(proxied.group(1))
    address = as_address(target.host) if target else None
    return from_errno(Client.NODE, _ERRNOS[proxied.group(2)], proxied.group(), target, address=address)


def _bun(text: str) -> Pasted | None:
    bun = _BUN.search(text)
    if bun is None:
        return None
    target = url(bun.group(2)) if bun.group(2) else None
    if bun.group(1) == "ConnectionClosed":
        return plain(Client.NODE, Outcome.CLOSED, bun.group(), target)
    # FailedToOpenSocket is any failed connect(2), a name that was not found too.
    if bun.group(1) == "ConnectionRefused":
        return plain(Client.NODE, Outcome.REFUSED, bun.group(), target)
    return several(Client.NODE, UNREACHED, bun.group(), target, "")


def _words(text: str) -> Pasted | None:
    for pattern, outcome, phase, hint in _WORDS:
        if match := pattern.search(text):
            return plain(Client.NODE, outcome, match.group().rstrip(), typed(text), phase=phase, hint=hint)
    return None


def _errno(text: str, said: str, name: str, host: str, port: str) -> Pasted:
    target = typed(text, tcp(bracketed(host), port) if host and port else None)
    address = as_address(host)
    return from_errno(Client.NODE, _ERRNOS[name], said, target, address=address, port=as_port(port))


def _unresolved(text: str, said: str, code: str, host: str, port: str = "") -> Pasted:
    name = host.rstrip(".")
    target: Target | None = typed(text, tcp(name, port) if name and port else None)
    if code == "ENOTFOUND":
        return from_errno(Client.NODE, socket.EAI_NONAME, said, target, name=name)
    if code == "EAI_AGAIN":
        return from_errno(Client.NODE, socket.EAI_AGAIN, said, target, name=name)
    outcomes = (Outcome.RESOLVER_FAILED, Outcome.NAME_NOT_FOUND)
    return several(Client.NODE, outcomes, said, target, NAMES_HINT, name=name)


#: First match wins: pattern, outcome, phase where it is known, hint where it is not the outcome's own.
_WORDS: Final[tuple[tuple[re.Pattern[str], Outcome, Phase | None, str | None], ...]] = (
    (re.compile(r"\b(?:write |read )?EPROTO\b[^\n]{0,300}"), Outcome.TLS_FAILED, Phase.TLS, None),
    (
        re.compile(r"\b[^\n]{0,40}(?:ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames)[^\n]{0,200}"),
        Outcome.TLS_FAILED,
        Phase.TLS,
        None,
    ),
    (
        re.compile(
            r"\b(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)\w{0,40}"
            r"|CERT_HAS_EXPIRED|Error: self-signed certificate|Error: unable to verify the first certificate)\b"
        ),
        Outcome.TLS_FAILED,
        Phase.TLS,
        None,
    ),
    (
        re.compile(r"\bClient network socket disconnected before secure TLS connection was established"),
        Outcome.CLOSED,
        Phase.TLS,
        None,
    ),
    (re.compile(r"\btimeout of [0-9]{1,8}ms exceeded"), Outcome.TIMED_OUT, None, _AXIOS_HINT),
    (re.compile(r"\b(?:SocketError: )?other side closed\b"), Outcome.CLOSED, None, None),
    (re.compile(r"\b(?:UND_ERR_HEADERS_TIMEOUT|Headers Timeout Error)\b"), Outcome.TIMED_OUT, Phase.HTTP, None),
    (re.compile(r"\bUND_ERR_CONNECT_TIMEOUT\b"), Outcome.TIMED_OUT, Phase.CONNECT, None),
    (re.compile(r"\b(?:Error: )?ECONNRESET\b"), Outcome.RESET, None, None),
    (re.compile(r"\b(?:Error: )?ESOCKETTIMEDOUT\b"), Outcome.TIMED_OUT, Phase.CONNECT, None),
)
