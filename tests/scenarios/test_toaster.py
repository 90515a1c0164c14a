"""One click of Jack's: every claim of the essay, on captured frames, conntrack, and the firewall's own trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from testbed.errors import CaptureError
from testbed.evidence import Act
from testbed.frames import fdb
from testbed.frames.segments import segment
from testbed.readers.conntrack import read_conntrack
from testbed.scenarios.toaster.deeds import (
    COURIERS,
    GATE,
    SHOPS_NOTE,
    WHO,
    Door,
    acquainted,
    ask,
    booked,
    click,
    directory,
    first_day,
    knock,
    knock_at_the_gate,
    left,
    lose_one,
    net,
    order,
    port_of,
    rules_for,
    write,
)
from testbed.scenarios.toaster.judgement import (
    INSIDE,
    NEXT_DOOR,
    OUTSIDE,
    TO_THE_LEDGER,
    TTLS,
    TTLS_HOME,
    WAY,
    Answer,
    Click,
    are_stitched,
    are_two_conversations,
    destinations,
    entries_between,
    first,
    headers,
    in_new_satchels,
    is_nested,
    is_put_back,
    is_redirected,
    is_sealed,
    layers,
    nat,
    page_about,
    passed_no_nat,
    remembers,
    seen_at,
    shows_outside,
    told,
)
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.story import (
    ACQUAINTANCES,
    BY_THE_PAGE,
    CLOSED,
    CONFIRMED,
    NUMBER,
    ONWARD,
    REDIRECTING,
    STOCK,
    VISITS,
    scenes,
)
from testbed.scenarios.toaster.topology import (
    FRONTEND,
    FRONTEND_PORT,
    JACK,
    LEDGER,
    LEDGER_PORT,
    ORDERS,
    ORDERS_PORT,
    PODMAN0,
    PUBLISHED_PORT,
    SHOP,
    VISITOR,
)

BRIDGE_NF = "net.bridge.bridge-nf-call-iptables"


@dataclass(frozen=True, slots=True)
class Bought:
    """Jack's first order, with the books before and after it."""

    click: Click
    before: int
    after: int
    booked: tuple[tuple[str, ...], ...]


@pytest.fixture(scope="module")
def bought(toaster_lab: ToasterLab) -> Bought:
    """One click on Buy, on the first day, with an eye on every interface."""
    first_day(toaster_lab)
    before = left(toaster_lab)
    seen = click(toaster_lab, order())
    return Bought(seen, before, left(toaster_lab), booked(toaster_lab))


@pytest.fixture(scope="module")
def seen(bought: Bought) -> Click:
    """What was seen of it."""
    return bought.click


def test_the_whole_story_is_as_claimed(toaster_lab: ToasterLab, bought: Bought) -> None:
    """Every claim of ``testbed run toaster`` is borne out by the kernel, on a lab where somebody has bought before."""
    told_of = list(scenes(toaster_lab))
    assert [(scene.title, check.text, check.seen) for scene in told_of for check in scene.checks if not check.ok] == []
    assert [line for scene in told_of for line in scene.picture if len(line) > 100] == []


# Act One: the Click


def test_one_frame_has_three_layers_and_an_address_on_each(seen: Click) -> None:
    """At Jack's door: the frame to the first courier, its packet to the shop, its segment to port 80, the note."""
    assert is_nested(seen)
    assert [name for name, _ in layers(seen.request.at("wan0 of jack"))] == ["Ethernet", "IP", "TCP", "HTTP"]


def test_the_innermost_note_is_an_http_request(seen: Click) -> None:
    """What Jack wants is in plain words at the very inside, and what Browser-Bot wrote is what went."""
    data = seen.request.said.data
    assert data == seen.note
    assert data.startswith(b"POST /api/orders HTTP/1.1\r\n")
    assert data.endswith(b'{"item": "toaster", "customer": "Jack"}')


def test_a_lost_segment_is_sent_again(toaster_lab: ToasterLab) -> None:
    """The second courier drops the note once: TCP sends the same bytes with the same number again, and all is well."""
    note = order()
    answer, frames = lose_one(toaster_lab, note)
    sent = [frame for frame in frames if frame.tap == "jack"]
    assert (answer.status, answer.body["message"]) == (201, CONFIRMED)
    assert len({segment(frame) for frame in sent}) == 1
    assert len(sent) == len([frame for frame in frames if frame.tap == "courier"]) > 1
    assert len([frame for frame in frames if frame.tap == "gate"]) == 1


