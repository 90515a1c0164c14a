"""Changes of the programs that connect rootless containers: what they let through, and by which addresses. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from testbed.change.change import ImpossibleChangeError, apply
from testbed.change.containers import ContainerChange
from testbed.change.edit import container_of, edited, with_link
from testbed.evidence import Evidence, Link, Namespace, PastaNames
from testbed.evidence.programs import SLIRP, is_pasta
from testbed.model import Address


@dataclass(frozen=True, slots=True)
class OpenHostLoopback(ContainerChange):
    """A container is made anew whose slirp4netns reaches the host's loopback (podman-run(1), allow_host_loopback)."""

    effort = 4


@dataclass(frozen=True, slots=True)
class MapGuestAddress(ContainerChange):
    """A container is made anew whose pasta takes an address for the host's own (pasta(1), --map-guest-addr)."""

    effort = 4

    address: Address


@apply.register
def _open(change: OpenHostLoopback, evidence: Evidence) -> Evidence:
    return _with_tap(evidence, change, lambda name: name == SLIRP, lambda tap: replace(tap, host_loopback=True))


@apply.register
def _map(change: MapGuestAddress, evidence: Evidence) -> Evidence:
    def mapped(tap: Link) -> Link:
        return replace(tap, pasta=replace(tap.pasta or PastaNames(), host=change.address))

    return _with_tap(evidence, change, is_pasta, mapped)


def _with_tap(
    evidence: Evidence, change: ContainerChange, is_held: Callable[[str], bool], edit: Callable[[Link], Link]
) -> Evidence:
    """The picture with the interface changed that a program holds for a container."""
    container = container_of(evidence, change.host, change.container)

    def changed(here: Namespace) -> Namespace:
        tap = next((link for link in here.links if link.holder and is_held(link.holder)), None)
        if tap is None:
            raise ImpossibleChangeError(f"{container.name} is on a bridge, or has another network")
        return with_link(here, edit(tap))

    return edited(evidence, container.namespace or "", changed)
