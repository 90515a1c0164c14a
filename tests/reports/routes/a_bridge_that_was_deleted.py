"""Somebody deleted the bridge of a network whose containers run."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start

REPORT: Final = Report(
    reference="",
    title="after 'ip link del podman1' no container of the network reaches another one, nor Podman's resolver",
    truth="The network exists for Podman, its bridge on the host is gone, and the containers' interfaces have no other "
    "end on it. Podman makes it anew with the first container that starts, and connects only those that start.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "--stop-timeout 0", "shared"),
        Start("client", "--stop-timeout 0", "shared"),
        Listen("web", "0.0.0.0", 8000),
        Run("ip link del podman1"),
    ],
    attempt=Attempt("client", "http://web:8000"),
    seen=Outcome.RESOLVER_FAILED,
    causes=("bridge-gone",),
    says=("podman1", "shared"),
    never=("Start a resolver", "Give the container a resolver", "--dns"),
    cures=(
        Cured(
            says=("podman", "start", "web", "client"),
            by=(Run("podman restart --time 0 client web"), Listen("web", "0.0.0.0", 8000)),
        ),
    ),
)
