"""Words and commands of a network that is made. Pure."""

from __future__ import annotations

from testbed.change.new_networks import CreateNetwork
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence


@words.register
def _(change: CreateNetwork, evidence: Evidence) -> str:  # noqa: ARG001 - its name is enough
    return f"Make a network {change.name}"


@command.register
def _(change: CreateNetwork, evidence: Evidence) -> str:  # noqa: ARG001 - its name is enough
    return f"podman network create {change.name}"
