"""Words and commands of a macvlan that a host gets. Pure."""

from __future__ import annotations

from testbed.change.macvlans import AddMacvlan
from testbed.change.wording.places import inside, ip, label
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence


@words.register
def _(change: AddMacvlan, evidence: Evidence) -> str:
    return f"Give {label(evidence, change.namespace)} a macvlan on {change.parent.name} too, and a route by it"


@command.register
def _(change: AddMacvlan, evidence: Evidence) -> str:
    tool = ip(change.destination.version)
    return inside(
        evidence,
        change.namespace,
        f"ip link add {change.name} link {change.parent.name} type macvlan mode bridge",
        f"ip link set {change.name} up",
        f"{tool} route add {change.destination} dev {change.name} src {change.source}",
    )
