"""What podman0 does with a frame: asserted on its table, and on the frames captured at every port."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from testbed.containers import HostContainer
from testbed.errors import CommandError
from testbed.frames import BROADCAST, LOCAL_EXPERIMENTAL, Capture, Frame, Tap, ethernet, fdb, neighbours, send
from testbed.images import ImageStore
from testbed.namespaces import NetworkNamespace
from testbed.scenarios.switch.deeds import ask, overheard, speak
from testbed.scenarios.switch.judgement import answered, asked, flooded, is_for_group, left_by_one_port, reached_all
from testbed.scenarios.switch.lab import SwitchLab
from testbed.scenarios.switch.story import refused, scenes
from testbed.scenarios.switch.topology import ADDRESSES, BADGES, BRIDGE, ESSAYS_BADGE, GATEWAY, LAPTOP, PEOPLE
from testbed.waiting import wait_for

#: An address that nobody here has, of one and not of a group.
STRANGER = "02:00:00:00:00:99"
#: A group's: the second bit says that somebody made it up (IEEE 802, 8.2.2).
GROUP = "03:00:00:00:00:99"
#: The host's own on dora's network.
GATEWAY_BESIDE = "10.89.5.1"


@pytest.fixture(scope="module")
def shared(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[SwitchLab]:
    """The scenario."""
    with SwitchLab(store=testbed_image_store, say=testbed_say) as lab:
        yield lab


@pytest.fixture
def lab(shared: SwitchLab) -> SwitchLab:
    """The scenario, and a switch that has forgotten everybody."""
    shared.forget()
    return shared


@pytest.fixture
def fresh(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[SwitchLab]:
    """A lab of one's own, for what cannot be undone."""
    with SwitchLab(store=testbed_image_store, say=testbed_say) as lab:
        yield lab


# Learning, forwarding, flooding


def test_the_whole_story_is_as_claimed(lab: SwitchLab) -> None:
    """Every claim of ``testbed run switch`` is borne out by the kernel."""
    wrong = [(scene.title, check.text, check.seen) for scene in scenes(lab) for check in scene.checks if not check.ok]
    assert wrong == []


def test_before_anybody_speaks_the_table_knows_nobody(lab: SwitchLab) -> None:
    """What is in it is the ports' own addresses, which it did not learn."""
    assert lab.notebook() == {}
    assert {row.state for row in fdb(lab.laptop.net, BRIDGE)} == {"permanent"}


def test_one_frame_teaches_the_port_of_its_sender(lab: SwitchLab) -> None:
    """Where it comes from is all that the bridge looks at for that."""
    speak(lab, "alice", STRANGER)
    assert lab.notebook() == {BADGES["alice"]: "alice"}


def test_a_frame_to_a_known_address_leaves_by_that_port_alone(lab: SwitchLab) -> None:
    """Carlos sees nothing of what Alice sends Bob."""
    speak(lab, "bob", STRANGER)
    assert left_by_one_port(speak(lab, "alice", BADGES["bob"]), "bob")


def test_a_frame_to_an_unknown_address_reaches_every_port_but_its_own(lab: SwitchLab) -> None:
    """Exactly once each, and the host itself not at all."""
    assert flooded(speak(lab, "alice", BADGES["bob"]), PEOPLE)


def test_an_address_is_flooded_no_more_once_it_is_learned(lab: SwitchLab) -> None:
    """One word of Bob's is enough."""
    before = speak(lab, "alice", BADGES["bob"])
    speak(lab, "bob", STRANGER)
    after = speak(lab, "alice", BADGES["bob"])
    assert (before.reached, after.reached) == (("bob", "carlos"), ("bob",))


@pytest.mark.parametrize("destination", [BROADCAST, GROUP])
def test_a_frame_to_a_group_reaches_all_and_the_host(lab: SwitchLab, destination: str) -> None:
    """The group bit of the destination decides; the host has a seat of its own."""
    assert is_for_group(destination)
    assert reached_all(speak(lab, "alice", destination), PEOPLE, LAPTOP)


