"""A link of the way takes smaller packets than the server sends, and the ICMP that says so is lost."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Run, Start
from truth.faults.stage import NEIGHBOUR, NEIGHBOUR_LAN

REPORT: Final = Report(
    reference="podman#20009",
    title="small requests work and large answers hang: the containers' MTU is 1500, the tunnel's 1400",
    truth="podman0 takes 1400 bytes, and the host's own message about it (RFC 1191) is dropped in OUTPUT.",
    steps=[
        Start("client"),
        Listen(NEIGHBOUR, "0.0.0.0", 8000, "large"),
        Run("ip link set podman0 mtu 1400"),
        Run("iptables -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP"),
    ],
    attempt=Attempt("client", f"http://{NEIGHBOUR_LAN}:8000"),
    seen=Outcome.TIMED_OUT,
    causes=("mtu-too-large",),
    says=("1400",),
    cures=(
        Cured(
            says=("TCPMSS",),
            by=(Run("iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"),),
        ),
        Cured(says=("iptables -D OUTPUT",)),
    ),
    alive=(Attempt("client", f"tcp://{NEIGHBOUR_LAN}:8000"),),
)
