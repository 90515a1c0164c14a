"""The name of a lab in the background: what can be one, and that it is known before anything is started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from testbed.background import naming, spawn
from testbed.background.holder import hand_over
from testbed.errors import UsageError

#: One that nobody else's test has.
TAKEN = f"taken-{os.getpid()}"


def _up(name: str) -> None:
    spawn.up("switch", name=name, options={}, say=lambda line: None)


def _hand_over(name: str) -> None:
    hand_over({}, {}, scenario="switch", name=name, uid=os.getuid())


starting = pytest.mark.parametrize("start", [_up, _hand_over], ids=["up", "hand over"])


@pytest.fixture(autouse=True)
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is started for a lab fails the test."""

    def started(*words: Any, **options: Any) -> None:
        pytest.fail(f"a process was started: {words}")

    monkeypatch.setattr(subprocess, "Popen", started)


@pytest.fixture
def taken() -> Iterator[None]:
    """Somebody has the name."""
    with naming.listen(os.getuid(), TAKEN):
        yield


@starting
@pytest.mark.parametrize("name", ["", " ", "a/b", "-", "-a", "a b", "x" * 41, "ä", "²", "a\n", "a\0b"])
def test_what_is_no_name_is_refused_before_a_process_is_started(start: Callable[[str], None], name: str) -> None:
    """One line with the name, quoted, and what can be one."""
    with pytest.raises(UsageError) as caught:
        start(name)
    assert str(caught.value) == (
        f"{name!r} is no name for a lab: letters, digits, - and _, at most 40 of them, and no - first"
    )


@starting
def test_a_name_that_is_taken_is_refused_before_a_process_is_started(taken: None, start: Callable[[str], None]) -> None:
    """One line with the name, and the command that ends who has it."""
    with pytest.raises(UsageError) as caught:
        start(TAKEN)
    assert str(caught.value) == f"a lab called {TAKEN!r} is running already: 'testbed down {TAKEN}' ends it"


@pytest.mark.parametrize("name", ["a", "9", "_", "two-machines", "A_b-3", "x" * 40])
def test_a_name_is_free_again_once_it_was_looked_at(name: str) -> None:
    """Whoever asks whether it is free does not keep it."""
    unlike = f"{name[:20]}{os.getpid()}"
    for _ in range(2):
        naming.need_free(os.getuid(), unlike)
