"""A rootless container is to publish port 80."""

from __future__ import annotations

from typing import Final

from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, StartRootless
from truth.faults.stage import HOST

REPORT: Final = Report(
    reference="docker-dmarc-report#66",
    title="rootlessport cannot expose privileged port 80",
    truth="An ordinary user may not bind below net.ipv4.ip_unprivileged_port_start.",
    steps=[StartRootless("other")],
    attempt=Attempt(HOST, "http://127.0.0.1:8080"),
    pasted="Error: rootlessport cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' "
    "to /etc/sysctl.conf (currently 1024), or choose a larger port number (>= 1024): listen tcp 0.0.0.0:80: bind: "
    "permission denied",
    seen=None,
    causes=("privileged-port",),
    says=("80", "1024"),
    cures=(
        Cured(says=("-p ",), by=(StartRootless("web", "-p 8080:80"), Listen("web", "0.0.0.0", 80))),
        Cured(
            says=("sysctl", "ip_unprivileged_port_start"),
            by=(
                Run("sysctl -qw net.ipv4.ip_unprivileged_port_start=80"),
                StartRootless("web", "-p 80:80 -p 8080:80"),
                Listen("web", "0.0.0.0", 80),
            ),
        ),
    ),
)
