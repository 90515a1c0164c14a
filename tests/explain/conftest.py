"""Fixtures of the tests about explaining."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from testbed.images import ImageStore
from truth.faults.stage import Stage


@pytest.fixture
def stage(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[Stage]:
    """A fresh host with Podman and a neighbour on its LAN."""
    with Stage(image=testbed_image("base"), image_store=testbed_image_store.storage) as stage:
        yield stage
