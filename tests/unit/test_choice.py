"""A cause is the smallest change that cures: proposals are tried on the picture, and the prediction decides."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from testbed.change import Change, ImpossibleChangeError, apply
from testbed.change.firewall import ChainName, InsertRule, RemoveRule
from testbed.change.listening import Listen, Rebind, StartProgram, StopListening
from testbed.change.routing import AddRoute, SetSysctl
from testbed.evidence import (
    Act,
    Action,
    Attempt,
    Backend,
    Chain,
    Evidence,
    Field,
    Hook,
    Listener,
    Match,
    Process,
    Protocol,
    Route,
    RouteKind,
    Rule,
    Ruleset,
)
from testbed.explain.case import Case
from testbed.explain.choice import chosen
from testbed.explain.codes import Cause
from testbed.explain.counterfactual import Counterfactuals
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion, Proposal, Remedy, Row
from testbed.model import Target
from testbed.predict import predict
from tests.unit.test_explain_listening import GATEWAY, PORT, world

LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")
ANY: Final = ipaddress.ip_address("0.0.0.0")
APP: Final = Listener(Protocol.TCP, LOOPBACK, PORT, process=Process(7, "app"))
OTHER: Final = Listener(Protocol.TCP, LOOPBACK, PORT + 1, process=Process(8, "other"))
TO_GATEWAY: Final = Rebind("box", APP, GATEWAY, PORT)
TO_ALL: Final = Rebind("box", APP, ANY, PORT)


def case(evidence: Evidence, target: str = f"10.88.0.1:{PORT}") -> Case:
    """An attempt of ``client``, and what is predicted of it."""
    attempt = Attempt(evidence.place("client"), Target.parse(target))
    return Case(evidence, attempt, predict(evidence, attempt))


def proposal(cause: Cause, *remedies: tuple[Change, ...], meant: str = "", rows: tuple[Row, ...] = ()) -> Proposal:
    """A cause with remedies, each of some changes."""
    made = tuple(Remedy(str(number), changes=changes) for number, changes in enumerate(remedies))
    return Proposal(cause, f"It is {cause}.", rows, made, meant=meant)


def causes(made: Case, *proposals: Proposal) -> list[Cause]:
    """The causes that are chosen among proposals."""

    def propose(_: Case) -> Iterator[Proposal]:
        yield from proposals

    return [one.cause for one in chosen(made, propose)]


def test_a_proposal_whose_change_does_not_cure_is_dropped() -> None:
    """It comes first, and the listener that it moves has another port."""
    made = case(world({"box": (APP, OTHER)}))
    wrong = proposal(Cause.PORT_TAKEN, (Rebind("box", OTHER, GATEWAY, PORT + 1),))
    assert causes(made, wrong, proposal(Cause.LOOPBACK_ONLY, (TO_GATEWAY,))) == [Cause.LOOPBACK_ONLY]


def test_a_cure_that_does_not_cure_is_not_printed() -> None:
    """Of two remedies of one cause only the one that connects is left."""
    made = case(world({"box": (APP, OTHER)}))
    both = proposal(Cause.LOOPBACK_ONLY, (Rebind("box", OTHER, GATEWAY, PORT + 1),), (TO_GATEWAY,))
    (found,) = chosen(made, lambda _: [both])
    assert [cure.changes for cure in found.cures] == [(TO_GATEWAY,)]


def test_of_several_causes_the_one_that_changes_least_is_chosen() -> None:
    """A program that nothing shows is more than one that runs, and listens elsewhere."""
    made = case(world({"box": (APP,)}))
    started = proposal(Cause.NOBODY_LISTENS, (StartProgram("box", Protocol.TCP, GATEWAY, PORT),))
    moved = proposal(Cause.LOOPBACK_ONLY, (TO_GATEWAY,))
    assert causes(made, started, moved) == [Cause.LOOPBACK_ONLY]


def test_of_several_cures_the_one_that_exposes_least_is_first() -> None:
    """On all addresses the LAN reaches it too, and nobody there reaches the bridge's."""
    made = case(world({"box": (APP,)}))
    (found,) = chosen(made, lambda _: [proposal(Cause.LOOPBACK_ONLY, (TO_ALL,), (TO_GATEWAY,))])
    assert [cure.changes for cure in found.cures] == [(TO_GATEWAY,), (TO_ALL,)]
    assert found.cures[0].exposes == "the containers of the network podman"
    assert found.cures[1].exposes == "the containers of the network podman, the LAN on lan of box, far itself"


