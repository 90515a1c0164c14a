"""How a command ends: one line, an exit code, and its signal heard."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator

import click
import pytest

from testbed.cli.ending import leaving, run
from testbed.errors import UsageError
from testbed.waiting import wait_for


def ended(act: Callable[[], object]) -> object:
    """What the process of a command that does this ends with."""

    @click.command()
    def command() -> None:
        act()

    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    hook = sys.unraisablehook
    words, sys.argv = sys.argv, ["thing"]
    try:
        with pytest.raises(SystemExit) as caught:
            run(command, "python -m thing")
    finally:
        sys.argv = words
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert sys.unraisablehook is hook
    return caught.value.code


@pytest.fixture(autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A suite that a shell has started in the background ignores them (bash(1), SIGNALS), and so would its commands."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def wait_for_ever() -> None:
    """Longer than any signal takes."""
    wait_for(lambda: False, "a signal", seconds=20)


@pytest.mark.parametrize(
    ("number", "word", "code"), [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)]
)
def test_a_signal_ends_it_with_a_line_and_its_code(
    capsys: pytest.CaptureFixture[str], number: signal.Signals, word: str, code: int
) -> None:
    """128 and the signal's number, as a shell has it."""

    def act() -> None:
        os.kill(os.getpid(), number)
        wait_for_ever()

    assert ended(act) == code
    assert capsys.readouterr().err.strip() == f"thing: {word}; nothing is left behind"


def test_a_signal_is_heard_when_something_makes_another_error_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Python 3.11 makes a RuntimeError of a KeyboardInterrupt in __set_name__."""

    def act() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as exc:
            raise RuntimeError("Error calling __set_name__") from exc

    assert ended(act) == 143
    assert capsys.readouterr().err == "thing: terminated; nothing is left behind\n"


def test_a_signal_is_heard_when_it_comes_in_a_finalizer(capsys: pytest.CaptureFixture[str]) -> None:
    """Python drops what is raised in a __del__; the signal is asked for again, and nothing of that is printed."""

    class Late:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def act() -> None:
        Late()
        wait_for_ever()

    assert ended(act) == 143
    assert capsys.readouterr().err.strip() == "thing: terminated; nothing is left behind"


def test_what_a_signal_leaves_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a command said that something stays, the line says that, and the innermost is the one that knows."""

    def act() -> None:
        with leaving("all of it stays"), leaving("half of it stays"):
            signal.raise_signal(signal.SIGINT)

    assert ended(act) == 130
    assert capsys.readouterr().err.strip() == "thing: interrupted; half of it stays"


def test_what_a_signal_leaves_is_said_when_something_makes_another_error_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The words go along with what the signal raised, whatever that became; Python's own notes are no words of ours."""

    def act() -> None:
        try:
            with leaving("half of it stays"):
                signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as exc:
            error = RuntimeError("Error calling __set_name__")
            error.add_note("a note of Python's")
            raise error from exc

    assert ended(act) == 143
    assert capsys.readouterr().err == "thing: terminated; half of it stays\n"


def test_what_was_finished_is_not_left(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal that comes afterwards leaves nothing behind."""

    def act() -> None:
        with leaving("half of it stays"):
            pass
        signal.raise_signal(signal.SIGINT)

    assert ended(act) == 130
    assert capsys.readouterr().err.strip() == "thing: interrupted; nothing is left behind"


def test_an_ignored_signal_stays_ignored() -> None:
    """As nohup(1) and a shell's background commands have it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert ended(lambda: signal.raise_signal(signal.SIGINT)) is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_of_ours_is_one_line_with_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """The message, who says it, and what the error's class ends a process with."""

    def act() -> None:
        raise UsageError("no such thing")

    assert ended(act) == UsageError.exit_code
    assert capsys.readouterr().err == "thing: no such thing\n"