@pytest.mark.parametrize("ethertype", [0x88B5, 0x88B6, 0x0801, 0xCAFE])
def test_what_is_above_ethernet_decides_nothing(lab: SwitchLab, ethertype: int) -> None:
    """Learned, forwarded and flooded alike, whatever the EtherType says that it carries."""
    unknown = speak(lab, "alice", BADGES["bob"], ethertype=ethertype)
    speak(lab, "bob", BADGES["alice"], ethertype=ethertype)
    known = speak(lab, "alice", BADGES["bob"], ethertype=ethertype)
    group = speak(lab, "alice", GROUP, ethertype=ethertype)
    assert flooded(unknown, PEOPLE)
    assert left_by_one_port(known, "bob")
    assert reached_all(group, PEOPLE, LAPTOP)


def test_an_address_that_moves_is_relearned_at_once(lab: SwitchLab) -> None:
    """The newest frame is right: what was for Bob leaves by the port that his address was last heard at."""
    speak(lab, "bob", STRANGER)
    speak(lab, "carlos", STRANGER, badge=BADGES["bob"])
    assert lab.notebook()[BADGES["bob"]] == "carlos"
    assert left_by_one_port(speak(lab, "alice", BADGES["bob"]), "carlos")


def test_an_entry_ages_out(lab: SwitchLab) -> None:
    """After the ageing time without a word it is gone, and a frame to that address is flooded again."""
    speak(lab, "bob", STRANGER)
    assert "bob" in lab.known()
    with lab.ageing(20):
        wait_for(lambda: not lab.notebook(), "the entry to age out", seconds=3.0)
    assert flooded(speak(lab, "alice", BADGES["bob"]), PEOPLE)


def test_a_bridge_that_learns_nothing_is_a_hub(lab: SwitchLab) -> None:
    """With an ageing time of 0 every frame goes to all: the questions that these tests ask then say no."""
    with lab.ageing(0):
        speak(lab, "bob", STRANGER)
        seen = speak(lab, "alice", BADGES["bob"])
    assert flooded(seen, PEOPLE)
    assert not left_by_one_port(seen, "bob")


def test_a_hub_turns_the_story_red(lab: SwitchLab) -> None:
    """Only that nobody is known at first is true of a hub too: it notes no sender, and forwards to no port alone."""
    with lab.ageing(0):
        told = [scene for scene, _ in zip(scenes(lab), range(3), strict=False)]
    assert [scene.ok for scene in told] == [True, False, False]


def test_who_is_not_meant_drops_his_copy(lab: SwitchLab) -> None:
    """A datagram for Carlos's IP address in a frame for a stranger's MAC reaches his port, and not his programs."""
    target = (ADDRESSES["carlos"], 7)
    neighbour = ["ip", "neighbour", "replace", target[0], "dev", "eth0", "nud", "reachable", "lladdr"]
    with (
        lab.net("carlos").socket(kind=socket.SOCK_DGRAM) as reading,
        lab.net("alice").socket(kind=socket.SOCK_DGRAM) as writing,
        Capture(lab.taps, wanted=lambda frame: b"not for you" in frame.raw) as capture,
    ):
        reading.bind(target)
        reading.settimeout(2)
        try:
            lab.command("alice", [*neighbour, STRANGER])
            writing.sendto(b"not for you", target)
            lab.command("alice", [*neighbour, BADGES["carlos"]])
            writing.sendto(b"for you", target)
            first = reading.recv(100)
        finally:
            lab.command("alice", ["ip", "neighbour", "flush", "dev", "eth0"])
        out = {frame.tap for frame in capture.frames() if frame.outgoing}
    assert out == {"bob", "carlos"}
    assert first == b"for you"


# ARP


