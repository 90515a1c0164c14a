"""A container is called by its --hostname, which is no name for other containers."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start, StartAnew

REPORT: Final = Report(
    reference="podman#16184",
    title="containers cannot be resolved by their hostname by other containers",
    truth="aardvark-dns knows a container's name, its short id and its aliases, and not what --hostname gave it.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("my.first.container", "--hostname first", "shared"),
        Start("client", "", "shared"),
        Listen("my.first.container", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://first:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("first",),
    cures=(
        Cured(says=("my.first.container:8000",), again=Attempt("client", "http://my.first.container:8000")),
        Cured(
            says=("--add-host", "first:10.89.0.2"), by=(StartAnew("client", "--add-host first:10.89.0.2", "shared"),)
        ),
        Cured(
            says=("--network-alias", "first"),
            by=(StartAnew("my.first.container", "--network-alias first", "shared", 8000),),
        ),
    ),
    alive=(Attempt("client", "http://my.first.container:8000"),),
)
