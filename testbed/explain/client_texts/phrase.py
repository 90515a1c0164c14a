"""The table of clients: each client's phrases as values, and reading a text by them.

A phrase is a template. It stands for what the client prints, with the parts that differ from case to case in braces:

============= ==========================================================================
``{host}``     a name or an address, IPv6 in brackets
``{address}``  an address, IPv6 with or without brackets
``{resolver}`` the address of the resolver that was asked
``{encoded}``  a URL as a parameter of another one
``{port}``     a port
``{java}``     ``java.net.InetSocketAddress.toString()``: ``name/address:port`` and its forms
``{url}``      a URL
``{words}``    the reason, in words of :mod:`~testbed.explain.client_texts.vocabulary`
``{system}``   the reason, wholly the system's text: strerror(3), gai_strerror(3), Winsock
``{number}``   the reason as a number: errno(3), getaddrinfo(3), Winsock
``{any}``      up to 200 characters of the same line, as few as will do
``{lines}``    up to 400 characters, line ends too, as few as will do
============= ==========================================================================

The rest is a regular expression.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final
from urllib.parse import unquote

from testbed.explain.client_texts import vocabulary
from testbed.explain.client_texts.places import HOST, as_address, as_port, can_be_host, tcp, url
from testbed.explain.client_texts.said import (
    CONNECT_OUTCOMES,
    Client,
    Pasted,
    cause_in,
    hint_of,
    phase_of,
)
from testbed.explain.codes import Cause
from testbed.model import Address, Outcome, Phase, Target

REFUSED: Final = (Outcome.REFUSED,)
TIMED_OUT: Final = (Outcome.TIMED_OUT,)
HOST_UNREACHABLE: Final = (Outcome.HOST_UNREACHABLE,)
NO_NAME: Final = (Outcome.NAME_NOT_FOUND,)
RESET: Final = (Outcome.RESET,)
CLOSED: Final = (Outcome.CLOSED,)
TLS: Final = (Outcome.TLS_FAILED,)
RESOLVER_FAILED: Final = (Outcome.RESOLVER_FAILED,)
#: The name was not resolved; the text does not say whether there is none or nobody answered.
UNRESOLVED: Final = (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED)
#: connect(2) failed, late or at once.
UNCONNECTED: Final = (*CONNECT_OUTCOMES, Outcome.TIMED_OUT)
#: There is no connection: the name, the connecting, or the first answer failed.
UNREACHED: Final = (*UNCONNECTED, *UNRESOLVED, Outcome.RESET, Outcome.CLOSED)
LOST: Final = (Outcome.CLOSED, Outcome.RESET)
#: The phrase names the place only; another one says what happened.
PLACE: Final[tuple[Outcome, ...]] = ()

_SEVERAL_HINT: Final = "The text stands for several outcomes: {}."
_PORT_HINT: Final = "The text names no port: {} is the client's default."


@dataclass(frozen=True, slots=True)
class Phrase:
    """One text of a client."""

    template: str
    outcomes: tuple[Outcome, ...] | None = None
    """What it says: one outcome; several where the client prints the same for each; none (``PLACE``) where it names the
    place only; None where ``{words}``, ``{system}`` or ``{number}`` say it: without known ones the phrase"
    " says nothing."""
    phase: Phase | None = None
    otherwise: tuple[Outcome, ...] = ()
    """The outcome of a phrase with ``{words}`` or ``{number}`` where they are not known."""
    hint: str = ""
    client: Client | None = None
    """Whose text it is where it is not the family's."""


@dataclass(frozen=True, slots=True)
class Family:
    """A client, or several that print alike, with all their phrases: the more particular first."""

    client: Client
    source: str
    """Where the texts come from."""
    phrases: tuple[Phrase, ...]
    port: int = 0
    """The port that is dialled where the text has a host and no port: the client's default; 0 where it has none."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A place that a client's text names, whatever happened there."""

    host: str
    address: Address | None
    port: int | None
    target: Target | None


_BLOCKS: Final = {
    "host": rf"(?P<host>{HOST})",
    "address": r"(?P<address>\[?[0-9a-fA-F:.]{2,45}(?:%\w{1,15})?\]?)",
    "resolver": r"(?P<resolver>\[?[0-9a-fA-F:.]{2,45}\]?)",
    "port": r"(?P<port>[0-9]{1,5})",
    "java": (
        rf"(?:(?P<host>{HOST})?/(?:(?P<address>\[?[0-9a-fA-F:.]{{2,45}}(?:%\w{{1,15}})?\]?)|<unresolved>)"
        rf"|(?P<bare>{HOST})):(?P<port>[0-9]{{1,5}})"
    ),
    "url": r"(?P<url>(?:jdbc:)?[a-zA-Z][a-zA-Z0-9]{1,11}(?:\+[a-z]{2,12})?://[^\s\"'<>|`)\]]{1,2048})",
    "encoded": r"(?P<encoded>\S{1,300})",
    "words": r"(?P<words>[^\n]{1,200})",
    "system": r"(?P<system>[A-Za-z\u00c0-\uffff][^\n():\"]{4,260}?)",
    "number": r"(?P<number>-?[0-9]{1,8})",
    "any": r"[^\n]{0,200}?",
    "lines": r"[\s\S]{0,400}?",
}
_BLOCK: Final = re.compile(r"\{(" + "|".join(_BLOCKS) + r")\}")
_GROUP: Final = re.compile(r"\(\?P<(\w{1,20})>")
#: What a template is made of: sets, escapes, parts in braces, repetitions, single characters.
_PART: Final = re.compile(r"\[\^?\]?[^\]]{0,200}\]|\\.|\{[^}]{1,20}\}|\(\?P<\w{1,20}>|.", re.DOTALL)
_BLOCK_NAMES: Final = frozenset(f"{{{name}}}" for name in _BLOCKS)
#: Matches of one phrase that are looked at: a log repeats itself.
_MATCHES: Final = 12


