"""What Podman changes on a machine: a picture of it from before, and putting it back as it was.

Only what was not there before is removed, and shared things only while nobody else's container is there.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testbed import tools
from testbed.janitor import firewall

#: What Podman, its runtimes and netavark make beside their storage (seen with 4.3 and 5.4).
_PATHS: Final = (
    "/run/containers",
    "/run/libpod",
    "/run/runc",
    "/run/crun",
    "/run/netns",
    "/dev/shm/libpod_lock",
    "/etc/cni/net.d/cni.lock",
    "/etc/containers/networks",
    "/var/lib/containers/storage",
    "/var/lib/containers/cache",
    "/var/cache/containers",
)
#: Writing net.ipv4.ip_forward sets these on every interface (ip-sysctl).
_SYSCTLS: Final = ("forwarding", "accept_redirects", "route_localnet")
_IP_FORWARD: Final = "/proc/sys/net/ipv4/ip_forward"
_CONF: Final = "/proc/sys/net/ipv4/conf"
_SAVERS: Final = ("iptables", "ip6tables")
_BRIDGE: Final = re.compile(r"podman\d+")
_CONTAINER_CGROUP: Final = re.compile(r"libpod-(?:conmon-)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Footprint:
    """The machine before Podman was started on it. Goes to JSON and back as it is."""

    missing: tuple[str, ...]
    """Paths of Podman's that did not exist, and their missing parents."""
    links: tuple[str, ...]
    mounts: tuple[str, ...]
    sysctls: dict[str, str]
    iptables: dict[str, str]
    """By program: what its -save printed."""
    tables: tuple[str, ...]
    """nft's tables, as ``ip nat``."""
    cgroups: tuple[str, ...]
    """Podman's folders in /sys/fs/cgroup."""


def read(places: Sequence[str]) -> Footprint:
    """Take the picture.

    :param places: further paths that Podman makes: its graph root, its run root, its folder of networks
    """
    return Footprint(
        missing=tuple(sorted({path for place in (*_PATHS, *places) for path in _missing(Path(place))})),
        links=tuple(_links()),
        mounts=tuple(_mounts()),
        sysctls={path: value for path in _sysctl_paths() if (value := _read(path)) is not None},
        iptables={program: _save(program) for program in _SAVERS},
        tables=tuple(_nft_tables()),
        cgroups=tuple(str(path) for path in _cgroups()),
    )


def remove_links(before: Footprint, names: Sequence[str]) -> None:
    """Remove links of ours by name; their other ends go with them."""
    for name in names:
        if name not in before.links and Path("/sys/class/net", name).exists():
            _run(["ip", "link", "delete", "dev", name])


def remove_cgroups(before: Footprint, ids: Sequence[str]) -> None:
    """Remove the folders of these containers, and their parents that came since and that nobody uses.

    No other's: on cgroup2 private hosts have theirs beside ours, and an empty one may be about to be used.
    """
    for folder in sorted(_cgroups(), reverse=True):  # children before their parents
        found = _CONTAINER_CGROUP.search(str(folder))
        if str(folder) not in before.cgroups and (found is None or found[1] in ids):
            with suppress(OSError):
                folder.rmdir()


def restore_network(before: Footprint) -> None:
    """Put firewall, forwarding and links back. To be called only while no container runs on the machine."""
    for program in _SAVERS:
        script = firewall.undo_iptables(before.iptables.get(program, ""), _save(program))
        if script:
            _run([f"{program}-restore", "--noflush"], script)
    own, compat = firewall.new_tables(before.tables, list(_nft_tables()))
    compat = [table for table in compat if firewall.is_bare(_run(["nft", "list", "table", *table.split()]) or "{")]
    for table in (*own, *compat):
        _run(["nft", "delete", "table", *table.split()])
    if before.sysctls.get(_IP_FORWARD) == "0":
        # First the switch, since it sets the others, then those that somebody had set otherwise.
        for path in sorted(before.sysctls, key=lambda path: path != _IP_FORWARD):
            if _read(path) not in (None, before.sysctls[path]):
                with suppress(OSError):
                    Path(path).write_text(before.sysctls[path], encoding="ascii")
    bridges = [name for name in _links() if _BRIDGE.fullmatch(name)]
    remove_links(before, bridges)


