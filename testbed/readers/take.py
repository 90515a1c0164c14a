"""Taking the picture: every network namespace of some hosts and their containers, at one moment, as far as possible.

What cannot be read is told in the picture itself, and so is what vanishes while it is being read.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from testbed.errors import EngineError, HostError
from testbed.evidence import Container, Evidence, HostFacts, Link, Names, Namespace, Network, Peer, lookup
from testbed.evidence.lookup import Called
from testbed.model import Address
from testbed.namespaces import NetworkNamespace
from testbed.readers import containers as podmans
from testbed.readers.containers import Podman, Recorded
from testbed.readers.files import exists_inside, read_inside
from testbed.readers.links import numbers_of
from testbed.readers.namespace import Seen, see
from testbed.readers.processes import Holders, holders, link
from testbed.readers.reader import STACKED

#: Python runs one thread at a time; the others wait for programs that print rules.
_AT_ONCE: Final = 1


@dataclass(frozen=True, slots=True)
class Source:
    """A host to take a picture of, by what it is read through."""

    name: str
    """Its name among people."""
    proc: Path
    """The /proc that counts processes as that host does."""
    root: Path
    """Its file system."""
    net: Path
    """The file of its network namespace."""
    podman: Podman | None = None
    rootless: bool = False
    uid: int = 0
    """The user whose Podman it is, as that host counts: what tells a rootless Podman from a rootful one beside it."""
    rootless_netns: Path | None = None
    """The file of the namespace that rootless Podman's bridges are in."""
    missing: tuple[str, ...] = ()
    """What is known beforehand not to be readable, a sentence each."""
    zone: Mapping[str, tuple[Address, ...]] | None = None
    """What its resolver knows, where that is one of the testbed's own."""
    lab: str = ""
    """The lab in the background that it is part of."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """The proxy variables of its terminal, where one is known."""

    @property
    def key(self) -> str | None:
        """The identity of the host in a picture taken now; None where it is gone.

        Its network namespace (namespaces(7): the inode of its file), and the user whose Podman runs there.
        """
        namespace = _key(self.net)
        return None if namespace is None else f"{namespace}/uid:{self.uid}"


@dataclass(frozen=True, slots=True)
class _Inventory:
    """What Podman and the files of one host say."""

    source: Source
    key: str
    """The host's."""
    namespace: str
    """The key of its network namespace."""
    names: Names
    version: str = ""
    containers: tuple[Container, ...] = ()
    networks: tuple[Network, ...] = ()
    missing: tuple[str, ...] = ()


def take(sources: Sequence[Source]) -> Evidence:
    """A picture of some hosts, each of them and each network namespace once, however often it is given or shared."""
    missing: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="take") as pool, ExitStack() as stack:
        inventories: list[_Inventory] = []
        for source, inventory in zip(sources, pool.map(_inventory, sources), strict=True):
            if inventory is None:
                missing.append(f"the host {source.name!r} is gone")
            elif inventory.key not in {one.key for one in inventories}:
                inventories.append(inventory)
        missing += [sentence for one in inventories for sentence in (*one.source.missing, *one.missing)]
        nets: dict[str, NetworkNamespace] = {}
        for key, path, label in _wanted(inventories):
            if key not in nets:
                try:
                    nets[key] = stack.enter_context(NetworkNamespace(path, label))
                except HostError as exc:
                    missing.append(str(exc))
        seen: dict[str, Seen] = {}
        for key, found in zip(nets, pool.map(see, nets, nets.values()), strict=True):
            if isinstance(found, str):
                missing.append(found)
            else:
                seen[key] = found
        peers = _peers({key: nets[key] for key in seen}, seen)
    held = _holders(inventories, seen.values())
    return Evidence(
        taken=datetime.now(UTC).isoformat(timespec="seconds"),
        hosts=tuple(
            HostFacts(
                one.key,
                one.source.name,
                one.namespace,
                one.names,
                podman=one.version,
                zone=one.source.zone,
                rootless=one.source.rootless,
                rootless_namespace=_visible(_key(one.source.rootless_netns), seen),
                lab=one.source.lab,
                proxies=one.source.proxies,
            )
            for one in inventories
        ),
        containers=tuple(
            replace(container, namespace=_visible(container.namespace, seen))
            for one in inventories
            for container in one.containers
        ),
        networks=tuple(network for one in inventories for network in one.networks),
        namespaces={key: _complete(found.namespace, peers, held) for key, found in seen.items()},
        forwards=tuple(forward for forward in held.forwards if forward.namespace in seen),
        missing=tuple(missing),
    )