@functools.cache
def compiled(template: str) -> re.Pattern[str]:
    """The pattern of a template; a part that stands there again has the name with a number."""
    seen: Counter[str] = Counter()

    def numbered(group: re.Match[str]) -> str:
        seen[group.group(1)] += 1
        return group.group() if seen[group.group(1)] == 1 else f"(?P<{group.group(1)}_{seen[group.group(1)]}>"

    whole = _BLOCK.sub(lambda block: _BLOCKS[block.group(1)], template)
    return re.compile(_GROUP.sub(numbered, whole), re.IGNORECASE)


@functools.cache
def needle(template: str) -> str:
    """The longest part of a template that all its matches have as it stands, in lower case; empty where none is sure.

    Looking for it first is what keeps hundreds of patterns quick: most texts have none of most clients' words, and a
    pattern that is not needed is not compiled.
    """
    depth = 0
    runs = [""]
    for part in _PART.findall(template):
        plain = part[-1] if len(part) == 2 and not part[1].isalnum() else part
        depth += part.startswith("(") - (part == ")")
        if depth == 0 and part == "|":
            return ""
        if depth == 0 and len(plain) == 1 and (plain.isalnum() or plain in " _'\"`#%/@,;=<>&-" or part[0] == "\\"):
            runs[-1] += plain
            continue
        if part[0] in "?*{" and part not in _BLOCK_NAMES and runs[-1]:
            # Quantified: the letter before it may be missing.
            runs[-1] = runs[-1][:-1]
        runs.append("")
    return max(runs, key=len).lower()


def readings(family: Family, text: str) -> Iterator[Pasted | Naming]:
    """Find a client's phrases in a text: failures, with their places, and places alone; phrases in their order."""
    lowered = text.lower()
    read: list[tuple[int, int]] = []
    for phrase in family.phrases:
        if needle(phrase.template) not in lowered:
            continue
        for match in islice(compiled(phrase.template).finditer(text), _MATCHES):
            # What a more particular phrase has read is not read again by a general one.
            if phrase.outcomes != PLACE and any(start < match.end() and match.start() < end for start, end in read):
                continue
            found = _reading(family, phrase, match)
            if isinstance(found, Pasted):
                read.append(match.span())
            if found is not None:
                yield found


def _reading(family: Family, phrase: Phrase, match: re.Match[str]) -> Pasted | Naming | None:
    parts = {name.partition("_")[0]: value for name, value in match.groupdict().items() if value}
    place = _place(parts, family.port)
    if phrase.outcomes == PLACE:
        return place
    meaning = _meaning(parts) if phrase.outcomes is None else None
    if phrase.outcomes is None and meaning is None and not phrase.otherwise:
        return None
    outcomes = (meaning.outcome,) if meaning else phrase.outcomes or phrase.otherwise
    one = len(outcomes) == 1
    shown = match.group().strip()
    hints = [
        phrase.hint or (hint_of(outcomes[0]) if one else _SEVERAL_HINT.format(", ".join(outcomes))),
        _PORT_HINT.format(place.port) if "host" in parts and "port" not in parts and place.port else "",
    ]
    phase = phrase.phase or (meaning.phase if meaning else None) or phase_of(outcomes[0], place.target)
    code = cause_in(shown)
    return Pasted(
        client=phrase.client or family.client,
        outcome=outcomes[0] if one else Outcome.INCONCLUSIVE,
        phase=phase,
        errno=meaning.errno if meaning else None,
        target=place.target,
        address=place.address,
        port=place.port if place.target or place.address else None,
        resolver=as_address(parts.get("resolver", "")),
        text=shown,
        hint=" ".join(filter(None, hints)),
        code=None if code is Cause.PROXY else code,
        name=place.host if (outcomes[0] in UNRESOLVED or not place.target) and as_address(place.host) is None else "",
        possible=() if one else outcomes,
    )


def _meaning(parts: dict[str, str]) -> vocabulary.Meaning | None:
    """The outcome of words and number: that of the words where they are known, for numbers differ between systems."""
    if "system" in parts:
        by_words = vocabulary.of_system(parts["system"])
        if by_words is None:
            return None
    else:
        by_words = vocabulary.of_words(parts["words"]) if "words" in parts else None
    by_number = vocabulary.of_number(int(parts["number"])) if "number" in parts else None
    if by_words is None or by_number is None:
        return by_words or by_number
    return replace(
        by_words, errno=by_words.errno or (by_number.errno if by_words.outcome is by_number.outcome else None)
    )


def _place(parts: dict[str, str], default: int) -> Naming:
    if "encoded" in parts:
        # Firefox's about:neterror has the URL as a parameter.
        parts["url"] = unquote(parts["encoded"].partition("&")[0])
    if "url" in parts:
        target = url(parts["url"].rstrip(".,;:"))
        host = target.host if target else ""
        dialled = parts.get("address") or parts.get("host") or host
        address = as_address(dialled) or as_address(host)
        # Through a proxy the port that is dialled is another than the URL's.
        port = as_port(parts.get("port", "")) or (target.port if target else None)
        return Naming(host, address, port, target)
    host = (parts.get("host") or parts.get("bare") or "").strip("[]").rstrip(".")
    if not can_be_host(host):
        host = ""
    address = as_address(parts.get("address", "")) or as_address(host)
    named = host or (str(address) if address else "")
    port = as_port(parts["port"]) if "port" in parts else (default or None) if named else None
    return Naming(named, address, port, tcp(named, port) if named and port else None)
