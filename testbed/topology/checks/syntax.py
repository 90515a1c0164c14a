"""The forms of names, addresses and options, as the kernel and Podman take them."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Final, TypeVar

from testbed.model import Address

T = TypeVar("T", bound=Hashable)

#: Podman's (libpod/define/errors.go, NameRegex).
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
#: HOST_NAME_MAX (sethostname(2)).
_NAME_BYTES: Final = 64
#: IFNAMSIZ without the zero behind it (linux/if.h).
_LINK_BYTES: Final = 15
_MAC: Final = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_GROUP_BIT: Final = 1
_PORTS: Final = range(1, 65536)
_RESTART: Final = re.compile(r"no|always|unless-stopped|on-failure(:[1-9][0-9]*)?")
_SYSCTL: Final = re.compile(r"[^\s=./]+(\.[^\s=./]+)+")

#: capabilities(7) and include/uapi/linux/capability.h, without CAP_.
CAPABILITIES: Final = frozenset(
    [
        "ALL",
        "AUDIT_CONTROL",
        "AUDIT_READ",
        "AUDIT_WRITE",
        "BLOCK_SUSPEND",
        "BPF",
        "CHECKPOINT_RESTORE",
        "CHOWN",
        "DAC_OVERRIDE",
        "DAC_READ_SEARCH",
        "FOWNER",
        "FSETID",
        "IPC_LOCK",
        "IPC_OWNER",
        "KILL",
        "LEASE",
        "LINUX_IMMUTABLE",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
        "MKNOD",
        "NET_ADMIN",
        "NET_BIND_SERVICE",
        "NET_BROADCAST",
        "NET_RAW",
        "PERFMON",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYSLOG",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_CHROOT",
        "SYS_MODULE",
        "SYS_NICE",
        "SYS_PACCT",
        "SYS_PTRACE",
        "SYS_RAWIO",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "WAKE_ALARM",
    ]
)


def twice(things: Iterable[T]) -> list[T]:
    """Those that occur more than once, in the order of ``str``."""
    return sorted((thing for thing, count in Counter(things).items() if count > 1), key=str)


def name_fault(name: str) -> str | None:
    """Why something cannot be the name of a host or container; None if it can."""
    if not _NAME.fullmatch(name):
        return "it needs a letter or digit first, then letters, digits, '-', '_' and '.'"
    if len(name) > _NAME_BYTES:
        return f"it has {len(name)} bytes: at most {_NAME_BYTES}"
    return None


def link_fault(link: str) -> str | None:
    """Why something cannot be the name of an interface (net/core/dev.c, dev_valid_name); None if it can."""
    size = len(link.encode())
    if size > _LINK_BYTES:
        return f"it has {size} bytes, and an interface's name at most {_LINK_BYTES}"
    if not link or link in (".", "..") or any(c in "/:" or c.isspace() for c in link):
        return "an interface's name is not empty, not '.' or '..', and has no '/', ':' or white space"
    return None


def mac_fault(mac: str) -> str | None:
    """Why an interface cannot have a MAC address (IEEE 802, 8.2.2); None if it can."""
    if not _MAC.fullmatch(mac):
        return "a MAC address is six octets in hexadecimal with ':' between"
    octets = bytes.fromhex(mac.replace(":", ""))
    if octets[0] & _GROUP_BIT:
        return "its group bit is set, and no interface may have such an address"
    if not any(octets):
        return "no interface may have the address of all zeros"
    return None


def address(text: str) -> Address | None:
    """An IPv4 or IPv6 address; None where it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def interface(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    """An address and its prefix length; None where it is none, or has no prefix length."""
    try:
        return ipaddress.ip_interface(text) if "/" in text else None
    except ValueError:
        return None


def is_port(port: int) -> bool:
    """Tell whether a number is a TCP port that can be listened on."""
    return port in _PORTS


def is_restart(policy: str) -> bool:
    """Tell whether a word is a restart policy (podman-run(1), ``--restart``)."""
    return bool(_RESTART.fullmatch(policy))


def is_sysctl(name: str, value: str) -> bool:
    """Tell whether a name and a value are a sysctl's (sysctl(8)): words with dots between, and one line."""
    return bool(_SYSCTL.fullmatch(name)) and "\n" not in value


def is_path(path: str) -> bool:
    """Tell whether something is an absolute path in its plain form, but not the root, as a mount point is given.

    A colon would end it in ``--volume`` (podman-run(1)).
    """
    parts = path.split("/")
    return path.startswith("/") and all(part not in ("", ".", "..") for part in parts[1:]) and ":" not in path
