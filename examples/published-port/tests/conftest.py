"""The project's own image, and a container of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from testbed.containers import HostContainer
from testbed.host import PrivateHost, listeners
from testbed.images import Recipe
from testbed.waiting import wait_for

PORT = 8080


@pytest.fixture(scope="session")
def testbed_recipes() -> Mapping[str, Recipe]:
    """What the application's image is made from: its folder, and the image that has Go."""
    return {"hello": Recipe("hello", Path(__file__).parents[1] / "hello", {"GO": "go"})}


@pytest.fixture
def start_hello(private_host: PrivateHost, testbed_image: Callable[[str], str]) -> Callable[[str], HostContainer]:
    """Starts the application on a fresh host, its port published on every address of that host."""

    def start(listen: str) -> HostContainer:
        hello = HostContainer(private_host, testbed_image("hello"), "hello").on("podman")
        hello.publish(PORT, host_address="0.0.0.0", host_port=PORT).with_env("LISTEN", f"{listen}:{PORT}").start()
        wait_for(lambda: any(x.port == PORT for x in listeners(hello.net)), f"hello to listen on {listen}:{PORT}")
        return hello

    return start
