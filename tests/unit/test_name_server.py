"""The answers of a private host's resolver, message by message."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.names.server import reply

ZONE = {
    dns.name.from_text("agent.example"): ("198.51.100.2", "198.51.100.3", "2001:db8::2"),
    dns.name.from_text("four.example"): ("198.51.100.4",),
    dns.name.from_text("nothing.example"): (),
}


def ask(name: str, kind: str) -> dns.message.Message:
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
@settings(derandomize=True, database=None, deadline=None, max_examples=300)
def test_no_message_can_stop_the_resolver(tail: bytes, patch: bytes, at: int, opcode: dns.opcode.Opcode) -> None:
    """Whatever comes, reply() returns: an exception would end the thread that answers everybody."""
    query = dns.message.make_query("agent.example", "A", use_edns=0)
    query.set_opcode(opcode)
    wire = query.to_wire()
    for message in (tail, wire[:2] + tail, wire + tail, wire[:at] + patch + wire[at + 4 :], wire):
        answer = reply(message, ZONE)
        assert answer is None or dns.message.from_wire(answer).flags & dns.flags.QR
