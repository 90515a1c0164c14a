"""Reading an error text that somebody pasted: who said it, what it means, and what it cannot tell. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from testbed.errors import UsageError
from testbed.explain.client_texts import curl, go, listening, nginx, node, openssh, other, python
from testbed.explain.client_texts.said import Client, Pasted

__all__ = ["LIMIT", "Client", "Pasted", "read"]

#: Characters that are read; an error text has a few hundred.
LIMIT: Final = 64 * 1024

#: In this order: the more particular first. Each is given the whole text and finds its part.
_CLIENTS: Final = (
    nginx.find,
    listening.find,
    openssh.find,
    go.find,
    curl.find,
    python.find,
    node.find,
)
_COLOUR: Final = re.compile(r"\x1b\[[0-9;:?]{0,32}[A-Za-z]")
_ESCAPED_QUOTE: Final = re.compile(r"\\{1,7}([\"'])")
#: What JSON, HTML and chat programs make of the characters that error texts have.
_ESCAPES: Final = (
    ("\\u003e", ">"),
    ("\\u003c", "<"),
    ("\\u0026", "&"),
    ("\\u0027", "'"),
    ("\\u0022", '"'),
    ("\\n", "\n"),
    ("\\t", " "),
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
)
_SHOWN: Final = 80


def read(text: str) -> Pasted:
    """What an error text says, wherever in the text it stands: logs, JSON, colours and other lines may surround it.

    Only the first 64 Ki characters are read, which the hint says where there are more.

    :raises UsageError: nothing of it is known
    """
    clean = _clean(text[:LIMIT])
    joined = " ".join(clean.split())
    # A terminal may have broken the line anywhere; words of the C library alone may be anybody's, so they come last.
    readings = (clean, joined) if joined != clean else (clean,)
    found = next((said for shape in readings for find in _CLIENTS if (said := find(shape))), None) or other.find(clean)
    if found is None:
        shown = joined if len(joined) <= _SHOWN else f"{joined[:_SHOWN]}..."
        raise UsageError(
            f"no error of a client that is known here is in {shown!r}: paste the line as Go, curl, Python, Node.js, "
            "ssh or nginx printed it, or give a URL and --from"
        )
    if len(text) > LIMIT:
        note = f"Only the first {LIMIT // 1024} KiB of the text were read."
        found = replace(found, hint=f"{found.hint} {note}".strip())
    return replace(found, text=" ".join(found.text.split()))


def _clean(text: str) -> str:
    """The text with its lines, and without colours, control characters and the escapes of whatever carried it."""
    text = _COLOUR.sub("", text)
    text = "".join(_character(character) for character in text)
    text = _ESCAPED_QUOTE.sub(r"\1", text)
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text


def _character(character: str) -> str:
    if character.isprintable():
        return character
    if character in "\n\r\v\f\x1c\x1d\x1e\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
        return "\n"
    return " " if character.isspace() else ""
