"""The way that a prediction takes is the kernel's: both are asked for the same attempt on the same hosts."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import pytest

from testbed.diagnose import why
from testbed.errors import CommandError
from testbed.evidence import Protocol
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.model import Outcome, Target
from testbed.namespaces import NetworkNamespace
from testbed.predict import Disposition, Prediction
from testbed.predict.barrier import (
    Barrier,
    InterfaceDown,
    IsolatedPorts,
    KeepsSilent,
    MacvlanMode,
    MacvlanParent,
    NotAPort,
)
from testbed.predict.ending import Martian, NoNeighbour, ReversePath, RouteForbids
from testbed.predict.socket_lookup import listener_for
from testbed.predict.unknown import AttachedProgram, Divergence, IpsecSelects, UnmodelledRoute
from testbed.readers.sources import of_host
from testbed.readers.take import take
from testbed.waiting import wait_for
from tests.host.stacking import attach_filter, attach_xdp, loads_xdp, stack_macvlan, xdp_program
from tests.privileges import ROOT_OF_THE_MACHINE
from tests.unit.predicted import packet_ending, reason

MakeHost = Callable[..., PrivateHost]

PORT: Final = 8000
#: An ICMPv6 error that comes while connect(2) still sends is kept until the segment is sent again a second later
#: (net/ipv6/tcp_ipv6.c, tcp_v6_err).
SECONDS: Final = 2.5
#: Addresses are usable at once, and no ICMP error falls to a rate limit (icmp(7)).
QUICK: Final[Mapping[str, str]] = {
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv6.icmp.ratelimit": "0",
}
FAMILIES: Final = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


def listen(
    net: NetworkNamespace, address: str, port: int = PORT, *, device: str = "", only: bool = True
) -> socket.socket:
    """A socket that listens in a namespace until it is closed; nobody need accept for connect(2) to succeed.

    :param device: the interface that it is bound to
    :param only: of an IPv6 socket: whether it leaves IPv4 out
    """

    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        if ":" in address:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        made.bind((address, port))
        made.listen(64)
        return made

    return net.run(make)


@dataclass
class Hosts:
    """Hosts whose attempts are predicted and made."""

    hosts: dict[str, PrivateHost]
    closing: ExitStack = field(default_factory=ExitStack)

    def listen(self, name: str, address: str, port: int = PORT, *, device: str = "", only: bool = True) -> None:
        """Let a host listen."""
        found = listen(self.hosts[name].net, address, port, device=device, only=only)
        self.closing.enter_context(found)

    def listen_everywhere(self) -> None:
        """Let every host listen on all its addresses: no refusal and no timeout is then for want of a listener."""
        for name in self.hosts:
            for address in FAMILIES.values():
                self.listen(name, address)

    def run(self, name: str, words: str) -> str:
        """Run a shell command on a host."""
        return self.hosts[name].run(["sh", "-ec", words])

    def settle(self) -> None:
        """Wait until each interface that is up and has a carrier sends what it is given (operational state, RFC 2863).

        Until then the kernel discards it without a word (net/core/link_watch.c, linkwatch_do_dev).
        """

        def ready(name: str) -> bool:
            links = json.loads(self.run(name, "ip -json link"))
            return all(
                one["operstate"] in ("UP", "UNKNOWN") for one in links if {"UP", "LOWER_UP"} <= set(one["flags"])
            )

        for name in self.hosts:
            wait_for(lambda name=name: ready(name), f"the interfaces of {name} to be ready")  # type: ignore[misc]

    def ask(self, place: str, address: str, port: int = PORT) -> tuple[Prediction, Outcome, int | None]:
        """Predict an attempt, and make it. That nobody has an address takes a tenth of a second (arp(7))."""
        self.settle()
        for name in self.hosts:
            self.run(name, "for one in /proc/sys/net/ipv?/neigh/*/retrans_time_ms; do echo 30 >$one; done")
        target = Target.parse(f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}")
        told = why([of_host(host) for host in self.hosts.values()], place, target, seconds=SECONDS).explanation
        assert told.prediction is not None
        assert told.observation is not None
        return told.prediction, told.observation.outcome, told.observation.errno

    def agreed(self, place: str, address: str, port: int = PORT) -> Prediction:
        """Predict an attempt, and make it: both end alike."""
        predicted, outcome, errno = self.ask(place, address, port)
        assert (predicted.outcome, predicted.errno) == (outcome, errno), predicted.why
        return predicted


@pytest.fixture
def make(make_private_host: MakeHost) -> Iterator[Callable[..., Hosts]]:
    """Makes hosts of these names."""
    with ExitStack() as closing:

        def hosts(*names: str) -> Hosts:
            made = {name: make_private_host(name, with_engine=False) for name in names}
            for host in made.values():
                host.run(["sysctl", "-qw", *(f"{name}={value}" for name, value in QUICK.items())])
            found = Hosts(made)
            closing.push(found.closing)
            return found

        yield hosts


@pytest.fixture
def row(make: Callable[..., Hosts]) -> Hosts:
    """``one``, ``mid``, which forwards, and ``two``, in a row; all listen."""
    found = make("one", "mid", "two")
    one, mid, two = found.hosts.values()
    join(CableEnd(one, "w0", "198.51.100.1/25", "fd00:5::1/64"), CableEnd(mid, "w0", "198.51.100.2/25", "fd00:5::2/64"))
    join(
        CableEnd(mid, "w1", "198.51.100.129/25", "fd00:6::1/64"),
        CableEnd(two, "w0", "198.51.100.130/25", "fd00:6::2/64"),
    )
    found.run("mid", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    found.run("one", "ip route add default via 198.51.100.2; ip -6 route add default via fd00:5::2")
    found.run("two", "ip route add default via 198.51.100.129; ip -6 route add default via fd00:6::1")
    found.listen_everywhere()
    assert found.agreed("one", TWO[4]).outcome is Outcome.CONNECTED
    assert found.agreed("one", TWO[6]).outcome is Outcome.CONNECTED
    return found


ONE: Final = {4: "198.51.100.1", 6: "fd00:5::1"}
MID: Final = {4: "198.51.100.2", 6: "fd00:5::2"}
TWO: Final = {4: "198.51.100.130", 6: "fd00:6::2"}


# --- policy rules and routes ------------------------------------------------------------------------------------------

#: A rule takes no id that the user namespace has not (net/core/fib_rules.c, nla_get_kuid_range).
_needs_all_ids: Final = pytest.mark.xfail(
    not ROOT_OF_THE_MACHINE,
    raises=CommandError,
    reason="only the initial user namespace has all user ids",
)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("one", "from ONE prohibit"),
        ("one", "to TWO prohibit"),
        ("one", "to TWO unreachable"),
        ("one", "to TWO blackhole"),
        ("one", "ipproto tcp dport 8000 prohibit"),
        ("one", "ipproto tcp dport 8001-8009 prohibit"),
        ("one", "ipproto udp prohibit"),
        pytest.param("one", "uidrange 0-4294967294 unreachable", marks=_needs_all_ids),
        ("one", "oif w0 prohibit"),
        ("one", "iif lo prohibit"),
        ("one", "not fwmark 7 prohibit"),
        ("one", "fwmark 0/0xff prohibit"),
        ("one", "tos 0x10 prohibit"),
        ("one", "tun_id 5 prohibit"),
        ("one", "lookup main suppress_prefixlength 0"),
        ("one", "lookup main suppress_ifgroup default"),
        ("one", "goto 32766"),
        ("one", "goto 5000"),
        ("one", "nop"),
        ("mid", "from ONE unreachable"),
        ("mid", "not to ONE prohibit"),
        ("mid", "iif w0 blackhole"),
        ("mid", "iif w1 prohibit"),
        ("mid", "ipproto tcp sport 8000 prohibit"),
        ("mid", "uidrange 5-6 prohibit"),
        ("two", "to ONE prohibit"),
        ("two", "from TWO unreachable"),
        ("two", "from ONE prohibit"),
    ],
)
def test_a_policy_rule_selects_what_it_selects_in_the_kernel(row: Hosts, where: str, rule: str, version: int) -> None:
    """On the caller's host, on one on the way and on the called one, in both directions; whatever it makes of them."""
    words = rule.replace("ONE", ONE[version]).replace("TWO", TWO[version])
    row.run(where, f"ip -{version} rule add priority 100 {words}")
    if "tun_id" in rule:
        predicted, outcome, _ = row.ask("one", TWO[version])
        assert outcome is Outcome.CONNECTED
        assert isinstance(reason(predicted), UnmodelledRoute)
        return
    row.agreed("one", TWO[version])


