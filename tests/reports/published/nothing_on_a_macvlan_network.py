"""Ports are published of a container on a macvlan network, which has an address of its own on the LAN."""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome
from tests.reports.report import Attempt, Cured, Report
from tests.reports.steps import Listen, Network, Start
from truth.faults.stage import HOST_LAN, NEIGHBOUR

REPORT: Final = Report(
    reference="podman#17927",
    title="with macvlan --publish 443:5601 is ignored",
    truth="netavark publishes nothing for macvlan: the container is 203.0.113.15 on the LAN, with its own ports.",
    steps=[
        Network("lan", "-d macvlan -o parent=lan0 --subnet 203.0.113.0/27 --gateway 203.0.113.20"),
        Start("kibana", "-p 8443:5601 --ip 203.0.113.15", "lan"),
        Listen("kibana", "0.0.0.0", 5601),
    ],
    attempt=Attempt(NEIGHBOUR, f"http://{HOST_LAN}:8443"),
    seen=Outcome.TIMED_OUT,
    causes=("not-published",),
    says=("macvlan", "kibana"),
    never=("podman network reload", "rules-lost"),
    cures=(Cured(says=("203.0.113.15:5601",), again=Attempt(NEIGHBOUR, "http://203.0.113.15:5601")),),
    alive=(Attempt(NEIGHBOUR, "http://203.0.113.15:5601"),),
)