def test_an_arp_request_reaches_all_and_only_the_owner_answers(lab: SwitchLab) -> None:
    """The question goes to ff:ff:ff:ff:ff:ff, the answer to the one who asked, and by that port alone.

    A word of each other one's, sent when the question was there, comes behind any answer of his.
    """
    with Capture(lab.taps, wanted=lambda frame: frame.arp is not None) as capture:
        ask(lab, "alice", "carlos")
        for name in ("bob", "carlos"):
            speak(lab, name, BADGES["alice"])
        frames = capture.frames()
    assert asked(frames, LAPTOP) == {"bob", "carlos", LAPTOP}
    assert answered(frames) == (("alice", BADGES["carlos"], BADGES["alice"]),)


def test_an_arp_answer_teaches_the_bridge(lab: SwitchLab) -> None:
    """Both who asked and who answered are known after it."""
    ask(lab, "alice", "carlos")
    assert lab.notebook() == {BADGES["alice"]: "alice", BADGES["carlos"]: "carlos"}


def test_both_ends_know_each_other_after_an_arp_exchange(lab: SwitchLab) -> None:
    """The question names who asks, so that who answers need not ask back; bob, who heard it, noted nothing."""
    for name in PEOPLE:
        lab.command(name, ["ip", "neighbour", "flush", "all"])
    ask(lab, "alice", "carlos")

    def known(name: str) -> dict[str, str | None]:
        return {str(row.address): row.mac for row in neighbours(lab.net(name)) if row.address.version == 4 and row.mac}

    assert known("alice") == {ADDRESSES["carlos"]: BADGES["carlos"]}
    assert known("carlos") == {ADDRESSES["alice"]: BADGES["alice"]}
    assert known("bob") == {}


# Badges


def test_an_interface_may_not_have_a_groups_address(lab: SwitchLab) -> None:
    """The essay's bb:11:22:33:44:55 has the group bit set: EADDRNOTAVAIL (is_valid_ether_addr, linux/etherdevice.h)."""
    assert is_for_group(ESSAYS_BADGE)
    for badge in (ESSAYS_BADGE, BROADCAST):
        assert "Cannot assign requested address" in refused(lab, "bob", badge)
    assert lab.seat("bob")["address"] == BADGES["bob"]


def test_containers_wear_the_badges_they_were_given(lab: SwitchLab) -> None:
    """--mac-address is the address of eth0."""
    assert {name: lab.seat(name)["address"] for name in PEOPLE} == BADGES


# veth


def test_a_veth_pair_is_two_ends_that_know_each_other(lab: SwitchLab) -> None:
    """Each end names the other's ifindex, and they are in different namespaces."""
    for name in PEOPLE:
        inside = lab.seat(name)
        (outside,) = (link for link in lab.links(LAPTOP) if link["ifname"] == lab.ports[name])
        assert inside["link_index"] == outside["ifindex"]
        assert outside["link_index"] == inside["ifindex"]
        assert lab.net(name).identity != lab.laptop.net.identity


def test_what_goes_in_at_one_end_comes_out_at_the_other(lab: SwitchLab) -> None:
    """Byte for byte: Alice's eth0 sends the frame that the port of the bridge receives, and not another one."""
    frame = ethernet(BADGES["alice"], STRANGER, LOCAL_EXPERIMENTAL, b"in at one end")
    ends = (Tap("her end", lab.net("alice"), "eth0"), Tap("the port", lab.laptop.net, lab.ports["alice"]))
    with Capture(ends, wanted=lambda seen: b"in at one end" in seen.raw) as capture:
        send(lab.net("alice"), "eth0", frame)
        seen = capture.until(lambda frames: frames if len(frames) > 1 else None, "both ends to see it")
    assert [(one.tap, one.outgoing, one.raw) for one in seen] == [("her end", True, frame), ("the port", False, frame)]


