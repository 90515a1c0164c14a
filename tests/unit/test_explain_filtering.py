"""What explanations say of firewalls and proxies, on pictures that are declared."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from testbed.evidence import (
    Act,
    Action,
    Attachment,
    Attempt,
    Backend,
    Chain,
    Container,
    Evidence,
    Field,
    Hook,
    HostFacts,
    Listener,
    Match,
    Names,
    Network,
    Process,
    Protocol,
    Rule,
    Ruleset,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion, Explanation
from testbed.hosts_file import HostsFile
from testbed.model import Observation, Outcome, Phase, Target

_NAMES = Names(HostsFile({}))
_GATEWAY = ip_address("10.88.0.1")
_LISTENER = Listener(Protocol.TCP, ip_address("0.0.0.0"), 8000, process=Process(7, "nginx"))


def _rule(action: Act, argument: str = "", *matches: Match, packets: int | None = None) -> Rule:
    return Rule(f"-A INPUT -j {action.upper()}", matches, (Action(action, argument),), packets)


def _chain(*rules: Rule, backend: Backend = Backend.IPTABLES, hook: Hook = Hook.INPUT) -> Chain:
    family = "inet" if backend is Backend.NFTABLES else "ip"
    return Chain(backend, family, "filter", hook.upper(), rules, hook, "filter")


def _picture(*chains: Chain, listeners: tuple[Listener, ...] = (_LISTENER,), **proxies: str) -> Evidence:
    """A container ``web`` on podman0 of a host ``box``, which has these rules and listeners."""
    host = Stack(
        "box",
        (Seat("podman0", ip_interface("10.88.0.1/16"), bridge=True),),
        forwards=True,
        listeners=listeners,
        firewall=Ruleset(chains),
    )
    inside = Stack("web", (Seat("podman0", ip_interface("10.88.0.5/16")),), gateway=_GATEWAY)
    container = Container(
        "f" * 64,
        "web",
        "box",
        "running",
        "bridge",
        pid=42,
        namespace="web",
        attachments=(Attachment("podman", (ip_address("10.88.0.5"),), (_GATEWAY,)),),
        names=_NAMES,
        proxies=proxies,
    )
    network = Network("podman", "box", "bridge", "podman0", (ip_network("10.88.0.0/16"),), (_GATEWAY,))
    return picture([host, inside], [HostFacts("box", "box", "box", _NAMES, podman="4.3.1")], [container], [network])


def _explained(evidence: Evidence, seen: Observation | None = None) -> Explanation:
    return explain(evidence, Attempt(evidence.place("web"), Target.parse("http://10.88.0.1:8000/")), seen)


def _seen(outcome: Outcome, errno: int | None = None) -> Observation:
    return Observation("web", "http://10.88.0.1:8000/", outcome, Phase.CONNECT, errno, str(outcome), 0.1, "curl")


def test_a_refusal_by_a_rule_is_said_to_be_none_of_a_closed_port() -> None:
    """A tcp-reset looks like a closed port; the explanation says which of the two it is, and who listens behind it."""
    told = _explained(_picture(_chain(_rule(Act.REJECT, "tcp-reset"))), _seen(Outcome.REFUSED, 111))
    assert told.cause is Cause.INPUT_REJECTED
    assert any("not from a closed port" in warning for warning in told.warnings)
    assert any("nginx" in warning for warning in told.warnings)


def test_behind_a_rule_that_rejects_there_may_be_nobody() -> None:
    """Where nobody listens either, taking the rule out would not help: that is said."""
    told = _explained(_picture(_chain(_rule(Act.REJECT, "tcp-reset")), listeners=()))
    assert any("nobody listens on 10.88.0.1:8000" in warning for warning in told.warnings)


def test_no_route_to_host_by_a_rule_is_said_to_be_none_of_a_route() -> None:
    """firewalld's answer has the words of a missing route."""
    told = _explained(_picture(_chain(_rule(Act.REJECT, "icmp-host-prohibited"))), _seen(Outcome.HOST_UNREACHABLE, 113))
    assert told.cause is Cause.INPUT_REJECTED
    assert any("there is a route" in warning for warning in told.warnings)


@pytest.mark.parametrize(("packets", "words"), [(1, "(1 packet before"), (12, "(12 packets before"), (None, "")])
def test_the_counter_of_a_rule_is_from_before_the_attempt(packets: int | None, words: str) -> None:
    """The picture was taken first: the attempt itself is not counted in it."""
    told = _explained(_picture(_chain(_rule(Act.DROP, packets=packets))))
    assert words in told.sentence
    assert ("before this attempt" in told.sentence) is (packets is not None)


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_what_follows_a_handshake_is_let_through(scheme: str) -> None:
    """The handshake passes and the data does not: that is said, and a cure is one only if the data passes after it."""
    evidence = _picture(_chain(_rule(Act.DROP, "", Match(Field.STATE, ("established",)))))
    told = explain(evidence, Attempt(evidence.place("web"), Target.parse(f"{scheme}://10.88.0.1:8000/")))
    assert told.cause is Cause.INPUT_DROPPED
    assert "drops the packets that follow once the connection to 10.88.0.1 is made" in told.sentence
    assert told.diagnosis is not None
    assert [cure.command.split()[:2] for cure in told.diagnosis.cures] == [["iptables", "-I"], ["iptables", "-D"]]


