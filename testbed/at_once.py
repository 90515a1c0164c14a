"""Doing several things at once, and knowing that none is still being done, whatever interrupts the one who waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class AtOnce:
    """Threads that call things. Leaving it waits until each call that has begun has ended; no other begins then.

    A pool alone does not promise that: a Ctrl-C in the moment in which it starts a thread leaves that thread running,
    and the pool does not know of it (concurrent.futures.thread, _adjust_thread_count).

    :param width: how many calls at most at one time
    :param name: what the threads' names begin with
    """

    def __init__(self, width: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(width, thread_name_prefix=name)
        self._changed = threading.Condition()
        self._begun = 0
        #: Nothing begins any more.
        self.left = False

    def all(self, call: Callable[[T], U], things: Iterable[T]) -> list[U]:
        """Call for each, several at once; the first error is raised after all have ended: nothing starts unseen.

        :returns: what the calls returned, in the order of the things
        """
        futures = [self._pool.submit(self._called, call, thing) for thing in things]
        errors = [error for future in futures if (error := future.exception())]
        if errors:
            raise errors[0]
        return [future.result() for future in futures]

    def _called(self, call: Callable[[T], U], thing: T) -> U:
        with self._changed:
            if self.left:
                raise InterruptedError("whoever wanted this has left")
            self._begun += 1
        try:
            return call(thing)
        finally:
            with self._changed:
                self._begun -= 1
                self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        with self._changed:
            self.left = True
            self._changed.wait_for(lambda: not self._begun)
        self._pool.shutdown()
