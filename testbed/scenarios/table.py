"""The scenarios by name: each package of this folder is one, and its ``SCENARIO`` says what it is.

A package is imported when it is asked for, and is light itself: labs and stories are loaded when they are needed.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from testbed import scenarios
from testbed.errors import UsageError
from testbed.scenarios.scenario import Scenario

NAMES: Final = tuple(sorted(module.name for module in iter_modules(scenarios.__path__) if module.ispkg))


def find(name: str) -> Scenario:
    """Return the scenario of a name, without loading another one.

    :raises UsageError: none is called so
    """
    if name not in NAMES:
        raise UsageError(f"no scenario is called {name!r}: there are {', '.join(NAMES)}")
    found = import_module(f"{scenarios.__name__}.{name}").SCENARIO
    assert isinstance(found, Scenario)
    return found


def every() -> tuple[Scenario, ...]:
    """Return all scenarios, in the order of their names."""
    return tuple(map(find, NAMES))
