"""Showing what takes long: on standard error, so that what a machine reads stays clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from testbed.report.console import clean, make, plain


@contextmanager
def status(first: str) -> Iterator[Callable[[str], None]]:
    """A line that says what is being done: replaced in place on a terminal, a line each otherwise."""
    console = make(stderr=True)
    if console.is_terminal:
        with console.status(clean(first)) as shown:
            yield lambda line: shown.update(plain(line))
    else:
        yield lambda line: console.print(plain(line))


@contextmanager
def later() -> Iterator[Callable[[str], None]]:
    """The same, shown from the first word on; nothing where there is no terminal: its lines would be hundreds."""
    if not make(stderr=True).is_terminal:
        yield lambda line: None
        return
    with ExitStack() as held:
        shown: list[Callable[[str], None]] = []

        def say(line: str) -> None:
            if not shown:
                shown.append(held.enter_context(status(line)))
            shown[0](line)

        yield say
