"""Where a picture is taken: hosts of the testbed, in this process or in the background, and the machine itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from testbed import machine, tools
from testbed.engine import Engine
from testbed.errors import EngineError, HostError
from testbed.host.local_settings import choose
from testbed.host.protocol import Host
from testbed.host.settings import SERVICE, SERVICE_LOG
from testbed.model import Address
from testbed.namespaces import is_root
from testbed.namespaces.rootless import owner_namespace, rootless_netns
from testbed.namespaces.user import join_user_namespace
from testbed.readers.containers import ByCommand, ByService, Podman, Recorded, proxies
from testbed.readers.take import Source

if TYPE_CHECKING:
    from testbed.host.rootless import RootlessUser

_PROC: Final = Path("/proc")
_ROOT: Final = Path("/")
_OWN: Final = Path("/proc/self/ns/net")
_ROOTFUL: Final = "rootful containers, the host's firewall rules and who holds others' sockets are seen as root only"


def of_host(host: Host) -> Source:
    """A host that this process made, or the machine as one."""
    from testbed.host.private import PrivateHost  # noqa: PLC0415 - who made one has imported it, and others do not wait

    podman: Podman | None
    try:
        podman = ByService(host.engine)
    except HostError:
        podman = None
    zone = host.zone if isinstance(host, PrivateHost) else None
    net = Path(f"/proc/{host.pid}/ns/net")
    return Source(host.name, host.path("/proc"), host.path("/"), net, podman, zone=zone)


def of_rootless_user(user: RootlessUser) -> Source:
    """An ordinary user of a private host, with the containers of its own Podman."""
    host = of_host(user.host)
    engine = ByService(user.engine)
    return replace(host, podman=engine, rootless=True, uid=user.uid, rootless_netns=user.rootless_netns)


def of_running_lab(
    hosts: Mapping[str, int],
    zones: Mapping[str, Mapping[str, tuple[Address, ...]]] = MappingProxyType({}),
    *,
    lab: str = "",
) -> tuple[Source, ...]:
    """The private hosts of a lab that runs in the background.

    :param hosts: the first process of each, by its name
    :param zones: what the resolver of each knows, where that is anything
    :param lab: the lab's name
    """
    return tuple(_of_init(name, Path(f"/proc/{init}"), zones.get(name, {}), lab) for name, init in hosts.items())


def _of_init(name: str, process: Path, zone: Mapping[str, tuple[Address, ...]], lab: str) -> Source:
    root = process / "root"
    service, log = (root / path.lstrip("/") for path in (SERVICE, SERVICE_LOG))
    podman = ByService(Engine(service, log=log)) if service.is_socket() else None
    return Source(name, root / "proc", root, process / "ns/net", podman, zone=zone, lab=lab)


def of_machine() -> Source:
    """The machine itself: as root with its rootful Podman, as an ordinary user with that user's own.

    An ordinary user's process joins the user namespace that owns the containers, so it must have no threads yet. Where
    it may not, the picture says so.
    """
    name = os.uname().nodename
    program = tools.find("podman")
    if program is None:
        found = Source(name, _PROC, _ROOT, _OWN, missing=("there is no Podman on this machine",))
    else:
        found = _rootful(name, program) if is_root() else _rootless(name, program)
    terminal = "\0".join(f"{variable}={value}" for variable, value in os.environ.items())
    return replace(found, proxies=proxies(terminal))


def _rootful(name: str, program: str) -> Source:
    # Podman makes its storage when it is asked for the first time, and this changes nothing.
    if not Path(choose(machine.read(), None).graphroot).is_dir():
        return Source(name, _PROC, _ROOT, _OWN, missing=("root's Podman has never been used on this machine",))
    return Source(name, _PROC, _ROOT, _OWN, ByCommand([program]))


def _rootless(name: str, program: str) -> Source:
    """All that needs the ordinary user is done before joining the user namespace, where this process is root."""
    uid = os.getuid()
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}")
    owner = owner_namespace(runtime)
    if owner is None:
        # Podman would start the process that keeps its namespaces, and leave it running.
        missing = ("no container of this user's Podman runs, and those that are stopped are not looked at", _ROOTFUL)
        return Source(name, _PROC, _ROOT, _OWN, rootless=True, uid=uid, missing=missing)
    podman: Podman | None = None
    unknown: tuple[str, ...] = ()
    try:
        podman = Recorded.of(ByCommand([program]))
    except EngineError as exc:
        unknown = (f"this user's containers are not known: {exc}",)
    try:
        join_user_namespace(owner)
    except OSError as exc:
        unknown = (f"the containers of this user's Podman cannot be entered: {exc.strerror}",)
    netns, unseen = rootless_netns(runtime), (*unknown, _ROOTFUL)
    return Source(name, _PROC, _ROOT, _OWN, podman, rootless=True, uid=uid, rootless_netns=netns, missing=unseen)
