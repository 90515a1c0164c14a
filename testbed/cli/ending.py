"""Running a command to its end: an error, a Ctrl-C or a SIGTERM becomes one line and an exit code, and only here."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import click

from testbed.errors import Error
from testbed.report.console import make, plain

#: What a shell adds to the number of the signal that ended a command.
_BY_SIGNAL: Final = 128
#: Seconds until a signal that was not heard comes again: whatever swallowed it is over by then.
_AGAIN: Final = 0.01
_WORDS: Final = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class _Asked:
    """Whether a signal asked the command to end. It ends as by a Ctrl-C, in good order.

    Remembered, because what runs at that moment may make another error of the KeyboardInterrupt: a class that is being
    made does (RuntimeError of __set_name__, until Python 3.12), and so may a host whose Podman went away just before.
    """

    def __init__(self) -> None:
        self.by: signal.Signals | None = None
        self._unraisable = sys.unraisablehook

    def __call__(self, number: int, _: object) -> None:
        self.by = signal.Signals(number)
        raise KeyboardInterrupt

    def unheard(self, ignored: sys.UnraisableHookArgs) -> None:
        """Ask again where Python could not pass it on: it was in a finalizer, or in a callback of its import lock."""
        if self.by is None or not isinstance(ignored.exc_value, KeyboardInterrupt):
            self._unraisable(ignored)
            return
        threading.Timer(_AGAIN, signal.pthread_kill, (threading.get_ident(), self.by)).start()


def run(command: click.Command, prog: str) -> NoReturn:
    """Run a command and end the process.

    :param prog: what it is called by, such as ``testbed`` or ``python -m benchmarks``
    """
    name = prog.rsplit(maxsplit=1)[-1]
    with _listening() as asked:
        try:
            command(standalone_mode=False, prog_name=prog)
        except click.exceptions.Exit as exc:
            sys.exit(exc.exit_code)
        except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - sorted in _failed, and raised again
            if isinstance(exc, (click.Abort, KeyboardInterrupt)) or asked.by:
                number = asked.by or signal.SIGINT
                make(stderr=True).print(plain(f"{name}: {_WORDS[number]}; nothing is left behind"))
                sys.exit(_BY_SIGNAL + number)
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
            return _BY_SIGNAL + signal.SIGPIPE
        case Error():
            make(stderr=True).print(plain(f"{name}: {exc}", "red"))
            return exc.exit_code
    raise exc


@contextmanager
def _listening() -> Iterator[_Asked]:
    """Hear both signals meanwhile; one that the caller has us ignore, as nohup(1) does, stays ignored."""
    asked = _Asked()
    heard = [number for number in _WORDS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, asked) for number in heard}
    unraisable, sys.unraisablehook = sys.unraisablehook, asked.unheard
    try:
        yield asked
    finally:
        sys.unraisablehook = unraisable
        for number, handler in before.items():
            signal.signal(number, handler)
