"""From a place of a picture to a vantage: its namespace, opened, and the files that name things there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.evidence import Evidence, Place
from testbed.names import Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe import Vantage
from testbed.readers.take import Source

#: The kernel needs three seconds to say that nobody has an address (ip-sysctl, mcast_solicit); an answer comes sooner.
PATIENCE: Final = 4.0


@contextmanager
def vantage(sources: Sequence[Source], place: Place) -> Iterator[Vantage]:
    """A place to try from.

    :raises HostError: its namespace is gone, or not ours to enter
    """
    source = source_of(sources, place.host)
    pid = place.container.pid if place.container else 0
    path = source.proc / str(pid) / "ns/net" if pid else source.net
    with NetworkNamespace(path, place.name) as net:
        yield vantage_in(source, place, net)


def vantage_in(source: Source, place: Place, net: NetworkNamespace) -> Vantage:
    """The same in a namespace that is open already."""
    naming = Naming(place.names.hosts, tuple(map(str, place.names.nameservers)), place.names.search)
    return Vantage(place.name, net, naming, _by_hand(source, place))


def source_of(sources: Sequence[Source], host: str) -> Source:
    """The source of a host by its name, which the picture was taken of."""
    (source,) = (source for source in sources if source.name == host)
    return source


def is_private(source: Source) -> bool:
    """Whether a host was made by a testbed, so that it may be changed for a moment; else it is somebody's machine."""
    return source.root != Path("/")


def files(sources: Sequence[Source], evidence: Evidence) -> Mapping[str, tuple[Source, Path]]:
    """The file of each namespace of a picture, by its key, and whose source it is read through."""
    found: dict[str, tuple[Source, Path]] = {}
    for host in evidence.hosts:
        source = source_of(sources, host.name)
        if host.namespace in evidence.namespaces:
            found[host.namespace] = (source, source.net)
        if host.rootless_namespace is not None and source.rootless_netns is not None:
            found[host.rootless_namespace] = (source, source.rootless_netns)
    for container in evidence.containers:
        if container.namespace is not None and container.namespace not in found:
            source = source_of(sources, container.host)
            found[container.namespace] = (source, source.proc / str(container.pid) / "ns/net")
    return found


def _by_hand(source: Source, place: Place) -> str:
    """What stands before a command that is run there."""
    if is_private(source):
        return f"testbed exec {place.name} --"
    if place.container is None or not place.container.pid:
        return ""
    path = source.proc / str(place.container.pid) / "ns/net"
    return f"{'podman unshare ' if source.rootless else ''}nsenter --net={path} --"
