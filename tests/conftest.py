"""How the tests are shared out among the workers of pytest-xdist: how many there are, and what stays together."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_HERE: Final = Path(__file__).parent

#: Workers for each processor. A test waits more than it computes (for processes to start and end, for a timeout of
#: TCP, for ARP); beyond this many, what a worker costs to start (it collects the whole suite) outweighs the rest.
_PER_PROCESSOR: Final = 3
#: With more, a run is no shorter than the longest file that stays together.
_MOST: Final = 16
#: The folders in the order in which their tests are given out: those first whose tests take longest, and last those
#: that take next to nothing, so that all workers end together.
_FOLDERS: Final = ("", "host", "scenarios", "explain", "reports", "unit")
#: What the text of a file has whose tests share something: a fixture that outlives a test, of its own or one that
#: several files use. The text, because it is the controller that shares out, and only workers import tests.
_SHARES: Final = re.compile(r'scope="(?:class|module|package|session)"|\b(?:portainer_lab|toaster_lab)\b')
#: The files whose tests look at this machine itself, or put a lab on it: there is one of it, so one worker has them.
_OF_THE_MACHINE: Final = ("host/test_exec.py", "host/test_local_host.py")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Give ``-n auto`` its number: by the processors, but no more workers than files that were named.

    It is 0, which is this process alone, for a single file, for a debugger, and where the machine itself is the laptop:
    there is one of it.
    """
    if config.option.trace or config.option.testbed_host == "local":
        return 0
    workers = min(_PER_PROCESSOR * len(os.sched_getaffinity(0)), _MOST)
    named = {Path(arg.partition("::")[0]) for arg in config.args}
    if not all(path.is_file() for path in named):
        return workers
    return min(len(named), workers) if len(named) > 1 else 0


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Keep together what shares something, unless another ``--dist`` was asked for."""
    if config.option.dist != "load":
        return None
    config.option.loadscopereorder = False  # the order is that of the collection, made below
    return _Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, put those tests first that take longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.path))


class _Sharing(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist ships no types
    """Gives a file's tests to one worker if they share something, else each to whichever worker is free."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.endswith(_OF_THE_MACHINE):
            return "this machine"
        return file if shares(self.config.rootpath / file) else nodeid


@cache
def shares(path: Path) -> bool:
    """Whether a file's tests would cost more in another worker than where the rest of them are.

    They share a fixture, or they are without hosts: such a file takes less time than giving its tests out would.
    """
    return _folder(path) == "unit" or _SHARES.search(path.read_text(encoding="utf-8")) is not None


def _folder(path: Path) -> str:
    parts = path.relative_to(_HERE).parts
    return parts[0] if len(parts) > 1 else ""


def _rank(path: Path) -> int:
    return _FOLDERS.index(_folder(path))