# Act Two: across the Sea of Couriers


def test_the_request_passes_every_door_on_the_way(seen: Click) -> None:
    """Once each, in this order: three cables, then the bridge, then the frontend's own."""
    assert seen.request.taps == seen.knock.taps == WAY


def test_the_reply_goes_the_same_way_in_reverse(seen: Click) -> None:
    """Concierge, kernel, gate, couriers, Jack."""
    assert seen.reply.taps == WAY[::-1]


@pytest.mark.parametrize("which", ["knock", "request", "reply"])
def test_each_cable_has_a_frame_of_its_own(seen: Click, which: str) -> None:
    """From the MAC address of the one end to that of the other; no two cables have one in common."""
    assert in_new_satchels(getattr(seen, which), seen)


@pytest.mark.parametrize("which", ["knock", "request", "reply"])
def test_no_courier_opens_the_packet(seen: Click, which: str) -> None:
    """From door to door the packet is the same, byte for byte, but for the TTL and the checksum over it."""
    assert is_sealed(getattr(seen, which), OUTSIDE)
    assert is_sealed(getattr(seen, which), INSIDE)


def test_the_seal_would_tell(seen: Click) -> None:
    """The shop's kernel does rewrite: across it the packet is not the same."""
    assert not is_sealed(seen.request, WAY)


def test_each_router_takes_one_off_the_ttl(seen: Click) -> None:
    """64 at its sender's, 63 and 62 behind the couriers; the shop's kernel is a router too, and counts both ways."""
    assert (seen.request.ttls, seen.reply.ttls) == (TTLS, TTLS_HOME)


@pytest.mark.parametrize("courier", COURIERS)
def test_a_couriers_directory_leads_to_the_next_one_and_no_further(toaster_lab: ToasterLab, courier: str) -> None:
    """Her own two cables, and one line that names the next courier; of what is behind him she knows nothing."""
    lines = directory(toaster_lab, courier)
    assert [line for line in lines if " via " in line] == [ONWARD[courier]]
    assert [line.split()[2] for line in lines if "scope link" in line] == {
        "courier1": ["home0", "sea0"],
        "courier2": ["sea0", "shop0"],
    }[courier]


@pytest.mark.parametrize("courier", COURIERS)
def test_a_courier_has_only_her_neighbours_mac_addresses(toaster_lab: ToasterLab, courier: str) -> None:
    """Those at the other ends of her own cables (ARP): the one she has it from, and the one she hands it to."""
    assert who(toaster_lab).status == 200
    assert acquainted(toaster_lab, courier) == ACQUAINTANCES[courier]


@pytest.mark.parametrize("courier", COURIERS)
def test_couriers_write_nothing_down(toaster_lab: ToasterLab, seen: Click, courier: str) -> None:
    """No connection is tracked there, while the shop does track it."""
    assert toaster_lab.hosts[courier].net.run(read_conntrack) == ((), ())
    assert page_about(seen.tracked, seen.answer.port) is not None


# Act Three: the Onion Unwrapped


def test_the_gate_takes_only_frames_to_its_own_address(toaster_lab: ToasterLab) -> None:
    """A packet to the shop in a frame to somebody else arrives at wan0 and is dropped; in one to the shop it counts."""
    seen = knock_at_the_gate(toaster_lab)
    assert seen.arrived == ("02:00:00:00:00:99", seen.own)
    assert seen.answered == (SHOPS_NOTE,)


def test_the_destination_is_rewritten_between_gate_and_corridor(seen: Click) -> None:
    """To 203.0.113.10:80 as far as wan0, to 10.88.0.10:8080 from podman0 on; whom it is from stays."""
    assert is_redirected(seen.knock, seen.answer.port)
    assert is_redirected(seen.request, seen.answer.port)


def test_it_is_rewritten_in_prerouting_before_the_route_is_looked_up(seen: Click) -> None:
    """By the firewall's own trace: to the shop when it comes to PREROUTING, to the frontend at FORWARD and later."""
    assert destinations(told(seen.rules, seen.knock)) == REDIRECTING


