"""Kernel parameters as sysctl(8) shows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from testbed.evidence import Namespace

_SWAPPED: Final = str.maketrans("/.", "./")


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A kernel parameter of a network namespace, with the value that it has there."""

    name: str
    """As sysctl(8) takes it: a dot in an interface's name is a slash there."""
    value: str
    """Empty where the picture does not have it."""


def sysctl(namespace: Namespace, path: str) -> Sysctl:
    """The kernel parameter of a path below /proc/sys/net, such as ``ipv4/conf/all/rp_filter``."""
    return Sysctl(f"net/{path}".translate(_SWAPPED), namespace.sysctls.get(path, ""))


def of_interface(namespace: Namespace, folder: str, link: str, name: str) -> tuple[Sysctl, ...]:
    """The parameter of an interface, and that of ``all`` which counts beside it (ip-sysctl, conf/all).

    :param folder: ``ipv4`` or ``ipv6``
    """
    return tuple(sysctl(namespace, f"{folder}/conf/{one}/{name}") for one in ("all", link))
