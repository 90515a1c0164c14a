"""One datagram of UDP: what the probe sees of it, and what is predicted of it on pictures."""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import dns.message
import dns.rcode
import pytest

from testbed.errors import UsageError
from testbed.evidence import (
    Act,
    Attempt,
    Backend,
    Chain,
    Evidence,
    Hook,
    HostFacts,
    Listener,
    Names,
    Process,
    Protocol,
    Ruleset,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion, Explanation
from testbed.hosts_file import HostsFile
from testbed.model import Answer, Observation, Outcome, Phase, Scheme, Target
from testbed.names import Naming
from testbed.predict import Disposition, Prediction, predict
from testbed.probe import Ask, Vantage, datagram
from testbed.probe.attempt import How, Seen, attempt
from tests.unit.stand_ins import HereNamespace

ENOUGH = 5.0
SHORT = 0.05
NAMELESS = Naming.parse("", "")
PORT = 5353


@contextmanager
def bound(*, answers: bool = True) -> Iterator[tuple[int, list[bytes]]]:
    """A UDP socket of this process that says back the first datagram, or nothing; its port, and what it got."""
    got: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(ENOUGH)

        def serve() -> None:
            said, sender = sock.recvfrom(1 << 16)
            got.append(said)
            if answers:
                sock.sendto(said, sender)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1], got
        finally:
            thread.join()


def reach(port: int, *, seconds: float = ENOUGH, ask: Ask | None = None) -> Seen:
    """Send one datagram to a port of 127.0.0.1."""
    return attempt(HereNamespace(), NAMELESS, Target(Scheme.UDP, "127.0.0.1", port), seconds=seconds, how=How(ask))


def test_target_of_udp_is_read_and_shown() -> None:
    """``udp://host:port`` is a target, which has no path."""
    assert str(Target.parse("udp://[::1]:53")) == "udp://[::1]:53"
    with pytest.raises(UsageError, match="a path needs http"):
        Target.parse("udp://db:53/x")


def test_an_answer_is_seen_with_whom_it_is_from() -> None:
    """Whatever comes back shows that the datagram arrived."""
    with bound() as (port, _):
        seen = reach(port)
    assert (seen.outcome, seen.answer) == (Outcome.CONNECTED, Answer(f"127.0.0.1:{port}"))


def test_silence_is_an_outcome_of_its_own() -> None:
    """Nothing that comes back is neither a connection nor a time-out."""
    with bound(answers=False) as (port, got):
        seen = reach(port, seconds=SHORT)
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.NO_ANSWER, Phase.CONNECT, None)
    assert len(got) == 1


