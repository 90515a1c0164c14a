"""Fixtures that several files of this folder use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.leftovers import Stage
from tests.rootless import rootless_laptop, rootless_user

__all__ = ["rootless_laptop", "rootless_user"]


@pytest.fixture
def stage(testbed_session: None, tmp_path: Path) -> Iterator[Stage]:
    """A machine of its own to run commands on, and to count what they leave."""
    with Stage(tmp_path) as stage:
        yield stage
