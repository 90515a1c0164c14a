"""libpq (psql, psycopg), wget, nc and everything else that prints the C library's words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from testbed.errnos import ERRNO_WORDS
from testbed.explain.client_texts.said import (
    NAMES_HINT,
    RESOLVER_WORDS,
    Client,
    Pasted,
    as_address,
    as_port,
    cause_in,
    from_errno,
    plain,
    several,
    tcp,
    typed,
)
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase, Target

#: fe-connect.c, emitHostIdentityInfo (since PostgreSQL 14), and before it connectFailureMessage.
_LIBPQ: Final = re.compile(
    r"\bconnection to server at \"([^\"\n]{1,255})\"(?: \(([0-9a-fA-F:.]{2,45})\))?, "
    r"port ([0-9]{1,5}) failed: ([^\n]{1,200})"
)
_LIBPQ_OLD: Final = re.compile(
    r"\bcould not connect to server: ([^\n]{1,100})\n?\s{0,40}Is the server running on host \"([^\"\n]{1,255})\""
    r"(?: \(([0-9a-fA-F:.]{2,45})\))? and accepting\s{1,40}TCP/IP connections on port ([0-9]{1,5})\?"
)
_LIBPQ_NAME: Final = re.compile(r"\bcould not translate host name \"([^\"\n]{1,255})\" to address: ([^\n]{1,100})")
_LIBPQ_CLOSED: Final = "server closed the connection unexpectedly"
#: nc, telnet, mysql, wget, BusyBox and bash's /dev/tcp, as they name a place.
_PLACES: Final = (
    re.compile(r"\|([0-9a-fA-F:.]{2,45})\|:([0-9]{1,5})\b"),
    re.compile(r"/dev/tcp/([^\s/:]{1,255})/([0-9]{1,5})\b"),
    re.compile(r"\bto (\S{1,255}) (?:\(\S{1,64}\) )?port ([0-9]{1,5})\b"),
    re.compile(r"(?<![\w.:])(\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9](?:[\w-]{0,62}\.){1,8}[\w-]{1,63}):([0-9]{1,5})\b"),
)
_REMOTE_HOST: Final = re.compile(r"\bremote host \(([0-9a-fA-F:.]{2,45})\)")
_BAD_ADDRESS: Final = re.compile(r"\bbad address '([^'\n]{1,255})'")
_WORDS: Final = re.compile(
    r"\b(?:" + "|".join(re.escape(word) for word in (*ERRNO_WORDS, *RESOLVER_WORDS)) + r")\b", re.IGNORECASE
)
#: What is not about connecting, without a word that says so beside it.
_DOUBTFUL: Final = frozenset({"permission denied", "operation not permitted", "invalid argument", "broken pipe"})
_CONNECTING: Final = re.compile(r"\bconnect", re.IGNORECASE)


def find(text: str) -> Pasted | None:
    """What any client said that has the C library's words, or words that prove a cause."""
    if found := _libpq(text):
        return found
    if bad := _BAD_ADDRESS.search(text):
        outcomes = (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED)
        return several(Client.UNKNOWN, outcomes, bad.group(), typed(text), NAMES_HINT, name=bad.group(1))
    for match in _WORDS.finditer(text):
        line = _line(text, match)
        word = match.group().lower()
        if word in _DOUBTFUL and not _CONNECTING.search(line):
            continue
        number = ERRNO_WORDS.get(word, RESOLVER_WORDS.get(word, 0))
        target = typed(text, _place(line) or _place(text[:_NEAR]))
        remote = _REMOTE_HOST.search(line)
        address = as_address(remote.group(1)) if remote else as_address(target.host) if target else None
        return from_errno(Client.UNKNOWN, number, line, target, address=address)
    return _proven(text)


#: Where else than in the line itself a place is looked for.
_NEAR: Final = 4096


def _proven(text: str) -> Pasted | None:
    code = cause_in(text)
    if code in (None, Cause.PROXY):
        return None
    outcome = Outcome.HTTP_STATUS if code is Cause.PLAIN_TO_TLS else Outcome.TLS_FAILED
    return replace(plain(Client.UNKNOWN, outcome, _shortest(text), typed(text)), code=code)


def _shortest(text: str) -> str:
    """The first line that proves the cause by itself; else the first there is."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if cause_in(line)), lines[0])[:_LONGEST]


_LONGEST: Final = 600


def _line(text: str, match: re.Match[str]) -> str:
    start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _LONGEST)
    end = text.find("\n", match.end())
    return text[start : match.end() if end < 0 else min(end, match.end() + _LONGEST)].strip()


def _place(text: str) -> Target | None:
    return next((found for pattern in _PLACES for m in pattern.finditer(text) if (found := tcp(*m.groups()))), None)


def _libpq(text: str) -> Pasted | None:
    client = Client.PYTHON if "psycopg" in text else Client.UNKNOWN
    if failed := _LIBPQ.search(text):
        host, address, port, words = failed.groups()
        return _libpq_failed(client, failed.group().rstrip(), (host, address, port), words)
    if failed := _LIBPQ_OLD.search(text):
        words, host, address, port = failed.groups()
        return _libpq_failed(client, " ".join(failed.group().split()), (host, address, port), words)
    if unknown := _LIBPQ_NAME.search(text):
        number = RESOLVER_WORDS.get(unknown.group(2).strip().lower())
        if number is not None:
            return from_errno(client, number, unknown.group().rstrip(), None, name=unknown.group(1))
    return None


def _libpq_failed(client: Client, text: str, place: tuple[str, str | None, str], words: str) -> Pasted | None:
    host, address, port = place
    target = tcp(host, port)
    lower = words.strip().lower()
    dialled = as_address(address or host)
    number = next((value for word, value in ERRNO_WORDS.items() if lower.startswith(word)), None)
    if number is not None:
        return from_errno(client, number, text, target, address=dialled, port=as_port(port))
    if lower.startswith("timeout expired"):
        return replace(plain(client, Outcome.TIMED_OUT, text, target), address=dialled)
    if lower.startswith(_LIBPQ_CLOSED):
        # fe-misc.c, pqsecure_read: the same words for an end of file and for ECONNRESET.
        found = several(client, (Outcome.CLOSED, Outcome.RESET), text, target, "The text is the same for both.")
        return replace(found, address=dialled, phase=Phase.CONNECT)
    return None