@pytest.mark.parametrize("version", [4, 6])
def test_a_rule_for_a_user_is_a_doubt_where_it_decides(row: Hosts, version: int) -> None:
    """Whose socket it will be is not in the picture; a rule that leads the same way for all decides nothing."""
    row.run("one", f"ip -{version} rule add priority 100 uidrange 5-6 lookup main")
    assert row.agreed("one", TWO[version]).outcome is Outcome.CONNECTED
    row.run("one", f"ip -{version} rule add priority 90 uidrange 5-6 prohibit")
    predicted, outcome, _ = row.ask("one", TWO[version])
    assert outcome is Outcome.CONNECTED
    assert isinstance(reason(predicted), UnmodelledRoute)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("where", ["one", "mid"])
def test_the_rules_of_wg_quick_lead_all_but_the_main_table_s_into_the_tunnel(
    row: Hosts, where: str, version: int
) -> None:
    """wg-quick(8): whatever main has but a default route goes by main, all else by the tunnel's table."""
    row.run(
        where,
        f"ip -{version} rule add not fwmark 51820 table 51820;"
        f"ip -{version} rule add table main suppress_prefixlength 0;"
        f"ip -{version} route add unreachable default table 51820",
    )
    assert row.agreed("one", MID[version]).outcome is Outcome.CONNECTED
    predicted = row.agreed("one", TWO[version])
    if where == "one":
        ending = packet_ending(predicted)
        assert isinstance(ending, RouteForbids)
        assert (ending.by.table, ending.namespace.label) == (51820, "one")
    else:
        assert predicted.outcome is Outcome.CONNECTED  # of mid both neighbours are in main itself


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", ["unreachable", "prohibit", "blackhole"])
def test_a_route_that_forbids_the_caller_is_the_ending_of_the_answer(row: Hosts, kind: str, version: int) -> None:
    """Not that there is no route: the one that forbids is named."""
    row.run("two", f"ip -{version} route add {kind} {ONE[version]}")
    ending = packet_ending(row.agreed("one", TWO[version]))
    assert isinstance(ending, RouteForbids)
    assert (ending.back, ending.namespace.label, str(ending.kind)) == (True, "two", kind)
    assert ending.there is not None
    assert ending.there.disposition is Disposition.ACCEPTED


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("where", ["one", "mid", "two"])
def test_without_the_rule_for_the_table_local_nothing_is_a_namespace_s_own(
    row: Hosts, where: str, version: int
) -> None:
    """The rules are what makes an address local; where that rule comes later it is as before.

    IPv6 asks the tables local and main without looking at rules until one is added (net/ipv6/fib6_rules.c).
    """
    row.run(where, f"ip -{version} rule del priority 0")
    assert (row.agreed("one", TWO[version]).outcome is Outcome.CONNECTED) == (version == 6 or where == "mid")
    row.agreed("one", MID[version])
    row.run(where, f"ip -{version} rule add priority 7000 nop")
    assert (row.agreed("one", TWO[version]).outcome is Outcome.CONNECTED) == (where == "mid")
    row.agreed("one", MID[version])
    row.run(where, f"ip -{version} rule add priority 50 lookup local")
    assert row.agreed("one", TWO[version]).outcome is Outcome.CONNECTED


