"""Every change can be applied, and has words and a command."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

import testbed.change
from testbed.change import Change, apply
from testbed.change.names import ForgetName
from testbed.change.wording import command, words


def changes() -> Iterator[type[Change]]:
    """All kinds of change that can be made: those that no other one is made from."""
    for module in pkgutil.walk_packages(testbed.change.__path__, "testbed.change."):
        importlib.import_module(module.name)
    left = [Change]
    while left:
        one = left.pop()
        # A dataclass with slots is a second class, and the first one is nobody's.
        below = [sub for sub in one.__subclasses__() if getattr(sys.modules[sub.__module__], sub.__name__) is sub]
        left += below
        if not below:
            yield one


#: What is only tried, to see what rests on something, and never made.
ONLY_TRIED: Final = {ForgetName}


@pytest.mark.parametrize("question", [apply, words, command], ids=["apply", "words", "command"])
def test_every_change_has_an_answer(question: Any) -> None:
    """A change without one would end an explanation with an error, once a picture makes it a cure."""
    default: Callable[..., object] = question.dispatch(Change)
    made = (one for one in changes() if question is apply or one not in ONLY_TRIED)
    assert [one.__name__ for one in made if question.dispatch(one) is default] == []


def test_every_change_tells_its_effort() -> None:
    """Changes are compared by it, so that one without it could not be chosen."""
    assert [one.__name__ for one in changes() if not hasattr(one, "effort")] == []
