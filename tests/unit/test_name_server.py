"""The answers of a private host's resolver, message by message."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.names import server
from testbed.names.server import NameServer, reply
from tests.unit.stand_ins import HereNamespace

ZONE = {
    "agent.example": ("198.51.100.2", "198.51.100.3", "2001:db8::2"),
    "four.example": ("198.51.100.4",),
    "nothing.example": (),
}


def ask(name: str, kind: str) -> dns.message.Message:
    """What reply() says to a question for a name and a type."""
    answer = reply(dns.message.make_query(name, kind).to_wire(), ZONE)
    assert answer is not None
    return dns.message.from_wire(answer)


@pytest.mark.parametrize(
    ("name", "kind", "code", "records"),
    [
        ("agent.example", "A", "NOERROR", ["198.51.100.2", "198.51.100.3"]),
        ("agent.example", "AAAA", "NOERROR", ["2001:db8::2"]),
        ("AGENT.example", "A", "NOERROR", ["198.51.100.2", "198.51.100.3"]),
        ("four.example", "AAAA", "NOERROR", []),
        ("nothing.example", "A", "NOERROR", []),
        ("agent.example", "MX", "NOERROR", []),
        ("agent.example", "ANY", "NOERROR", []),
        ("example", "A", "NXDOMAIN", []),
        ("x.agent.example", "A", "NXDOMAIN", []),
        ("github.com", "A", "NXDOMAIN", []),
        ("github.com", "AAAA", "NXDOMAIN", []),
        ("github.com", "MX", "NXDOMAIN", []),
    ],
)
def test_only_names_of_the_zone_have_answers(name: str, kind: str, code: str, records: list[str]) -> None:
    """A known name has its records of the family asked for, perhaps none; any other name does not exist."""
    answer = ask(name, kind)
    got = [record.to_text() for rrset in answer.answer for record in rrset]
    assert (dns.rcode.to_text(answer.rcode()), got) == (code, records)


def test_answer_belongs_to_its_question() -> None:
    """An answer has the question's id, name and type, and says that it is one."""
    question = dns.message.make_query("agent.example", "A")
    wire = reply(question.to_wire(), ZONE)
    assert wire is not None
    answer = dns.message.from_wire(wire)
    assert question.is_response(answer)


def test_addresses_come_in_the_order_of_the_zone_every_time() -> None:
    """Nothing is shuffled, as other servers do: a test that depends on the order must not pass one time in two."""
    answers = [[record.to_text() for record in ask("agent.example", "A").answer[0]] for _ in range(20)]
    assert answers == [["198.51.100.2", "198.51.100.3"]] * 20


def test_answer_may_not_be_kept() -> None:
    """The time to live is 0: a name may mean something else in the next test."""
    assert [rrset.ttl for rrset in ask("agent.example", "A").answer] == [0]


def test_recursion_is_offered() -> None:
    """The answer has RA set, without which stub resolvers complain."""
    assert ask("github.com", "A").flags & dns.flags.RA


@pytest.mark.parametrize(
    "query",
    [
        b"",
        b"\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        dns.message.make_query("agent.example", "A").to_wire()[:-1],
        dns.message.make_query("agent.example", "A").to_wire() + b"x",
        dns.message.make_response(dns.message.make_query("agent.example", "A")).to_wire(),
        dns.message.Message(1).to_wire(),
    ],
    ids=["nothing", "one byte", "HTTP", "cut off", "too long", "a response", "no question"],
)
def test_what_is_no_question_gets_no_answer(query: bytes) -> None:
    """Garbage and responses are passed over in silence: answering a response could go on for ever."""
    assert reply(query, ZONE) is None


@given(
    st.binary(max_size=80),
    st.binary(min_size=4, max_size=4),
    st.integers(min_value=0, max_value=60),
    st.sampled_from(list(dns.opcode.Opcode)),
)
@settings(derandomize=True, database=None, max_examples=300)
def test_no_message_can_stop_the_resolver(tail: bytes, patch: bytes, at: int, opcode: dns.opcode.Opcode) -> None:
    """Whatever comes, reply() returns: an exception would end the thread that answers everybody."""
    query = dns.message.make_query("agent.example", "A", use_edns=0)
    query.set_opcode(opcode)
    wire = query.to_wire()
    for message in (tail, wire[:2] + tail, wire + tail, wire[:at] + patch + wire[at + 4 :], wire):
        answer = reply(message, ZONE)
        assert answer is None or dns.message.from_wire(answer).flags & dns.flags.QR


# Over sockets


@pytest.fixture
def made() -> list[socket.socket]:
    """The sockets of the server below, as they are made: UDP, then TCP."""
    return []


@pytest.fixture
def running(made: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """A resolver on two ports of loopback that were free."""
    monkeypatch.setattr(server, "DNS_PORT", 0)

    def noted(family: int, kind: int, protocol: int) -> socket.socket:
        made.append(socket.socket(family, kind, protocol))
        return made[-1]

    running = NameServer(HereNamespace(noted), "127.0.0.1", {"agent.example": ["198.51.100.2"]})
    yield running
    if made[0].fileno() >= 0:
        running.close()


def over_udp(made: list[socket.socket]) -> dns.message.Message:
    """Ask the running server."""
    question = dns.message.make_query("agent.example", "A")
    return dns.query.udp(question, "127.0.0.1", timeout=5, port=made[0].getsockname()[1])


def over_tcp(made: list[socket.socket]) -> dns.message.Message:
    """Ask the running server."""
    question = dns.message.make_query("agent.example", "A")
    return dns.query.tcp(question, "127.0.0.1", timeout=5, port=made[1].getsockname()[1])


Way = Callable[[list[socket.socket]], dns.message.Message]
both_ways = pytest.mark.parametrize("way", [over_udp, over_tcp], ids=["UDP", "TCP"])


@both_ways
def test_server_answers_again_and_again(way: Way, made: list[socket.socket], running: NameServer) -> None:
    """Each question gets its answer, over UDP and over TCP."""
    assert [way(made).answer[0][0].to_text() for _ in range(2)] == ["198.51.100.2"] * 2


@both_ways
def test_garbage_is_passed_over(way: Way, made: list[socket.socket], running: NameServer) -> None:
    """Garbage by either way and a caller that hangs up at once leave the server answering."""
    udp, tcp = (sock.getsockname() for sock in made)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"garbage", udp)
    for words in (b"", b"\x00", b"\x00\x07garbage", b"\xff\xff"):
        with socket.create_connection(tcp, 5) as connection:
            connection.sendall(words)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert way(made).answer


def test_caller_who_says_nothing_is_not_waited_for_for_ever(
    made: list[socket.socket], running: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TCP connection without a question is given up, and the next question is answered."""
    monkeypatch.setattr(server, "_TCP_TIMEOUT", 0.02)
    with socket.create_connection(made[1].getsockname(), 5) as silent:
        assert over_tcp(made).answer
        assert silent.recv(1) == b""


def test_closed_server_leaves_nothing(made: list[socket.socket], running: NameServer) -> None:
    """After close() its sockets are closed and its thread has ended."""
    assert "resolver-here" in {thread.name for thread in threading.enumerate()}
    running.close()
    assert [sock.fileno() for sock in made] == [-1, -1]
    assert "resolver-here" not in {thread.name for thread in threading.enumerate()}


def test_resolver_listens_where_resolvers_do() -> None:
    """resolv.conf(5) has no way to name another port than 53."""
    assert server.DNS_PORT == 53
