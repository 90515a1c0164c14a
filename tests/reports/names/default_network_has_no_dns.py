"""Two containers on the default network call each other by name."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start

REPORT: Final = Report(
    reference="podman#14473",
    title="Could not resolve host: nginx, from the container beside it",
    truth="Podman's default network has no DNS (podman-network-create(1), --disable-dns).",
    steps=[Start("nginx"), Start("client"), Listen("nginx", "0.0.0.0", 80)],
    attempt=Attempt("client", "http://nginx:80"),
    seen=Outcome.NAME_NOT_FOUND,
    causes=("dns-disabled",),
    says=("podman", "nginx"),
    cures=(
        Cured(
            says=("podman network create", "podman network connect"),
            by=(Run("podman network create s && podman network connect s nginx && podman network connect s client"),),
        ),
        Cured(says=("10.88.0.2:80",), again=Attempt("client", "http://10.88.0.2:80")),
    ),
    alive=(Attempt("client", "http://10.88.0.2:80"),),
)
