"""The facts of a machine that decide what can run on it. Values only; :mod:`testbed.machine` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: Each program that something here runs, and the Debian and Ubuntu package that has it.
PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "podman": "podman",
        "catatonit": "catatonit",
        "crun": "crun",
        "runc": "runc",
        "ip": "iproute2",
        "iptables": "iptables",
        "nft": "nftables",
        "unshare": "util-linux",
        "nsenter": "util-linux",
        "newuidmap": "uidmap",
        "newgidmap": "uidmap",
        "ssh": "openssh-client",
        "curl": "curl",
        "mmdebstrap": "mmdebstrap",
        "slirp4netns": "slirp4netns",
        "pasta": "passt",
    }
)
#: Where useradd begins to give subordinate ids (login.defs(5), SUB_UID_MIN).
FIRST_SUBORDINATE_ID: Final = 100_000
#: The files of subuid(5) and subgid(5).
SUBORDINATE_IDS: Final = ("/etc/subuid", "/etc/subgid")


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts of one machine that decide what can run on it."""

    distribution: str
    """ID of os-release(5), such as ``debian``."""
    codename: str
    """VERSION_CODENAME of os-release(5), such as ``bookworm``; empty where it has none."""
    user: str
    uid: int
    programs: Mapping[str, str | None]
    """Where each of :data:`PROGRAMS` is, None where it is missing."""
    netavark: str | None
    aardvark: str | None
    filesystems: frozenset[str]
    """File systems that the kernel can mount (/proc/filesystems)."""
    user_namespaces: int
    """The limit user.max_user_namespaces; 0 forbids them."""
    unprivileged_user_namespaces: bool
    """False where Debian's kernel.unprivileged_userns_clone is 0."""
    apparmor_restricts_user_namespaces: bool
    """True where Ubuntu's kernel.apparmor_restrict_unprivileged_userns is 1."""
    subordinate_ids: int
    """How many ids /etc/subuid and /etc/subgid (subuid(5)) both give the user."""
    open_files: int
    """Hard limit of open files; -1 is unlimited."""
    processes: int
    """Hard limit of processes; -1 is unlimited."""
    firewall: str = "iptables"
    """The program that netavark sets up its rules with: ``iptables`` or ``nft``."""
    tun: int = 0o666
    """The permissions of /dev/net/tun, 0 where it is missing."""
    first_free_id: int = FIRST_SUBORDINATE_ID
    """Behind every range of /etc/subuid and /etc/subgid: from it on no user has a subordinate id."""
