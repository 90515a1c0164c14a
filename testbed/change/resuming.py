"""Changes of programs that do not run at the moment: let run again. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange
from testbed.change.edit import container_of, edited, with_container
from testbed.evidence import Evidence, Listener, Namespace

_PAUSED = "paused"
_RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Unpause(ContainerChange):
    """A paused container runs again (podman-unpause(1))."""

    effort = 1


@dataclass(frozen=True, slots=True)
class Continue(Change):
    """A program that a signal has stopped runs again (signal(7), SIGCONT)."""

    effort = 1

    namespace: str
    """The key of the namespace it listens in."""
    listener: Listener
    """One of its listeners."""


@apply.register
def _unpause(change: Unpause, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    if container.state != _PAUSED:
        raise ImpossibleChangeError(f"{container.name} is not paused")
    return with_container(evidence, replace(container, state=_RUNNING))


@apply.register
def _continue(change: Continue, evidence: Evidence) -> Evidence:
    process = change.listener.process
    if process is None or not process.stopped:
        raise ImpossibleChangeError("it is not stopped")

    def woken(here: Namespace) -> Namespace:
        if change.listener not in here.listeners:
            raise ImpossibleChangeError("it does not listen any more")
        listeners = (
            replace(one, process=replace(one.process, stopped=False))
            if one.process is not None and one.process.pid == process.pid
            else one
            for one in here.listeners
        )
        return replace(here, listeners=tuple(listeners))

    return edited(evidence, change.namespace, woken)
