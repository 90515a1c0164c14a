"""Words and commands of changes of containers as they are, for podman(1). Pure."""

from __future__ import annotations

from testbed.change.containers import ReloadNetworks, Restart, RestartAll, Start, Stop
from testbed.change.podman.attaching import BRIDGE
from testbed.change.podman.lifecycle import is_up
from testbed.change.wording.places import name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence


@words.register
def _(change: Start, evidence: Evidence) -> str:
    return f"Start {name(evidence, change.host, change.container)}"


@command.register
def _(change: Start, evidence: Evidence) -> str:
    return f"podman start {name(evidence, change.host, change.container)}"


@words.register
def _(change: Restart, evidence: Evidence) -> str:
    return f"Restart {name(evidence, change.host, change.container)}"


@command.register
def _(change: Restart, evidence: Evidence) -> str:
    return f"podman restart {name(evidence, change.host, change.container)}"


@words.register
def _(change: Stop, evidence: Evidence) -> str:
    return f"Stop {name(evidence, change.host, change.container)}"


@command.register
def _(change: Stop, evidence: Evidence) -> str:
    return f"podman stop {name(evidence, change.host, change.container)}"


@words.register
def _(change: RestartAll, evidence: Evidence) -> str:  # noqa: ARG001 - the network is enough
    return f"Stop all containers of the network {change.network}, and start them again: its bridge is made anew then"


@command.register
def _(change: RestartAll, evidence: Evidence) -> str:
    names = " ".join(running_on(evidence, change.host, change.network))
    return f"podman stop {names} && podman start {names}"


@words.register
def _(change: ReloadNetworks, evidence: Evidence) -> str:  # noqa: ARG001 - it is one for all
    return "Let Podman set up the networks of all running containers anew"


@command.register
def _(change: ReloadNetworks, evidence: Evidence) -> str:  # noqa: ARG001
    return "podman network reload --all"


def running_on(evidence: Evidence, host: str, network: str) -> tuple[str, ...]:
    """The names of the containers that run on a network."""
    return tuple(
        one.name
        for one in evidence.containers
        if one.host == host
        and one.mode == BRIDGE
        and is_up(one)
        and any(place.network == network for place in one.attachments)
    )
