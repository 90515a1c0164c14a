"""The lines of an error text as their program wrote them, without what logs, JSON and terminals made of them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

_COLOUR: Final = re.compile(r"\x1b\[[0-9;:?]{0,32}[A-Za-z]")
_ESCAPED_QUOTE: Final = re.compile(r"\\{1,7}([\"'])")
#: What JSON, HTML and chat programs make of the characters that error texts have.
_ESCAPES: Final = (
    ("\\u003e", ">"),
    ("\\u003c", "<"),
    ("\\u0026", "&"),
    ("\\u0027", "'"),
    ("\\u0022", '"'),
    ("\\r\\n", "\n"),
    ("\\n", "\n"),
    ("\\t", " "),
    ("\\/", "/"),
    ("&quot;", '"'),
    ("&#34;", '"'),
    ("&#39;", "'"),
    ("&gt;", ">"),
    ("&lt;", "<"),
    ("&amp;", "&"),
    ("\N{LEFT DOUBLE QUOTATION MARK}", '"'),
    ("\N{RIGHT DOUBLE QUOTATION MARK}", '"'),
    ("\N{LEFT SINGLE QUOTATION MARK}", "'"),
    ("\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    ("\N{NO-BREAK SPACE}", " "),
)
#: Markdown writes a link as [text](URL).
_LINK: Final = re.compile(r"\[([^\[\]\n]{1,255})\]\((?:https?|mailto):[^()\s]{1,500}\)")
_STAMP: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
#: What a log puts in front of each line.
_PREFIXES: Final = (
    # docker compose and podman-compose: the container's name, padded.
    re.compile(r"^\s{0,4}\[?[A-Za-z0-9][\w.-]{0,120}\]?\s{0,60}\|(?:\s|$)"),
    # journalctl and RFC 3164: time, host, unit[pid].
    re.compile(
        r"^[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})? \S{1,64} \S{1,120}?\[[0-9]{1,9}\]: "
    ),
    # Kubernetes' container runtime interface: RFC 3339 time, stream, whole (F) or part (P).
    re.compile(rf"^{_STAMP} (?:stdout|stderr) [FP] "),
    # klog: severity and date, time, thread, file:line.
    re.compile(r"^[IWEF][0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9}\s{1,8}[0-9]{1,9} [\w.-]{1,80}:[0-9]{1,6}\] "),
    # kubectl logs --prefix and stern.
    re.compile(r"^\[pod/\S{1,250}\] "),
    re.compile(rf"^\[?{_STAMP}\]?(?:\s{{1,8}}|$)"),
)
#: How many prefixes stand in front of one another: compose, a time, the program's own.
_DEEP: Final = 3
#: The field of a JSON log line that has the message: Docker's json-file, zap, bunyan and pino, logrus, ECS.
_MESSAGES: Final = ("log", "msg", "message", "error", "err", "exception", "stack_trace")
#: A terminal's lines that are all full but the last are one line that it broke.
_NARROWEST: Final = 40


def cleaned(text: str) -> str:
    """The text with its lines, without colours, control characters, links and the escapes of whatever carried it."""
    text = _COLOUR.sub("", text)
    text = "".join(_character(character) for character in text)
    text = _ESCAPED_QUOTE.sub(r"\1", text)
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return _LINK.sub(r"\1", text)


def shapes(text: str) -> Iterator[str]:
    """A text as it may have been meant: its lines without a log's prefixes; lines that a terminal broke joined; all
    in one line.
    """
    bare = "\n".join(_without_prefix(line) for line in cleaned(_messages(text)).splitlines())
    given = [bare, _unbroken(bare), " ".join(bare.split())]
    seen: set[str] = set()
    for shape in given:
        if shape not in seen:
            seen.add(shape)
            yield shape


def _messages(text: str) -> str:
    """Lines that are JSON objects become their messages; others stay."""
    return "\n".join(_message(line) if line.lstrip().startswith("{") else line for line in text.split("\n"))


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    found = [value.rstrip("\n") for key in _MESSAGES if isinstance(value := entry.get(key), str)]
    # What else the line has may name the place: the whole of it follows.
    return "\n".join([*found, line]) if found else line


def _without_prefix(line: str) -> str:
    for _ in range(_DEEP):
        match = next((found for pattern in _PREFIXES if (found := pattern.match(line))), None)
        if match is None:
            return line
        line = line[match.end() :]
    return line


def _unbroken(text: str) -> str:
    lines = text.splitlines()
    width = len(lines[0]) if lines else 0
    if len(lines) < 2 or width < _NARROWEST or any(len(line) != width for line in lines[:-1]) or len(lines[-1]) > width:
        return text
    return "".join(lines)


def _character(character: str) -> str:
    if character.isprintable():
        return character
    if character in "\n\r\v\f\x1c\x1d\x1e\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
        return "\n"
    return " " if character.isspace() else ""
