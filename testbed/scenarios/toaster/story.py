"""The story on the terminal: the essay's acts, each with the addresses that really stood on the parcel."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Final

from testbed.report.columns import columns
from testbed.results import Check, Scene
from testbed.scenarios.toaster import deeds, drawing, judgement
from testbed.scenarios.toaster.judgement import Click
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.topology import (
    FRONTEND,
    FRONTEND_PORT,
    HOME_GATEWAY,
    JACK,
    LEDGER,
    LEDGER_PORT,
    ORDERS,
    ORDERS_PORT,
    PODMAN0,
    PUBLISHED_PORT,
    SEA_EAST,
    SEA_WEST,
    SHOP,
)

#: What the essay has Browser-Bot read.
CONFIRMED: Final = "Order confirmed. Your toaster is on its way. Thank you for shopping with us."
#: The number of the first order, and how many toasters there are before it.
NUMBER: Final = 42
STOCK: Final = 25
#: Whom each courier has to know: the neighbours at the ends of her own two cables.
ACQUAINTANCES: Final = {"courier1": {JACK, SEA_EAST}, "courier2": {SEA_WEST, SHOP}}
#: The one line of each courier's directory that leads further than to a neighbour.
ONWARD: Final = {
    "courier1": f"203.0.113.0/27 via {SEA_EAST} dev sea0",
    "courier2": f"198.51.100.0/25 via {SEA_WEST} dev sea0",
}
#: From where, by which address, and whom the frontend then sees.
VISITS: Final = (
    ("jack", (SHOP, PUBLISHED_PORT), JACK),
    ("shop", ("127.0.0.1", PUBLISHED_PORT), PODMAN0),
    ("shop", (SHOP, PUBLISHED_PORT), SHOP),
    ("shop", (PODMAN0, PUBLISHED_PORT), PODMAN0),
    ("visitor", (SHOP, PUBLISHED_PORT), PODMAN0),
    ("visitor", (FRONTEND, FRONTEND_PORT), "10.88.0.20"),
)
#: Doors that Jack finds closed: which, the errno, and who says so, with what.
CLOSED: Final = (
    ((ORDERS, ORDERS_PORT), errno.ENETUNREACH, f"{HOME_GATEWAY} ICMP 3/0"),
    ((LEDGER, LEDGER_PORT), errno.ENETUNREACH, f"{HOME_GATEWAY} ICMP 3/0"),
    ((SHOP, ORDERS_PORT), errno.ECONNREFUSED, f"{SHOP} TCP RA"),
    ((SHOP, LEDGER_PORT), errno.ECONNREFUSED, f"{SHOP} TCP RA"),
)


def scenes(lab: ToasterLab) -> Iterator[Scene]:
    """Tell it, a scene at a time.

    :raises Error: something could not be done or seen at all
    """
    deeds.first_day(lab)
    before = deeds.left(lab)
    click = deeds.click(lab, deeds.order())
    yield _click(click)
    yield _sea(lab, click)
    yield _onion(lab, click)
    yield _corridor(click)
    yield _home(lab, click, before)
    yield _who(lab)
    yield _closed(lab)


def _click(click: Click) -> Scene:
    layers = judgement.layers(click.request.at("wan0 of jack"))
    whose = ("the first courier", "the shop, far away", "its web service", click.note.rpartition(b"\r\n")[2].decode())
    rows = [(name, to, who) for (name, to), who in zip(layers, whose, strict=True)]
    return Scene(
        "Act One, The Click: Browser-Bot wraps one note three times",
        (
            Check("one frame has an IP packet in it, that a TCP segment, and that the note", len(layers) == len(whose)),
            Check(
                "each layer has an address of its own, for a leg of its own",
                judgement.is_nested(click),
                ", ".join(to for _, to in layers[:-1]),
            ),
        ),
        columns(rows),
        "The frame as Jack's wan0 sent it, from the outside in.",
    )


def _sea(lab: ToasterLab, click: Click) -> Scene:
    request = click.request
    outside = judgement.OUTSIDE
    known = {name: deeds.acquainted(lab, name) for name in deeds.COURIERS}
    return Scene(
        "Act Two, Across the Sea of Couriers: a new satchel for each leg, the packet stays as it is",
        (
            Check("it passed every door, in this order", request.taps[: len(outside)] == outside),
            Check("each cable's frame is from the one end to the other", judgement.in_new_satchels(request, click)),
            Check(
                "what is in it is the same at each, byte for byte, but for the TTL and its checksum",
                judgement.is_sealed(request, outside),
                f"{len(click.note)} bytes of note",
            ),
            Check(
                "each courier takes one off the TTL",
                request.ttls == judgement.TTLS,
                "64, 63, 62, and 61 behind the shop's own kernel",
            ),
            *(
                Check(f"{name} knows only her neighbours", known[name] == ACQUAINTANCES[name], _names(known[name]))
                for name in deeds.COURIERS
            ),
        ),
        (
            *drawing.ladder(request, outside),
            *(f"{name}'s directory: {line}" for name in deeds.COURIERS for line in deeds.directory(lab, name)),
        ),
    )


def _onion(lab: ToasterLab, click: Click) -> Scene:
    request, port = click.request, click.answer.port
    gate = deeds.knock_at_the_gate(lab)
    entry = judgement.page_about(click.tracked, port)
    told = judgement.told(click.rules, click.knock)
    came = judgement.destinations(told)
    return Scene(
        "Act Three, The Onion Unwrapped: the gate, the Pre-Clerk, and the page about this parcel",
        (
            Check(
                "the gate takes what is for its own MAC address, and nothing else",
                gate.answered == (deeds.SHOPS_NOTE,) and gate.arrived == (deeds.STRANGER, gate.own),
                f"dropped: to {gate.arrived[0]}; taken: to {gate.own}",
            ),
            Check(
                "the Pre-Clerk writes the frontend's address over the shop's: DNAT",
                judgement.is_redirected(request, port),
                f"{SHOP}:{PUBLISHED_PORT} becomes {FRONTEND}:{FRONTEND_PORT}",
            ),
            Check(
                "he does it in PREROUTING, before the directory is looked up, by the firewall's own trace",
                came == REDIRECTING,
                ", ".join(f"{chain} {to}" for chain, to in came),
            ),
            Check(
                "the ledger has what came and what its answer will look like",
                entry is not None and judgement.remembers(entry, port),
            ),
            Check(
                "and later parcels are rewritten by that page alone: no rule is asked about their address",
                set(judgement.destinations(judgement.told(click.rules, request))) == BY_THE_PAGE,
            ),
        ),
        (
            *drawing.ladder(request, (judgement.OUTSIDE[-1], *judgement.INSIDE)),
            *(drawing.page(entry) if entry else ()),
            *drawing.rules(deeds.rules_for(lab, click, click.knock)),
        ),
    )


#: What the trace shows of the destination, chain by chain.
REDIRECTING: Final = (
    ("PREROUTING", f"{SHOP}:{PUBLISHED_PORT}"),
    ("FORWARD", f"{FRONTEND}:{FRONTEND_PORT}"),
    ("POSTROUTING", f"{FRONTEND}:{FRONTEND_PORT}"),
)
#: And of a later packet of the same connection: it is at FORWARD only, and has the other address already.
BY_THE_PAGE: Final = {REDIRECTING[1]}


def _corridor(click: Click) -> Scene:
    second, third = click.second_request, click.third_knock
    own = judgement.headers(second.said.data)
    between = judgement.entries_between(click.tracked, FRONTEND, ORDERS)
    return Scene(
        "Act Four, Down the Corridor: the frontend writes a parcel of its own, and so does the backend",
        (
            Check(
                "another connection: other ports, other sequence numbers",
                judgement.are_two_conversations(click.knock, click.second_knock),
                f"{click.knock.said.sequence} and {click.second_knock.said.sequence}",
            ),
            Check(
                "with headers of its own, and Jack's address only in one of them",
                (own.get("host"), own.get("x-forwarded-for")) == ("orders", JACK),
                f"Host: {own.get('host')}, X-Forwarded-For: {own.get('x-forwarded-for')}",
            ),
            Check(
                "no NAT: it arrives as it was sent, and a page about it is what came, turned around",
                all(map(judgement.passed_no_nat, between)) and len(set(second.addresses)) == 1,
            ),
            Check(
                "it never left the corridor: the two doors and nowhere else, and no TTL was taken off",
                judgement.seen_at(click.frames, FRONTEND, ORDERS) == set(judgement.NEXT_DOOR)
                and set(second.ttls) == {64},
            ),
            Check(
                "the ledger's is a third, next door as well",
                judgement.are_two_conversations(click.second_knock, third)
                and judgement.seen_at(click.frames, ORDERS, LEDGER) == set(judgement.TO_THE_LEDGER),
            ),
            Check("Jack's own waits on the desk until the answer is there", judgement.are_stitched(click)),
        ),
        (*drawing.ladder(second), *drawing.ladder(third)),
        "Where bridge-nf-call-iptables is on, these frames pass the firewall's chains as well, and nothing there turns "
        "them.",
    )


def _home(lab: ToasterLab, click: Click, before: int) -> Scene:
    reply, port = click.reply, click.answer.port
    body = click.answer.body
    after = deeds.left(lab)
    return Scene(
        "Act Five, Home: the same way back, and the page about this parcel is read",
        (
            Check("the reply goes the way of the request, in reverse", reply.taps == click.request.taps[::-1]),
            Check(
                "the Post-Clerk puts the shop's address back",
                judgement.is_put_back(reply, port),
                f"{FRONTEND}:{FRONTEND_PORT} becomes {SHOP}:{PUBLISHED_PORT}",
            ),
            Check("no frame outside bore an address of the corridor's", not judgement.shows_outside(click.frames)),
            Check(
                "Browser-Bot reads what the essay has him read",
                (click.answer.status, body.get("message")) == (201, CONFIRMED),
                str(body.get("message")),
            ),
            Check(
                f"the order is #{NUMBER}, written next to Jack's name",
                deeds.booked(lab) == ((str(body.get("order")), "toaster", "Jack", JACK),)
                and body.get("order") == NUMBER,
            ),
            Check("one toaster less", (before, after) == (STOCK, STOCK - 1), f"{before}, then {after}"),
        ),
        drawing.ladder(reply),
    )


def _who(lab: ToasterLab) -> Scene:
    note = deeds.write("GET", deeds.WHO)
    seen = [(who, door, deeds.ask(deeds.net(lab, who), note, door).body) for who, door, _ in VISITS]
    forged = deeds.write("GET", deeds.WHO, headers={"X-Forwarded-For": "192.0.2.1"})
    told = deeds.ask(lab.jack.net, forged).body
    rows = [("from", "by", "the frontend sees", "the backend sees")]
    rows += [
        (who, f"{address}:{port}", str(body["forwarded_for"]), str(body["peer"])) for who, (address, port), body in seen
    ]
    return Scene(
        "Others ask as well: whom the server sees",
        (
            *(
                Check(f"{who} by {door[0]}: {expected}", body["forwarded_for"] == expected)
                for (who, door, body), (_, _, expected) in zip(seen, VISITS, strict=True)
            ),
            Check("the backend sees the frontend, whoever asks", {body["peer"] for _, _, body in seen} == {FRONTEND}),
            Check(
                "a header that Jack forged is written over",
                told["forwarded_for"] == JACK,
                f"he wrote 192.0.2.1, the backend reads {told['forwarded_for']}",
            ),
        ),
        columns(rows),
        "127.0.0.1 and what comes back in by the bridge is masqueraded, or its answer would miss the page.",
    )


def _closed(lab: ToasterLab) -> Scene:
    knocks = [(door, deeds.knock(lab, door), (number, said)) for door, number, said in CLOSED]
    control = deeds.knock(lab, deeds.GATE)
    rows = [("to", "Jack's client gets", "from")]
    rows += [
        (f"{address}:{port}", errno.errorcode.get(one.errno, "connected"), one.said)
        for (address, port), one in [*((door, one) for door, one, _ in knocks), (deeds.GATE, control)]
    ]
    return Scene(
        "From outside there is one door",
        (
            *(
                Check(f"{address}:{port} is not it", (one.errno, one.said) == expected)
                for (address, port), one, expected in knocks
            ),
            Check(f"{SHOP}:{PUBLISHED_PORT} is", control.errno == 0),
        ),
        columns(rows),
        "ICMP 3/0 is the first courier's word for: nobody told me of such a network (RFC 792).",
    )


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