def test_what_only_tells_by_what_was_meant_is_said_and_not_claimed() -> None:
    """Each of them cures, and nothing in the picture says which it is."""
    made = case(world({"box": (OTHER,)}))
    started = proposal(Cause.NOBODY_LISTENS, (StartProgram("box", Protocol.TCP, GATEWAY, PORT),), meant="it is down")
    moved = proposal(Cause.WRONG_CONTAINER_PORT, (Rebind("box", OTHER, GATEWAY, PORT),), meant="it is the other")
    assert causes(made, started, moved) == [Cause.WRONG_CONTAINER_PORT, Cause.NOBODY_LISTENS]


def test_what_was_meant_is_asked_once_for_two_addresses_of_a_name() -> None:
    """Each address has the same proposal again."""
    made = case(world({"box": (OTHER,)}))
    started = proposal(Cause.NOBODY_LISTENS, (StartProgram("box", Protocol.TCP, GATEWAY, PORT),), meant="it is down")
    moved = proposal(Cause.WRONG_CONTAINER_PORT, (Rebind("box", OTHER, GATEWAY, PORT),), meant="it is the other")
    assert causes(made, started, moved, started, moved) == [Cause.WRONG_CONTAINER_PORT, Cause.NOBODY_LISTENS]


def test_what_the_picture_shows_comes_before_what_was_meant() -> None:
    """A cause that the picture shows by itself is claimed, though another one would change as little."""
    made = case(world({"box": (APP, OTHER)}))
    meant = proposal(Cause.WRONG_CONTAINER_PORT, (TO_GATEWAY,), meant="it is the other")
    assert causes(made, meant, proposal(Cause.LOOPBACK_ONLY, (TO_GATEWAY,))) == [Cause.LOOPBACK_ONLY]


def dropping(*rules: Rule, policy: Act = Act.ACCEPT) -> Evidence:
    """``box`` listens on all addresses, and its INPUT has rules."""
    evidence = world({"box": (replace(APP, address=ANY),)})
    chain = Chain(Backend.IPTABLES, "ip", "filter", "INPUT", rules, Hook.INPUT, "filter", policy=policy)
    out = Chain(Backend.IPTABLES, "ip", "filter", "OUTPUT", (), Hook.OUTPUT, "filter", policy=policy)
    box = replace(evidence.namespaces["box"], firewall=Ruleset((chain, out)))
    return replace(evidence, namespaces={**evidence.namespaces, "box": box})


def test_where_one_change_is_not_enough_two_are_tried() -> None:
    """The request is dropped, and so would its answer be: accepting both cures, and both are said."""
    evidence = dropping(policy=Act.DROP)
    told = explain(evidence, Attempt(evidence.place("client"), Target.parse(f"10.88.0.1:{PORT}")))
    assert told.cause is Cause.INPUT_DROPPED
    assert "That is not all" in told.sentence and "OUTPUT" in told.sentence
    assert told.diagnosis is not None
    changed = [type(change) for change in told.diagnosis.cures[0].changes]
    assert changed == [InsertRule, InsertRule]


def test_where_nothing_cures_the_deciding_fact_is_said_and_no_cause() -> None:
    """Nobody has the address, and nobody else listens on that port."""
    evidence = world({})
    told = explain(evidence, Attempt(evidence.place("client"), Target.parse("10.88.0.77:80")))
    assert (told.verdict, told.cause, told.diagnosis) == (Conclusion.CANNOT_TELL, None, None)
    assert "nobody answers for 10.88.0.77 on eth0 of client" in told.sentence