def test_it_is_one_rule_that_rewrites_it(toaster_lab: ToasterLab, seen: Click) -> None:
    """netavark's, for the published port, names the frontend; neither the request nor the reply is shown to it."""
    rewriting = [rule for rule in rules_for(toaster_lab, seen, seen.knock) if Act.DNAT in rule.acts]
    assert [f"{FRONTEND}:{FRONTEND_PORT}" in rule.text for rule in rewriting] == [True]
    later = [rule for parcel in (seen.request, seen.reply) for rule in rules_for(toaster_lab, seen, parcel)]
    assert later != []
    assert [rule for rule in later if rule.table == rewriting[0].table and rule.chain == rewriting[0].chain] == []


def test_conntrack_remembers_what_came_and_what_will_answer(seen: Click) -> None:
    """Its entry has Jack to the shop as it came, and the frontend to Jack as what to await; it is marked as DNAT."""
    entry = page_about(seen.tracked, seen.answer.port)
    assert entry is not None
    assert remembers(entry, seen.answer.port)


def test_later_packets_are_rewritten_by_that_entry_alone(seen: Click) -> None:
    """No nat chain is asked about the request: at FORWARD, the first that sees it, it has the frontend's address."""
    assert set(destinations(told(seen.rules, seen.request))) == BY_THE_PAGE


def test_the_frontend_gets_it_in_a_sleeve_with_its_own_name(seen: Click) -> None:
    """The last frame is from podman0's MAC address to that of the frontend's eth0, behind one hop more of routing."""
    expected = (seen.badges["podman0 of shop"], seen.badges["eth0 of frontend"])
    assert [seen.request.satchels[WAY.index(tap)] for tap in INSIDE] == [expected] * len(INSIDE)


def test_the_shops_directory_has_the_corridor_and_the_way_out(toaster_lab: ToasterLab) -> None:
    """10.88.0.0/16 is podman0's, and everybody else lives behind the gate."""
    lines = directory(toaster_lab, "shop")
    assert "10.88.0.0/16 dev podman0 proto kernel scope link src 10.88.0.1" in lines
    assert "default via 203.0.113.1 dev wan0" in lines


# Act Four: down the Corridor


def test_the_concierge_knows_every_resident(toaster_lab: ToasterLab, seen: Click) -> None:
    """After the click podman0's table has each one's MAC address at that one's own port."""
    learned = {row.mac: row.port for row in fdb(toaster_lab.shop.net, "podman0") if row.learned}
    residents = ("frontend", "orders", "ledger")
    assert {name: learned.get(seen.badges[f"eth0 of {name}"]) for name in residents} == {
        name: port_of(toaster_lab, name) for name in residents
    }


def test_the_frontend_asks_on_a_connection_of_its_own(seen: Click) -> None:
    """Other addresses, other ports, another initial sequence number than Jack's."""
    assert are_two_conversations(seen.knock, seen.second_knock)
    assert seen.second_request.addresses[0][1] == f"{ORDERS}:{ORDERS_PORT}"


def test_the_frontend_writes_a_note_of_its_own(seen: Click) -> None:
    """The same wish in other words: HTTP/1.0, another Host, and a token that Jack has not."""
    own = seen.second_request.said.data
    assert own.startswith(b"POST /api/orders HTTP/1.0\r\n")
    assert own.endswith(b'{"item": "toaster", "customer": "Jack"}')
    assert headers(own)["host"] == "orders" != headers(seen.note)["host"]
    assert headers(own)["authorization"].startswith("Bearer ")
    assert "authorization" not in headers(seen.note)


def test_what_is_between_frontend_and_backend_passes_no_nat(seen: Click) -> None:
    """Its entry has an answer that is the request turned around, and neither NAT's mark; the same for the ledger's."""
    pairs = ((FRONTEND, ORDERS), (ORDERS, LEDGER))
    entries = [entry for pair in pairs for entry in entries_between(seen.tracked, *pair)]
    assert [entry for entry in entries if not passed_no_nat(entry)] == []
    for parcel in (seen.second_request, seen.third_knock):
        assert len(set(parcel.addresses)) == 1


@pytest.mark.parametrize(
    ("pair", "doors"), [((FRONTEND, ORDERS), NEXT_DOOR), ((ORDERS, LEDGER), TO_THE_LEDGER)], ids=["orders", "ledger"]
)
def test_what_neighbours_say_stays_in_the_corridor(seen: Click, pair: tuple[str, str], doors: tuple[str, ...]) -> None:
    """Seen at their two doors and the two ports of the bridge; not at podman0, not at another's port, not outside."""
    assert seen_at(seen.frames, *pair) == set(doors)


