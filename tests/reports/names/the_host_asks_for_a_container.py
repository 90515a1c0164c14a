"""The host asks its own resolver for a container's name, which only Podman's resolver knows."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Run, Start
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="aardvark-dns#82",
    title="the host does not know the names of its containers",
    truth="The name is known to Podman's resolver at 10.89.0.1 only, and the host's resolv.conf names another one.",
    steps=[
        Network("shared", "--subnet 10.89.0.0/24"),
        Start("web", "--ip 10.89.0.20", "shared"),
        Listen("web", "0.0.0.0", 8000),
    ],
    attempt=Attempt(HOST, "http://web:8000"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("name-missing",),
    says=("web", "resolver"),
    never=("podman run --add-host", "--add-host"),
    cures=(
        Cured(says=("10.89.0.20:8000",), again=Attempt(HOST, "http://10.89.0.20:8000")),
        Cured(says=("10.89.0.20 web", "/etc/hosts"), by=(Run("echo '10.89.0.20 web' >> /etc/hosts"),)),
    ),
    alive=(Attempt(HOST, "http://10.89.0.20:8000"),),
)