# --- several next hops ------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(make: Callable[..., Hosts]) -> Hosts:
    """``one`` and ``two``, with two cables between them; ``two`` has an address behind both. All listen."""
    found = make("one", "two")
    one, two = found.hosts.values()
    join(CableEnd(one, "w0", "198.51.100.1/24", "fd00:5::1/64"), CableEnd(two, "w0", "198.51.100.2/24", "fd00:5::2/64"))
    join(CableEnd(one, "w1", "192.0.2.1/24", "fd00:6::1/64"), CableEnd(two, "w1", "192.0.2.2/24", "fd00:6::2/64"))
    found.run("two", f"ip address add {BEHIND}/32 dev lo")
    found.listen_everywhere()
    return found


BEHIND: Final = "203.0.113.9"


@pytest.mark.parametrize(
    ("hops", "ends_alike"),
    [
        ("nexthop via 198.51.100.2 nexthop via 192.0.2.2", True),
        ("nexthop via 198.51.100.66 nexthop via 192.0.2.66", True),
        ("nexthop via 198.51.100.2 nexthop via 192.0.2.66", False),
    ],
)
def test_a_route_with_several_next_hops_is_known_where_all_end_alike(
    pair: Hosts, hops: str, *, ends_alike: bool
) -> None:
    """The kernel takes one by a hash with a secret: where they do not end alike nobody can tell."""
    pair.run("one", f"ip route add 203.0.113.0/24 {hops}")
    if ends_alike:
        pair.agreed("one", BEHIND)
    else:
        assert isinstance(reason(pair.ask("one", BEHIND)[0]), Divergence)


