"""Causes of the ports of a bridge: one that is no port any more, and two that are isolated. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.change.segments import EndIsolation, MakePort
from testbed.change.wording import command, words
from testbed.evidence import Attachment, Container, Link, Namespace, Network
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.links import restarted
from testbed.predict.barrier import IsolatedPorts
from testbed.predict.ending import NoNeighbour
from testbed.predict.routing import link_of


def proposals(ending: NoNeighbour, case: Case) -> Iterator[Proposal]:
    """What of a bridge's ports keeps two containers of a network, or a container and its host, apart."""
    if isinstance(ending.barrier, IsolatedPorts):
        yield _isolated(ending, ending.barrier, case)
    for container in case.evidence.containers:
        for attachment in container.attachments:
            if container.namespace == ending.namespace.key or ending.hop in attachment.addresses:
                yield from _no_port(container, attachment, case)


def _isolated(ending: NoNeighbour, barrier: IsolatedPorts, case: Case) -> Proposal:
    here, bridge = barrier.namespace, barrier.bridge
    ports = (barrier.asker, barrier.port)
    changes = tuple(EndIsolation(here.key, port) for port in ports)
    return Proposal(
        Cause.LINK_DOWN,
        f"{ports[0].name} and {ports[1].name}, the ports of {bridge.name} of {here.label} on the way to {ending.hop}, "
        "are both isolated: the bridge passes nothing from one isolated port to another.",
        tuple(
            Row("link", here.label, f"{port.name} master {bridge.name} isolated on", change)
            for port, change in zip(ports, changes, strict=True)
        ),
        tuple(Remedy(words(change, case.evidence), command(change, case.evidence), (change,)) for change in changes),
        ("Containers and their host reach each other all the same: the bridge itself is no port.",),
    )


def _no_port(container: Container, attachment: Attachment, case: Case) -> Iterator[Proposal]:
    """The host's end of a container's veth pair is a port of no bridge, and the network's bridge is there."""
    inside = case.evidence.namespaces.get(container.namespace or "")
    network = next((n for n in case.networks_of(container) if n.name == attachment.network), None)
    if inside is None or network is None:
        return
    own = {row.link for row in inside.addresses if row.address.ip in attachment.addresses}
    for link in (link for link in inside.links if link.index in own and link.peer is not None):
        outside, end = _far(case, link)
        bridge = _bridge(outside, network)
        if outside is None or end is None or bridge is None or end.master is not None:
            continue
        change = MakePort(outside.key, end, bridge)
        yield Proposal(
            Cause.LINK_DOWN,
            f"{end.name} of {outside.label}, the other end of {link.name} of {container.name}, is no port of "
            f"{bridge.name}, the bridge of the network {network.name}: {container.name} is cut off from it.",
            (Row("link", outside.label, f"{end.name}: no master", change),),
            (
                Remedy(words(change, case.evidence), command(change, case.evidence), (change,)),
                restarted(container),
            ),
        )


def _far(case: Case, link: Link) -> tuple[Namespace | None, Link | None]:
    """The other end of a veth pair, and where it is."""
    outside = case.evidence.namespaces.get(link.peer.namespace or "") if link.peer else None
    return outside, link_of(outside, link.peer.index) if outside is not None and link.peer else None


def _bridge(outside: Namespace | None, network: Network) -> Link | None:
    links = outside.links if outside is not None else ()
    return next((link for link in links if link.name == network.bridge and link.kind == "bridge"), None)
