"""A scenario as a value, and the options that one declares. Importing this loads nothing that makes hosts.

Each package beside this module is a scenario, and its ``SCENARIO`` is the value: :mod:`testbed.scenarios.table` finds
them. docs/adding/scenario.md says how one is added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, Generic, TypeVar, cast

from testbed.errors import UsageError
from testbed.results import Event
from testbed.topology import Topology

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reference(Generic[T]):
    """An object of a module, which is imported when the object is asked for."""

    module: str
    """Its full name, such as ``testbed.scenarios.switch.lab``."""
    name: str
    """The object's name there."""

    def load(self) -> T:
        """Import the module, and return the object."""
        return cast("T", getattr(import_module(self.module), self.name))


@dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """An option of a scenario, which the commands ``run`` and ``up`` offer as ``--name``.

    ``parse`` and ``text`` are each other's inverse: between processes, and in JSON, a value is its text.
    """

    name: str
    """Without the dashes; lower-case letters and ``-``."""
    metavar: str
    """Placeholder of its value in the help, such as ``ADDR``."""
    help: str
    """A sentence or two of the help, without the default."""
    parse: Callable[[str], T]
    """Reads a value; raises UsageError where it is none."""
    text: Callable[[T], str]
    """Writes a value."""
    default: T
    """The value for a lab that stays up; a story that is told without the option may try several."""


@dataclass(frozen=True, slots=True)
class Options:
    """The values that were given for a scenario's options, by the options' names."""

    given: Mapping[str, object] = field(default_factory=dict)

    def get(self, option: Option[T]) -> T | None:
        """Return the value of an option, None where it was not given."""
        return cast("T | None", self.given.get(option.name))


@dataclass(frozen=True, slots=True)
class Local:
    """The host of a scenario that may be this machine with its own Podman (``pytest --testbed-host=local``)."""

    host: str
    """Its name in the topology."""
    ports: tuple[int, ...] = ()
    """TCP ports on which the scenario's own processes listen there."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario: what it is called, what its lab is made of, and the story that is told on it."""

    name: str
    """The name of its package, and of it on the command line."""
    summary: str
    """Its subject, in a few words that follow its name in the help."""
    topology: Reference[Topology]
    """The hosts, cables, networks and containers of its lab."""
    story: Reference[Callable[..., Iterator[Event]]]
    """Yields what is seen, as it is seen. It is called with the lab and, where there are options, an Options."""
    lab: Reference[Callable[..., object]] | None = None
    """The class of its lab, a ScenarioLab, where that does more than start the topology."""
    options: tuple[Option[Any], ...] = ()
    """The options that it has on the command line."""
    local: Local | None = None
    """The host that may be this machine, if any."""
    fixtures: str = ""
    """A module of pytest fixtures of its own, which the pytest plugin loads; mostly none."""

    def read(self, given: Mapping[str, str]) -> Options:
        """Read options, by name and text.

        :raises UsageError: it has no such option, or the text is no value of it
        """
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known:
                has = f"its options are --{', --'.join(known)}" if known else "it has none"
                raise UsageError(f"the scenario {self.name} has no option --{name}: leave it out ({has})")
        return Options({name: known[name].parse(text) for name, text in given.items()})

    def with_defaults(self, options: Options) -> Options:
        """Add the default of each option that was not given, as a lab that stays up has them."""
        return Options({option.name: option.default for option in self.options} | dict(options.given))

    def written(self, options: Options) -> dict[str, str]:
        """Write options as :meth:`read` reads them."""
        return {
            option.name: option.text(options.given[option.name])
            for option in self.options
            if option.name in options.given
        }


#: No option was given.
NO_OPTIONS: Final = Options()
