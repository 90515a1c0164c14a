"""Words and commands of changes of programs that do not run at the moment. Pure."""

from __future__ import annotations

from testbed.change.resuming import Continue, Unpause
from testbed.change.wording.places import label, name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence


@words.register
def _(change: Unpause, evidence: Evidence) -> str:
    return f"Let {name(evidence, change.host, change.container)} run again"


@command.register
def _(change: Unpause, evidence: Evidence) -> str:
    return f"podman unpause {name(evidence, change.host, change.container)}"


@words.register
def _(change: Continue, evidence: Evidence) -> str:
    process = change.listener.process
    who = f"{process.name} (pid {process.pid})" if process else "the program"
    return f"Let {who} of {label(evidence, change.namespace)} run again"


@command.register
def _(change: Continue, evidence: Evidence) -> str:  # noqa: ARG001 - its number is the machine's
    process = change.listener.process
    return f"kill -CONT {process.pid}" if process else ""
