"""Waiting for a thing itself, with a deadline that says what was waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from testbed.errors import DeadlineError

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.02


def wait_for(
    condition: Callable[[], T | None],
    what: str,
    *,
    seconds: float = 10.0,
    state: Callable[[], str] = lambda: "",
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Return the first true value of ``condition``.

    The pause between two looks grows from 1 ms to 20 ms, so that a quick thing is seen quickly and a slow one costs
    little.

    :param what: what is waited for, as the end of the sentence "waited 10 s for ..."
    :param seconds: how long to wait at most
    :param state: says, after the deadline, what was there instead
    :raises DeadlineError: the condition was not met in time
    """
    deadline = clock() + seconds
    length = _FIRST_PAUSE
    while True:
        value = condition()
        if value:
            return value
        if clock() >= deadline:
            seen = state()
            raise DeadlineError(f"waited {seconds:g} s for {what}" + (f"; instead: {seen}" if seen else ""))
        pause(length)
        length = min(length * 1.5, _LONGEST_PAUSE)
