"""The two signals that end a command, and what they do until it is there to hear them itself.

Imports next to nothing: what comes before it is what a signal can still end in a traceback.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: What a shell adds to the number of the signal that ended a command.
BY_SIGNAL = 128
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
#: What a command that was ended leaves, unless it says otherwise.
NOTHING_LEFT = "nothing is left behind"


@contextmanager
def heard_by(handler: Callable[[int, object], object]) -> Iterator[None]:
    """Give both signals to a handler meanwhile; one that the caller has us ignore, as nohup(1) does, stays ignored."""
    heard = [number for number in WORDS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def end_at_once(number: int, _: object) -> None:
    """End the process, which has started nothing yet, by a line and its code: an import may swallow an exception."""
    line = f"testbed: {WORDS[signal.Signals(number)]}; {NOTHING_LEFT}\n"
    os.write(2, line.encode())
    os._exit(BY_SIGNAL + number)
