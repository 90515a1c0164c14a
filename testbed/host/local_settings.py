"""Settings for the machine's own Podman, started by us: the machine's in force, with what it leaves open filled in.

CONTAINERS_CONF and CONTAINERS_STORAGE_CONF replace the machine's files (containers.conf(5) and storage.conf's manual),
and CONTAINERS_CONF_OVERRIDE is not known before Podman 4.7: so ours are copies of the machine's with a few keys more.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from testbed.errors import UnfitError
from testbed.host import settings
from testbed.machine_facts import Machine

_CONTAINERS_CONF: Final = ("/usr/share/containers/containers.conf", "/etc/containers/containers.conf")
_CONTAINERS_CONF_D: Final = "/etc/containers/containers.conf.d"
_STORAGE_CONF: Final = ("/etc/containers/storage.conf", "/usr/share/containers/storage.conf")
_GRAPHROOT: Final = "/var/lib/containers/storage"
_RUNROOT: Final = "/run/containers/storage"


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Both files for the machine's Podman, and the places that they name."""

    containers_conf: str
    storage_conf: str
    graphroot: str
    runroot: str
    network_config_dir: str


def choose(machine: Machine, image_store: Path | None) -> LocalSettings:
    """Settings for this machine's own Podman.

    :raises UnfitError: the machine's storage is not overlay, or a settings file of it cannot be read
    """
    conf = _layered(_load(path) for path in _containers_conf_files())
    storage = _layered(_load(path) for path in _storage_conf_files())
    return combine(
        conf,
        storage,
        # Podman cuts its own limit of processes down to kernel.pid_max, and containers get no more than it has.
        replace(machine, processes=_at_most_pid_max(machine.processes)),
        image_store,
        pure_cgroup2=_is_cgroup2("/sys/fs/cgroup"),
        found_driver=_found_driver,
    )


def combine(
    conf: Mapping[str, Any],
    storage: Mapping[str, Any],
    machine: Machine,
    image_store: Path | None,
    *,
    pure_cgroup2: bool,
    found_driver: Callable[[str], str] | None = None,
) -> LocalSettings:
    """The machine's settings with ours beneath, and the image store added. Pure but for ``found_driver``.

    :param found_driver: what driver a graph root was made with, empty where it is new
    :raises UnfitError: the machine's storage is not overlay
    """
    limits = settings.ulimits(machine)
    ours: dict[str, Any] = {
        "containers": {"default_ulimits": list(limits)},
        "engine": {"runtime": settings.runtime(machine, pure_cgroup2=pure_cgroup2)},
    }
    section = dict(storage.get("storage", {}))
    graphroot = str(section.get("graphroot") or _GRAPHROOT)
    driver = section.get("driver") or (found_driver and found_driver(graphroot)) or "overlay"
    if driver != "overlay":
        raise UnfitError(
            f"the machine's Podman stores with the driver {driver!r}, and the testbed's images are for 'overlay': "
            "use private hosts (leave --testbed-host=local out)"
        )
    options = dict(section.get("options", {}))
    stores = [*options.get("additionalimagestores", []), *([str(image_store)] if image_store else [])]
    section |= {
        "driver": driver,
        "graphroot": graphroot,
        "runroot": str(section.get("runroot") or _RUNROOT),
        "options": options | {"additionalimagestores": stores},
    }
    merged = _layered([ours, conf])
    return LocalSettings(
        to_toml(merged),
        to_toml({**storage, "storage": section}),
        graphroot,
        section["runroot"],
        str(merged.get("network", {}).get("network_config_dir") or "/etc/containers/networks"),
    )


def to_toml(table: Mapping[str, Any], name: str = "") -> str:
    """TOML v1.0 of nested tables of plain values; Python reads it and does not write it."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    text = "\n".join([*([f"[{name}]"] if name else []), *lines, ""])
    for key, value in table.items():
        if isinstance(value, Mapping):
            text += to_toml(value, f"{name}.{_key(key)}" if name else _key(key))
    return text


def _key(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _layered(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Each layer over the one before, table by table."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            both = isinstance(value, Mapping) and isinstance(below, Mapping)
            merged[key] = _layered([below, value]) if both and below is not None else value
    return merged


def _containers_conf_files() -> list[str]:
    named = os.environ.get("CONTAINERS_CONF")
    return (
        [named]
        if named
        else [*_CONTAINERS_CONF, *sorted(str(path) for path in Path(_CONTAINERS_CONF_D).glob("*.conf"))]
    )


def _storage_conf_files() -> list[str]:
    named = os.environ.get("CONTAINERS_STORAGE_CONF")
    found = [named] if named else [path for path in _STORAGE_CONF if Path(path).exists()]
    return found[:1]  # the first one alone counts


def _load(path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise UnfitError(f"{path} cannot be read as Podman's settings ({exc}): mend it, or use private hosts") from exc


def _at_most_pid_max(processes: int) -> int:
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    return pid_max if processes < 0 else min(processes, pid_max)


def _is_cgroup2(path: str) -> bool:
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines())
    return any(words[1] == path and words[2] == "cgroup2" for words in mounts)


def _found_driver(graphroot: str) -> str:
    """The driver that a graph root was made with, by the folder of images that each driver has."""
    drivers = [path.name.removesuffix("-images") for path in Path(graphroot).glob("*-images")]
    return "overlay" if "overlay" in drivers or not drivers else drivers[0]