def test_a_cure_that_leaves_the_data_filtered_is_none() -> None:
    """Two rules stop what follows: without the first one the second does, so that only accepting before both cures."""
    established = Match(Field.STATE, ("established",))
    both = _chain(_rule(Act.DROP, "", established), _rule(Act.DROP, "", established, Match(Field.PROTOCOL, ("tcp",))))
    evidence = _picture(both)
    told = explain(evidence, Attempt(evidence.place("web"), Target.parse("tcp://10.88.0.1:8000/")))
    assert told.diagnosis is not None
    assert [cure.command.split()[:2] for cure in told.diagnosis.cures] == [["iptables", "-I"]]


def test_filtered_arp_is_told_from_a_missing_neighbour() -> None:
    """Where a rule keeps ARP nobody can be sent to; the cure that is proven takes the rule out."""
    arp = replace(_chain(_rule(Act.DROP), backend=Backend.NFTABLES), family="arp")
    told = _explained(_picture(arp), _seen(Outcome.HOST_UNREACHABLE, 113))
    assert told.cause is Cause.INPUT_DROPPED
    assert "drops the ARP that finds 10.88.0.1" in told.sentence
    assert told.diagnosis is not None
    assert all("tcp dport" not in cure.command for cure in told.diagnosis.cures)


def test_a_rule_that_is_not_understood_decides_nothing() -> None:
    """Whether a rate limit holds is not known: it cannot be told, and the rule's counter would decide."""
    limited = _rule(Act.DROP, "", Match(Field.UNKNOWN, ("limit rate over 5/second",)))
    told = _explained(_picture(_chain(limited)), _seen(Outcome.TIMED_OUT))
    assert told.verdict is Conclusion.CANNOT_TELL
    assert "counter" in told.decide and limited.text in told.decide


def test_a_disagreement_shows_both() -> None:
    """Predicted is a drop, seen was a refusal: both are told, and no cause."""
    told = _explained(_picture(_chain(_rule(Act.DROP))), _seen(Outcome.REFUSED, 111))
    assert told.verdict is Conclusion.CANNOT_TELL
    assert "timed out" in told.sentence and "refused" in told.sentence


def test_the_cure_goes_into_the_base_chain_of_the_table_that_drops() -> None:
    """An accept elsewhere would not help, and the chain that is jumped to may be written anew."""
    below = Chain(Backend.NFTABLES, "inet", "filter", "mine", (_rule(Act.DROP),))
    jump = Rule("jump mine", (), (Action(Act.JUMP, "mine"),))
    other = Chain(Backend.NFTABLES, "inet", "filter", "first", (), Hook.INPUT, "filter", -10)
    told = _explained(_picture(other, below, _chain(jump, backend=Backend.NFTABLES)))
    assert told.diagnosis is not None
    assert told.diagnosis.cures[0].command == (
        "nft insert rule inet filter INPUT 'ip saddr 10.88.0.5 ip daddr 10.88.0.1 tcp dport 8000 accept'"
    )


def test_a_rule_of_the_containers_own_is_changed_from_outside() -> None:
    """Containers have no iptables: the command enters their network namespace only."""
    made = _picture()
    web = replace(made.namespaces["web"], firewall=Ruleset((_chain(_rule(Act.DROP), hook=Hook.OUTPUT),)))
    told = _explained(replace(made, namespaces={**made.namespaces, "web": web}))
    assert told.cause is Cause.OUTPUT_BLOCKED
    assert told.diagnosis is not None
    assert told.diagnosis.cures[0].command.startswith("nsenter -t 42 -n iptables -I OUTPUT ")


def test_a_proxy_that_is_out_of_the_picture_is_no_cause() -> None:
    """What becomes of a packet to it is not known: it connects, with a warning that names the proxy."""
    limited = _rule(Act.DROP, "", Match(Field.DESTINATION_PORT, ("3128",)), Match(Field.UNKNOWN, ("limit",)))
    told = _explained(_picture(_chain(limited), http_proxy="http://10.88.0.1:3128"), _seen(Outcome.CONNECTED))
    assert told.verdict is Conclusion.CONNECTS
    assert any("10.88.0.1:3128" in warning for warning in told.warnings)


@pytest.mark.parametrize(
    ("no_proxy", "cause"),
    [("", Cause.PROXY), ("10.88.0.1", None), ("10.88.0.0/16", None), ("*", None), ("10.99.0.0/16", Cause.PROXY)],
)
def test_no_proxy_has_addresses_and_subnets(no_proxy: str, cause: Cause | None) -> None:
    """Exceptions as Go and curl read them: what is excepted goes directly."""
    made = _picture(http_proxy="http://10.88.0.1:3128", no_proxy=no_proxy)
    assert _explained(made, _seen(Outcome.CONNECTED)).cause is cause


def test_of_a_rule_that_does_not_count_no_counter_is_spoken() -> None:
    """nft(8) rules count only where they are told to."""
    chain = _chain(_rule(Act.REJECT, "tcp-reset"), backend=Backend.NFTABLES)
    said = " ".join(_explained(_picture(chain)).warnings)
    assert "before any socket is looked for" in said
    assert "counter" not in said