def test_a_next_hop_whose_interface_is_down_is_not_taken(pair: Hosts) -> None:
    """The route goes on by the others."""
    pair.run("one", "ip route add 203.0.113.0/24 nexthop via 198.51.100.2 nexthop via 192.0.2.66; ip link set w1 down")
    assert pair.agreed("one", BEHIND).outcome is Outcome.CONNECTED


def test_a_group_of_nexthop_objects_is_a_route_with_several(pair: Hosts) -> None:
    """ip-nexthop(8): both lead to the other host."""
    pair.run(
        "one",
        "ip nexthop add id 5 via 198.51.100.2 dev w0; ip nexthop add id 6 via 192.0.2.2 dev w1;"
        "ip nexthop add id 7 group 5/6; ip route add 203.0.113.0/24 nhid 7",
    )
    assert pair.agreed("one", BEHIND).outcome is Outcome.CONNECTED


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_an_answer_by_another_interface_passes_but_a_strict_filter(pair: Hosts, mode: int) -> None:
    """The ending has the sysctls with their values, and the route that the packet's sender should come by."""
    pair.run("one", f"sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w1.rp_filter={mode}")
    pair.run("two", "sysctl -qw net.ipv4.conf.all.rp_filter=0; ip route add 198.51.100.1/32 via 192.0.2.1")
    assert pair.agreed("two", "192.0.2.1").outcome is Outcome.CONNECTED  # so that it need not ask for the neighbour
    predicted = pair.agreed("one", "198.51.100.2")
    assert (predicted.outcome is Outcome.CONNECTED) == (mode != 1)
    if mode == 1:
        ending = packet_ending(predicted)
        assert isinstance(ending, ReversePath)
        assert [(one.name, one.value) for one in ending.sysctls] == [
            ("net.ipv4.conf.all.rp_filter", "0"),
            ("net.ipv4.conf.w1.rp_filter", "1"),
        ]
        assert ending.way_back is not None


def test_a_loose_filter_drops_what_comes_in_by_an_interface_without_an_address(pair: Hosts) -> None:
    """As a bridge that lost its address does (net/ipv4/fib_frontend.c, __fib_validate_source, no_addr)."""
    pair.run("one", "ip route add 192.0.2.0/24 via 198.51.100.2 metric 5; ip address flush dev w1")
    pair.run("two", "ip route add 198.51.100.1/32 dev w1; sysctl -qw net.ipv4.conf.all.rp_filter=0")
    pair.run("one", "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.w1.rp_filter=0")
    assert pair.agreed("one", "198.51.100.2").outcome is Outcome.CONNECTED
    pair.run("one", "sysctl -qw net.ipv4.conf.w1.rp_filter=2")
    assert pair.agreed("one", "198.51.100.2").disposition is Disposition.REVERSE_PATH


# --- loopback ---------------------------------------------------------------------------------------------------------


def _rewritten(pair: Hosts, program_: str, loopback: str, to: str) -> None:
    """Rewrite a loopback's port 8080 to another host, and hide behind one's own address, as netavark does."""
    pair.run(
        "one",
        f"{program_} -t nat -A OUTPUT -d {loopback} -p tcp --dport 8080 -j DNAT --to-destination {to}:{PORT};"
        f"{program_} -t nat -A POSTROUTING -o w0 -j MASQUERADE",
    )


@pytest.mark.parametrize(("everywhere", "own"), [(0, 0), (1, 0), (0, 1)])
def test_127_0_0_1_leaves_where_route_localnet_lets_it(pair: Hosts, everywhere: int, own: int) -> None:
    """The parameter of ``all`` or of the interface; the ending has both with their values."""
    _rewritten(pair, "iptables", "127.0.0.1", "198.51.100.2")
    pair.run("one", f"sysctl -qw net.ipv4.conf.all.route_localnet={everywhere} net.ipv4.conf.w0.route_localnet={own}")
    predicted = pair.agreed("one", "127.0.0.1", 8080)
    assert (predicted.outcome is Outcome.CONNECTED) == bool(everywhere or own)
    if predicted.outcome is not Outcome.CONNECTED:
        ending = packet_ending(predicted)
        assert isinstance(ending, Martian)
        assert [(one.name, one.value) for one in ending.sysctls] == [
            ("net.ipv4.conf.all.route_localnet", "0"),
            ("net.ipv4.conf.w0.route_localnet", "0"),
        ]