def unmount(before: Footprint, places: Sequence[str]) -> None:
    """Unmount what was mounted since below Podman's places, and remove the files that held network namespaces."""
    below = tuple(f"{place}/" for place in ("/run/netns", *places))
    for point in reversed(list(_mounts())):
        if point not in before.mounts and f"{point}/".startswith(below):
            _run(["umount", point])
            if point.startswith("/run/netns/"):
                with suppress(OSError):
                    Path(point).unlink()


def remove_empty(before: Footprint) -> None:
    """Remove Podman's folders that were not there and have nothing in them. Harmless while somebody else uses Podman.

    It makes them again when it needs them.
    """
    for place in sorted(before.missing, reverse=True):  # children before their parents
        with suppress(OSError):
            Path(place).rmdir()


def remove_paths(before: Footprint) -> list[str]:
    """Remove Podman's folders and files that were not there. To be called only while nobody else uses Podman.

    :returns: those that could not be removed
    """
    left = []
    named = {
        place
        for place in before.missing
        if place in _PATHS or not any(x.startswith(f"{place}/") for x in before.missing)
    }
    for place in sorted(before.missing, reverse=True):  # children before their parents
        path = Path(place)
        if any(f"{point}/".startswith(f"{place}/") for point in _mounts()):
            left.append(place)  # never delete through a mount
        elif place in named and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_dir():
            with suppress(OSError):
                path.rmdir()  # a parent: only if nobody has put anything else there
        else:
            path.unlink(missing_ok=True)
        if place in named and path.exists() and place not in left:
            left.append(place)
    return left


def differences(before: Footprint, now: Footprint, links: Sequence[str]) -> list[str]:
    """What of Podman's and ours is on the machine now that was not before; empty when it is as it was.

    :param links: names of interfaces that were ours
    """
    ours = [name for name in now.links if name in links or _BRIDGE.fullmatch(name)]
    found = [f"link {name}" for name in ours if name not in before.links]
    found += [f"nft table {table}" for table in firewall.new_tables(before.tables, now.tables)[0]]
    found += [f"path {path}" for path in before.missing if path not in now.missing and path in _PATHS]
    if before.sysctls.get(_IP_FORWARD) == "0" != now.sysctls.get(_IP_FORWARD):
        found.append("net.ipv4.ip_forward = 1")
    return found


def from_json(raw: Mapping[str, Any]) -> Footprint:
    """A footprint out of what ``json.loads`` made of it."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return Footprint(**values)


def _links() -> Iterator[str]:
    return (name for _, name in socket.if_nameindex())


def _missing(path: Path) -> Iterator[str]:
    while not path.exists():
        yield str(path)
        path = path.parent


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        yield line.split()[4].encode().decode("unicode_escape")  # blanks are octal there (proc(5))


def _sysctl_paths() -> Iterator[str]:
    yield _IP_FORWARD
    with suppress(OSError):
        for interface in Path(_CONF).iterdir():
            yield from (f"{interface}/{name}" for name in _SYSCTLS)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _save(program: str) -> str:
    return _run([f"{program}-save"]) or ""


def _nft_tables() -> Iterator[str]:
    for line in (_run(["nft", "list", "tables"]) or "").splitlines():
        if line.startswith("table "):
            yield line.removeprefix("table ").strip()


def _cgroups() -> Iterator[Path]:
    for parent in ("libpod_parent", "*/libpod_parent"):
        for folder in Path("/sys/fs/cgroup").glob(parent):
            yield folder
            yield from (path for path in folder.rglob("*") if path.is_dir())


def _run(argv: Sequence[str], stdin: str = "") -> str | None:
    """What a command prints; None where it is not installed or fails, since cleaning goes on with the next thing."""
    program = tools.find(argv[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *argv[1:]], input=stdin, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