def test_one_end_down_takes_the_others_carrier(fresh: SwitchLab) -> None:
    """Down in the container: the port of the bridge has no carrier, and forwards nothing any more."""
    fresh.command("bob", ["ip", "link", "set", "eth0", "down"])

    def port() -> dict[str, object]:
        return next(link for link in fresh.links(LAPTOP) if link["ifname"] == fresh.ports["bob"])

    wait_for(lambda: "NO-CARRIER" in str(port()["flags"]), "the port to lose its carrier")
    state = port()["linkinfo"]
    assert isinstance(state, dict)
    assert state["info_slave_data"]["state"] == "disabled"


# The bridge itself


def test_every_port_is_forwarding(lab: SwitchLab) -> None:
    """Without STP a port forwards as soon as it is up."""
    ports = [link for link in lab.links(LAPTOP) if link["ifname"] in lab.ports.values()]
    assert [link["linkinfo"]["info_slave_data"]["state"] for link in ports] == ["forwarding"] * 3
    assert {link["master"] for link in ports} == {BRIDGE}


def test_the_bridge_is_an_interface_of_the_host_too(lab: SwitchLab) -> None:
    """It has an address of its own, IP and MAC, and a frame to that reaches the host and nobody else."""
    (bridge,) = (link for link in lab.links(LAPTOP) if link["ifname"] == BRIDGE)
    assert GATEWAY in lab.command(LAPTOP, ["ip", "-4", "address", "show", BRIDGE])
    assert left_by_one_port(speak(lab, "alice", bridge["address"]), LAPTOP)


def test_the_bridge_goes_with_the_last_container_and_comes_back(fresh: SwitchLab) -> None:
    """A listener on 10.88.0.1 stays bound meanwhile, unreached even by its own host, and is reached again after.

    A new one cannot be bound without the bridge. Nobody needs to start the old one anew.
    """
    laptop = fresh.laptop
    with laptop.net.socket() as listener, laptop.net.socket() as late:
        listener.bind((GATEWAY, 8080))
        listener.listen()
        laptop.run(["podman", "stop", "--time=0", *PEOPLE])
        assert BRIDGE not in [link["ifname"] for link in fresh.links(LAPTOP)]
        with pytest.raises(OSError, match="Cannot assign requested address"):
            late.bind((GATEWAY, 8081))
        assert connect(laptop.net, GATEWAY, 8080) == errno.ENETUNREACH  # no default route there: that is a private host
        laptop.run(["podman", "start", "alice"])
        assert BRIDGE in [link["ifname"] for link in fresh.links(LAPTOP)]
        assert connect(laptop.net, GATEWAY, 8080) == 0
        assert connect(fresh.net("alice"), GATEWAY, 8080) == 0


# Two rooms


def test_what_the_host_sends_itself_passes_no_port(lab: SwitchLab) -> None:
    """By 127.0.0.1 and by its own 10.88.0.1 alike it goes over lo: the bridge and its ports see nothing of it."""
    with (
        lab.laptop.net.socket() as listener,
        Capture([*lab.taps, Tap("lo", lab.laptop.net, "lo")], wanted=lambda f: port_of(f) == 19001) as capture,
    ):
        listener.bind(("0.0.0.0", 19001))
        listener.listen()
        for address in ("127.0.0.1", GATEWAY):
            with lab.laptop.net.socket() as caller:
                caller.connect((address, 19001))
        speak(lab, "alice", BROADCAST)
        assert {frame.tap for frame in capture.frames()} == {"lo"}


def test_a_containers_knock_arrives_through_the_bridge_and_is_refused_there(lab: SwitchLab) -> None:
    """The SYN comes in by Alice's port for 10.88.0.1, and an RST goes back, while who listens on 127.0.0.1 is alive."""
    with (
        lab.laptop.net.socket() as listener,
        lab.laptop.net.socket() as terminal,
        lab.net("alice").socket() as caller,
        Capture([Tap(name, lab.laptop.net, port) for name, port in lab.ports.items()], wanted=is_knock) as capture,
    ):
        listener.bind(("127.0.0.1", 19001))
        listener.listen()
        caller.settimeout(2)
        assert caller.connect_ex((GATEWAY, 19001)) == errno.ECONNREFUSED
        terminal.settimeout(2)
        assert terminal.connect_ex(("127.0.0.1", 19001)) == 0
        seen = [(f.tap, f.outgoing, str(f.ip.destination), f.ip.flags) for f in capture.frames() if f.ip]
    assert seen == [("alice", False, GATEWAY, "S"), ("alice", True, ADDRESSES["alice"], "RA")]


