"""Servers that speak first, and another protocol than they are called with: what they are known by. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from testbed.explain.acceptor import rows, who
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Observation, Outcome

#: How http.client shows a first line that is no status line of HTTP.
_NO_STATUS_LINE: Final = re.compile(r"^BadStatusLine: (.+)", re.DOTALL)
_HTTP: Final = re.compile(r"HTTP/[0-9]", re.IGNORECASE)
#: The types of TLS records (RFC 8446, 5.1).
_TLS_RECORDS: Final = frozenset(map(chr, range(20, 25)))
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class _Greeting:
    protocol: str
    begins: re.Pattern[str]
    client: str
    """The command of a client of that protocol; HOST and PORT stand for the place."""


#: RFC 4253 (4.2), 5321 (4.2), 959 (5.4), 1939 (4), 3501 (7.1), 6143 (7.1.1), AMQP 0-9-1 (4.2.2), the first packet of
#: MySQL's protocol (length and number in front of version 10), and Redis's errors (RESP).
_GREETINGS: Final = (
    _Greeting("SSH", re.compile(r"SSH-"), "ssh -p PORT HOST"),
    _Greeting("FTP", re.compile(r"220[ -][^\r\n]*FTP", re.IGNORECASE), "curl ftp://HOST:PORT/"),
    _Greeting("SMTP", re.compile(r"220[ -]"), "curl smtp://HOST:PORT"),
    _Greeting("POP3", re.compile(r"\+OK"), "curl pop3://HOST:PORT"),
    _Greeting("IMAP", re.compile(r"\* (?:OK|PREAUTH)"), "curl imap://HOST:PORT"),
    _Greeting("VNC", re.compile(r"RFB [0-9]{3}\."), "vncviewer HOST::PORT"),
    _Greeting("AMQP", re.compile(r"AMQP"), "amqp://HOST:PORT"),
    _Greeting("MySQL", re.compile(r"...\x00\x0a", re.DOTALL), "mysql -h HOST -P PORT"),
    _Greeting("Redis", re.compile(r"-(?:ERR|DENIED|NOAUTH)\b"), "redis-cli -h HOST -p PORT"),
)


def said_first(seen: Observation) -> str:
    """The words that came instead of TLS, or of a status line of HTTP; empty where nothing is known of it."""
    if seen.outcome is Outcome.TLS_FAILED and seen.answer is not None:
        return seen.answer.excerpt
    found = _NO_STATUS_LINE.search(seen.text) if seen.outcome is Outcome.INCONCLUSIVE else None
    return found.group(1) if found else ""


def other_protocol(case: Case, seen: Observation) -> Diagnosis | None:
    """A first answer that is neither TLS nor HTTP; None where it is one of them, or nothing is known of it."""
    said, target = said_first(seen), case.attempt.target
    if not said or _HTTP.match(said) or said[0] in _TLS_RECORDS:
        return None
    shown = "".join(c if c.isprintable() else "." for c in said.rstrip()[:_SHOWN])
    answer = Row("answer", case.end.label if case.end else "", shown)
    called = f"and you called it with {target.scheme}: what it says is {shown!r}"
    where = f"Which port the one listens on that you meant: ss -ltnp in {_place(case)}"
    found = next((greeting for greeting in _GREETINGS if greeting.begins.match(said)), None)
    if found is None:
        fact = f"{who(case)} speaks neither TLS nor HTTP, {called}."
        return Diagnosis(Cause.OTHER_PROTOCOL, fact, (*rows(case, seen), answer), decide=where)
    command = found.client.replace("HOST", target.host).replace("PORT", str(target.port))
    return Diagnosis(
        Cause.OTHER_PROTOCOL,
        f"{who(case)} speaks {found.protocol}, {called}.",
        (*rows(case, seen), answer),
        (Cure(f"Call it with a client of {found.protocol}", command),),
        decide=where,
    )


def _place(case: Case) -> str:
    return case.end.label if case.end else "the place that you call"
