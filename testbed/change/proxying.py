"""Changes of the proxy variables that a container's clients go by. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.change.change import ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange, anew
from testbed.change.edit import container_of
from testbed.evidence import Evidence

_EXCEPTIONS = "no_proxy"


@dataclass(frozen=True, slots=True)
class ExceptFromProxy(ContainerChange):
    """A container is made anew with a name that its clients ask no proxy for (``no_proxy``)."""

    effort = 4

    name: str
    """A host's name, or an address."""


@dataclass(frozen=True, slots=True)
class DropProxy(ContainerChange):
    """A container is made anew without the host's proxy variables (podman-run(1), --http-proxy=false)."""

    effort = 4


@apply.register
def _except(change: ExceptFromProxy, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    known = container.proxies.get(_EXCEPTIONS, "")
    if change.name in known.split(","):
        raise ImpossibleChangeError(f"{container.name} has {change.name} in {_EXCEPTIONS} already")
    listed = f"{known},{change.name}" if known else change.name
    return anew(evidence, replace(container, proxies={**container.proxies, _EXCEPTIONS: listed}))


@apply.register
def _drop(change: DropProxy, evidence: Evidence) -> Evidence:
    container = container_of(evidence, change.host, change.container)
    if not any(name != _EXCEPTIONS for name in container.proxies):
        raise ImpossibleChangeError(f"{container.name} has no proxy variables")
    return anew(evidence, replace(container, proxies={}))
