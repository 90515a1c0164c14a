"""What is a namespace's own (network_namespaces(7)): something is changed in one room, and everybody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from pyroute2 import IPRoute
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple, NFCTSocket

from testbed import machine
from testbed.host.listeners import listeners
from testbed.probe import Vantage
from testbed.readers.conntrack import read_conntrack
from testbed.readers.links import read_links
from testbed.scenarios.namespaces.doors import knock
from testbed.scenarios.namespaces.lab import NamespacesLab
from testbed.scenarios.namespaces.topology import PORT

#: TEST-NET-1 (RFC 5737): nothing of a lab's is there.
_NOWHERE: Final = "192.0.2.0/24"
_CALLER: Final = "192.0.2.1"
_CALLED: Final = "192.0.2.2"
_SPARE_PORT: Final = 8090
_UDP: Final = 17
_ENTRY_SECONDS: Final = 60
_SYSCTL: Final = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that can be changed in a room for a while, and how anybody sees whether it is."""

    text: str
    """What is done, as the end of the sentence "in one room ..."."""
    made: Callable[[NamespacesLab, str], AbstractContextManager[object]]
    """Do it in somebody's room, and undo it."""
    look: Callable[[Vantage], object]
    """What somebody sees of it."""


def felt_by(lab: NamespacesLab, change: Change, where: str) -> tuple[str, ...]:
    """Make a change in somebody's room, and say who sees something else than before."""
    before = {name: change.look(vantage) for name, vantage in lab.vantages.items()}
    with change.made(lab, where):
        return tuple(name for name, vantage in lab.vantages.items() if change.look(vantage) != before[name])


@contextmanager
def _listening(lab: NamespacesLab, where: str) -> Iterator[None]:
    doorman = lab.stand(where, where, "127.0.0.1", _SPARE_PORT)
    try:
        yield
    finally:
        doorman.close()


def _listened(vantage: Vantage) -> object:
    return {(one.address, one.port) for one in listeners(vantage.net)}


@contextmanager
def _routed(lab: NamespacesLab, where: str) -> Iterator[None]:
    net = lab.vantages[where].net
    net.run(lambda: _route("add"))
    try:
        yield
    finally:
        net.run(lambda: _route("del"))


def _route(verb: str) -> None:
    with IPRoute() as ipr:
        ipr.route(verb, dst=_NOWHERE, type="blackhole")


def _routes(vantage: Vantage) -> object:
    """Those of IPv4: of IPv6 some come by themselves, a moment after an interface is up (RFC 4862)."""
    return frozenset(
        route for route in vantage.net.run(read_links).routes if isinstance(route.destination, IPv4Network)
    )


@contextmanager
def _shut(lab: NamespacesLab, where: str) -> Iterator[None]:
    """A rule that answers whoever comes to the port with a reset, made as netavark makes its own here."""
    if machine.read().firewall == "nft":
        chain = "add table ip room; add chain ip room in { type filter hook input priority 0; }"
        rule = f"add rule ip room in tcp dport {PORT} reject with tcp reset"
        do, undo = ["nft", f"{chain}; {rule}"], ["nft", "delete table ip room"]
    else:
        words = ["INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "REJECT", "--reject-with", "tcp-reset"]
        do, undo = ["iptables", "-I", *words], ["iptables", "-D", *words]
    lab.command(where, do)
    try:
        yield
    finally:
        lab.command(where, undo)


def _at_home(vantage: Vantage) -> object:
    return knock(vantage, f"127.0.0.1:{PORT}")


@contextmanager
def _tracked(lab: NamespacesLab, where: str) -> Iterator[None]:
    net = lab.vantages[where].net
    net.run(lambda: _entry("add"))
    try:
        yield
    finally:
        net.run(lambda: _entry("del"))


def _entry(verb: str) -> None:
    one = NFCTAttrTuple(saddr=_CALLER, daddr=_CALLED, proto=_UDP, sport=PORT, dport=PORT)
    other = NFCTAttrTuple(saddr=_CALLED, daddr=_CALLER, proto=_UDP, sport=PORT, dport=PORT)
    with NFCTSocket() as conntrack:
        conntrack.entry(verb, timeout=_ENTRY_SECONDS, tuple_orig=one, tuple_reply=other)


def _entries(vantage: Vantage) -> object:
    """Whether the flow is tracked; those of others come and go on the host."""
    return [entry for entry in vantage.net.run(read_conntrack)[0] if str(entry.original.source) == _CALLER]


@contextmanager
def _tuned(lab: NamespacesLab, where: str) -> Iterator[None]:
    net = lab.vantages[where].net
    before = net.run(_SYSCTL.read_text)
    net.run(lambda: _SYSCTL.write_text(str(int(before) + 1)))
    try:
        yield
    finally:
        net.run(lambda: _SYSCTL.write_text(before))


def _setting(vantage: Vantage) -> object:
    """/proc/sys/net shows the namespace of whoever reads it."""
    return vantage.net.run(_SYSCTL.read_text)


CHANGES: Final[Mapping[str, Change]] = {
    "sockets": Change("somebody listens on a new port", _listening, _listened),
    "routes": Change("a route is added", _routed, _routes),
    "firewall": Change(f"a rule refuses port {PORT}", _shut, _at_home),
    "conntrack": Change("a connection is tracked", _tracked, _entries),
    "sysctls": Change("the first unprivileged port is moved", _tuned, _setting),
}
