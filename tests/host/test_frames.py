"""What is captured at an interface is what passed there, in the kernel's order, or else it is said to be incomplete."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from testbed.errors import CaptureError, DeadlineError
from testbed.frames import BROADCAST, LOCAL_EXPERIMENTAL, Capture, Frame, Tap, ethernet, fdb, neighbours, send
from testbed.frames import capture as capturing
from testbed.frames.packet_socket import packet_socket
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.waiting import wait_for

ALICE, BOB = "02:00:00:00:00:01", "02:00:00:00:00:02"
PORT = 7001
ADDRESSES = {4: ("198.51.100.1", "198.51.100.2"), 6: ("fd00::1", "fd00::2")}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two hosts with a cable between them. Alice's address is on a bridge, whose one port is her end of the cable."""

    alice: PrivateHost
    bob: PrivateHost

    @property
    def way(self) -> list[Tap]:
        """From Alice to Bob; in the opposite order, so that the order of reading is not that of time."""
        return [
            Tap("bob", self.bob.net, "wan0"),
            Tap("port", self.alice.net, "wan0"),
            Tap("bridge", self.alice.net, "br0"),
        ]

    def send(self, payload: bytes = b"", *, to: str = BROADCAST) -> None:
        """Send a frame from Alice that no protocol knows."""
        send(self.alice.net, "br0", ethernet(ALICE, to, LOCAL_EXPERIMENTAL, payload))


@pytest.fixture(scope="module")
def pair(testbed_session: None) -> Iterator[Pair]:
    """Alice and Bob, for all tests of this file: none of them changes a link."""
    with PrivateHost("alice", with_engine=False) as alice, PrivateHost("bob", with_engine=False) as bob:
        join(CableEnd(alice, "wan0", "198.51.100.1/24"), CableEnd(bob, "wan0", "198.51.100.2/24"))
        for host, command in (
            (alice, "address flush dev wan0"),
            (alice, f"link add br0 address {ALICE} type bridge"),
            (alice, "link set wan0 master br0"),
            (alice, "link set br0 up"),
            (alice, "address add 198.51.100.1/24 dev br0"),
            (alice, "address add fd00::1/64 dev br0 nodad"),
            (bob, f"link set wan0 address {BOB}"),
            (bob, "address add fd00::2/64 dev wan0 nodad"),
        ):
            host.run(["ip", *command.split()])
        yield Pair(alice, bob)


@pytest.fixture
def cable(pair: Pair) -> Iterator[PrivateHost]:
    """A host with both ends of a veth pair, left and right, which carry nothing but what a test sends."""
    host = pair.bob
    host.run(["ip", "link", "add", "left", "type", "veth", "peer", "name", "right"])
    for end in ("left", "right"):
        host.run(["ip", "link", "set", end, "addrgenmode", "none", "up"])
    await_carrier(host)
    yield host
    if "left" in (name for _, name in host.net.run(socket.if_nameindex)):
        host.run(["ip", "link", "delete", "left"])


def await_carrier(host: PrivateHost) -> None:
    """Wait until both ends carry: the kernel starts their queues a moment after they are up (net/core/link_watch.c)."""
    for end in ("left", "right"):
        shown = ["ip", "-br", "link", "show", end]
        wait_for(lambda shown=shown: " UP " in host.run(shown), f"{end} to carry")  # type: ignore[misc]
        host.run(["ip", "link", "set", end, "up"])  # changes nothing, and waits for who is changing it just now


def experimental(frame: Frame) -> bool:
    """Whether it is one of the tests' own."""
    return frame.ethertype == LOCAL_EXPERIMENTAL


def connect(pair: Pair, version: int) -> int:
    """Open a connection from Alice to Bob and return the port that it came from."""
    source, destination = ADDRESSES[version]
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with pair.bob.net.socket(family) as listening, pair.alice.net.socket(family) as calling:
        listening.bind((destination, PORT))
        listening.listen()
        calling.bind((source, 0))
        calling.connect((destination, PORT))
        return int(calling.getsockname()[1])


# What a frame is