def test_a_row_that_the_cause_does_not_need_is_not_printed() -> None:
    """Without the other listener it would be as it is; without its own listener nothing could be moved."""
    made = case(world({"box": (APP, OTHER)}))
    needed = Row("listener", "box", "app", StopListening("box", APP))
    idle = Row("listener", "box", "other", StopListening("box", OTHER))
    (found,) = chosen(made, lambda _: [proposal(Cause.LOOPBACK_ONLY, (TO_GATEWAY,), rows=(idle, needed))])
    assert found.rows == (needed,)


def test_predictions_are_counted_and_not_made_twice() -> None:
    """What was tried once is known."""
    trials = Counterfactuals(case(world({"box": (APP,)})))
    for _ in range(3):
        assert trials.cures(Remedy("", changes=(TO_GATEWAY,)))
    assert trials.made == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(Rebind("box", APP, ipaddress.ip_address("10.88.0.9"), PORT), "no address 10.88.0.9", id="address"),
        pytest.param(Rebind("box", OTHER, ANY, PORT), r"app \(pid 7\) of box already listens", id="port"),
        pytest.param(StopListening("box", replace(APP, port=1)), "that listener is gone", id="listener"),
        pytest.param(Listen("box", Protocol.TCP, ANY, 1, Process(99, "gone")), "gone .pid 99. is gone", id="process"),
        pytest.param(
            AddRoute("box", Route(254, RouteKind.UNICAST, ipaddress.ip_network("192.0.2.0/24"), None, LOOPBACK + 1)),
            "",
            id="route",
        ),
        pytest.param(
            RemoveRule("box", ChainName(Backend.IPTABLES, "ip", "filter", "INPUT"), Rule("", (), ())),
            "no chain filter INPUT",
            id="chain",
        ),
        pytest.param(SetSysctl("nowhere", "ipv4/ip_forward", "1"), "not in the picture", id="namespace"),
    ],
)
def test_a_change_that_the_machine_would_refuse_is_impossible(change: Change, reason: str) -> None:
    """It says why, and changes nothing."""
    evidence = world({"box": (APP, OTHER)})
    if not reason:
        assert apply(change, evidence) is not evidence
        return
    with pytest.raises(ImpossibleChangeError, match=reason):
        apply(change, evidence)


def test_a_gateway_that_is_on_no_subnet_makes_no_route() -> None:
    """The kernel says "Nexthop has invalid gateway"."""
    beyond = Route(
        254, RouteKind.UNICAST, ipaddress.ip_network("192.0.2.0/24"), None, ipaddress.ip_address("192.0.2.1")
    )
    with pytest.raises(ImpossibleChangeError, match="is on no subnet of box"):
        apply(AddRoute("box", beyond), world({}))


def test_forwarding_of_all_is_that_of_each_interface() -> None:
    """The kernel sets them together (net/ipv4/devinet.c)."""
    after = apply(SetSysctl("client", "ipv4/ip_forward", "1"), world({})).namespaces["client"]
    assert {after.sysctls[f"ipv4/conf/{link.name}/forwarding"] for link in after.links} == {"1"}


def test_an_inserted_rule_is_asked_before_the_others() -> None:
    """An accept before a drop lets it pass; the same rule behind it would not."""
    drop = Rule("-A INPUT -j DROP", (), (Action(Act.DROP),))
    accept = Rule("-j ACCEPT", (Match(Field.PROTOCOL, ("tcp",)),), (Action(Act.ACCEPT),))
    evidence = dropping(drop)
    chain = ChainName(Backend.IPTABLES, "ip", "filter", "INPUT")
    trials = Counterfactuals(case(evidence))
    assert trials.cures(Remedy("", changes=(InsertRule("box", chain, accept),)))
    assert not trials.cures(Remedy("", changes=(SetSysctl("box", "ipv4/ip_forward", "1"),)))
