"""A member of a pod is called by its name from beside it."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start, StartAnew

REPORT: Final = Report(
    reference="",
    title="a pod's member is not found by its name, though it is on the same network",
    truth="On a network it is the pod's infrastructure container that is attached, under the pod's name: Podman's "
    "resolver knows the pod, and not its members.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("client", "", "shared"),
        Run("podman pod create --name stack --network shared --infra-image @IMAGE@ --infra-command 'sleep infinity'"),
        Run("podman run -d --pod stack --name web @IMAGE@ sleep infinity"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("web", "stack"),
    cures=(
        Cured(says=("stack:8000",), again=Attempt("client", "http://stack:8000")),
        Cured(says=("--add-host", "web:10.89.0.3"), by=(StartAnew("client", "--add-host web:10.89.0.3", "shared"),)),
    ),
    alive=(Attempt("web", "http://127.0.0.1:8000"),),
)