def test_between_neighbours_nobody_routes(seen: Click) -> None:
    """The TTL is whole at the other door, and the frame is the one that was sent, from MAC address to MAC address."""
    for parcel, ends in ((seen.second_request, NEXT_DOOR), (seen.third_knock, TO_THE_LEDGER)):
        assert set(parcel.ttls) == {64}
        assert set(parcel.satchels) == {(seen.badges[ends[0]], seen.badges[ends[-1]])}
        assert len({frame.raw for frame in parcel.frames}) == 1


def test_the_backend_asks_the_ledger_on_a_third_connection(seen: Click) -> None:
    """Again with ports and numbers of its own, to PostgreSQL's door."""
    assert are_two_conversations(seen.second_knock, seen.third_knock)
    assert seen.third_knock.addresses[0][1] == f"{LEDGER}:{LEDGER_PORT}"


def test_jacks_request_waits_until_the_backend_has_answered(seen: Click) -> None:
    """Two conversations stitched together: his note, the frontend's, the backend's answer, the frontend's to him."""
    assert are_stitched(seen)


def test_the_frontends_log_has_both_conversations(toaster_lab: ToasterLab, seen: Click) -> None:
    """One line: who asked, from which port, and whom nginx asked for it."""
    log: bytes = toaster_lab.frontend.get_wrapped_container().logs()
    (line,) = (line for line in log.decode().splitlines() if f"{JACK}:{seen.answer.port} " in line)
    assert f'"POST /api/orders HTTP/1.1" 201, upstream "{ORDERS}:{ORDERS_PORT}" 201' in line


def test_the_front_desk_answers_itself_or_passes_it_on(toaster_lab: ToasterLab) -> None:
    """The page is nginx's own to give, and the backend hears nothing of it; the stock is the backend's to say."""
    page, stock = (click(toaster_lab, write("GET", path)) for path in ("/", "/api/stock"))
    assert [seen.answer.status for seen in (page, stock)] == [200, 200]
    assert seen_at(page.frames, FRONTEND, ORDERS) == set()
    assert seen_at(stock.frames, FRONTEND, ORDERS) == set(NEXT_DOOR)


@contextmanager
def bridge_nf(lab: ToasterLab, switch: str) -> Iterator[bool]:
    """Have the shop's firewall see what is only bridged, or not (where br_netfilter is loaded); whether it does."""
    was = lab.command("shop", ["sysctl", "-ne", BRIDGE_NF]).strip()
    if was:
        lab.command("shop", ["sysctl", "-qw", f"{BRIDGE_NF}={switch}"])
    try:
        yield bool(was) and switch == "1"
    finally:
        if was:
            lab.command("shop", ["sysctl", "-qw", f"{BRIDGE_NF}={was}"])


@pytest.mark.parametrize("switch", ["0", "1"])
def test_the_firewall_turns_nothing_between_neighbours(toaster_lab: ToasterLab, switch: str) -> None:
    """With bridge-nf-call-iptables their packets pass its chains too, and leave as they came; without they do not."""
    with bridge_nf(toaster_lab, switch) as shown:
        seen = click(toaster_lab, write("GET", WHO))
    passed = destinations(told(seen.rules, seen.second_knock))
    chains = ("PREROUTING", "FORWARD", "POSTROUTING") if shown else ()
    assert passed == tuple((chain, f"{ORDERS}:{ORDERS_PORT}") for chain in chains)
    assert len(entries_between(seen.tracked, FRONTEND, ORDERS)) >= shown
    assert seen_at(seen.frames, FRONTEND, ORDERS) == set(NEXT_DOOR)


# Act Five: Home


def test_the_replys_source_is_put_back(seen: Click) -> None:
    """From 10.88.0.10:8080 as far as podman0, from 203.0.113.10:80 at wan0 and from there on."""
    assert is_put_back(seen.reply, seen.answer.port)


def test_no_address_of_the_corridor_shows_outside(seen: Click) -> None:
    """Of all frames outside, answers of ARP among them, none bears one; inside they do."""
    assert shows_outside(seen.frames) == ()
    assert [frame for frame in seen.frames if frame.tap in OUTSIDE] != []
    assert seen_at(seen.frames, FRONTEND, JACK) == {*INSIDE}


