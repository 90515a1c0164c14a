"""The input of ``testbed explain``: words on the command line, standard input, or a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from testbed.cli.looking import LookingCommand
from testbed.errors import UsageError
from testbed.explain.pasted import LIMIT, read
from testbed.model import Target

#: The word that means standard input.
STDIN: Final = "-"
_NOTHING: Final = "give a URL, or an error text: as an argument, with --file FILE, or through a pipe"
#: UTF-8 has at most four bytes a character; one more character tells that there were more.
_BYTES: Final = 4 * (LIMIT + 1)


class TextCommand(LookingCommand):
    """A command whose arguments may be texts that begin with a dash, as ``-bash: connect: Connection refused`` does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As :class:`click.Command`, with texts behind ``--``: an option has no white space, but in its value."""
        end = args.index("--") if "--" in args else len(args)
        names = {name for param in self.get_params(ctx) for name in param.opts}
        texts = [word for word in args[:end] if _is_text(word, names)]
        if not texts:
            return super().parse_args(ctx, args)
        words = [word for word in args[:end] if not _is_text(word, names)]
        return super().parse_args(ctx, [*words, "--", *texts, *args[end + 1 :]])


def text_of(what: tuple[str, ...], file: str | None) -> str:
    """The URL or text that is to be explained.

    :param what: the words on the command line; ``-`` alone is standard input, and so are none where that is no terminal
    :param file: a file that has the text; None where there is none
    :raises UsageError: there is nothing, there are two, or the file cannot be read
    """
    if file is not None:
        if what:
            raise UsageError(f"there are both --file {file} and {' '.join(what)!r}: leave out one")
        return _not_empty(_read_file(Path(file)), file)
    if what == (STDIN,):
        return _not_empty(_read_stdin(), "standard input")
    if what:
        return " ".join(what)
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(f"there is nothing to explain: {_NOTHING}")
    return _not_empty(_read_stdin(), "standard input")


def target_of(text: str) -> Target | None:
    """The words that were typed, where they are a URL or host:port; None for a text to be read.

    :raises UsageError: it is one word, and neither
    """
    try:
        return Target.parse(text)
    except UsageError:
        if not any(character.isspace() for character in text):
            _known_word(text)
        return None


def _known_word(text: str) -> None:
    """Pass one word that some client prints, such as a browser's ERR_EMPTY_RESPONSE.

    :raises UsageError: the word is no error and no target either
    """
    try:
        read(text)
    except UsageError:
        Target.parse(text)


def _is_text(word: str, options: set[str]) -> bool:
    return word.startswith("-") and any(c.isspace() for c in word) and word.partition("=")[0] not in options


def _read_stdin() -> str:
    return _decoded(sys.stdin.buffer.read(_BYTES))


def _read_file(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return _decoded(opened.read(_BYTES))
    except OSError as exc:
        raise UsageError(f"{file} cannot be read: {exc.strerror}") from exc


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="replace").strip()


def _not_empty(text: str, source: str) -> str:
    if not text:
        raise UsageError(f"{source} is empty: {_NOTHING}")
    return text
