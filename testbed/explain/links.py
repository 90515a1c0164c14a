"""The cause of an interface that is down. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.change.containers import Restart
from testbed.change.segments import SetUp
from testbed.evidence import Container, Link, Namespace
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.model import Address
from testbed.predict.routing import link_of


def own_link_down(case: Case, here: Namespace, to: Address) -> Iterator[Proposal]:
    """An interface of a namespace that is down, and with it its routes, among them the one to an address."""
    # A container has no other way: a missing default route is its doing too.
    alone = not case.is_host(here.key) and not any(link.up for link in here.links if link.name != "lo")
    for row in here.addresses:
        link = link_of(here, row.link)
        if link is None or link.up or link.name == "lo" or row.address.version != to.version:
            continue
        if to in row.address.network or alone:
            yield _link_down(case, here, link, to)
            return


def down_between(case: Case, here: Namespace, link: Link, to: Address) -> Iterator[Proposal]:
    """Interfaces that are down between an asker's own and whoever has the address."""
    seen: set[tuple[str, int]] = set()
    for namespace, down in _candidates(case, here, link, to):
        if not down.up and (namespace.key, down.index) not in seen:
            seen.add((namespace.key, down.index))
            yield _link_down(case, namespace, down, to)


def _candidates(case: Case, here: Namespace, link: Link, to: Address) -> Iterator[tuple[Namespace, Link]]:
    yield here, link
    yield from _beyond(case, here, link)
    for namespace in case.evidence.namespaces.values():
        for row in namespace.addresses:
            own = link_of(namespace, row.link) if row.address.ip == to else None
            if own is not None:
                yield namespace, own
                yield from _beyond(case, namespace, own)


def _beyond(case: Case, here: Namespace, link: Link) -> Iterator[tuple[Namespace, Link]]:
    """The other end of a veth pair, and the bridges that either end is a port of."""
    there = case.evidence.namespaces.get(link.peer.namespace or "") if link.peer else None
    end = link_of(there, link.peer.index) if there and link.peer else None
    ends = [(here, link), *([(there, end)] if there and end else [])]
    for namespace, one in ends:
        yield namespace, one
        bridge = link_of(namespace, one.master)
        if bridge is not None:
            yield namespace, bridge


def restarted(container: Container) -> Remedy:
    """Starting a container anew, and with it what Podman sets up for it."""
    return Remedy(
        "Restart the container, which makes its interfaces and routes anew",
        changes=(Restart(container.host, container.id),),
    )


def _link_down(case: Case, namespace: Namespace, down: Link, to: Address) -> Proposal:
    container = next((c for c in case.containers_in(namespace.key) if not case.is_host(namespace.key)), None)
    up = SetUp(namespace.key, down)
    remedies = [Remedy(f"Set it up again (run on {case.machine(namespace)})", changes=(up,))]
    if container is not None:
        remedies.append(restarted(container))
    return Proposal(
        Cause.LINK_DOWN,
        f"The interface {down.name} of {namespace.label}, on the way to {to}, is down: nothing passes it.",
        (Row("link", namespace.label, f"{down.name} DOWN", up),),
        tuple(remedies),
        ("An interface that is down shows at its other end as NO-CARRIER, and the routes by it are gone.",),
    )
