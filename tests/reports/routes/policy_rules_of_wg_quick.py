"""The host has the policy rules of wg-quick, and a container is refused by a listener of the host's loopback."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, ListenOn, Run, Start
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR, NEIGHBOUR_LAN

#: wg-quick(8), wireguard-tools src/wg-quick/linux.bash, add_default(); the tunnel's interface is a TUN device here.
WG_QUICK: Final = (
    Run(f"ip route add default via {NEIGHBOUR_LAN}"),
    Run("ip tuntap add wg0 mode tun && ip address add 10.13.0.2/32 dev wg0 && ip link set wg0 up"),
    Run("ip rule add not fwmark 51820 table 51820 && ip rule add table main suppress_prefixlength 0"),
    Run("ip route add 0.0.0.0/0 dev wg0 table 51820 && sysctl -qw net.ipv4.conf.all.src_valid_mark=1"),
)

REPORT: Final = Report(
    reference="",
    title="with a wg-quick tunnel up, a container's connection to a listener of the host cannot be explained",
    truth="The listener is on the host's loopback; the tunnel's policy rules lead to it as the main table would.",
    steps=[Start("client"), *WG_QUICK, Listen(HOST, "127.0.0.1", 8000)],
    attempt=Attempt("client", "http://host.containers.internal:8000"),
    seen=Outcome.REFUSED,
    causes=("loopback-only",),
    says=("127.0.0.1:8000",),
    never=("not modelled",),
    cures=(Cured(says=(GATEWAY, "8000"), by=(ListenOn(HOST, 8000, GATEWAY),)),),
    alive=(Attempt(HOST, "http://127.0.0.1:8000"),),
    closed=(Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8000"),),
)