def test_no_parameter_lets_an_answer_to_the_loopback_of_ipv6_in(pair: Hosts) -> None:
    """What is rewritten from [::1] gets there, translated, and its answer is not taken, route_localnet or not."""
    _rewritten(pair, "ip6tables", "::1", "[fd00:5::2]")
    pair.run("one", "sysctl -qw net.ipv4.conf.all.route_localnet=1")
    ending = packet_ending(pair.agreed("one", "::1", 8080))
    assert isinstance(ending, Martian)
    assert (str(ending.address), ending.back, ending.namespace.label, ending.sysctls) == ("::1", True, "one", ())


def test_nobody_takes_a_packet_from_the_loopback_of_ipv6(pair: Hosts) -> None:
    """What is rewritten from [::1] and not translated ends where it arrives (net/ipv6/ip6_input.c)."""
    _rewritten(pair, "ip6tables", "::1", "[fd00:5::2]")
    pair.run("one", "ip6tables -t nat -F POSTROUTING")
    ending = packet_ending(pair.agreed("one", "::1", 8080))
    assert isinstance(ending, Martian)
    assert (str(ending.address), ending.back, ending.namespace.label, ending.sysctls) == ("::1", False, "two", ())


# --- sockets that are bound to an interface ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "address", "takes"),
    [
        ("one", "192.0.2.2", True),
        ("one", "198.51.100.2", False),
        ("two", "192.0.2.2", True),
        ("two", "198.51.100.2", False),
        ("two", "127.0.0.1", False),
        ("one", "fd00:6::2", True),
        ("one", "fd00:5::2", False),
        ("two", "fd00:6::2", True),
        ("two", "::1", False),
    ],
)
def test_a_socket_bound_to_an_interface_takes_what_comes_by_it(
    pair: Hosts, place: str, address: str, *, takes: bool
) -> None:
    """From the host itself too: what is for the interface's own address counts as come in by it."""
    pair.listen("two", "::", 8002, device="w1", only=False)
    outcome = pair.agreed(place, address, 8002).outcome
    assert outcome is (Outcome.CONNECTED if takes else Outcome.REFUSED)


