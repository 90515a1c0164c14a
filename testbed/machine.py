"""Reading what this machine allows, once: every decision about it is made from these facts, none is assumed."""

from __future__ import annotations

import functools
import json
import os
import pwd
import re
import resource
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from testbed import tools
from testbed.machine_facts import FIRST_SUBORDINATE_ID, PROGRAMS, SUBORDINATE_IDS, Machine

#: Where Podman looks for its helpers (containers.conf(5), helper_binaries_dir).
_HELPER_DIRS: Final = ("/usr/local/libexec/podman", "/usr/local/lib/podman", "/usr/libexec/podman", "/usr/lib/podman")
_SECCOMP_PROFILES: Final = ("/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json")


@functools.cache
def read() -> Machine:
    """Read this machine's facts; a second call answers from memory."""
    release = _os_release()
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    programs = {name: tools.find(name) for name in PROGRAMS}
    netavark = _helper("netavark")
    ranges = [_text(path) for path in SUBORDINATE_IDS]
    return Machine(
        distribution=release.get("ID", "unknown"),
        codename=release.get("VERSION_CODENAME", ""),
        user=user,
        uid=uid,
        programs=MappingProxyType(programs),
        netavark=netavark,
        aardvark=_helper("aardvark-dns"),
        filesystems=frozenset(line.split()[-1] for line in _text("/proc/filesystems").splitlines() if line.strip()),
        user_namespaces=_number("/proc/sys/user/max_user_namespaces", missing=0),
        unprivileged_user_namespaces=_number("/proc/sys/kernel/unprivileged_userns_clone", missing=1) != 0,
        apparmor_restricts_user_namespaces=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", missing=0)
        == 1,
        subordinate_ids=min(_subordinate_ids(text, user, uid) for text in ranges),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        processes=resource.getrlimit(resource.RLIMIT_NPROC)[1],
        firewall=_firewall(netavark),
        tun=_permissions("/dev/net/tun"),
        first_free_id=_first_free_id(ranges),
    )


@functools.cache
def podman_version() -> tuple[int, ...] | None:
    """Podman's version, None where it is missing or does not say.

    To be asked as root (of a user namespace will do): for an ordinary user even ``podman --version`` makes folders.
    """
    program = tools.find("podman")
    if program is None:
        return None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in found.groups()) if found else None


@functools.cache
def seccomp_profile() -> str:
    """The JSON of the profile that Podman takes by default; empty where it uses the one built into it.

    The places are those of containers/common (pkg/seccomp/seccomp.go and pkg/config, SeccompOverridePath).
    """
    return next(filter(None, map(_text, _SECCOMP_PROFILES)), "")


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _permissions(path: str) -> int:
    try:
        return stat.S_IMODE(Path(path).stat().st_mode)
    except OSError:
        return 0


def _number(path: str, *, missing: int) -> int:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else missing


def _os_release() -> dict[str, str]:
    pairs = (line.split("=", 1) for line in _text("/etc/os-release").splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, value in pairs}


def _helper(name: str) -> str | None:
    paths = (Path(folder, name) for folder in _HELPER_DIRS)
    return next((str(path) for path in paths if os.access(path, os.X_OK)), None)


def _firewall(netavark: str | None) -> str:
    """The program of the driver that netavark names as its default; those that name none have iptables."""
    if netavark is None:
        return "iptables"
    try:
        done = subprocess.run([netavark, "version"], capture_output=True, text=True, check=True)
        return "nft" if json.loads(done.stdout).get("default_fw_driver") == "nftables" else "iptables"
    except (OSError, subprocess.CalledProcessError, ValueError):
        return "iptables"


def _subordinate_ids(text: str, user: str, uid: int) -> int:
    return sum(count for name, _, count in _ranges(text) if name in (user, str(uid)))


def _first_free_id(texts: Sequence[str]) -> int:
    """The first id behind everybody's ranges: two users with the same ids could reach each other's files."""
    return max([FIRST_SUBORDINATE_ID, *(first + count for text in texts for _, first, count in _ranges(text))])


def _ranges(text: str) -> list[tuple[str, int, int]]:
    """The rows of a file of subuid(5): whose, the first id, how many."""
    rows = re.findall(r"^([^:\n]+):(\d+):(\d+)$", text, re.MULTILINE)
    return [(name, int(first), int(count)) for name, first, count in rows]
