"""The words of a prediction: each kind of ending, reason and step has its own, and JSON has the details of each."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from typing import get_args

from testbed.evidence import (
    Act,
    Attempt,
    Backend,
    Chain,
    Evidence,
    Hook,
    HostFacts,
    Names,
    Namespace,
    Route,
    RouteKind,
    Rule,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.hosts_file import HostsFile
from testbed.model import Target
from testbed.predict import Disposition, Prediction, predict, steps, unknown, wording
from testbed.predict import ending as endings
from testbed.predict.ending import Ending, NoRoute, Rejected, Routed, Trail, Verdict
from testbed.predict.packet import Packet
from testbed.predict.steps import Step, StepKind
from testbed.predict.wording.steps import row, text
from testbed.predict.wording.unknown import said
from testbed.predict.wording.why import sentence
from testbed.report.prediction import prediction
from tests.unit.predicted import kinds

PORT = 8000


PACKET = Packet(ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2"), "tcp", None, PORT)


def two_hosts() -> Evidence:
    """Two hosts on one segment, where nobody listens."""
    seat = Seat("lan", ipaddress.ip_interface("203.0.113.10/27"))
    other = Seat("lan", ipaddress.ip_interface("203.0.113.20/27"))
    hosts = [HostFacts(name, name, name, Names(HostsFile({}))) for name in ("box", "far")]
    return picture((Stack("box", (seat,)), Stack("far", (other,))), hosts)


def predicted() -> Prediction:
    """What a connection comes to from the one to the other, where nobody listens."""
    evidence = two_hosts()
    return predict(evidence, Attempt(evidence.place("box"), Target.parse(f"tcp://203.0.113.20:{PORT}")))


def test_each_kind_of_ending_has_a_disposition_and_a_sentence() -> None:
    """A new ending without its sentence is named here, before somebody meets it as an error."""
    found = kinds(Ending)
    assert [kind.__name__ for kind in found if not isinstance(getattr(kind, "disposition", None), Disposition)] == []
    assert [kind.__name__ for kind in found if sentence.dispatch(kind) is sentence.dispatch(object)] == []


def test_each_disposition_is_one_of_an_ending() -> None:
    """A disposition that no ending has would be a code that nothing gives."""
    assert {kind.disposition for kind in kinds(Ending)} == set(Disposition)


def test_each_reason_for_an_unknown_end_has_a_sentence() -> None:
    """What is not modelled is said in words of its own."""
    found = get_args(unknown.Reason)
    assert [kind.__name__ for kind in found if said.dispatch(kind) is said.dispatch(object)] == []


def test_each_kind_of_step_has_a_text_and_a_row() -> None:
    """A step says what happens, and shows what decides."""
    for words in (text, row):
        assert [kind.__name__ for kind in kinds(Step) if words.dispatch(kind) is words.dispatch(object)] == []


def test_each_kind_of_step_is_of_one_of_the_steps_kinds() -> None:
    """No kind of step is without a class, and no class without a kind."""
    assert {kind.kind for kind in kinds(Step)} == set(StepKind)


def test_the_words_of_an_ending_are_made_of_its_values_alone() -> None:
    """The same ending in another namespace says the other's name."""
    for label in ("box", "far"):
        here = Namespace(label, label)
        assert wording.why(NoRoute(Trail(here, PACKET), Routed.SENT)) == f"{label} has no route to 192.0.2.2"


def test_what_a_program_keeps_to_itself_is_added_to_the_words_of_any_ending() -> None:
    """An error that slirp4netns hands on to nobody is told as what it was, and that it is not heard."""
    kept = NoRoute(Trail(Namespace("box", "box"), PACKET), Routed.FORWARDED, kept_by="slirp4netns")
    assert wording.why(kept) == (
        "box, on the way, has no route to 192.0.2.2; slirp4netns hands on only a reset, so that the container hears "
        "nothing"
    )


