"""Running a command to its end: an error, a Ctrl-C or a SIGTERM becomes one line and an exit code, and only here."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import click

from testbed.cli.signals import BY_SIGNAL, NOTHING_LEFT, WORDS, heard_by
from testbed.errors import Error
from testbed.report.console import make, plain, show_what_can_be

#: Seconds until a signal that was not heard comes again: whatever swallowed it is over by then.
_AGAIN: Final = 0.01


class _Asked:
    """Whether a signal asked the command to end. It ends as by a Ctrl-C, in good order.

    Remembered, because what runs at that moment may make another error of the KeyboardInterrupt: a class that is being
    made does (RuntimeError of __set_name__, until Python 3.12), and so may a host whose Podman went away just before.
    """

    def __init__(self) -> None:
        self.by: signal.Signals | None = None
        #: Who is told of what Python cannot pass on, otherwise.
        self.unraisable = sys.unraisablehook

    def __call__(self, number: int, _: object) -> None:
        self.by = signal.Signals(number)
        raise KeyboardInterrupt

    def unheard(self, ignored: sys.UnraisableHookArgs) -> None:
        """Ask again where Python could not pass it on: it was in a finalizer, or in a callback of its import lock."""
        if self.by is None or not isinstance(ignored.exc_value, KeyboardInterrupt):
            self.unraisable(ignored)
            return
        threading.Timer(_AGAIN, signal.pthread_kill, (threading.get_ident(), self.by)).start()


def run(command: click.Command, prog: str) -> NoReturn:
    """Run a command and end the process.

    :param prog: what it is called by, such as ``testbed`` or ``python -m benchmarks``
    """
    name = prog.rsplit(maxsplit=1)[-1]
    show_what_can_be()
    with _listening() as asked:
        try:
            command(standalone_mode=False, prog_name=prog)
        except click.exceptions.Exit as exc:
            sys.exit(exc.exit_code)
        except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - sorted in _failed, and raised again
            if isinstance(exc, (click.Abort, KeyboardInterrupt)) or asked.by:
                number = asked.by or signal.SIGINT
                make(stderr=True).print(plain(f"{name}: {WORDS[number]}; {_left(exc)}"))
                sys.exit(BY_SIGNAL + number)
            sys.exit(_failed(exc, name))
    sys.exit()


def _failed(exc: BaseException, name: str) -> int:
    """Say what went wrong, and return the exit code; what is nobody's fault but ours is raised again."""
    match exc:
        case click.ClickException():
            exc.show()
            return exc.exit_code
        case BrokenPipeError():
            sys.stderr.close()  # whoever read our output has gone; Python would say so once more at exit
            return BY_SIGNAL + signal.SIGPIPE
        case Error():
            make(stderr=True).print(plain(f"{name}: {exc}", "red"))
            return exc.exit_code
    raise exc


@contextmanager
def leaving(words: str) -> Iterator[None]:
    """Meanwhile a signal does leave something: this is what the last line says of it."""
    try:
        yield
    except BaseException as exc:
        exc.add_note(_Left(words))
        raise


class _Left(str):
    """A note of ours: Python adds some too (of __set_name__, from 3.12 on)."""

    __slots__ = ()


def _left(exc: BaseException) -> str:
    """What :func:`leaving` said of it, or of what it was made from."""
    seen: BaseException | None = exc
    while seen is not None:
        for note in getattr(seen, "__notes__", ()):
            if isinstance(note, _Left):
                return note
        seen = seen.__cause__ or seen.__context__
    return NOTHING_LEFT


@contextmanager
def _listening() -> Iterator[_Asked]:
    """Hear both signals meanwhile, wherever they come."""
    asked = _Asked()
    with heard_by(asked):
        sys.unraisablehook = asked.unheard
        try:
            yield asked
        finally:
            sys.unraisablehook = asked.unraisable