def test_port_without_socket_refuses() -> None:
    """An ICMP port unreachable is a refusal (udp(7), ECONNREFUSED)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    seen = reach(port)
    assert (seen.outcome, seen.errno) == (Outcome.REFUSED, errno.ECONNREFUSED)


def test_payload_is_sent_as_it_is() -> None:
    """The body of what is asked for is the datagram."""
    with bound() as (port, got):
        reach(port, ask=Ask(body=b"ping"))
    assert got == [b"ping"]


def test_something_is_sent_where_nothing_is_to_be_said() -> None:
    """Without a payload the datagram is not empty: proxies in user space do not hand on an empty one."""
    with bound() as (port, got):
        reach(port)
    assert got == [b"\n"]


def test_a_resolver_is_asked_a_question() -> None:
    """What is sent to port 53 is a question that another implementation of DNS understands, each with its own ID."""
    asked = dns.message.from_wire(datagram.question())
    assert [str(question) for question in asked.question] == ["localhost. IN A"]
    assert datagram.question()[2:] == asked.to_wire()[2:]
    assert dns.message.make_response(asked).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize(
    ("target", "ask", "command"),
    [
        ("udp://db:5353", Ask(), "sh -c 'echo | nc -uv -w 0.25 db 5353'"),
        ("udp://db:5353", Ask(body=b"a b"), """sh -c 'printf %s '"'"'a b'"'"' | nc -uv -w 0.25 db 5353'"""),
        ("udp://10.89.0.1:53", Ask(), "dig @10.89.0.1 +time=0.25 +tries=1 localhost"),
    ],
)
def test_observation_has_the_command_that_repeats_it(target: str, ask: Ask, command: str) -> None:
    """The command by hand sends the same datagram."""

    def nothing(family: int, kind: int, protocol: int) -> socket.socket:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    naming = Naming.parse("10.89.0.2 db\n", "")
    seen = Vantage("client", HereNamespace(nothing), naming).connect(target, seconds=0.25, ask=ask)
    assert (seen.command, seen.outcome) == (command, Outcome.NETWORK_UNREACHABLE)


# --- predicted and explained ------------------------------------------------------------------------------------------


def world(*listening: Listener) -> Evidence:
    """Two hosts on a cable, of which ``there`` has listeners."""
    stacks = (
        Stack("here", (Seat("cable", ipaddress.ip_interface("192.0.2.1/24")),)),
        Stack("there", (Seat("cable", ipaddress.ip_interface("192.0.2.2/24")),), listeners=listening),
    )
    facts = [HostFacts(name, name, name, Names(HostsFile({}))) for name in ("here", "there")]
    return picture(stacks, facts)


def listener(address: str = "0.0.0.0", protocol: Protocol = Protocol.UDP, name: str = "app") -> Listener:
    """A socket of a process."""
    return Listener(protocol, ipaddress.ip_address(address), PORT, process=Process(7, name))


def ask(evidence: Evidence) -> Prediction:
    """Predict a datagram from here to there."""
    return predict(evidence, Attempt(evidence.place("here"), Target.parse(f"udp://192.0.2.2:{PORT}")))


def told(evidence: Evidence, outcome: Outcome, number: int | None = None) -> Explanation:
    """Explain a datagram from here to there of which that was seen."""
    target = Target.parse(f"udp://192.0.2.2:{PORT}")
    seen = Observation("here", str(target), outcome, Phase.CONNECT, number, "", 0.1, "")
    return explain(evidence, Attempt(evidence.place("here"), target), seen)


def test_a_socket_that_takes_it_is_connected_to() -> None:
    """The datagram is delivered; what the program makes of it is not in the picture."""
    assert ask(world(listener())).outcome is Outcome.CONNECTED


def test_a_listener_of_tcp_takes_no_datagram() -> None:
    """The host answers by ICMP where only TCP is listened for on that port."""
    made = ask(world(listener(protocol=Protocol.TCP)))
    assert (made.outcome, made.errno, made.disposition) == (
        Outcome.REFUSED,
        errno.ECONNREFUSED,
        Disposition.NO_LISTENER,
    )


def test_podmans_hold_on_a_port_is_silent() -> None:
    """conmon keeps a published port of UDP by a socket that it never reads."""
    made = ask(world(listener(name="conmon")))
    assert (made.outcome, made.disposition) == (Outcome.NO_ANSWER, Disposition.HELD)


@pytest.mark.parametrize("outcome", [Outcome.CONNECTED, Outcome.NO_ANSWER])
def test_a_datagram_that_arrives_is_no_failure(outcome: Outcome) -> None:
    """Where a socket takes it, an answer and silence are both as they should be; of silence it is said."""
    found = told(world(listener()), outcome)
    assert found.verdict is Conclusion.CONNECTS
    assert bool(found.warnings) == ("Nothing came back" in found.sentence) == (outcome is Outcome.NO_ANSWER)


@pytest.mark.parametrize(
    ("listening", "cause"),
    [
        ((), Cause.NOBODY_LISTENS),
        ((listener(protocol=Protocol.TCP),), Cause.UDP_NOT_TCP),
        ((listener("127.0.0.1"),), Cause.LOOPBACK_ONLY),
    ],
    ids=["nobody", "TCP only", "loopback only"],
)
def test_a_refused_datagram_is_explained_by_who_takes_datagrams(listening: tuple[Listener, ...], cause: Cause) -> None:
    """The sockets that are spoken of are those of the protocol that was spoken."""
    found = told(world(*listening), Outcome.REFUSED, errno.ECONNREFUSED)
    assert found.cause is cause
    assert cause is not Cause.NOBODY_LISTENS or "nobody listens on UDP port 5353" in found.sentence
    assert cause is not Cause.UDP_NOT_TCP or "listens for TCP: you spoke UDP" in found.sentence


def test_what_the_senders_own_output_drops_is_an_error_of_the_call() -> None:
    """send(2) fails with EPERM there; what the other end's INPUT drops is silence."""
    plain = world(listener())

    def dropping(name: str, hook: Hook) -> Evidence:
        chain = Chain(Backend.IPTABLES, "ip", "filter", hook.upper(), (), hook, "filter", policy=Act.DROP)
        here = replace(plain.namespaces[name], firewall=Ruleset((chain,)))
        return replace(plain, namespaces={**plain.namespaces, name: here})

    here = ask(dropping("here", Hook.OUTPUT))
    assert (here.outcome, here.errno) == (Outcome.PROHIBITED, errno.EPERM)
    assert ask(dropping("there", Hook.INPUT)).outcome is Outcome.NO_ANSWER
