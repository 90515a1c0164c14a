"""Interfaces of tests that are on other ones, and programs that are attached to some, made over rtnetlink(7)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from pyroute2 import IPRoute

from testbed.host.private import PrivateHost
from tests.privileges import ROOT_OF_THE_MACHINE

#: include/uapi/linux/bpf.h
_BPF: Final = {"x86_64": 321, "aarch64": 280}
_PROG_LOAD: Final = 5
_XDP: Final = 6
#: struct bpf_insn: mov r0, value; exit.
_RETURN: Final = struct.Struct("=BBhiBBhi")

#: Of a test that loads an XDP program. The kernel asks for CAP_BPF and CAP_NET_ADMIN in the initial user namespace
#: (kernel/bpf/syscall.c, bpf_prog_load), so that an ordinary user can have no such program, on whatever host.
loads_xdp: Final = pytest.mark.xfail(
    not ROOT_OF_THE_MACHINE,
    raises=PermissionError,
    reason="the kernel lets only root of the machine load XDP programs",
)


def stack_macvlan(on: PrivateHost, parent: str, to: PrivateHost, name: str, mode: str) -> None:
    """Make a macvlan on an interface of one host, and give it to another one, where it is up."""

    def make() -> None:
        with IPRoute() as ipr:
            (index,) = ipr.link_lookup(ifname=parent)
            ipr.link("add", ifname=name, kind="macvlan", link=index, macvlan_mode=mode, net_ns_fd=to.net.fileno())

    on.net.run(make)
    to.run(["ip", "link", "set", name, "up"])


@contextmanager
def xdp_program(value: int) -> Iterator[int]:
    """An XDP program that returns a number for every packet, as an open file (bpf(2), BPF_PROG_LOAD).

    :raises PermissionError: this process is not root of the machine
    """
    code = ctypes.create_string_buffer(_RETURN.pack(0xB7, 0, 0, value, 0x95, 0, 0, 0), _RETURN.size)
    licence = ctypes.create_string_buffer(b"GPL")
    words = struct.pack("=IIQQ", _XDP, 2, ctypes.addressof(code), ctypes.addressof(licence))
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


def attach_filter(host: PrivateHost, link: str, value: int, direction: str) -> None:
    """Attach a filter of tc(8) whose program says what becomes of each packet (tc-bpf(8), direct-action).

    The program is classic BPF, which needs no privilege beside those over the namespace.

    :param value: what the program returns, a TC_ACT_* of include/uapi/linux/pkt_cls.h
    :param direction: ``ingress`` or ``egress``
    """
    returns = f"1,6 0 0 {value}"  # one instruction: BPF_RET | BPF_K
    host.run(["tc", "qdisc", "add", "dev", link, "clsact"])
    host.run(["tc", "filter", "add", "dev", link, direction, "bpf", "direct-action", "bytecode", returns])