def test_json_has_the_details_of_each_step_and_of_the_ending() -> None:
    """Beside the words there is what they are made of: the route that was chosen, the socket that was not found."""
    told = prediction(predicted())
    assert json.loads(json.dumps(told)) == told
    assert set(told) == {"outcome", "phase", "errno", "end", "why", "ending", "steps", "address", "tried"}
    route, cross, deliver, answer = told["steps"]
    assert set(route) == {"kind", "namespace", "where", "text", "row", "back", "detail"}
    assert (route["kind"], route["detail"]["source"]) == ("route", "203.0.113.10")
    assert route["detail"]["chosen"]["route"] == route["row"]
    assert cross["detail"]["station"]["namespace"] == "far"
    assert deliver["detail"]["listener"] is None
    assert [step["back"] for step in told["steps"]] == [False, False, False, True]
    assert answer["detail"]["sender"] == "far"
    ending = told["ending"]
    assert (ending["end"], ending["namespace"], ending["back"]) == ("no listener", "far", False)
    assert (ending["packet"]["destination"], ending["packet"]["destination_port"]) == ("203.0.113.20", PORT)


def test_json_tells_the_rule_that_decided_with_its_chain_and_hook() -> None:
    """What names a rule for nft and iptables is told apart: the words alone would have to be taken apart again."""
    chain = Chain(Backend.NFTABLES, "inet", "filter", "input", (), hook=Hook.INPUT)
    rule = Rule("tcp dport 8000 reject", (), ())
    ending = Rejected(Trail(Namespace("box", "box"), PACKET), Verdict(Hook.INPUT, chain, rule), "tcp-reset", errno=111)
    told = prediction(dataclasses.replace(predicted(), ending=ending))
    assert told["ending"]["verdict"] == {
        "hook": "input",
        "backend": "nft",
        "family": "inet",
        "table": "filter",
        "chain": "input",
        "rule": "tcp dport 8000 reject",
    }
    assert (told["end"], told["why"]) == (
        "rejected",
        "a firewall rule in INPUT of box rejects it: tcp dport 8000 reject",
    )


def test_json_names_what_is_not_modelled() -> None:
    """An unknown end has the name of its reason, so that a program can tell them apart."""
    several = Route(254, RouteKind.UNICAST, ipaddress.ip_network("192.0.2.0/24"), None, None, multipath=True)
    reason = unknown.UnmodelledRoute(several)
    ending = unknown.Unknown(Trail(Namespace("box", "box"), PACKET), reason)
    told = prediction(dataclasses.replace(predicted(), ending=ending))
    assert told["ending"]["reason"] == "UnmodelledRoute"
    assert told["ending"]["detail"] == {"by": {"table": 254, "kind": "unicast", "destination": "192.0.2.0/24"}}
    assert told["why"] == "the route to 192.0.2.0/24 of box has several next hops"


def test_a_translation_is_told_from_what_to_what() -> None:
    """DNAT to a listener elsewhere: both packets are in the step, and the rule that made one of the other."""
    after = dataclasses.replace(PACKET, destination=ipaddress.ip_address("10.88.0.10"), destination_port=80)
    chain = Chain(Backend.IPTABLES, "ip", "nat", "PREROUTING", (), hook=Hook.PREROUTING, kind="nat")
    rule = Rule("-A PREROUTING -p tcp --dport 8000 -j DNAT --to-destination 10.88.0.10:80", (), ())
    step = steps.Translation(Namespace("box", "box"), PACKET, after, Verdict(Hook.PREROUTING, chain, rule))
    assert wording.text(step) == "box rewrites it: from 192.0.2.1, to 10.88.0.10:80"
    assert wording.row(step) == rule.text


def test_an_interface_without_an_address_is_named_in_what_it_was_wanted_for() -> None:
    """MASQUERADE and REDIRECT take the address of an interface, and each says so where there is none."""
    evidence = two_hosts()
    here = evidence.namespaces["box"]
    link = next(link for link in here.links if link.name != "lo")
    trail = Trail(here, PACKET)
    masquerade = endings.NoTranslationAddress(trail, link, Act.MASQUERADE)
    redirect = endings.NoTranslationAddress(trail, link, Act.REDIRECT)
    assert wording.why(masquerade) == f"{link.name} of box has no address to masquerade behind"
    assert wording.why(redirect) == f"{link.name} has no address to redirect to"
