"""Firewalls on a packet's way, by what each remembers: tracking, translations, frames, and what follows a handshake."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from testbed.evidence import Act, Action, Chain, Evidence, Field, Hook, Match, Ruleset
from testbed.model import Outcome
from testbed.predict.conntrack import Tracking
from testbed.predict.disposition import Disposition
from testbed.predict.ending import Filtered
from testbed.predict.packet import Packet
from testbed.predict.unknown import LaterPackets, Unknown, UnmodelledReject
from tests.unit.predicted import packet_ending, verdict
from tests.unit.test_predict import ask, rules, tcp, world

DROP = Action(Act.DROP)
TCP = Match(Field.PROTOCOL, ("tcp",))
REJECT = Action(Act.REJECT, "icmp-port-unreachable")
PORT = 8000
TO_HOST = f"10.88.0.1:{PORT}"
TO_PEER = f"10.88.0.11:{PORT}"


def port(number: int = PORT) -> Match:
    """A destination port."""
    return Match(Field.DESTINATION_PORT, (str(number),))


def state(word: str) -> Match:
    """A state of conntrack."""
    return Match(Field.STATE, (word,))


def both(*found: Ruleset) -> Ruleset:
    """All chains of several."""
    return Ruleset(tuple(chain for each in found for chain in each.chains))


def raw(hook: Hook, *matches: Match) -> Ruleset:
    """A chain before conntrack that lets packets go untracked."""
    (chain,) = rules(hook, Action(Act.NOTRACK), *matches).chains
    return Ruleset((replace(chain, table="raw", priority=-300),))


def layered(
    family: str, hook: Hook, action: Action, *matches: Match, devices: tuple[str, ...] | None = None
) -> Ruleset:
    """A chain of another family."""
    (chain,) = rules(hook, action, *matches).chains
    return Ruleset((replace(chain, family=family, devices=devices),))


def with_host(rules_of_host: Ruleset, **more: dict[str, str]) -> Evidence:
    """A world whose host and peer listen, behind these rules."""
    listens = (tcp("0.0.0.0"),)
    return world(host_listens=listens, peer_listens=listens, host_rules=rules_of_host, **more)  # type: ignore[arg-type]


def published(*more: Chain) -> Ruleset:
    """Port 9001 of the host leads to the peer; what the rest is about comes behind it."""
    dnat = rules(Hook.PREROUTING, Action(Act.DNAT, TO_PEER), port(9001), kind="nat")
    return Ruleset((*dnat.chains, *more))


@pytest.mark.parametrize("hook", [Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING])
def test_a_translation_is_in_the_status_of_the_same_way_in(hook: Hook) -> None:
    """From PREROUTING on a rule sees that the destination was translated; on the way there already."""
    (chain,) = rules(hook, DROP, Match(Field.STATUS, ("dnat",)), state("new")).chains
    seen = ask(with_host(published(replace(chain, priority=50))), "far", "203.0.113.10:9001")
    assert (seen.disposition, packet_ending(seen).back) == (Disposition.DROPPED, False)


def test_the_rule_that_rewrote_the_packet_is_in_the_ending() -> None:
    """Where a translation leads nowhere, whoever explains that has its rule."""
    dnat = rules(Hook.PREROUTING, Action(Act.DNAT, "10.88.0.99:80"), port(9001), kind="nat")
    trail = packet_ending(ask(with_host(dnat), "far", "203.0.113.10:9001")).trail
    assert [by.chain for by in trail.rewritten_by] == list(dnat.chains)


def test_what_is_not_tracked_keeps_its_destination() -> None:
    """NOTRACK before a translation leaves the packet where it was going."""
    seen = ask(with_host(both(published(), raw(Hook.PREROUTING, port(9001)))), "far", "203.0.113.10:9001")
    assert (seen.disposition, str(packet_ending(seen).destination)) == (Disposition.NO_LISTENER, "203.0.113.10")


def test_the_next_namespace_tracks_again() -> None:
    """A router that does not track a packet leaves the one behind it free to: there it is new, and translated."""
    inside = rules(Hook.PREROUTING, Action(Act.REDIRECT, f":{PORT}"), port(9001), kind="nat")
    evidence = world(host_rules=raw(Hook.PREROUTING), web_rules=inside, web_listens=(tcp("0.0.0.0"),))
    assert ask(evidence, "far", "10.88.0.10:9001").outcome is Outcome.CONNECTED


@pytest.mark.parametrize(
    ("out", "answered", "expected"), [("b", False, "invalid"), ("a", False, ""), ("b", True, "established")]
)
def test_what_follows_a_handshake_that_was_half_seen_is_invalid(out: str, expected: str, *, answered: bool) -> None:
    """Who saw a SYN and not its answer takes the next packet for invalid.

    Where it went back by the interface that it came in by, an ICMP redirect may have told the sender of a shorter way.
    """
    packet = Packet(ip_address("10.88.0.5"), ip_address("10.89.0.2"), "tcp", None, 80, iif="a")
    tracking = Tracking()
    tracking.note("box", packet, replace(packet, iif="", oif=out))
    if answered:
        tracking.answer_seen("box")
    assert tracking.state_of_later("box") == expected


def test_an_answer_to_what_was_not_tracked_is_invalid() -> None:
    """Only one way is not tracked: the answer is one to a connection that nobody knows."""
    outgoing = rules(Hook.OUTPUT, DROP, state("invalid"))
    seen = ask(with_host(both(raw(Hook.PREROUTING, port()), outgoing)), "web", TO_HOST)
    assert (seen.outcome, packet_ending(seen).back) == (Outcome.TIMED_OUT, True)
    untracked = both(raw(Hook.PREROUTING, port()), raw(Hook.OUTPUT), outgoing)
    assert ask(with_host(untracked), "web", TO_HOST).outcome is Outcome.CONNECTED


def test_an_owner_is_who_listens() -> None:
    """The answer comes from the listener's socket, whose user the picture has; a forwarded packet has no owner."""
    owner = Match(Field.USER, ("7",))
    listens = (replace(tcp("0.0.0.0"), user=7),)
    for hook, outcome in ((Hook.OUTPUT, Outcome.TIMED_OUT), (Hook.FORWARD, Outcome.CONNECTED)):
        evidence = world(host_listens=listens, peer_listens=listens, host_rules=rules(hook, DROP, owner))
        assert ask(evidence, "web", TO_HOST if hook is Hook.OUTPUT else TO_PEER).outcome is outcome


