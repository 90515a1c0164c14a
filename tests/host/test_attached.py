"""What is attached to interfaces, and the policies of IPsec, read of real hosts."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest

from testbed.evidence import Direction, IpsecDemand, IpsecDirection, IpsecPolicy, Namespace
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.readers.sources import of_host
from testbed.readers.take import take
from tests.host.stacking import attach_filter, attach_xdp, loads_xdp, xdp_program

MakeHost = Callable[..., PrivateHost]


@pytest.fixture
def cabled(make_private_host: MakeHost) -> PrivateHost:
    """A host with an interface ``wan0`` that is a cable to another one."""
    one, other = make_private_host("one", with_engine=False), make_private_host("other", with_engine=False)
    join(CableEnd(one, "wan0", "198.51.100.1/24"), CableEnd(other, "wan0", "198.51.100.2/24"))
    return one


def seen(host: PrivateHost) -> Namespace:
    """A host's namespace, which nothing is missing from."""
    picture = take([of_host(host)])
    (namespace,) = picture.namespaces.values()
    assert (picture.missing, namespace.missing) == ((), ())
    return namespace


def attached(host: PrivateHost) -> list[tuple[Direction, str, bool | None]]:
    """What is attached to the interface."""
    namespace = seen(host)
    (index,) = (link.index for link in namespace.links if link.name == "wan0")
    assert {one.link for one in namespace.attached} <= {index}
    return [(one.direction, one.text, one.discards) for one in namespace.attached]


def test_an_interface_as_it_is_made_has_nothing_attached(cabled: PrivateHost) -> None:
    """A noqueue, which every interface begins with, is not told."""
    assert seen(cabled).attached == ()


@loads_xdp
def test_an_xdp_program_is_told_with_its_number(cabled: PrivateHost) -> None:
    """The number is the one that ip-link(8) prints."""
    with xdp_program(2) as passing:
        attach_xdp(cabled, "wan0", passing)
        words = cabled.run(["ip", "link", "show", "wan0"]).split()
        number = words[words.index("prog/xdp") + 2]
        assert attached(cabled) == [(Direction.INGRESS, f"xdp prog id {number}", None)]


@pytest.mark.parametrize("direction", list(Direction))
def test_a_filter_that_acts_is_told_with_its_direction(cabled: PrivateHost, direction: Direction) -> None:
    """One of clsact, whose program says itself what becomes of a packet."""
    attach_filter(cabled, "wan0", 0, str(direction))
    assert attached(cabled) == [(direction, "tc filter bpf", None)]


def test_a_filter_that_only_sorts_into_classes_is_not_told(cabled: PrivateHost) -> None:
    """A shaper of the usual kind stops nobody."""
    cabled.run(["tc", "qdisc", "add", "dev", "wan0", "root", "handle", "1:", "htb", "default", "1"])
    cabled.run(["tc", "filter", "add", "dev", "wan0", "parent", "1:", "u32", "match", "u32", "0", "0", "flowid", "1:1"])
    assert attached(cabled) == []


@pytest.mark.parametrize(
    ("burst", "limit", "told"),
    [
        (1540, 3000, []),
        (1000, 3000, [(Direction.EGRESS, "tc qdisc tbf for packets of at most 1000 bytes", None)]),
        (1540, 300, [(Direction.EGRESS, "tc qdisc tbf for packets of at most 300 bytes", None)]),
        (20, 3000, [(Direction.EGRESS, "tc qdisc tbf for packets of at most 20 bytes", True)]),
    ],
)
def test_a_token_bucket_is_told_where_it_is_too_small_for_a_packet(
    cabled: PrivateHost, burst: int, limit: int, told: list[tuple[Direction, str, bool | None]]
) -> None:
    """What is larger than the bucket or the queue is discarded; below the smallest segment that is everything."""
    words = f"tc qdisc add dev wan0 root tbf rate 1mbit burst {burst} limit {limit}"
    cabled.run(words.split())
    assert attached(cabled) == told


def test_policies_of_ipsec_are_those_of_ip_xfrm(cabled: PrivateHost) -> None:
    """Direction, both subnets, protocol, priority and what it demands, of both versions of IP."""
    for words in (
        "dir out src 192.0.2.0/25 dst 198.51.100.2 proto tcp priority 7 tmpl proto esp mode transport",
        "dir in src 198.51.100.0/24 dst 192.0.2.1 action block",
        "dir fwd src fd00::/8 dst ::/0",
    ):
        cabled.run(["ip", "xfrm", "policy", "add", *words.split()])
    net = ipaddress.ip_network
    assert set(seen(cabled).ipsec) == {
        IpsecPolicy(
            IpsecDirection.OUT, net("192.0.2.0/25"), net("198.51.100.2/32"), IpsecDemand.TRANSFORM, 7, protocol=6
        ),
        IpsecPolicy(IpsecDirection.IN, net("198.51.100.0/24"), net("192.0.2.1/32"), IpsecDemand.BLOCK),
        IpsecPolicy(IpsecDirection.FORWARD, net("fd00::/8"), net("::/0"), IpsecDemand.NOTHING),
    }