def test_jack_reads_that_his_order_is_confirmed(seen: Click) -> None:
    """In the essay's own words, under the essay's own number."""
    assert (seen.answer.status, seen.answer.body["message"], seen.answer.body["order"]) == (201, CONFIRMED, NUMBER)


def test_one_toaster_is_debited_and_written_next_to_jacks_name(bought: Bought) -> None:
    """25, then 24, and one row, with the address that the frontend said he has."""
    assert (bought.before, bought.after) == (STOCK, STOCK - 1)
    assert bought.booked == ((str(NUMBER), "toaster", "Jack", JACK),)


# Whom the server sees


def who(lab: ToasterLab, sender: str = "jack", door: Door = GATE, **said: str) -> Answer:
    """What the backend says about who asks."""
    return ask(
        net(lab, sender), write("GET", WHO, headers={name.replace("_", "-"): x for name, x in said.items()}), door
    )


def test_the_backend_sees_the_frontend_and_learns_jacks_address_from_a_header(toaster_lab: ToasterLab) -> None:
    """The connection is the frontend's, from a port that is not Jack's."""
    answer = who(toaster_lab)
    assert (answer.body["peer"], answer.body["forwarded_for"]) == (FRONTEND, JACK)
    assert answer.body["peer_port"] != answer.port


def test_a_header_that_jack_forges_is_written_over(toaster_lab: ToasterLab) -> None:
    """He says that he is somebody else, and that he is the frontend: the backend reads where he really is."""
    answer = who(toaster_lab, X_Forwarded_For="192.0.2.1", Authorization="Bearer 0", Host="orders")
    assert (answer.status, answer.body["forwarded_for"], answer.body["peer"]) == (200, JACK, FRONTEND)
    assert answer.body["headers"]["X-Forwarded-For"] == JACK


#: What is done to each visit's connection.
_REWRITTEN = ("DNAT", "DNAT and SNAT", "DNAT", "DNAT", "DNAT and SNAT", "")