def test_arp_is_a_question_and_an_answer(pair: Pair) -> None:
    """Alice asks everybody who has Bob's address, and Bob tells her alone (RFC 826)."""
    pair.alice.run(["ip", "neighbour", "flush", "all"])
    with Capture([Tap("bob", pair.bob.net, "wan0")], wanted=lambda frame: frame.arp) as capture:
        connect(pair, 4)
        question, answer = capture.until(lambda seen: seen[:2] if len(seen) >= 2 else None, "a question and its answer")
    assert question.summary == f"{ALICE} > {BROADCAST}, ARP: who has 198.51.100.2? Tell 198.51.100.1"
    assert answer.summary == f"{BOB} > {ALICE}, ARP: 198.51.100.2 is at {BOB}"


@pytest.mark.parametrize("version", [4, 6])
def test_a_connection_is_opened_by_three_packets(pair: Pair, version: int) -> None:
    """SYN, SYN and ACK, ACK (RFC 9293, 3.5), with the addresses and ports of both ends, seen where Bob sits."""
    with Capture([Tap("bob", pair.bob.net, "wan0")], wanted=lambda frame: frame.ip and frame.ip.flags) as capture:
        port = connect(pair, version)
        opened = capture.until(lambda seen: seen[:3] if len(seen) >= 3 else None, "three packets")
    found = [
        (str(one.ip.source), one.ip.source_port, one.ip.flags, one.outgoing) for one in opened if one.ip is not None
    ]
    alice, bob = ADDRESSES[version]
    assert found == [(alice, port, "S", False), (bob, PORT, "SA", True), (alice, port, "A", False)]


def test_a_vlan_tag_is_seen_though_the_kernel_takes_it_off(cable: PrivateHost) -> None:
    """A frame that came in with a tag has its number, and its EtherType is the one behind the tag (IEEE 802.1Q)."""
    tagged = ethernet(ALICE, BOB, 0x8100, bytes.fromhex("0007 88b5") + b"tagged")
    with Capture([Tap.on(cable.net, "right")], wanted=experimental) as capture:
        send(cable.net, "left", tagged)
        (frame,) = capture.until(lambda seen: seen, "the frame")
    assert (frame.vlan, frame.raw) == (7, tagged)


# When and where


def test_one_frame_at_three_taps_is_in_the_order_of_its_way(pair: Pair) -> None:
    """Bridge, port, and the other end of the cable in another namespace, each by the kernel's own time."""
    with Capture(pair.way, wanted=experimental) as capture:
        for payload in (b"one", b"two"):
            pair.send(payload)
        seen = capture.until(lambda seen: seen if len(seen) == 6 else None, "two frames at each of three taps")
    assert [(frame.tap, frame.raw[14:17]) for frame in seen] == [
        (tap, payload) for payload in (b"one", b"two") for tap in ("bridge", "port", "bob")
    ]
    assert [frame.at for frame in seen] == sorted(frame.at for frame in seen)


def test_the_first_frame_has_the_time_at_which_it_passed(cable: PrivateHost) -> None:
    """Not that at which it is read: frames at two taps that are read late are as far apart as they passed."""
    with Capture([Tap.on(cable.net, "right"), Tap.on(cable.net, "left")], wanted=experimental) as capture:
        send(cable.net, "left", ethernet(ALICE, BOB, LOCAL_EXPERIMENTAL))
        send(cable.net, "right", ethernet(BOB, ALICE, LOCAL_EXPERIMENTAL))
        seen = capture.until(lambda seen: seen if len(seen) == 4 else None, "both frames at both ends")
    assert [(frame.tap, frame.source) for frame in seen] == [
        ("left of bob", ALICE),
        ("right of bob", ALICE),
        ("right of bob", BOB),
        ("left of bob", BOB),
    ]


def test_a_frame_goes_out_at_one_end_and_comes_in_at_the_other(cable: PrivateHost) -> None:
    """Outgoing is what the tapped interface sent."""
    with Capture([Tap("left", cable.net, "left"), Tap("right", cable.net, "right")], wanted=experimental) as capture:
        send(cable.net, "left", ethernet(ALICE, BOB, LOCAL_EXPERIMENTAL))
        seen = capture.until(lambda seen: seen if len(seen) == 2 else None, "the frame at both ends")
    assert {frame.tap: frame.outgoing for frame in seen} == {"left": True, "right": False}


