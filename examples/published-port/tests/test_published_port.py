"""Whether a published port answers is decided inside the container."""

from __future__ import annotations

from collections.abc import Callable

from testbed.containers import HostContainer
from testbed.host import PrivateHost
from testbed.model import Outcome
from testbed.probe import Vantage

URL = "http://127.0.0.1:8080/"


def test_an_application_on_its_own_loopback_refuses(
    private_host: PrivateHost, start_hello: Callable[[str], HostContainer]
) -> None:
    """Published or not: behind the port nobody listens on the container's address."""
    hello = start_hello("127.0.0.1")
    assert Vantage.on(private_host).connect(URL).outcome is Outcome.REFUSED
    assert hello.vantage().connect(URL).outcome is Outcome.CONNECTED, "alive, for whoever is in its own room"


def test_an_application_on_every_address_answers(
    private_host: PrivateHost, start_hello: Callable[[str], HostContainer]
) -> None:
    """The cure is in the application's configuration, not in the port's."""
    start_hello("0.0.0.0")
    seen = Vantage.on(private_host).connect(URL)
    assert seen.outcome is Outcome.CONNECTED
    assert seen.answer is not None
    assert seen.answer.server == "hello"