def port_of(frame: Frame) -> int | None:
    """The destination port of what is in a frame."""
    return frame.ip.destination_port if frame.ip else None


def is_knock(frame: Frame) -> bool:
    """Whether it is TCP to or from the tunnel's port."""
    return frame.ip is not None and 19001 in (frame.ip.source_port, frame.ip.destination_port)


# Beside podman0


@pytest.fixture(scope="module")
def beside(shared: SwitchLab, testbed_image: Callable[[str], str]) -> Iterator[dict[str, HostContainer]]:
    """dora on a network of her own, and eve and fred on two that are isolated from all others."""
    laptop, image = shared.laptop, testbed_image("base")
    networks = {"dora": ("garden", "10.89.5.0/24", []), "eve": ("cell1", "10.89.6.0/24", ["--opt", "isolate=true"])}
    networks["fred"] = ("cell2", "10.89.7.0/24", ["--opt", "isolate=true"])
    made = {}
    for name, (network, subnet, options) in networks.items():
        laptop.run(["podman", "network", "create", "--subnet", subnet, *options, network])
        made[name] = HostContainer(laptop, image, name).on(network)
        made[name].with_command(["sleep", "infinity"]).start()
    yield made
    for container in made.values():
        container.stop()


def interface_at(lab: SwitchLab, address: str) -> dict[str, Any]:
    """The laptop's interface that has an IPv4 address, as ``ip -json -details address`` has it."""
    links = json.loads(lab.command(LAPTOP, ["ip", "-json", "-details", "-4", "address"]))
    (found,) = (link for link in links if address in [info.get("local") for info in link.get("addr_info", ())])
    assert isinstance(found, dict)
    return found


def address_of(container: HostContainer) -> str:
    """Its IPv4 address on its one network."""
    form = "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return container.host.run(["podman", "inspect", form, container.name]).strip()


#: In seconds. An answer that has to come is waited for as long as a loaded machine may need; silence is not.
_ANSWER: Final = 10.0
_SILENCE: Final = 0.5


def connect(net: NetworkNamespace, address: str, port: int = 9, *, seconds: float = _ANSWER) -> int | None:
    """The errno that connecting ends with, by default to a port that nobody listens on; None where nothing is heard."""
    with net.socket() as caller:
        caller.settimeout(seconds)
        ended = caller.connect_ex((address, port))
    return None if ended == errno.EAGAIN else ended  # what connect_ex says when the time is up


def test_a_user_network_is_another_bridge_with_a_table_of_its_own(
    lab: SwitchLab, beside: dict[str, HostContainer]
) -> None:
    """A frame from alice, to everybody, teaches nothing to the other bridge and reaches nobody there."""
    bridges = [link for link in lab.links(LAPTOP) if link.get("linkinfo", {}).get("info_kind") == "bridge"]
    others = {link["ifname"] for link in bridges if link["ifname"].startswith("podman")} - {BRIDGE}
    assert len(others) == 3
    assert reached_all(speak(lab, "alice", BROADCAST), PEOPLE, LAPTOP)
    assert all(BADGES["alice"] not in [row.mac for row in fdb(lab.laptop.net, name)] for name in others)


def test_between_two_networks_the_host_routes(lab: SwitchLab, beside: dict[str, HostContainer]) -> None:
    """What podman0 does not switch the host forwards, at the cost of a hop: refused is an answer from over there."""
    assert connect(lab.net("alice"), address_of(beside["dora"])) == errno.ECONNREFUSED


