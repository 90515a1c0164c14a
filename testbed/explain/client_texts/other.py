"""Everything else that prints the system's words, and words that prove a cause whoever said them."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import as_address, governed, typed
from testbed.explain.client_texts.said import Client, Pasted, cause_in, from_errno, plain
from testbed.explain.client_texts.vocabulary import whole_words
from testbed.explain.codes import Cause
from testbed.model import Outcome, Target

_REMOTE_HOST: Final = re.compile(r"\bremote host \(([0-9a-fA-F:.]{2,45})\)")
#: What is not about connecting, without a word that says so beside it.
_DOUBTFUL: Final = frozenset({errno.EACCES, errno.EPERM, errno.EINVAL, errno.EPIPE})
#: To connect, in the languages that the system's words are known in.
_CONNECTING: Final = re.compile(
    r"connect|connex|conness|conex|conect|verb[iu]nd|ligaç|połącz|spojen|förbind|bağlan|соедин|з.єднан"
    r"|接続|연결|连接|連線",
    re.IGNORECASE,
)
#: Lines before and after the one with the reason in which its place may stand.
_BEFORE, _AFTER = 2, 1
_LONGEST: Final = 600


def find(text: str) -> Pasted | None:
    """Texts of any client that have the system's words, in whatever language, or words that prove a cause."""
    for match, number in whole_words(text):
        line = _line(text, match)
        if number in _DOUBTFUL and not _CONNECTING.search(line):
            continue
        target = typed(text, governed(line) or _near(text, match))
        remote = _REMOTE_HOST.search(line)
        address = as_address(remote.group(1)) if remote else as_address(target.host) if target else None
        return from_errno(Client.UNKNOWN, number, line, target, address=address)
    return _proven(text)


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


def _line(text: str, match: re.Match[str]) -> str:
    start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _LONGEST)
    end = text.find("\n", match.end())
    return text[start : match.end() if end < 0 else min(end, match.end() + _LONGEST)].strip()


def _near(text: str, match: re.Match[str]) -> Target | None:
    """A place that a line close by names: progress is often printed before the reason."""
    before = text[: match.start()].splitlines()[-_BEFORE - 1 : -1]
    after = text[match.end() :].splitlines()[1 : _AFTER + 1]
    return next((found for line in (*reversed(before), *after) if (found := governed(line[:_LONGEST]))), None)