def test_whose_the_client_is_is_not_known() -> None:
    """A rule about the user that connects decides, and nobody knows the user."""
    evidence = world(
        host_listens=(tcp("0.0.0.0"),), web_rules=rules(Hook.OUTPUT, DROP, Match(Field.USER, ("7",)), port())
    )
    assert ask(evidence, "web", TO_HOST).disposition is Disposition.UNKNOWN


@pytest.mark.parametrize(
    ("family", "hook", "device", "target", "outcome"),
    [
        ("bridge", Hook.FORWARD, None, TO_PEER, Outcome.TIMED_OUT),
        ("bridge", Hook.FORWARD, None, TO_HOST, Outcome.CONNECTED),
        ("bridge", Hook.INPUT, None, TO_HOST, Outcome.TIMED_OUT),
        ("bridge", Hook.INPUT, None, TO_PEER, Outcome.CONNECTED),
        ("netdev", Hook.INGRESS, "podman0", TO_HOST, Outcome.TIMED_OUT),
        ("netdev", Hook.INGRESS, "podman0", TO_PEER, Outcome.CONNECTED),
        ("netdev", Hook.INGRESS, "lan", TO_HOST, Outcome.CONNECTED),
        ("inet", Hook.INGRESS, "podman0", TO_HOST, Outcome.TIMED_OUT),
    ],
)
def test_frames_meet_their_own_chains(
    family: str, hook: Hook, device: str | None, target: str, outcome: Outcome
) -> None:
    """A bridge's chains see what crosses it or comes in by it, a device's what it brings; each only that."""
    evidence = with_host(layered(family, hook, DROP, TCP, port(), devices=(device,) if device else ()))
    assert ask(evidence, "web", target).outcome is outcome


def test_an_answer_to_a_frame_is_not_modelled() -> None:
    """A reject of the family bridge goes past the IP firewall; what becomes of it is not claimed."""
    seen = ask(with_host(layered("bridge", Hook.FORWARD, REJECT, TCP, port())), "web", TO_PEER)
    ending = packet_ending(seen)
    assert isinstance(ending, Unknown) and isinstance(ending.reason, UnmodelledReject)


@pytest.mark.parametrize("hook", [Hook.INPUT, Hook.OUTPUT])
def test_arp_that_is_filtered_is_an_unreachable_host(hook: Hook) -> None:
    """Without an answer to its question for a neighbour a sender hears that the host is unreachable."""
    seen = ask(with_host(layered("arp", hook, DROP)), "web", TO_HOST)
    assert (seen.outcome, seen.disposition) == (Outcome.HOST_UNREACHABLE, Disposition.NEIGHBOUR_FILTERED)


def test_a_rule_that_may_stop_what_follows_is_a_doubt() -> None:
    """Where it is not known whether the data behind a handshake passes, nothing is claimed; the listener is known."""
    perhaps = rules(Hook.INPUT, DROP, state("established"), Match(Field.UNKNOWN, ("limit",)))
    seen = ask(with_host(perhaps), "web", TO_HOST)
    ending = packet_ending(seen)
    assert isinstance(ending, Unknown) and isinstance(ending.reason, LaterPackets)
    assert seen.listener is not None


def test_an_answer_with_data_may_be_stopped() -> None:
    """What stops the answers behind the handshake is on the way back."""
    pushes = rules(Hook.OUTPUT, DROP, TCP, Match(Field.TCP_FLAGS, ("psh/psh",)))
    seen = ask(with_host(pushes), "web", f"http://{TO_HOST}")
    assert (seen.outcome, seen.disposition) == (Outcome.TIMED_OUT, Disposition.LATER_FILTERED)
    assert packet_ending(seen).back
    assert "its answers" in seen.why


def test_a_lost_refusal_says_both() -> None:
    """A reset that a rule keeps: what it was for, and the rule, are both in the ending and in the sentence."""
    resets = rules(Hook.OUTPUT, DROP, TCP, Match(Field.TCP_FLAGS, ("rst/rst",)))
    seen = ask(world(host_rules=resets), "web", TO_HOST)
    ending = packet_ending(seen)
    assert isinstance(ending, Filtered)
    assert ending.there is not None
    assert ending.there.disposition is Disposition.NO_LISTENER
    assert "nothing there takes tcp" in seen.why
    assert "drops the answer" in seen.why
    assert verdict(seen).hook is Hook.OUTPUT