def test_what_is_routed_comes_in_a_frame_of_the_other_bridges(lab: SwitchLab, beside: dict[str, HostContainer]) -> None:
    """A hop less to live, from that bridge's own MAC, and by netavark's masquerading from its IP address too."""
    to = address_of(beside["dora"])
    bridge = interface_at(lab, GATEWAY_BESIDE)
    with (
        lab.net("alice").socket(kind=socket.SOCK_DGRAM) as writing,
        Capture([Tap("dora", beside["dora"].net, "eth0")], wanted=lambda frame: port_of(frame) == 9) as capture,
    ):
        writing.sendto(b"from another room", (to, 9))
        (frame,) = capture.until(lambda frames: frames or None, "the datagram to reach dora")
    assert frame.ip is not None
    assert (frame.source, frame.ip.ttl, str(frame.ip.source)) == (bridge["address"], 63, GATEWAY_BESIDE)


def test_a_bridge_keeps_an_entry_for_five_minutes_by_itself(lab: SwitchLab, beside: dict[str, HostContainer]) -> None:
    """The kernel's own ageing time (BR_DEFAULT_AGEING_TIME, linux/if_bridge.h), which Podman leaves as it is."""
    bridge = interface_at(lab, GATEWAY_BESIDE)
    assert bridge["linkinfo"]["info_data"]["ageing_time"] == 300 * 100  # hundredths of a second (ip-link(8))


def test_isolated_networks_do_not_reach_each_other(lab: SwitchLab, beside: dict[str, HostContainer]) -> None:
    """Of two that are isolated the host drops what goes from one to the other; who is not isolated reaches both."""
    eve, fred = beside["eve"], beside["fred"]
    assert connect(eve.net, address_of(fred), seconds=_SILENCE) is None
    assert [connect(lab.net("alice"), address_of(one)) for one in (eve, fred)] == [errno.ECONNREFUSED] * 2


def test_isolated_ports_of_one_bridge_do_not_reach_each_other(lab: SwitchLab) -> None:
    """A frame between two of them does not leave by the other, and by one that is not isolated it does."""
    pair = [lab.ports["bob"], lab.ports["carlos"]]
    for port in pair:
        lab.laptop.run(["ip", "link", "set", "dev", port, "type", "bridge_slave", "isolated", "on"])
    try:
        seen = overheard(lab, "bob")
    finally:
        for port in pair:
            lab.laptop.run(["ip", "link", "set", "dev", port, "type", "bridge_slave", "isolated", "off"])
    assert seen == {"alice", LAPTOP}


# Faults


def test_two_containers_with_one_mac_take_turns(fresh: SwitchLab) -> None:
    """The table has the address at whichever of them spoke last: he is reached, and the other one hears nothing.

    Each drops what comes for the other, since no address of IP is his. Alice knows both by the one MAC address.
    """
    fresh.command("carlos", ["ip", "link", "set", "dev", "eth0", "address", BADGES["bob"]])
    pair = ("bob", "carlos")
    for name in pair:
        known = [ADDRESSES[name], "lladdr", BADGES["bob"], "dev", "eth0", "nud", "permanent"]
        fresh.command("alice", ["ip", "neighbour", "replace", *known])
    ended = {}
    for last in pair:
        speak(fresh, last, STRANGER, badge=BADGES["bob"])
        waits = {name: _ANSWER if name == last else _SILENCE for name in pair}
        ended[last] = {name: connect(fresh.net("alice"), ADDRESSES[name], seconds=waits[name]) for name in pair}
    assert ended == {
        "bob": {"bob": errno.ECONNREFUSED, "carlos": None},
        "carlos": {"bob": None, "carlos": errno.ECONNREFUSED},
    }


