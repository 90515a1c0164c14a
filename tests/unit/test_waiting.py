"""Waiting with a deadline; time is made up here, and nobody sleeps."""

from __future__ import annotations

import pytest

from testbed.errors import DeadlineError
from testbed.waiting import wait_for


class Time:
    """A clock that only the pauses move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        """The time now."""
        return self.now

    def pause(self, seconds: float) -> None:
        """Note a pause, and let its time go by."""
        self.pauses.append(seconds)
        self.now += seconds


def test_first_true_value_is_returned() -> None:
    """What the condition gave is handed on, however often it was false or empty before."""
    time = Time()
    values = iter([None, "", 0, "here", "later"])
    assert wait_for(lambda: next(values), "it", clock=time.clock, pause=time.pause) == "here"
    assert len(time.pauses) == 3


def test_what_is_there_already_costs_no_pause() -> None:
    """A condition that is true at once is looked at once."""
    time = Time()
    wait_for(lambda: True, "it", clock=time.clock, pause=time.pause)
    assert time.pauses == []


def test_pauses_grow_from_1_ms_to_20_ms() -> None:
    """Each pause is half as long again as the one before, and none is longer than 20 ms."""
    time = Time()
    values = iter([None] * 10 + [1])
    wait_for(lambda: next(values), "it", clock=time.clock, pause=time.pause)
    assert time.pauses[:3] == pytest.approx([0.001, 0.0015, 0.00225])
    assert time.pauses[-2:] == [0.02, 0.02]
    assert time.pauses == sorted(time.pauses)


def test_deadline_names_what_was_waited_for_and_what_was_there_instead() -> None:
    """The message has the seconds, the thing, and the state after the deadline."""
    time = Time()
    with pytest.raises(DeadlineError) as caught:
        wait_for(
            lambda: None,
            "the port to open",
            seconds=0.5,
            state=lambda: f"nothing at {time.now >= 100.5}",
            clock=time.clock,
            pause=time.pause,
        )
    assert str(caught.value) == "waited 0.5 s for the port to open; instead: nothing at True"


def test_deadline_without_a_state_says_no_more_than_it_knows() -> None:
    """Without a state the message ends after the thing; 10 s are waited unless said otherwise."""
    time = Time()
    with pytest.raises(DeadlineError) as caught:
        wait_for(lambda: False, "the end", clock=time.clock, pause=time.pause)
    assert str(caught.value) == "waited 10 s for the end"


def test_deadline_is_kept() -> None:
    """The wait ends within one longest pause after its seconds."""
    time = Time()
    with pytest.raises(DeadlineError):
        wait_for(lambda: None, "it", seconds=1.0, clock=time.clock, pause=time.pause)
    assert 101.0 <= time.now <= 101.02


def test_condition_is_looked_at_once_even_with_no_time() -> None:
    """A thing that is there is found with a budget of 0 s."""
    time = Time()
    assert wait_for(lambda: 7, "it", seconds=0, clock=time.clock, pause=time.pause) == 7


def test_no_time_means_no_pause() -> None:
    """With a budget of 0 s a thing that is not there is an error at once."""
    time = Time()
    with pytest.raises(DeadlineError):
        wait_for(lambda: None, "it", seconds=0, clock=time.clock, pause=time.pause)
    assert time.pauses == []


def test_last_look_is_after_the_last_pause() -> None:
    """What came true during the last pause is still seen: the deadline is looked at after the condition."""
    time = Time()
    assert wait_for(lambda: time.now >= 100.01, "it", seconds=0.01, clock=time.clock, pause=time.pause)


def test_errors_of_the_condition_are_not_hidden() -> None:
    """An exception of the condition ends the wait."""
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: 1 // 0, "it")
