"""A connection that was made, and then nothing came: what the two ends' sockets say of it. Pure.

Both ends' kernels count (tcp(7), ``ss -tin``): what was sent and not acknowledged is lost on the way, there or back;
what was acknowledged the other kernel has; what it has and nobody read, the program has not read. So a program is only
said to be silent where its own socket shows that the request came, and that nothing was sent in return.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from testbed.explain import narrow
from testbed.explain.acceptor import log, rows, who
from testbed.explain.case import Case, holder
from testbed.explain.codes import Cause
from testbed.explain.explanation import Diagnosis, Row, Undecided
from testbed.model import Observation, SocketState

#: One that was closed has no inode any more, either.
_ESTABLISHED: Final = "ESTAB"


@dataclass(frozen=True, slots=True)
class _Ends:
    """The two ends of the connection."""

    client: SocketState
    server: SocketState | None
    """None where none was seen where the packet is predicted to end."""


def nothing_came(case: Case, seen: Observation) -> Diagnosis | Undecided:
    """Tell a silent program from a lost packet; where that cannot be told, what would decide it."""
    ends = _ends(case, seen)
    if ends is None:
        return narrow.path(case) or _unseen(case, seen)
    client, server = ends.client, ends.server
    if client.unacknowledged and not (server is not None and server.unread):
        return narrow.path(case, "request") or _request_lost(case, seen, ends)
    if server is None:
        return _no_server(case, seen, client)
    if server.unacknowledged:
        return narrow.path(case, "answer") or _answer_lost(case, seen, server)
    return _silent(case, seen, client, server)


def _ends(case: Case, seen: Observation) -> _Ends | None:
    """The two ends among the sockets that were seen; None where the client's own was not."""
    end = case.end
    server = next(
        (s for s in seen.sockets if end and s.namespace == end.key and s.local.endswith(f":{case.port}")), None
    )
    dialled = f":{case.attempt.target.port}"
    client = next((s for s in seen.sockets if s is not server and s.peer.endswith(dialled)), None)
    return None if client is None else _Ends(client, server)


def _request_lost(case: Case, seen: Observation, ends: _Ends) -> Undecided:
    client, server, place, there = ends.client, ends.server, case.place.name, _there(case)
    if server is not None and server.received >= client.acknowledged > 0:  # one more than bytes: the SYN counts
        fact = f"what {place} sends comes to {there}, and the acknowledgements of it are lost on the way back"
    elif server is not None and server.state == "SYN-RECV":
        fact = (
            f"the socket of {there} stays SYN-RECV: the last packet of the handshake, and all after it, is dropped on "
            "the way or because the accept queue is full"
        )
    else:
        fact = f"nobody acknowledges what {place} sends then: it, or its acknowledgement, is lost on the way"
    return Undecided(
        f"{who(case)} is reached, and {fact} ({_again(client, seen)}).",
        f"Where a packet is last seen: tcpdump -ni any port {case.port}, on {place} and on {there}; and which counters "
        "of rules rise there meanwhile: nft list ruleset, iptables -L -v",
    )


def _answer_lost(case: Case, seen: Observation, server: SocketState) -> Undecided:
    there = _there(case)
    return Undecided(
        f"{who(case)} answers, and nobody acknowledges the answer: it, or its acknowledgement, is lost on the way "
        f"({_again(server, seen)}).",
        f"Where a packet is last seen: tcpdump -ni any port {case.port}, on {there} and on {case.place.name}; which "
        "counters of rules rise there meanwhile; and whether only large ones are lost (ping -M do -s 1472: path MTU)",
    )


def _again(one: SocketState, seen: Observation) -> str:
    """Bytes that one end sent in vain. A packet that a rule of its own OUTPUT drops is not counted as sent again."""
    return f"{one.unacknowledged} bytes, sent again {one.retransmitted} times in {_waited(seen)}"


def _silent(case: Case, seen: Observation, client: SocketState, server: SocketState) -> Diagnosis:
    """The request is there, and no answer is on its way."""
    listener, there, waited = case.prediction.listener, _there(case), _waited(seen)
    program = f"{holder(listener) if listener is not None else 'the program'} of {there}"
    if server.state == _ESTABLISHED and not server.accepted:
        fact = f"the kernel of {there} took the connection, and {program} has not accepted it in {waited}"
    elif server.unread:
        fact = f"{program} has the connection, and has not read {server.unread} bytes of it in {waited}"
    elif client.received and seen.handshake is None:
        fact = f"{program} sent {client.received} bytes, and then nothing more in {waited}"
    elif server.received:
        fact = f"{program} has read what {case.place.name} sent ({server.received} bytes), and said nothing in {waited}"
    else:
        fact = f"{program} has the connection, and said nothing in {waited}"
    return Diagnosis(
        Cause.PEER_SILENT,
        f"{case.said} is reached, and no answer comes: {fact}. It hangs, waits for something else, or is "
        "slower than that.",
        (*rows(case, seen), *(Row("socket", _label(case, one), _row(one)) for one in (client, server))),
        (),
        ("Go's 'context deadline exceeded' means a dropped packet or a silent peer: here it is the peer.",),
        decide=f"What it does: {log(case)}; and whether it is only slow: testbed explain --seconds 60",
    )


def _no_server(case: Case, seen: Observation, client: SocketState) -> Undecided:
    return Undecided(
        f"{who(case)} is reached, and nothing came in {_waited(seen)}. All that {case.place.name} sent was "
        "acknowledged, and the connection's other end was not seen: a program hangs or is slow, one that passes "
        "connections on gets no further, or the answer is lost.",
        f"The other end's socket while it is tried: ss -tinp 'sport = :{case.port}' on {_there(case)} (Recv-Q: not "
        f"read; Send-Q and retrans: the answer is lost). This end's was: {_row(client)}",
    )


def _unseen(case: Case, seen: Observation) -> Undecided:
    waited = f"in {_waited(seen)}" if seen.seconds else "in time"
    return Undecided(
        f"{who(case)} is reached, and nothing came {waited}: the program hangs, is slower than that or waits "
        "for something else, or a later packet is lost on the way.",
        f"The two sockets while it is tried: ss -tinp 'sport = :{case.port}' on {_there(case)} (Recv-Q: the program "
        f"does not read; Send-Q and retrans: its answer is lost), and ss -tin 'dport = :{case.attempt.target.port}' on "
        f"{case.place.name} (Send-Q and retrans: the request is lost)",
    )


def _there(case: Case) -> str:
    return case.end.label if case.end else "the other end"


def _waited(seen: Observation) -> str:
    return f"{seen.seconds:.1f} s"


def _label(case: Case, one: SocketState) -> str:
    here = case.evidence.namespaces.get(one.namespace)
    return here.label if here else ""


def _row(one: SocketState) -> str:
    """A socket as ``ss -tin`` shows it."""
    again = f" retrans:0/{one.retransmitted}" if one.retransmitted else ""
    return f"{one.state} {one.unread} {one.unacknowledged} {one.local} {one.peer} bytes_received:{one.received}{again}"
