"""From a place of a picture to a vantage: its namespace, opened, and the files that name things there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.errors import HostError
from testbed.evidence import Evidence, HostFacts, Place
from testbed.names import Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe import Vantage
from testbed.readers.take import Source

#: The kernel needs three seconds to say that nobody has an address (ip-sysctl, mcast_solicit); an answer comes sooner.
PATIENCE: Final = 4.0


@contextmanager
def vantage(sources: Sequence[Source], place: Place) -> Iterator[Vantage]:
    """A place to try from.

    :raises HostError: its host or its namespace is gone, or not ours to enter
    """
    source = source_of(sources, place.host)
    with NetworkNamespace(_file(source, place), place.name) as net:
        yield vantage_in(source, place, net)


def vantage_in(source: Source, place: Place, net: NetworkNamespace) -> Vantage:
    """The same in a namespace that is open already."""
    return Vantage(place.name, net, Naming(place.names), _by_hand(source, place))


def source_of(sources: Sequence[Source], host: HostFacts) -> Source:
    """The source of a host that the picture was taken of.

    :raises HostError: none of them is that host any more
    """
    found = next((source for source in sources if source.key == host.key), None)
    if found is None:
        raise HostError(f"the host {host.name!r} is gone")
    return found


def is_private(source: Source) -> bool:
    """Whether a host was made by a testbed, so that it may be changed for a moment; else it is somebody's machine."""
    return source.root != Path("/")


def files(sources: Sequence[Source], evidence: Evidence) -> Mapping[str, tuple[Source, Path]]:
    """The file of each namespace of a picture, by its key, and whose source it is read through.

    :raises HostError: one of the hosts is gone
    """
    reached = {host.key: source_of(sources, host) for host in evidence.hosts}
    found: dict[str, tuple[Source, Path]] = {}
    for host in evidence.hosts:
        source = reached[host.key]
        if host.namespace in evidence.namespaces:
            found.setdefault(host.namespace, (source, source.net))
        if host.rootless_namespace is not None and source.rootless_netns is not None:
            found[host.rootless_namespace] = (source, source.rootless_netns)
    for place in evidence.places():
        if place.container is not None and place.namespace is not None and place.namespace not in found:
            source = reached[place.host.key]
            found[place.namespace] = (source, _file(source, place))
    return found


def _file(source: Source, place: Place) -> Path:
    """The file of the network namespace of a place."""
    pid = place.container.pid if place.container else 0
    return source.proc / str(pid) / "ns/net" if pid else source.net


def _by_hand(source: Source, place: Place) -> str:
    """What stands before a command that is run there."""
    if is_private(source):
        return f"testbed exec {f'{source.lab}/' if source.lab else ''}{place.name} --"
    if place.container is None or not place.container.pid:
        return ""
    return f"{'podman unshare ' if source.rootless else ''}nsenter --net={_file(source, place)} --"