def test_two_containers_with_one_ip_address_both_answer(lab: SwitchLab) -> None:
    """Each answers the question with a MAC address of its own: who asked believes one of them."""
    lab.command("bob", ["ip", "address", "add", f"{ADDRESSES['carlos']}/16", "dev", "eth0"])
    try:
        frames = ask(lab, "alice", "carlos", answers=2)
    finally:
        lab.command("bob", ["ip", "address", "del", f"{ADDRESSES['carlos']}/16", "dev", "eth0"])
    assert {source for _, source, _ in answered(frames)} == {BADGES["bob"], BADGES["carlos"]}


def test_a_stopped_container_takes_its_port_and_its_entries_along(fresh: SwitchLab) -> None:
    """A frame to it is one to an unknown address from then on."""
    speak(fresh, "bob", STRANGER)
    port = fresh.ports["bob"]
    fresh.laptop.run(["podman", "stop", "--time=0", "bob"])
    assert port not in [link["ifname"] for link in fresh.links(LAPTOP)]
    assert BADGES["bob"] not in [row.mac for row in fdb(fresh.laptop.net, BRIDGE)]


def test_with_stp_a_new_port_listens_before_it_forwards(fresh: SwitchLab) -> None:
    """For the forward delay nothing passes: a container's first packets get lost (IEEE 802.1D)."""
    fresh.set_bridge("stp_state", "1")
    fresh.laptop.run(["ip", "link", "set", "dev", fresh.ports["bob"], "down"])
    fresh.laptop.run(["ip", "link", "set", "dev", fresh.ports["bob"], "up"])
    (port,) = (link for link in fresh.links(LAPTOP) if link["ifname"] == fresh.ports["bob"])
    assert port["linkinfo"]["info_slave_data"]["state"] in ("listening", "learning")
    assert overheard(fresh, "alice") == {"carlos", LAPTOP}


def test_vlan_filtering_parts_ports_that_are_in_different_vlans(fresh: SwitchLab) -> None:
    """All are in VLAN 1 at first, so that it changes nothing until a port is moved to another one.

    A kernel may be built without it (CONFIG_BRIDGE_VLAN_FILTERING), and then says so and goes on as before.
    """
    if not turned_on(fresh, "vlan_filtering"):
        assert reached_all(speak(fresh, "alice", BROADCAST), PEOPLE, LAPTOP)
        return
    assert reached_all(speak(fresh, "alice", BROADCAST), PEOPLE, LAPTOP)
    port = fresh.ports["bob"]
    fresh.laptop.run(["bridge", "vlan", "del", "dev", port, "vid", "1"])
    fresh.laptop.run(["bridge", "vlan", "add", "dev", port, "vid", "2", "pvid", "untagged"])
    assert overheard(fresh, "alice") == {"carlos", LAPTOP}


def turned_on(lab: SwitchLab, setting: str) -> bool:
    """Turn something of the bridge on; False where this kernel has no such thing, and says just that."""
    try:
        lab.set_bridge(setting, "1")
    except CommandError as exc:
        if "Operation not supported" in exc.stderr:
            return False
        raise
    return True


@pytest.mark.parametrize("switch", [None, "1", "0"])
def test_bridge_nf_call_iptables_decides_whether_the_firewall_sees_what_is_switched(
    fresh: SwitchLab, switch: str | None
) -> None:
    """On, a drop rule of FORWARD stops packets between two containers of one bridge; off, they pass it by.

    It is on by itself in a new network namespace. Where br_netfilter is not loaded it is not there, and so is off.
    """
    setting = "net.bridge.bridge-nf-call-iptables"
    if switch:
        fresh.command(LAPTOP, ["sysctl", "-qew", f"{setting}={switch}"])
    on = fresh.command(LAPTOP, ["sysctl", "-ne", setting]).strip()
    rule = "table ip drops { chain forward { type filter hook forward priority 0; ip daddr 10.88.0.12 drop; }; }"
    fresh.laptop.run(["nft", rule])
    assert on in ("", switch or "1")
    assert connect(fresh.net("alice"), ADDRESSES["bob"], seconds=_SILENCE if on == "1" else _ANSWER) == (
        None if on == "1" else errno.ECONNREFUSED
    )
