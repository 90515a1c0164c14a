"""Several calls at once, none of them unseen."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from testbed.at_once import AtOnce
from testbed.waiting import wait_for

SECONDS = 10.0


def test_results_come_in_the_order_of_the_things() -> None:
    """The first thing's call ends last here, and its result is the first all the same."""
    second_ended = threading.Event()

    def call(thing: int) -> int:
        if thing == 1:
            assert second_ended.wait(SECONDS)
        else:
            second_ended.set()
        return thing * 10

    with AtOnce(2, "test") as at_once:
        assert at_once.all(call, [1, 2]) == [10, 20]


def test_an_error_is_raised_after_all_have_ended() -> None:
    """The call beside the one that fails is waited for."""
    failed = threading.Event()
    ended: list[str] = []

    def call(thing: str) -> None:
        if thing == "bad":
            failed.set()
            raise ValueError(thing)
        assert failed.wait(SECONDS)
        ended.append(thing)

    with AtOnce(2, "test") as at_once:
        with pytest.raises(ValueError, match="bad"):
            at_once.all(call, ["bad", "good"])
        assert ended == ["good"]


def test_no_call_begins_once_it_is_left() -> None:
    """Whoever leaves while one call runs and another waits in the queue has the first ended, and never the second."""
    begun = threading.Event()
    ended: list[int] = []

    def call(thing: int) -> None:
        begun.set()
        wait_for(lambda: at_once.left, "the one who waits to leave")
        ended.append(thing)

    def things() -> Iterator[int]:
        yield from (1, 2)
        assert begun.wait(SECONDS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), AtOnce(1, "test") as at_once:
        at_once.all(call, things())
    assert ended == [1]


def test_a_thread_that_the_pool_lost_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Ctrl-C in the moment in which a thread is started leaves it out of the pool's books; its call ends first."""
    ended: list[int] = []
    begun = threading.Event()
    go = threading.Event()

    def call(thing: int) -> None:
        begun.set()
        assert go.wait(SECONDS)
        ended.append(thing)

    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        assert begun.wait(SECONDS)
        monkeypatch.undo()
        threading.Timer(0.05, go.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt), AtOnce(1, "test") as at_once:
        at_once.all(call, [1])
    assert ended == [1]
