"""Where text goes: rich on a terminal, plain when piped."""

from __future__ import annotations

import codecs
import io
import sys
from typing import Final

from rich.console import Console
from rich.text import Text

#: Columns where there is no terminal to fit. rich crops at the width whatever it pads or puts into a table, so it is
#: more than any line has: in a pipe every line is whole.
_UNLIMITED: Final = 1_000_000
#: Where a stream has no such letters: two marks that are told apart.
_POORER: Final = {"✓": "+", "✗": "x"}
_ERRORS: Final = "testbed.poorer"


def make(*, stderr: bool = False) -> Console:
    """A console on standard output or error: a terminal's lines are wrapped, a pipe's are whole, none is cropped."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(stderr=stderr, highlight=False, soft_wrap=True, width=_UNLIMITED, color_system=None)
    return console


def clean(text: str) -> str:
    """Text of somebody else's making without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def plain(text: str, style: str = "") -> Text:
    """Text that is never read as rich's markup."""
    return Text(clean(text), style=style)


def show_what_can_be() -> None:
    """Let no letter that standard output or error cannot have (PYTHONIOENCODING, an old locale) end the program."""
    codecs.register_error(_ERRORS, _poorer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _poorer(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_POORER.get(letter, "?") for letter in error.object[error.start : error.end]), error.end