def test_only_what_is_wanted_is_kept(pair: Pair) -> None:
    """Of two frames the filter's own is there, and the other is not, though it was sent first."""
    with Capture(pair.way[:1], wanted=lambda frame: frame.raw[14:18] == b"mine") as capture:
        pair.send(b"other")
        pair.send(b"mine")
        seen = capture.until(lambda seen: seen, "my frame")
    assert [frame.raw[14:18] for frame in seen] == [b"mine"]


def test_what_came_before_the_capture_is_not_in_it(pair: Pair) -> None:
    """A capture starts when it is made: the fence that is sent later is all there is."""
    pair.send(b"early")
    with Capture(pair.way, wanted=experimental) as capture:
        pair.send(b"fence")
        seen = capture.until(lambda seen: seen if len(seen) == 3 else None, "the fence at every tap")
    assert {frame.raw[14:19] for frame in seen} == {b"fence"}


def test_a_capture_starts_when_the_kernel_puts_times_on(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes while its time would be that of reading is passed over, as often as the kernel is found not ready."""
    stamped = iter([False, False, True])
    # At the end of the way, and of one protocol only: the kernel shows it a frame after all taps, which are for every
    # protocol (ptype_all before ptype_specific, __netif_receive_skb_core, net/core/dev.c).
    last = packet_socket(pair.bob.net, "wan0", LOCAL_EXPERIMENTAL)
    last.settimeout(5.0)

    def is_stamped_early(_: socket.socket) -> bool:
        pair.send(b"early")
        assert b"early" in last.recv(2048)  # else it comes when it was passed over already
        return next(stamped)

    monkeypatch.setattr(capturing, "_is_stamped_early", is_stamped_early)
    with last, Capture(pair.way, wanted=experimental) as capture:
        assert next(stamped, None) is None
        pair.send(b"fence")
        seen = capture.until(lambda seen: seen if len(seen) >= 3 else None, "the fence at every tap")
    assert {frame.raw[14:19] for frame in seen} == {b"fence"}


def test_without_times_there_is_no_capture(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even a datagram to oneself arrives, frames would have no order."""

    def never(_: socket.socket) -> bool:
        raise TimeoutError("timed out")

    monkeypatch.setattr(capturing, "_is_stamped_early", never)
    with pytest.raises(CaptureError) as error:
        Capture(pair.way)
    assert str(error.value) == (
        "frames get no times, and so no order: a datagram to 127.0.0.1 did not arrive (timed out); "
        "see that lo is up and the firewall lets it pass"
    )


def test_what_was_read_is_there_after_the_end(pair: Pair) -> None:
    """A capture that is closed shows what it showed before."""
    with Capture(pair.way[:1], wanted=experimental) as capture:
        pair.send()
        seen = capture.until(lambda seen: seen, "the frame")
    assert capture.frames() == seen


# What goes wrong


def test_a_deadline_says_what_came_instead(pair: Pair) -> None:
    """What was waited for, how many frames there were, and the last of them."""
    with Capture([Tap("bob", pair.bob.net, "wan0")], wanted=experimental) as capture:
        pair.send()
        capture.until(lambda seen: seen, "the frame")
        with pytest.raises(DeadlineError) as error:
            capture.until(lambda seen: len(seen) > 1, "a second frame", seconds=0.05)
    assert str(error.value) == (
        "waited 0.05 s for a second frame; instead: 1 wanted at bob, the last one in at bob: "
        f"{ALICE} > {BROADCAST}, EtherType 0x88b5, 60 bytes"
    )


def test_an_interface_that_is_not_there(pair: Pair) -> None:
    """The message has whose it would be, and which there are."""
    with pytest.raises(CaptureError) as error:
        Capture([*pair.way, Tap.on(pair.bob.net, "wan7")])
    assert re.fullmatch(
        r"bob has no interface 'wan7': name one of those that it has \(lo, .*wan0.*\)", str(error.value)
    )


def test_who_has_no_right_is_told_which(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """EPERM is what socket(2) says without CAP_NET_RAW in the namespace's user namespace (packet(7))."""

    def refuse(*_: int) -> socket.socket:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(pair.bob.net, "socket", refuse)
    with pytest.raises(CaptureError) as error:
        Capture([Tap.on(pair.bob.net, "wan0")])
    assert str(error.value) == (
        "'wan0' of bob cannot be captured on or sent by (Operation not permitted): that takes CAP_NET_RAW; "
        "do it as root, or as the owner of that network namespace"
    )


def test_an_interface_without_ethernet(cable: PrivateHost) -> None:
    """What a tun device carries begins with IP, and is not taken for a frame."""
    cable.run(["ip", "tuntap", "add", "dev", "tun7", "mode", "tun"])
    with pytest.raises(CaptureError, match=r"^tun7 of bob: 'tun7' of bob carries no Ethernet frames: "):
        Capture([Tap.on(cable.net, "tun7")])
    cable.run(["ip", "link", "delete", "tun7"])


def test_a_capture_that_lost_frames_says_so_from_then_on(cable: PrivateHost) -> None:
    """A buffer for few of 200 frames: where they were lost, and how many of how many; asking again does not heal it."""
    with Capture([Tap("small", cable.net, "right")], buffer=1) as capture:
        for _ in range(200):
            send(cable.net, "left", ethernet(ALICE, BOB, LOCAL_EXPERIMENTAL))
        for _ in range(2):
            with pytest.raises(CaptureError) as error:
                capture.frames()
            found = re.match(r"small: (\d+) of 200 frames were lost, since its buffer was full: ", str(error.value))
            assert found is not None
            assert 0 < int(found[1]) < 200


def test_frames_outlive_their_interface(cable: PrivateHost) -> None:
    """What passed before an interface was deleted is read afterwards, and the capture goes on without it."""
    with Capture([Tap("right", cable.net, "right")], wanted=experimental) as capture:
        for _ in range(3):
            send(cable.net, "left", ethernet(ALICE, BOB, LOCAL_EXPERIMENTAL))
        cable.run(["ip", "link", "delete", "left"])
        assert [len(capture.frames()) for _ in range(2)] == [3, 3]


def test_an_interface_that_was_down_meanwhile_goes_on(cable: PrivateHost) -> None:
    """Going down is no end: what passes after it came up again is seen."""
    with Capture([Tap("right", cable.net, "right")], wanted=experimental) as capture:
        cable.run(["ip", "link", "set", "right", "down"])
        cable.run(["ip", "link", "set", "right", "up"])
        await_carrier(cable)
        send(cable.net, "left", ethernet(ALICE, BOB, LOCAL_EXPERIMENTAL))
        assert len(capture.until(lambda seen: seen, "the frame")) == 1


def test_sending_from_an_interface_that_is_down(cable: PrivateHost) -> None:
    """The interface, whose it is, and the kernel's reason."""
    cable.run(["ip", "link", "set", "left", "down"])
    with pytest.raises(CaptureError) as error:
        send(cable.net, "left", ethernet(ALICE, BOB, LOCAL_EXPERIMENTAL))
    assert str(error.value) == "a frame of 60 bytes was not sent from 'left' of bob: Network is down"


# Tables


def test_the_bridge_learns_by_which_port_an_address_came(pair: Pair) -> None:
    """Bob's address is learned at the port; the bridge's own is permanent, and is no news."""
    with Capture([Tap("bridge", pair.alice.net, "br0")], wanted=experimental) as capture:
        send(pair.bob.net, "wan0", ethernet(BOB, BROADCAST, LOCAL_EXPERIMENTAL))
        capture.until(lambda seen: seen, "the frame")
    rows = {(row.port, row.mac, row.learned) for row in fdb(pair.alice.net, "br0")}
    assert {("wan0", BOB, True), ("br0", ALICE, False)} <= rows


def test_another_bridge_of_the_host_knows_none_of_them(pair: Pair) -> None:
    """A bridge's table is its own."""
    assert {row.port for row in fdb(pair.alice.net, "resolver0")} == {"resolver0"}


def test_a_bridge_that_is_not_there(pair: Pair) -> None:
    """An interface that is no bridge has no such table; the message has the bridges that there are."""
    with pytest.raises(CaptureError) as error:
        fdb(pair.alice.net, "wan0")
    assert str(error.value) == "alice has no bridge 'wan0': name one of those that it has (br0, resolver0)"


def test_both_ends_of_a_connection_know_each_other(pair: Pair) -> None:
    """Each has the other's MAC address by its IPv4 address."""
    connect(pair, 4)
    for host, address, mac in ((pair.alice, "198.51.100.2", BOB), (pair.bob, "198.51.100.1", ALICE)):
        assert (address, mac) in {(str(one.address), one.mac) for one in neighbours(host.net)}
