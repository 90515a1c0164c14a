"""What ssh processes were told to forward, by their command lines. What is in a configuration file is not seen."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from testbed.evidence import Forwarder

#: The options of ssh(1) that take no argument; all other letters take one.
_FLAGS: Final = frozenset("1246AaCfGgKkMNnqsTtVvXxYy")
_HOST: Final = r"(\[[^]]*\]|[^:\[\]]*)"
_FORWARD: Final = re.compile(rf"(?:{_HOST}:)?(\d+):{_HOST}:(\d+)")
_LONGEST: Final = 1 << 16


def forwards_of(folder: Path, namespace: str) -> Iterator[Forwarder]:
    """The local TCP forwards of an ssh process; none where it has ended.

    :param folder: its folder in /proc
    :param namespace: the key of the namespace it lives in
    """
    try:
        with (folder / "cmdline").open("rb") as file:
            words = file.read(_LONGEST).decode(errors="replace").split("\0")
    except OSError:
        return
    for asked, others in local_forwards(words[1:]):
        found = _FORWARD.fullmatch(asked)
        if found:
            bind, port, host, to_port = found.groups(default="")
            yield Forwarder(
                int(folder.name),
                "ssh",
                namespace,
                bind.strip("[]"),
                int(port),
                host.strip("[]"),
                int(to_port),
                others,
            )


def local_forwards(words: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The arguments of -L in a command line of ssh's, each with the words of the others, up to the far side's command.

    Options may follow the destination, and what stands behind them is that command (ssh.c, main).
    """
    own = [*_options(words)]
    for at, (forward, _) in enumerate(own):
        if forward is not None:
            yield forward, tuple(word for index, (_, texts) in enumerate(own) if index != at for word in texts)


def _options(words: Sequence[str]) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """Each option with its argument, and the destination; in front the argument alone of -L, None for all others."""
    left = iter(words)
    destination = False
    for word in left:
        if not word.startswith("-") or word == "-":
            if destination or not word:
                return
            destination = True
            yield None, (word,)
            continue
        for at, letter in enumerate(word[1:], start=2):
            if letter not in _FLAGS:
                argument, apart = word[at:], not word[at:]
                argument = argument or next(left, "")
                if letter == "L":
                    flags = word[: at - 1]
                    if flags != "-":
                        yield None, (flags,)
                    yield argument, (f"-L{argument}",)
                else:
                    yield None, (word, argument) if apart else (word,)
                break
        else:
            yield None, (word,)
