"""curl(1): its exit codes and the words behind them (lib/strerror.c, lib/connect.c, lib/cf-socket.c)."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import as_address, tcp, typed
from testbed.explain.client_texts.said import CONNECT_OUTCOMES, NAMES_HINT, Client, Pasted, from_errno, plain, several
from testbed.explain.client_texts.vocabulary import errno_of, whole_words
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase, Target

_ERROR: Final = re.compile(r"\b(?:curl: |cURL error )\(?([0-9]{1,2})[):] ?([^\n]{1,600})", re.IGNORECASE)
#: -v, in lib/cf-socket.c; curl 8.7 added the local end.
_TRACE: Final = re.compile(
    r"\bconnect to (\S{1,255}) port ([0-9]{1,5})(?: from \S{1,64} port [0-9]{1,5})? failed: ([^\n]{1,100})"
)
_PLACE: Final = re.compile(r"\bFailed to connect to (\S{1,255}) port ([0-9]{1,5})")
_OLD_PLACE: Final = re.compile(r"\bFailed connect to (\S{1,255}):([0-9]{1,5});")
_TLS_PLACE: Final = re.compile(r" in connection to (\S{1,255}):([0-9]{1,5})\b")
#: What is built on libcurl (git, Composer) has its own words around libcurl's, and no number.
_WITHOUT_NUMBER: Final = re.compile(
    r"\b(?:Failed to connect to \S{1,255} port [0-9]{1,5}[^\n:]{0,40}: |Could not resolve (?:host|proxy): )[^\n]{1,200}"
)
_HOST: Final = re.compile(r"\bCould not resolve (?:host|proxy): ([^\s;)]{1,255})")

_CONNECT_HINT: Final = (
    "Since 7.88 curl prints the same for refused, no route and unreachable: with -v it names which, and so does Python."
)
_TIMEOUT_HINT: Final = (
    "The text is the same for a SYN that was dropped and for a peer that accepts and never finishes the TLS handshake."
)
_HTTP09_HINT: Final = (
    "The other end does not speak HTTP in plain text: often it speaks TLS, so that the URL needs https."
)


def find(text: str) -> Pasted | None:
    """What curl said; lines of -v, which have the errno's words, come before its last line."""
    match = _ERROR.search(text)
    trace = _trace(text)
    if match is None:
        return trace or _without_number(text)
    number, words = int(match.group(1)), match.group(2).rstrip()
    if trace is not None and number == 7:
        return trace
    place = _PLACE.search(words) or _OLD_PLACE.search(words) or _TLS_PLACE.search(words)
    target = typed(text, tcp(*place.groups()) if place else None)
    reader = _BY_NUMBER.get(number)
    return reader(match.group().rstrip(), words, target) if reader else None


def _without_number(text: str) -> Pasted | None:
    match = _WITHOUT_NUMBER.search(text)
    if match is None:
        return None
    words = match.group().rstrip()
    if (place := _PLACE.search(words)) is not None:
        return _connect(words, words, typed(text, tcp(*place.groups())))
    host = _HOST.search(words)
    found = typed(text)
    return _resolve(words, words, found if host and found and found.host == host.group(1).strip("'\"") else None)


def _trace(text: str) -> Pasted | None:
    for match in _TRACE.finditer(text):
        host, port, words = match.groups()
        number = errno_of(words)
        if number is not None:
            named = next((tcp(*one.groups()) for one in _PLACE.finditer(text) if one.group(2) == port), None)
            target = typed(text, named or tcp(host, port))
            return from_errno(Client.CURL, number, match.group().rstrip(), target, address=as_address(host))
    return None


def _connect(text: str, words: str, target: Target | None) -> Pasted | None:
    lower = words.lower()
    number = next((number for _, number in whole_words(words)), None)
    if number is not None:
        address = as_address(target.host) if target else None
        return from_errno(Client.CURL, number, text, target, address=address)
    if lower.endswith(": timed out"):
        # Winsock's error as libcurl words it (lib/strerror.c, get_winsock_error).
        return plain(Client.CURL, Outcome.TIMED_OUT, text, target)
    if "connect refused" in lower:
        return plain(Client.CURL, Outcome.REFUSED, text, target)
    return several(Client.CURL, CONNECT_OUTCOMES, text, target, _CONNECT_HINT)


def _resolve(text: str, words: str, target: Target | None) -> Pasted | None:
    host = _HOST.search(words)
    outcomes = (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED)
    return several(Client.CURL, outcomes, text, target, NAMES_HINT, name=host.group(1) if host else "")


def _timeout(text: str, words: str, target: Target | None) -> Pasted | None:
    lower = words.lower()
    if lower.startswith("resolving timed out"):
        return plain(Client.CURL, Outcome.RESOLVER_FAILED, text, target)
    if lower.startswith("failed to connect"):
        return plain(Client.CURL, Outcome.TIMED_OUT, text, target)
    if lower.startswith("ssl connection timeout"):
        return plain(Client.CURL, Outcome.TIMED_OUT, text, target, phase=Phase.TLS)
    if lower.startswith("operation timed out"):
        return plain(Client.CURL, Outcome.TIMED_OUT, text, target, phase=Phase.HTTP)
    return plain(Client.CURL, Outcome.TIMED_OUT, text, target, hint=_TIMEOUT_HINT)


def _tls(text: str, words: str, target: Target | None) -> Pasted | None:
    lower = words.lower()
    if "connection reset by peer" in lower:
        return from_errno(Client.CURL, errno.ECONNRESET, text, target)
    if "ssl_error_syscall" in lower or "unexpected eof" in lower:
        return plain(Client.CURL, Outcome.CLOSED, text, target, phase=Phase.TLS)
    return plain(Client.CURL, Outcome.TLS_FAILED, text, target)


def _received(text: str, words: str, target: Target | None) -> Pasted | None:
    lower = words.lower()
    if "connection reset by peer" in lower:
        return from_errno(Client.CURL, errno.ECONNRESET, text, target)
    if "proxy" in lower or "connect tunnel failed" in lower:
        return plain(Client.CURL, Outcome.HTTP_STATUS, text, target, phase=Phase.CONNECT)
    if "unexpected eof" in lower:
        return plain(Client.CURL, Outcome.CLOSED, text, target)
    if "ssl_read" in lower and "alert" in lower:
        # A server of TLS 1.3 says so after the client's handshake is done (RFC 8446, 4.4.2.4).
        return plain(Client.CURL, Outcome.TLS_FAILED, text, target)
    return None


def _empty(text: str, _: str, target: Target | None) -> Pasted | None:
    return plain(Client.CURL, Outcome.CLOSED, text, target, phase=Phase.HTTP)


def _certificate(text: str, _: str, target: Target | None) -> Pasted | None:
    return plain(Client.CURL, Outcome.TLS_FAILED, text, target)


def _status(text: str, _: str, target: Target | None) -> Pasted | None:
    return replace(plain(Client.CURL, Outcome.HTTP_STATUS, text, target), code=Cause.HTTP_STATUS)


def _protocol(text: str, words: str, target: Target | None) -> Pasted | None:
    if "HTTP/0.9" not in words:
        return None
    return plain(Client.CURL, Outcome.INCONCLUSIVE, text, target, phase=Phase.HTTP, hint=_HTTP09_HINT)


#: curl(1), EXIT CODES.
_BY_NUMBER: Final[dict[int, Callable[[str, str, Target | None], Pasted | None]]] = {
    1: _protocol,
    5: _resolve,
    6: _resolve,
    7: _connect,
    22: _status,
    28: _timeout,
    35: _tls,
    52: _empty,
    55: _received,
    56: _received,
    60: _certificate,
}
