"""The sentence for an ending, looked up by its class. Pure.

Each class has its sentence in one of the modules beside this one, where it is registered.
"""

from __future__ import annotations

from functools import singledispatch

from testbed.predict.ending import Ending, PacketEnding


@singledispatch
def sentence(ending: Ending) -> str:
    """Say what decided, without what a program made of it.

    :raises NotImplementedError: no sentence is registered for an ending of that class
    """
    raise NotImplementedError(f"{type(ending).__name__} has no sentence in testbed.predict.wording")


def why(ending: Ending) -> str:
    """Say what decided, as a sentence without its full stop.

    :raises NotImplementedError: no sentence is registered for an ending of that class
    """
    said = sentence(ending)
    if isinstance(ending, PacketEnding) and ending.kept_by:
        return f"{said}; {ending.kept_by} hands on only a reset, so that the container hears nothing"
    return said
