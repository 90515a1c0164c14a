"""Bytes of frames that two Linux hosts exchanged, recorded from the wire, and what they are."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import UsageError
from testbed.frames import BROADCAST, Arp, Frame, Ip, decode, ethernet

ONE, TWO = "02:00:00:00:00:01", "02:00:00:00:00:02"
FOUR_ONE, FOUR_TWO = IPv4Address("198.51.100.1"), IPv4Address("198.51.100.2")
SIX_ONE, SIX_TWO = IPv6Address("fd00::1"), IPv6Address("fd00::2")

ARP_REPLY = "020000000001020000000002 0806 0001080006040002 020000000002c6336402 020000000001c6336401"
SYN = (
    "020000000002020000000001 0800 4500003c01ed40004006e464c6336401c6336402"
    "e42800503055ffdf00000000a002faf054990000020405b40402080a591c0495000000000103030a"
)
RESET = "020000000001020000000002 0800 45000028000040004006e665c6336402c63364010050e428000000003055ffe05014000046b70000"
SYN_6 = (
    "020000000002020000000001 86dd 600c0db000280640"
    "fd000000000000000000000000000001fd000000000000000000000000000002"
    "e5e000503b12481300000000a002fd20fa320000020405a00402080a1c41f3c8000000000103030a"
)
DATAGRAM = "020000000002020000000001 0800 450000211a9d40004011cbc4c6336401c6336402 974b0035000d548968656c6c6f"
#: Of a datagram of 1600 bytes; its payload, all of the letter y, is cut here.
SECOND_FRAGMENT = "020000000002020000000001 0800 450000941a9e00b940110a98c6336401c6336402" + "79" * 128
#: "Port unreachable", with the start of the datagram that it is about in it.
UNREACHABLE = (
    "020000000001020000000002 0800 45c0003d8f12000040019683c6336402c6336401"
    "0303cd1300000000450000211a9d40004011cbc4c6336401c6336402974b0035000d548968656c6c6f"
)
UNREACHABLE_6 = (
    "020000000001020000000002 86dd 6005c10b003d3a40"
    "fd000000000000000000000000000002fd000000000000000000000000000001"
    "0104630c00000000600640b3000d1140"
    "fd000000000000000000000000000001fd000000000000000000000000000002b7300035000dfa2268656c6c6f"
)


def of(recorded: str) -> Frame:
    """The frame of a recording in hexadecimal."""
    return decode(bytes.fromhex(recorded))


def ip_of(recorded: str) -> Ip:
    """The packet in it, which it must have."""
    found = of(recorded).ip
    assert found is not None
    return found


def test_an_answer_of_arp() -> None:
    """Who has the address, by which MAC address, and whom it is told."""
    frame = of(ARP_REPLY)
    assert (frame.source, frame.destination, frame.ethertype) == (TWO, ONE, 0x0806)
    assert frame.arp == Arp(request=False, sender_mac=TWO, sender=FOUR_TWO, target_mac=ONE, target=FOUR_ONE)
    assert frame.ip is None


def test_a_question_of_arp() -> None:
    """The same bytes with the operation 1 (RFC 826) ask."""
    arp = of(ARP_REPLY.replace("06040002", "06040001")).arp
    assert arp is not None
    assert arp.request


def test_arp_that_neither_asks_nor_answers() -> None:
    """Inverse ARP has the form of ARP and asks for something else (RFC 2390): operation 8."""
    assert of(ARP_REPLY.replace("06040002", "06040008")).arp is None


@pytest.mark.parametrize(
    ("recorded", "packet"),
    [
        (SYN, Ip(4, FOUR_ONE, FOUR_TWO, 64, "tcp", 58408, 80, "S")),
        (RESET, Ip(4, FOUR_TWO, FOUR_ONE, 64, "tcp", 80, 58408, "RA")),
        (SYN_6, Ip(6, SIX_ONE, SIX_TWO, 64, "tcp", 58848, 80, "S")),
        (DATAGRAM, Ip(4, FOUR_ONE, FOUR_TWO, 64, "udp", 38731, 53, "")),
        (SECOND_FRAGMENT, Ip(4, FOUR_ONE, FOUR_TWO, 64, "udp", None, None, "")),
        (UNREACHABLE, Ip(4, FOUR_TWO, FOUR_ONE, 64, "icmp", None, None, "")),
        (UNREACHABLE_6, Ip(6, SIX_TWO, SIX_ONE, 64, "icmpv6", None, None, "")),
    ],
    ids=["SYN", "RST", "SYN over IPv6", "UDP", "second fragment", "ICMP about UDP", "ICMPv6 about UDP"],
)
def test_packets(recorded: str, packet: Ip) -> None:
    """Addresses, hop limit, protocol, ports and flags; what an ICMP message quotes has its own."""
    assert of(recorded).ip == packet


def test_extension_headers_of_ipv6_are_passed_over() -> None:
    """Behind a header of destination options (RFC 8200, 4.6: six bytes of PadN) the protocol is still TCP."""
    header = SYN_6.index("0640")
    with_options = SYN_6[:header].replace("600c0db00028", "600c0db00030") + "3c40" + SYN_6[header + 4 :]
    at = with_options.index("e5e00050")
    assert ip_of(with_options[:at] + "0600010400000000" + with_options[at:]) == ip_of(SYN_6)


def test_a_protocol_without_a_name_is_its_number() -> None:
    """47 is GRE, whose name nobody here needs."""
    assert ip_of(DATAGRAM.replace("40004011", "4000402f")).protocol == "47"


def test_a_vlan_tag() -> None:
    """The number of the VLAN is the lower twelve bits of the tag (IEEE 802.1Q); the rest is as without it."""
    tagged = of(SYN.replace(" 0800 ", " 8100 e007 0800 "))
    assert (tagged.vlan, tagged.ethertype, tagged.ip) == (7, 0x0800, ip_of(SYN))


@pytest.mark.parametrize("length", [0, 13, 14, 20, 33])
def test_what_is_cut_short_is_a_frame_without_a_packet(length: int) -> None:
    """Whatever is sent is decoded as far as it goes, and nothing is made up."""
    cut = bytes.fromhex(SYN)[:length]
    frame = decode(cut)
    assert (frame.raw, frame.arp, frame.ip) == (cut, None, None)


def test_bytes_that_are_not_what_the_ethertype_says() -> None:
    """An EtherType of IPv4 above a payload of ones."""
    assert decode(ethernet(ONE, TWO, 0x0800, b"\xff" * 46)).ip is None


@given(
    st.sampled_from([ARP_REPLY, SYN, SYN_6, DATAGRAM, UNREACHABLE, UNREACHABLE_6]),
    st.lists(st.tuples(st.integers(12, 90), st.integers(0, 255)), max_size=6),
    st.integers(0, 120),
)
def test_no_bytes_are_an_error(recorded: str, changes: list[tuple[int, int]], length: int) -> None:
    """A frame that somebody damaged is still one: a capture must not end with it."""
    raw = bytearray.fromhex(recorded)
    for at, value in changes:
        raw[at % len(raw)] = value
    cut = bytes(raw[:length])
    assert decode(cut).raw == cut
    assert decode(cut).summary


@pytest.mark.parametrize(
    ("recorded", "line"),
    [
        (ARP_REPLY, f"{TWO} > {ONE}, ARP: 198.51.100.2 is at {TWO}"),
        (SYN, f"{ONE} > {TWO}, IPv4 tcp 198.51.100.1:58408 > 198.51.100.2:80 [S]"),
        (SYN_6, f"{ONE} > {TWO}, IPv6 tcp [fd00::1]:58848 > [fd00::2]:80 [S]"),
        (UNREACHABLE, f"{TWO} > {ONE}, IPv4 icmp 198.51.100.2 > 198.51.100.1"),
        (SYN.replace(" 0800 ", " 8100 0007 88b5 "), f"{ONE} > {TWO}, VLAN 7, EtherType 0x88b5, 78 bytes"),
    ],
    ids=["ARP", "IPv4", "IPv6", "ICMP", "no protocol"],
)
def test_summary(recorded: str, line: str) -> None:
    """One line, in the words of tcpdump(8) where it has them."""
    assert of(recorded).summary == line


def test_a_short_frame_is_padded() -> None:
    """Sixty bytes at least, the checksum aside (IEEE 802.3): destination, source, EtherType, payload, zeros."""
    assert ethernet(ONE, BROADCAST, 0x88B5, b"hello") == (
        bytes.fromhex("ffffffffffff 020000000001 88b5") + b"hello" + bytes(41)
    )


@pytest.mark.parametrize("wrong", ["02:00:00:00:00", "02-00-00-00-00-01", "02:00:00:00:00:0g", ""])
def test_no_mac_address(wrong: str) -> None:
    """The message has what was given, and what to write."""
    with pytest.raises(UsageError) as error:
        ethernet(ONE, wrong, 0x88B5)
    assert str(error.value) == f"{wrong!r} is no MAC address: write six bytes with colons, such as 02:00:00:00:00:01"