def _inventory(source: Source) -> _Inventory | None:
    """What is known of a host without entering it; None where it is gone."""
    key, namespace = source.key, _key(source.net)
    if key is None or namespace is None:
        return None
    missing: list[str] = []
    names = _names(source.root, f"of {source.name}", missing)
    said = Recorded([], [], "")
    if source.podman is not None:
        try:
            said = Recorded.of(source.podman)
        except EngineError as exc:
            missing.append(f"Podman's containers on {source.name} are not known: {exc}")
    containers = (_lived_in(source, key, inspect, missing) for inspect in said.all_containers)
    networks = (podmans.network(inspect, key) for inspect in said.all_networks)
    return _Inventory(
        source,
        key,
        namespace,
        names,
        said.number,
        # Podman lists them in any order.
        tuple(sorted(containers, key=lambda one: one.name)),
        tuple(sorted(networks, key=lambda one: one.name)),
        tuple(missing),
    )


def _lived_in(source: Source, host: str, inspect: Mapping[str, object], missing: list[str]) -> Container:
    """A container with what only its main process shows: namespace, naming files, proxy variables.

    :param host: the key of the host that it is on
    """
    container = podmans.container(inspect, host)
    what = f"of the container {container.name}"
    process = source.proc / str(container.pid)
    files = [("etc/hosts", "HostsPath"), ("etc/resolv.conf", "ResolvConfPath")]
    if not container.pid:
        # Podman writes them when it starts one, and leaves them when it stops.
        texts = []
        for _, path in files:
            texts.append("")
            with suppress(OSError):
                texts[-1] = read_inside(source.root, str(inspect.get(path) or ""))
        return replace(container, names=Names.parse(*texts))
    namespace = _key(process / "ns/net")
    if namespace is None:
        missing.append(f"the network namespace {what} cannot be seen: it ended meanwhile, or belongs to somebody else")
        return container
    found = _names(process / "root", what, missing)
    environment = _text(source.proc, f"{container.pid}/environ", f"the environment {what}", missing)
    return replace(container, namespace=namespace, names=found, proxies=podmans.proxies(environment))


def _names(root: Path, whose: str, missing: list[str]) -> Names:
    """How names are resolved by whoever has that root folder.

    :param whose: ends a sentence about a file that cannot be read
    """
    files = ("etc/hosts", "etc/resolv.conf", "etc/nsswitch.conf", "etc/gai.conf")
    return Names.parse(*(_text(root, file, f"{file} {whose}", missing) for file in files), musl=_has_musl(root))


def _has_musl(root: Path) -> bool:
    """Tell if programs there are linked with musl, by its dynamic linker (musl, Makefile, LDSO_PATHNAME)."""
    try:
        return exists_inside(root, f"lib/ld-musl-{os.uname().machine}.so.1")
    except OSError:
        return False


def _text(root: Path, inside: str, what: str, missing: list[str]) -> str:
    try:
        return read_inside(root, inside)
    except FileNotFoundError:
        return ""
    except OSError as exc:
        missing.append(f"{what} cannot be read: {exc.strerror}")
        return ""


def _key(path: Path | None) -> str | None:
    """What a link to a network namespace's file says, also where it is no link (namespaces(7))."""
    try:
        return None if path is None else f"net:[{path.stat().st_ino}]"
    except OSError:
        return None


def _visible(key: str | None, seen: Mapping[str, Seen]) -> str | None:
    return key if key in seen else None