@pytest.mark.parametrize(
    ("sender", "door", "expected", "rewritten"),
    [(*visit, rewritten) for visit, rewritten in zip(VISITS, _REWRITTEN, strict=True)],
    ids=lambda value: ":".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_whom_the_frontend_sees(
    toaster_lab: ToasterLab, sender: str, door: Door, expected: str, rewritten: str
) -> None:
    """Jack himself; of what comes from 127.0.0.1 or from the bridge itself the bridge's own address (masqueraded)."""
    with bridge_nf(toaster_lab, "1"):
        answer = who(toaster_lab, sender, door)
        tracked, _ = toaster_lab.shop.net.run(read_conntrack)
    assert (answer.body["forwarded_for"], answer.body["peer"]) == (expected, FRONTEND)
    # Another one's earlier connection may have had this very port.
    flow = (answer.address, answer.port, door[0])
    mine = [e for e in tracked if (str(e.original.source), e.original.source_port, str(e.original.destination)) == flow]
    assert [nat(entry) for entry in mine] == [rewritten] or (not mine and not rewritten)


def test_the_shops_own_request_to_localhost_is_rewritten_in_output(toaster_lab: ToasterLab) -> None:
    """To 127.0.0.1:80 when it comes to OUTPUT, and by podman0 it leaves for 10.88.0.10:8080, from 10.88.0.1."""
    seen = click(toaster_lab, write("GET", WHO), sender="shop", door=("127.0.0.1", PUBLISHED_PORT))
    begun = next(parcel for parcel in seen.parcels if parcel.said.flags == "S")
    assert destinations(told(seen.rules, begun)) == (
        ("OUTPUT", f"127.0.0.1:{PUBLISHED_PORT}"),
        ("POSTROUTING", f"{FRONTEND}:{FRONTEND_PORT}"),
    )
    assert set(seen.request.addresses) == {(f"{PODMAN0}:{seen.answer.port}", f"{FRONTEND}:{FRONTEND_PORT}")}


@pytest.mark.parametrize("switch", ["0", "1"])
def test_a_hairpin_is_masqueraded_routed_or_bridged(toaster_lab: ToasterLab, switch: str) -> None:
    """The visitor asks for the shop's own address: DNAT, and the frontend sees 10.88.0.1, so that answers come back.

    The host routes it through podman0, a TTL less. Where the firewall sees bridged packets it is turned within the
    bridge: it never comes up to podman0, and keeps its TTL and the visitor's MAC address (br_netfilter_hooks.c).
    """
    with bridge_nf(toaster_lab, switch) as bridged:
        seen = click(toaster_lab, write("GET", WHO), sender="visitor")
    came = (f"{VISITOR}:{seen.answer.port}", f"{SHOP}:{PUBLISHED_PORT}")
    went = (f"{PODMAN0}:{seen.answer.port}", f"{FRONTEND}:{FRONTEND_PORT}")
    doors = (("eth0 of visitor", came, 64), ("port of visitor", came, 64))
    over = () if bridged else (("podman0 of shop", came, 64), ("podman0 of shop", went, 63))
    ttl, badge = (64, "eth0 of visitor") if bridged else (63, "podman0 of shop")
    request = seen.request
    assert tuple(zip(request.taps, request.addresses, request.ttls, strict=True)) == (
        *doors,
        *over,
        ("port of frontend", went, ttl),
        ("eth0 of frontend", went, ttl),
    )
    assert request.satchels[-1] == (seen.badges[badge], seen.badges["eth0 of frontend"])
    assert seen.answer.body["forwarded_for"] == PODMAN0


# Closed doors


@pytest.mark.parametrize(
    ("door", "number", "said"), CLOSED, ids=[f"{address}:{port}" for (address, port), _, _ in CLOSED]
)
def test_backend_and_ledger_cannot_be_reached_from_outside(
    toaster_lab: ToasterLab, door: Door, number: int, said: str
) -> None:
    """Their own addresses end at the first courier, who knows no such network; nobody has those ports of the shop's."""
    refused, control = knock(toaster_lab, door), knock(toaster_lab, GATE)
    assert (refused.errno, refused.said) == (number, said)
    assert (control.errno, control.said) == (0, f"{SHOP} TCP SA")


@pytest.fixture
def neighbour(toaster_lab: ToasterLab) -> Iterator[ToasterLab]:
    """The last courier, who shares a cable with the shop, has made up a route to the corridor."""
    courier = toaster_lab.hosts["courier2"]
    courier.run(["ip", "route", "add", "10.88.0.0/16", "via", SHOP])
    yield toaster_lab
    courier.run(["ip", "route", "del", "10.88.0.0/16"])


def test_the_backend_turns_away_who_is_not_the_frontend(neighbour: ToasterLab) -> None:
    """Whoever reaches it all the same, a neighbour with a route or the visitor next door, is told no by itself: 403."""
    for sender, address in (("courier2", "203.0.113.1"), ("visitor", VISITOR)):
        answer = who(neighbour, sender, (ORDERS, ORDERS_PORT))
        assert answer.status == 403
        assert answer.body == {"error": f"orders are taken from the frontend only, and {address} is not it"}


def test_the_frontends_address_alone_is_not_enough(toaster_lab: ToasterLab) -> None:
    """Whoever speaks from there without the token that nginx has is told what he lacks: 401."""
    answer = who(toaster_lab, "frontend", (ORDERS, ORDERS_PORT))
    assert (answer.status, answer.body) == (401, {"error": "the frontend's address, and not its token"})


def test_the_ledger_turns_away_who_is_not_the_backend(neighbour: ToasterLab) -> None:
    """PostgreSQL's own words (pg_hba.conf), to whoever can reach its port."""
    startup = b"\0\3\0\0user\0orders\0database\0postgres\0\0"  # protocol 3.0 (PostgreSQL, 55.2.1)
    for sender, address in (("courier2", "203.0.113.1"), ("visitor", VISITOR)):
        with net(neighbour, sender).socket() as asking:
            asking.settimeout(2)
            asking.connect((LEDGER, LEDGER_PORT))
            asking.sendall((len(startup) + 4).to_bytes(4, "big") + startup)
            assert f'no pg_hba.conf entry for host "{address}", user "orders"' in asking.recv(4096).decode(
                errors="replace"
            )


# What the judgement itself does


def test_what_was_not_seen_is_an_error(seen: Click) -> None:
    """A segment that nobody sent is missed by name, and not taken for another one."""
    with pytest.raises(CaptureError, match=f"no data was seen that {VISITOR} sent to {LEDGER}"):
        first(seen.parcels, VISITOR, LEDGER)