@pytest.mark.parametrize(
    ("first", "second", "taker"),
    [
        (("0.0.0.0", "w0"), ("198.51.100.2", ""), 1),
        (("0.0.0.0", ""), ("0.0.0.0", "w0"), 1),
        (("0.0.0.0", "w0"), ("0.0.0.0", ""), 0),
        (("::", "w0"), ("0.0.0.0", ""), 0),
        (("::", ""), ("0.0.0.0", ""), 1),
    ],
)
@pytest.mark.parametrize("sender", ["one", "two"])
def test_of_two_sockets_of_udp_the_one_that_fits_best_gets_the_datagram(
    pair: Hosts, sender: str, first: tuple[str, str], second: tuple[str, str], taker: int
) -> None:
    """The address itself goes before an interface, and that before the version of IP (net/ipv4/udp.c)."""
    sockets = [pair.closing.enter_context(bound(pair.hosts["two"].net, *one)) for one in (first, second)]
    picture = take([of_host(pair.hosts["two"])])
    (here,) = picture.namespaces.values()
    index = next(one.index for one in here.links if one.name == "w0")
    found = listener_for(here, Protocol.UDP, ipaddress.ip_address("198.51.100.2"), 8005, index)
    assert found is not None
    assert found.inode == os.fstat(sockets[taker].fileno()).st_ino
    with pair.hosts[sender].net.run(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sending:
        sending.sendto(b"here", ("198.51.100.2", 8005))
    assert sockets[taker].recv(16) == b"here"


def bound(net: NetworkNamespace, address: str, device: str) -> socket.socket:
    """A socket of UDP that others may share the port with; it waits two seconds for a datagram."""

    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(2)
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        made.bind((address, 8005))
        return made

    return net.run(make)


# --- what is attached to interfaces -----------------------------------------------------------------------------------


@loads_xdp
def test_an_xdp_program_on_the_way_is_a_doubt_and_elsewhere_none(pair: Hosts) -> None:
    """What it drops it drops; what does not pass its interface is as ever."""
    with xdp_program(1) as dropping:
        attach_xdp(pair.hosts["two"], "w0", dropping)
        predicted, outcome, _ = pair.ask("one", "198.51.100.2")
        assert outcome is not Outcome.CONNECTED
        doubt = reason(predicted)
        assert isinstance(doubt, AttachedProgram)
        assert (doubt.link.name, doubt.attached.text.split()[0]) == ("w0", "xdp")
        assert pair.agreed("one", "192.0.2.2").outcome is Outcome.CONNECTED


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_filter_on_the_way_is_a_doubt_and_elsewhere_none(pair: Hosts, direction: str) -> None:
    """Of the packet's way the one, of its answer's the other."""
    attach_filter(pair.hosts["two"], "w0", 2, direction)
    predicted, outcome, _ = pair.ask("one", "198.51.100.2")
    assert outcome is not Outcome.CONNECTED
    doubt = reason(predicted)
    assert isinstance(doubt, AttachedProgram)
    assert (doubt.link.name, str(doubt.attached.direction)) == ("w0", direction)
    assert pair.agreed("one", "192.0.2.2").outcome is Outcome.CONNECTED


@pytest.mark.parametrize("where", ["one", "two"])
def test_a_token_bucket_that_holds_no_packet_discards_all(pair: Hosts, where: str) -> None:
    """On the packet's way and on its answer's; a bucket of the usual size discards none."""
    pair.run(where, "tc qdisc add dev w0 root tbf rate 1mbit burst 20 limit 3000")
    assert pair.agreed("one", "198.51.100.2").disposition is Disposition.DROPPED
    pair.run(where, "tc qdisc replace dev w0 root tbf rate 1mbit burst 1540 limit 3000")
    assert pair.agreed("one", "198.51.100.2").outcome is Outcome.CONNECTED


@pytest.mark.parametrize(
    ("policy", "doubted"),
    [
        ("dir out src 198.51.100.1 dst 198.51.100.2 tmpl proto esp mode transport", True),
        ("dir out src 198.51.100.1 dst 198.51.100.2 action block", True),
        ("dir out src 198.51.100.1 dst 198.51.100.2", False),
        ("dir out src 198.51.100.1 dst 198.51.100.2 proto udp action block", False),
        ("dir out src 198.51.100.1 dst 198.51.100.9 action block", False),
        ("dir fwd src 198.51.100.1 dst 198.51.100.2 action block", False),
    ],
)
def test_a_policy_of_ipsec_is_a_doubt_for_what_it_selects(pair: Hosts, policy: str, *, doubted: bool) -> None:
    """One that demands nothing, or that selects another packet, decides nothing."""
    pair.run("one", f"ip xfrm policy add {policy}")
    if doubted:
        predicted, outcome, _ = pair.ask("one", "198.51.100.2")
        assert outcome is not Outcome.CONNECTED
        assert isinstance(reason(predicted), IpsecSelects)
    else:
        assert pair.agreed("one", "198.51.100.2").outcome is Outcome.CONNECTED


# --- neighbours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["permanent", "noarp"])
@pytest.mark.parametrize("address", ["198.51.100.2", "198.51.100.9"])
def test_a_neighbour_that_is_never_checked_is_believed_for_ever(pair: Hosts, state: str, address: str) -> None:
    """Whether anybody has the address or not: it is a timeout, and never "no route to host"."""
    pair.run("one", f"ip neighbour replace {address} lladdr 02:00:00:00:00:77 nud {state} dev w0")
    assert pair.agreed("one", address).disposition is Disposition.STALE_NEIGHBOUR


@pytest.mark.parametrize(
    ("setting", "address", "answered"),
    [
        ("arp_ignore=1", "198.51.100.2", True),
        ("arp_ignore=1", "192.0.2.2", False),
        ("arp_ignore=2", "198.51.100.2", True),
        ("arp_ignore=8", "198.51.100.2", False),
        ("arp_filter=1", "198.51.100.2", True),
        ("arp_filter=1", "192.0.2.2", True),
    ],
)
def test_who_answers_for_an_address_is_up_to_his_parameters(
    pair: Hosts, setting: str, address: str, *, answered: bool
) -> None:
    """ip-sysctl: of all interfaces, of the one that is asked by, of senders of the same subnet, of none at all."""
    pair.run("one", "ip link set w1 down; ip route add 192.0.2.2/32 dev w0 src 198.51.100.1; ip neighbour flush all")
    pair.run("two", f"ip neighbour flush all; sysctl -qw net.ipv4.conf.w0.{setting}")
    predicted = pair.agreed("one", address)
    assert (predicted.outcome is Outcome.CONNECTED) == answered
    if not answered:
        barrier = kept(predicted)
        assert isinstance(barrier, KeepsSilent)
        assert barrier.sysctls[1].name == f"net.ipv4.conf.w0.{setting.split('=', maxsplit=1)[0]}"


def test_a_proxy_answers_for_what_it_passes_on(row: Hosts) -> None:
    """proxy_arp on the host in the middle: its neighbour need not know of the router."""
    row.run("one", "ip route del default; ip route add 198.51.100.130/32 dev w0")
    assert isinstance(packet_ending(row.agreed("one", TWO[4])), NoNeighbour)
    # A proxy waits up to 0.8 seconds, and who asks here has no more patience than a tenth (arp(7), proxy_delay).
    row.run("mid", "sysctl -qw net.ipv4.conf.w0.proxy_arp=1 net.ipv4.neigh.w0.proxy_delay=0")
    row.run("one", "ip neighbour flush all")
    assert row.agreed("one", TWO[4]).outcome is Outcome.CONNECTED


def kept(predicted: Prediction) -> Barrier | None:
    """What keeps the owner of the address from answering."""
    ending = packet_ending(predicted)
    assert isinstance(ending, NoNeighbour), predicted.why
    return ending.barrier


# --- bridges ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bridged(make: Callable[..., Hosts]) -> Hosts:
    """``hub`` with a bridge ``br0``, and ``left`` and ``right`` behind its ports of these names; all listen."""
    found = make("hub", "left", "right")
    hub, left, right = found.hosts.values()
    found.run("hub", "ip link add br0 type bridge; ip address add 10.9.0.1/24 dev br0; ip link set br0 up")
    join(CableEnd(hub, "left"), CableEnd(left, "eth0", "10.9.0.2/24"))
    join(CableEnd(hub, "right"), CableEnd(right, "eth0", "10.9.0.3/24"))
    found.run("hub", "ip link set left master br0; ip link set right master br0")
    found.listen_everywhere()
    assert found.agreed("left", "10.9.0.3").outcome is Outcome.CONNECTED
    for name in found.hosts:
        found.run(name, "ip neighbour flush all")
    return found


@pytest.mark.parametrize(
    ("where", "command", "address", "barrier"),
    [
        (
            "hub",
            "bridge link set dev left isolated on; bridge link set dev right isolated on",
            "10.9.0.3",
            IsolatedPorts,
        ),
        ("hub", "ip link set right down", "10.9.0.3", InterfaceDown),
        ("right", "ip link set eth0 down", "10.9.0.3", InterfaceDown),
        ("hub", "ip link set br0 down", "10.9.0.3", InterfaceDown),
        ("hub", "ip link del br0", "10.9.0.3", NotAPort),
        ("hub", "ip link del br0", "10.9.0.1", NotAPort),
        ("hub", "ip link set left nomaster", "10.9.0.3", NotAPort),
        ("hub", "ip address del 10.9.0.1/24 dev br0", "10.9.0.1", type(None)),
    ],
)
def test_what_keeps_two_of_a_bridge_apart_is_said(
    bridged: Hosts, where: str, command: str, address: str, barrier: type
) -> None:
    """Isolated ports, an interface that is down, an end that is a port of no bridge any more; nothing for no owner."""
    bridged.run(where, command)
    assert type(kept(bridged.agreed("left", address))) is barrier


def test_isolated_ports_reach_the_host_of_the_bridge(bridged: Hosts) -> None:
    """They are kept apart from each other only (bridge(8))."""
    bridged.run("hub", "bridge link set dev left isolated on; bridge link set dev right isolated on")
    assert bridged.agreed("left", "10.9.0.1").outcome is Outcome.CONNECTED


# --- macvlans ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def stacked(make: Callable[..., Hosts]) -> Hosts:
    """``parent`` with the interface ``eth0``, at whose other end ``wire`` is; ``inner`` and ``other`` for macvlans."""
    found = make("parent", "wire", "inner", "other")
    parent, wire, *_ = found.hosts.values()
    join(
        CableEnd(parent, "eth0", "198.51.100.1/24", "fd00:5::1/64"),
        CableEnd(wire, "eth0", "198.51.100.2/24", "fd00:5::2/64"),
    )
    found.listen_everywhere()
    return found


ADDRESSES: Final = {"parent": 1, "wire": 2, "inner": 3, "other": 4}


def give(stacked: Hosts, mode: str, other: str) -> None:
    """Give ``inner`` a macvlan of one mode, and ``other`` one of another."""
    for name, kind in (("inner", mode), ("other", other)):
        stack_macvlan(stacked.hosts["parent"], "eth0", stacked.hosts[name], "m0", kind)
        last = ADDRESSES[name]
        stacked.run(name, f"ip address add 198.51.100.{last}/24 dev m0; ip address add fd00:5::{last}/64 dev m0")


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("mode", ["private", "vepa", "bridge"])
def test_a_macvlan_reaches_the_wire_and_never_its_parent(stacked: Hosts, mode: str, version: int) -> None:
    """The ending says that a macvlan and its parent are kept apart, in both directions."""
    give(stacked, mode, mode)
    prefix = "198.51.100." if version == 4 else "fd00:5::"
    assert stacked.agreed("inner", f"{prefix}2").outcome is Outcome.CONNECTED
    assert stacked.agreed("wire", f"{prefix}3").outcome is Outcome.CONNECTED
    for place, last in (("inner", 1), ("parent", 3)):
        barrier = kept(stacked.agreed(place, f"{prefix}{last}"))
        assert isinstance(barrier, MacvlanParent)
        assert (barrier.macvlan.name, barrier.parent.name, barrier.child.label) == ("m0", "eth0", "inner")


@pytest.mark.parametrize("mode", ["private", "vepa", "bridge"])
@pytest.mark.parametrize("other", ["private", "vepa", "bridge"])
def test_two_macvlans_of_one_parent_hear_each_other_in_mode_bridge_only(stacked: Hosts, mode: str, other: str) -> None:
    """Else what one sends goes out by the parent, and nobody there sends it back."""
    give(stacked, mode, other)
    predicted = stacked.agreed("inner", "198.51.100.4")
    if mode == other == "bridge":
        assert predicted.outcome is Outcome.CONNECTED
    else:
        assert isinstance(kept(predicted), MacvlanMode)


def test_macvlans_reach_nobody_where_the_parent_is_down(stacked: Hosts) -> None:
    """Not even each other: they have no carrier then."""
    give(stacked, "bridge", "bridge")
    stacked.run("parent", "ip link set eth0 down")
    for last in (2, 4):
        assert isinstance(kept(stacked.agreed("inner", f"198.51.100.{last}")), InterfaceDown)


def test_a_macvlan_on_a_bridge_reaches_its_ports_and_not_its_host(bridged: Hosts) -> None:
    """The parent is the bridge itself, as with ``podman network create -d macvlan -o parent=br0``."""
    bridged.run("right", "ip address flush dev eth0")
    stack_macvlan(bridged.hosts["hub"], "br0", bridged.hosts["right"], "m0", "bridge")
    bridged.run("right", "ip link set eth0 down; ip address add 10.9.0.4/24 dev m0")
    assert bridged.agreed("left", "10.9.0.4").outcome is Outcome.CONNECTED
    assert bridged.agreed("right", "10.9.0.2").outcome is Outcome.CONNECTED
    assert isinstance(kept(bridged.agreed("right", "10.9.0.1")), MacvlanParent)
    assert isinstance(kept(bridged.agreed("hub", "10.9.0.4")), MacvlanParent)


@pytest.mark.parametrize("hairpin", ["off", "on"])
def test_a_port_that_sends_back_joins_a_macvlan_with_its_parent(bridged: Hosts, hairpin: str) -> None:
    """With hairpin mode the wire brings what leaves by it back: to the parent, and from there to the macvlan."""
    bridged.run("hub", f"bridge link set dev right hairpin {hairpin}")
    bridged.run("left", "ip link set eth0 down; ip address flush dev eth0")
    stack_macvlan(bridged.hosts["right"], "eth0", bridged.hosts["left"], "m0", "vepa")
    bridged.run("left", "ip address add 10.9.0.4/24 dev m0")
    assert bridged.agreed("left", "10.9.0.1").outcome is Outcome.CONNECTED
    for place, address in (("left", "10.9.0.3"), ("right", "10.9.0.4")):
        assert (bridged.agreed(place, address).outcome is Outcome.CONNECTED) == (hairpin == "on")