def _wanted(inventories: Sequence[_Inventory]) -> Iterator[tuple[str, Path, str]]:
    """Key, file and label of each namespace, those that own one before those that share it."""
    label = _labels(inventories)
    for one in inventories:
        source = one.source
        host = label(_called(one))
        yield one.namespace, source.net, host
        rootless = _key(source.rootless_netns)
        if rootless is not None and source.rootless_netns is not None:
            yield rootless, source.rootless_netns, f"rootless-netns of {host}"
        for container in sorted(one.containers, key=lambda c: c.mode.startswith("container:")):
            if container.namespace is not None:
                path = source.proc / str(container.pid) / "ns/net"
                yield container.namespace, path, label(_called(one, container))


def _labels(inventories: Iterable[_Inventory]) -> Callable[[Called], str]:
    """Words to type that mean one host or container and no other: mostly its name."""
    known = [_called(one, container) for one in inventories for container in (None, *one.containers)]
    names = Counter(one.pod or one.name for one in known)

    def label(own: Called) -> str:
        word = own.pod or own.name
        return word if names[word] == 1 else lookup.spelled(own, known, lambda one: one)

    return label


def _called(one: _Inventory, container: Container | None = None) -> Called:
    name, lab = one.source.name, one.source.lab
    if container is None:
        return Called(name, name, lab, namespace=one.namespace)
    return Called(container.name, name, lab, container.id, pod=container.pod if container.infra else "")


def _peers(nets: Mapping[str, NetworkNamespace], seen: Mapping[str, Seen]) -> dict[tuple[str, int], Peer]:
    """The other end of each veth, and the parent of what is stacked, by the key of its namespace and its ifindex.

    The namespace with most of them is asked for its numbers first: its answers tell those of its containers too, and a
    hundred containers need not each be asked about a hundred others.
    """
    found: dict[tuple[str, int], Peer] = {}
    stacked = {(key, x.index) for key, one in seen.items() for x in one.namespace.links if x.kind in STACKED}
    fds = {key: net.fileno() for key, net in nets.items()}
    for key in sorted(seen, key=lambda k: len(seen[k].peers), reverse=True):
        own = seen[key].peers
        left = {index: peer for index, peer in own.items() if (key, index) not in found}
        numbers: Mapping[int, str] = {}
        if any(number is not None for number, _ in left.values()):
            with suppress(OSError):
                numbers = nets[key].run(lambda: numbers_of(fds))
        for index, (number, there) in left.items():
            other = key if number is None else numbers.get(number)
            found[key, index] = Peer(other, there)
            mutual = other is not None and seen[other].peers.get(there, (None, 0))[1] == index
            if other is not None and mutual and (key, index) not in stacked:
                found.setdefault((other, there), Peer(key, index))
    return found


def _holders(inventories: Iterable[_Inventory], seen: Iterable[Seen]) -> Holders:
    """Who holds the sockets of all namespaces, wherever he lives: the machine's own /proc has everybody."""
    inodes = {listener.inode for found in seen for listener in found.namespace.listeners}
    mounts = {}
    for one in inventories:
        for container in one.containers:
            mount = link(one.source.proc / str(container.pid), "mnt") if container.pid else None
            if mount is not None:
                mounts[mount] = container.name
    return holders(inodes, mounts)


def _complete(namespace: Namespace, peers: Mapping[tuple[str, int], Peer], held: Holders) -> Namespace:
    return replace(
        namespace,
        links=tuple(_completed(namespace.key, link, peers, held) for link in namespace.links),
        listeners=tuple(replace(one, process=held.sockets.get(one.inode)) for one in namespace.listeners),
    )


def _completed(key: str, link: Link, peers: Mapping[tuple[str, int], Peer], held: Holders) -> Link:
    peer = peers.get((key, link.index))
    if link.kind in STACKED:
        return replace(link, lower=peer)
    if link.kind != "tun":
        return replace(link, peer=peer)
    return replace(
        link,
        peer=peer,
        holder=held.tuns.get(link.name, ""),
        host_loopback=held.host_loopback.get(key),
        pasta=held.pasta.get(key),
    )
