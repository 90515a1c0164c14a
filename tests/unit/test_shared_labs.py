"""Labs that several tests share: one of each scenario, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.errors import HostError
from testbed.host import Host
from testbed.images import ImageStore
from testbed.scenarios import table
from testbed.scenarios.scenario import Reference, Scenario
from testbed.scenarios.scenario_lab import ScenarioLab
from testbed.scenarios.shared_labs import SharedLabs

#: What happened to the labs of a test, in order.
happened: Final[list[str]] = []


class NoLab(ScenarioLab):
    """Starts nothing."""

    def __init__(self, **settings: Any) -> None:
        self.special: Mapping[str, Callable[[], Host]] = settings["special"]
        happened.append("started")

    def close(self) -> None:
        """Note that it ended."""
        happened.append("ended")


class BrokenLab(ScenarioLab):
    """Does not start."""

    def __init__(self, **_: Any) -> None:
        happened.append("tried")
        raise HostError("no host today")


def a_scenario(lab: str, like: str = "switch") -> Scenario:
    """One whose lab is of this module; its topology and its local host are those of a real one."""
    real = table.find(like)
    return replace(real, name="pretend", lab=Reference(__name__, lab))


def shared(tmp_path: Path, *, local: bool = False) -> SharedLabs:
    """No lab yet."""
    happened.clear()
    return SharedLabs(ImageStore(tmp_path), lambda line: None, local=local)


def test_a_lab_is_started_once_and_ended_with_the_others(tmp_path: Path) -> None:
    """Whoever asks for the same scenario gets the same lab."""
    with shared(tmp_path) as labs:
        first = labs.of(a_scenario("NoLab"))
        assert labs.of(a_scenario("NoLab")) is first
        assert happened == ["started"]
    assert happened == ["started", "ended"]


def test_a_lab_that_did_not_start_is_not_tried_again(tmp_path: Path) -> None:
    """Each test that asks for it hears at once why."""
    with shared(tmp_path) as labs:
        for _ in range(2):
            with pytest.raises(HostError, match="no host today"):
                labs.of(a_scenario("BrokenLab"))
    assert happened == ["tried"]


@pytest.mark.parametrize(
    ("like", "local", "hosts"),
    [("portainer", True, {"laptop"}), ("portainer", False, set()), ("switch", True, set())],
    ids=["local", "private", "none that may be"],
)
def test_the_host_that_a_scenario_names_is_this_machine_where_asked(
    tmp_path: Path, like: str, local: bool, hosts: set[str]
) -> None:
    """Every other host is a private one, and so is that one unless it was asked for."""
    with shared(tmp_path, local=local) as labs:
        lab = labs.of(a_scenario("NoLab", like))
        assert isinstance(lab, NoLab)
        assert set(lab.special) == hosts
