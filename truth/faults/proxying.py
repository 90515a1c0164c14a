"""Faults of proxy variables: the request goes elsewhere, or it is meant to."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.explain.codes import Cause
from truth.faults.fault import Broken, fault
from truth.faults.stage import HOST, NEIGHBOUR_LAN, PORT, Stage

_NAME = f"http://host.containers.internal:{PORT}/"


def _with_proxy(stage: Stage, *variables: str) -> Broken:
    """A container with proxy variables; the cure is a new one with an exception."""
    given = [word for variable in variables for word in ("--env", variable)]
    stage.container("client", *given)
    stage.listen(HOST)
    excepted = "no_proxy=host.containers.internal"
    return Broken(
        "client",
        _NAME,
        cure=lambda: stage.container("cured", *given, "--env", excepted),
        cured_place="cured",
    )


@fault(Cause.PROXY)
def a_proxy_where_nobody_listens(stage: Stage) -> Iterator[Broken]:
    """The listener is fine, and the container's clients go to a proxy that is not there."""
    yield _with_proxy(stage, f"http_proxy=http://{NEIGHBOUR_LAN}:3128")


@fault(Cause.PROXY)
def a_proxy_of_the_hosts_loopback(stage: Stage) -> Iterator[Broken]:
    """The host's own variable, copied: in the container 127.0.0.1 is another place."""
    stage.listen(HOST, "127.0.0.1", 3128)
    yield _with_proxy(stage, "HTTP_PROXY=http://127.0.0.1:3128", "no_proxy=localhost,.example,10.200.0.0/16")
