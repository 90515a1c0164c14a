"""Interfaces of tests that are on other ones, and programs that are attached to some, made over rtnetlink(7)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pyroute2 import IPRoute

from testbed.host.private import PrivateHost

#: include/uapi/linux/bpf.h
_BPF: Final = {"x86_64": 321, "aarch64": 280}
_PROG_LOAD: Final = 5
SCHED_CLS: Final = 3
XDP: Final = 6
#: struct bpf_insn: mov r0, value; exit.
_RETURN: Final = struct.Struct("=BBhiBBhi")


def stack_macvlan(on: PrivateHost, parent: str, to: PrivateHost, name: str, mode: str) -> None:
    """Make a macvlan on an interface of one host, and give it to another one, where it is up."""

    def make() -> None:
        with IPRoute() as ipr:
            (index,) = ipr.link_lookup(ifname=parent)
            ipr.link("add", ifname=name, kind="macvlan", link=index, macvlan_mode=mode, net_ns_fd=to.net.fileno())

    on.net.run(make)
    to.run(["ip", "link", "set", name, "up"])


@contextmanager
def program(kind: int, value: int) -> Iterator[int]:
    """A program that returns a number for every packet, as an open file (bpf(2), BPF_PROG_LOAD)."""
    code = ctypes.create_string_buffer(_RETURN.pack(0xB7, 0, 0, value, 0x95, 0, 0, 0), _RETURN.size)
    licence = ctypes.create_string_buffer(b"GPL")
    words = struct.pack("=IIQQ", kind, 2, ctypes.addressof(code), ctypes.addressof(licence))
    request = ctypes.create_string_buffer(words, 128)
    fd = ctypes.CDLL(None, use_errno=True).syscall(_BPF[os.uname().machine], _PROG_LOAD, request, len(request))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    try:
        yield fd
    finally:
        os.close(fd)


def attach_xdp(host: PrivateHost, link: str, fd: int) -> None:
    """Attach an XDP program to an interface (ip-link(8), xdp)."""

    def attach() -> None:
        with IPRoute() as ipr:
            (index,) = ipr.link_lookup(ifname=link)
            ipr.link("set", index=index, xdp_fd=fd)

    host.net.run(attach)


def attach_filter(host: PrivateHost, link: str, fd: int, direction: str) -> None:
    """Attach a filter of tc(8) that does what a program returns (tc-bpf(8), direct-action).

    :param direction: ``ingress`` or ``egress``
    """
    parent = {"ingress": 0xFFFF_FFF2, "egress": 0xFFFF_FFF3}[direction]
    every_protocol, direct_action = 0x0300, 1
    host.run(["tc", "qdisc", "add", "dev", link, "clsact"])

    def attach() -> None:
        with IPRoute() as ipr:
            (index,) = ipr.link_lookup(ifname=link)
            ipr.tc(
                "add-filter",
                "bpf",
                index=index,
                handle=1,
                fd=fd,
                name="drop",
                parent=parent,
                flags=direct_action,
                protocol=every_protocol,
                prio=1,
            )

    host.net.run(attach)
