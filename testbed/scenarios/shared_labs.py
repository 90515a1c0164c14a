"""Labs that are shared by whoever asks for them: one of each scenario, which all end together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from testbed.errors import Error
from testbed.host import Host
from testbed.host.local import LocalHost
from testbed.images import ImageStore
from testbed.scenarios.scenario import Scenario
from testbed.scenarios.scenario_lab import ScenarioLab, start


class SharedLabs:
    """Labs of scenarios, started when first asked for.

    :param store: where images are, and are built where they are missing
    :param say: told what takes long, a line at a time
    :param local: whether the host that a scenario names for it (:class:`testbed.scenarios.scenario.Local`) is this
        machine
    """

    def __init__(self, store: ImageStore, say: Callable[[str], None], *, local: bool = False) -> None:
        self.started: dict[str, ScenarioLab] = {}
        """Those that are up, by the scenario's name."""
        self._failed: dict[str, Error] = {}
        self._store = store
        self._say = say
        self._local = local
        self._closing = ExitStack()

    def of(self, scenario: Scenario) -> ScenarioLab:
        """Return the lab of a scenario.

        :raises Error: it did not start, now or when it was first asked for
        """
        name = scenario.name
        if name in self._failed:
            raise self._failed[name]
        if name not in self.started:
            try:
                lab = start(scenario, store=self._store, say=self._say, special=self._special(scenario))
            except Error as exc:
                self._failed[name] = exc
                raise
            self.started[name] = self._closing.enter_context(lab)
        return self.started[name]

    def _special(self, scenario: Scenario) -> dict[str, Callable[[], Host]]:
        if not self._local or scenario.local is None:
            return {}
        name, ports, topology = scenario.local.host, scenario.local.ports, scenario.topology.load()
        return {name: lambda: LocalHost(name, image_store=self._store.storage, topology=topology, ports=ports)}

    def close(self) -> None:
        """End every lab, the last one first."""
        self._closing.close()
        self.started.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
