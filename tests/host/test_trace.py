"""One request followed through real hosts: what the tables and rules there did with it, and where it ended."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from testbed.cli import trace as command
from testbed.errors import CaptureError, UsageError
from testbed.host.links import CableEnd, join
from testbed.host.private import PrivateHost
from testbed.probe import Ask
from testbed.readers.sources import of_host
from testbed.readers.take import Source
from testbed.report import journey as report
from testbed.trace import Decided, Journey, LegEnd, follow, pcapng
from testbed.waiting import wait_for

ALICE, GATE, FRONT, BOB = "198.51.100.1", "198.51.100.2", "10.88.7.1", "10.88.7.2"
PORT, OTHER_PORT = 8080, 8081
#: What the gate does with what is for its own port 80: as Podman does for a published port (netavark, nftables).
PUBLISHING = f"""
table ip shop {{
  chain in {{
    type nat hook prerouting priority dstnat;
    ip daddr {GATE} tcp dport 80 counter dnat to {BOB}:{PORT}
  }}
  chain out {{
    type nat hook postrouting priority srcnat;
    ip saddr 10.88.7.0/24 tcp dport 80 counter masquerade
  }}
}}
"""


class _Server(BaseHTTPRequestHandler):
    """Says yes to everything, with a body that only a POST could have brought."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A short answer."""
        self._answer(b"hello")

    def do_POST(self) -> None:
        """What came, and the header that came with it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.headers["X-Key"].encode() + b" " + body)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Born(HTTPServer):
    """A server on a socket that was born elsewhere."""

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(("", 0), _Server, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_name, self.server_port = "bob", PORT


@dataclass(frozen=True, slots=True)
class Street:
    """Alice, a gate that forwards, and Bob behind it with a server."""

    alice: PrivateHost
    gate: PrivateHost
    bob: PrivateHost

    @property
    def sources(self) -> tuple[Source, ...]:
        """All three."""
        return tuple(of_host(host) for host in (self.alice, self.gate, self.bob))

    def follow(self, target: str, *, seconds: float = 2.0, ask: Ask | None = None) -> Journey:
        """A request of Alice's."""
        return follow(self.sources, "alice", target, seconds=seconds, ask=ask)

    def rules(self) -> str:
        """Those of the gate, without what they counted."""
        return self.gate.run(["nft", "--stateless", "list", "ruleset"])


@pytest.fixture(scope="module")
def built(testbed_session: None) -> Iterator[Street]:
    """The street, for all tests of this file."""
    with (
        PrivateHost("alice", with_engine=False) as alice,
        PrivateHost("gate", with_engine=False) as gate,
        PrivateHost("bob", with_engine=False) as bob,
    ):
        join(CableEnd(alice, "wan0", f"{ALICE}/24"), CableEnd(gate, "wan0", f"{GATE}/24"))
        join(CableEnd(gate, "lan0", f"{FRONT}/24"), CableEnd(bob, "eth0", f"{BOB}/24"))
        alice.run(["ip", "route", "add", "default", "via", GATE])
        bob.run(["ip", "route", "add", "default", "via", FRONT])
        with bob.net.socket() as listening:
            listening.bind((BOB, PORT))
            listening.listen()
            server = _Born(listening)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            yield Street(alice, gate, bob)
            server.shutdown()
            thread.join()


@pytest.fixture
def street(built: Street) -> Iterator[Street]:
    """The street with the port published and nothing else; what a test adds to the gate's rules goes with them."""
    built.gate.run(["nft", "-f", "-"], stdin=PUBLISHING.encode())
    yield built
    built.gate.run(["nft", "flush", "ruleset"])
    built.gate.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"])


def add_rules(street: Street, hook: str, rule: str) -> None:
    """A rule of the gate's in a chain of its own."""
    table = f"table inet guard {{ chain watch {{ type filter hook {hook} priority 0; {rule}; }}\n}}"
    street.gate.run(["nft", "-f", "-"], stdin=table.encode())


# A request that is answered


def test_a_published_port_is_followed_to_the_server_and_back(street: Street) -> None:
    """The gate exchanges the destination by its rule, remembers it, and puts the source of the answer back."""
    journey = street.follow(f"http://{GATE}/")
    (leg,) = journey.legs
    assert journey.answered
    assert [(hop.namespace, hop.interface, hop.outgoing) for hop in leg.there] == [
        ("alice", "wan0", True),
        ("gate", "wan0", False),
        ("gate", "lan0", True),
        ("bob", "eth0", False),
    ]
    (there,), (back,) = leg.there[1].rewrites, leg.back[1].rewrites
    assert str(there) == f"DNAT: destination {GATE}:80 becomes {BOB}:{PORT}"
    assert there.rule is not None and there.rule.traced
    assert (there.rule.chain, there.rule.text) == (
        "in",
        f"ip daddr {GATE} tcp dport 80 counter dnat to {BOB}:{PORT}",
    )
    assert there.conntrack is not None and str(there.conntrack.reply.source) == BOB
    assert str(back) == f"un-DNAT: source {BOB}:{PORT} becomes {GATE}:80"
    assert back.rule is None and back.conntrack == there.conntrack


def test_each_wire_has_its_own_frame_and_each_router_takes_one_from_the_ttl(street: Street) -> None:
    """The packet starts with Linux's 64 (ip-sysctl, ip_default_ttl); the gate sends it from its own MAC address."""
    leg = street.follow(f"http://{GATE}/").legs[0]
    assert [hop.ttl for hop in leg.there] == [64, 64, 63, 63]
    wires = [(hop.source_mac, hop.destination_mac) for hop in leg.there]
    assert wires[0] == wires[1] and wires[2] == wires[3]
    assert not set(wires[0]) & set(wires[2])
    assert (leg.back[0].destination_mac, leg.back[0].source_mac) == wires[2]


def test_the_rows_that_decided_are_told(street: Street) -> None:
    """Alice's default route, and at the gate the route to Bob's network and whose MAC address he has."""
    leg = street.follow(f"http://{GATE}/").legs[0]
    assert leg.start.decisions[0].text == f"{ALICE.rpartition('.')[0]}.0/24 dev wan0 src {ALICE}"
    route, neighbour = leg.there[1].decisions
    assert (route.kind, route.text) == (Decided.ROUTE, f"10.88.7.0/24 dev lan0 src {FRONT}")
    assert (neighbour.kind, neighbour.text) == (
        Decided.NEIGHBOUR,
        f"{BOB} dev lan0 lladdr {leg.there[2].destination_mac}",
    )


def test_a_post_is_sent_as_it_was_asked_for(street: Street) -> None:
    """Method, header and body arrive, and what came back is kept."""
    journey = street.follow(f"http://{GATE}/x", ask=Ask("POST", (("X-Key", "k1"),), b"body"))
    assert journey.legs[0].said == "POST /x HTTP/1.1"
    assert journey.observation.answer is not None
    assert journey.observation.answer.excerpt == "k1 body"


def test_a_source_that_is_masqueraded_is_put_back_in_the_answer(street: Street) -> None:
    """Bob asks Alice: she sees the gate, and the answer finds Bob."""
    with street.alice.net.socket() as listening:
        listening.bind((ALICE, 80))
        listening.listen()
        (leg,) = follow(street.sources, "bob", f"{ALICE}:80").legs
    (there,), (back,) = leg.there[1].rewrites, leg.back[1].rewrites
    assert (there.kind, there.what, str(there.after.address)) == ("SNAT", "source", GATE)
    assert there.rule is not None and there.rule.text.endswith("masquerade")
    assert (back.kind, back.what, str(back.after.address)) == ("un-SNAT", "destination", BOB)


# A request that ends on its way


def test_a_refusal_ends_where_nobody_listens(street: Street) -> None:
    """Bob's own kernel sends the reset, and it comes back through the gate."""
    journey = street.follow(f"{BOB}:{OTHER_PORT}")
    (leg,) = journey.legs
    assert leg.end is LegEnd.REFUSED
    assert [hop.namespace for hop in leg.back] == ["bob", "gate", "gate", "alice"]
    assert journey.ended == f"refused: nobody listens on {BOB}:{OTHER_PORT}: the kernel answers with a reset"


def test_a_packet_that_a_rule_drops_ends_there(street: Street) -> None:
    """The gate saw it come in, no interface sent it on, and the firewall's own trace names the rule."""
    add_rules(street, "forward", f"tcp dport {PORT} drop")
    journey = street.follow(f"http://{GATE}/", seconds=0.3)
    (leg,) = journey.legs
    assert leg.end is LegEnd.UNANSWERED and not leg.back
    assert (leg.there[-1].namespace, leg.there[-1].interface) == ("gate", "wan0")
    assert leg.there[-1].decisions[0].text == f"a rule drops it: inet guard watch: tcp dport {PORT} drop"
    assert journey.ended == (f"no answer to 1 SYN: in gate, a rule drops it: inet guard watch: tcp dport {PORT} drop")


def test_a_packet_that_a_policy_drops_ends_there(street: Street) -> None:
    """No rule of the chain decided, so that its policy did."""
    add_rules(street, "forward", "policy drop; udp dport 53 accept")
    leg = street.follow(f"http://{GATE}/", seconds=0.3).legs[0]
    assert leg.there[-1].decisions[0].text == "a rule drops it: inet guard watch: policy drop"


def test_a_rejection_is_followed_from_who_sent_it(street: Street) -> None:
    """The gate answers in ICMP's words (RFC 1812, 5.2.7.1, code 13), from its own address."""
    add_rules(street, "forward", f"tcp dport {PORT} reject with icmpx type admin-prohibited")
    journey = street.follow(f"http://{GATE}/")
    (leg,) = journey.legs
    assert leg.end is LegEnd.ICMP
    assert [(hop.namespace, str(hop.source)) for hop in leg.back] == [("gate", GATE), ("alice", GATE)]
    assert journey.ended.startswith(f"{GATE} (gate) said by ICMP: communication administratively prohibited")
    assert "reject" in leg.there[-1].decisions[0].text


def test_a_gate_that_does_not_forward_keeps_it(street: Street) -> None:
    """It came in, was to go on by a route, and never did."""
    street.gate.run(["sysctl", "-qw", "net.ipv4.ip_forward=0"])
    leg = street.follow(f"{BOB}:{PORT}", seconds=0.3).legs[0]
    assert (leg.there[-1].namespace, leg.there[-1].outgoing) == ("gate", False)
    assert leg.there[-1].decisions[0].text == (f"it was to go on by 10.88.7.0/24 dev lan0 src {FRONT}, and never did")


def test_nobody_has_the_address(street: Street) -> None:
    """No packet leaves: Alice asks by ARP, and nobody says anything."""
    journey = street.follow("198.51.100.99:80", seconds=0.3)
    assert not journey.legs
    assert journey.ended == "no packet left alice: nobody answered ARP for 198.51.100.99 at wan0, asked 1 time"


def test_a_router_finds_nobody_who_has_the_address(street: Street) -> None:
    """The SYN ends at the gate, which asks for Bob's neighbour in vain."""
    journey = street.follow("10.88.7.99:80", seconds=0.3)
    assert journey.ended == "no answer to 1 SYN: in gate, nobody answered ARP for 10.88.7.99 at lan0, asked 1 time"


def test_a_packet_that_its_own_host_drops_never_leaves(street: Street) -> None:
    """No interface saw it; the firewall of Alice's own machine says why."""
    table = f"table inet own {{ chain out {{ type filter hook output priority 0; tcp dport {OTHER_PORT} drop; }}\n}}"
    street.alice.run(["nft", "-f", "-"], stdin=table.encode())
    try:
        journey = street.follow(f"{BOB}:{OTHER_PORT}", seconds=0.3)
    finally:
        street.alice.run(["nft", "flush", "ruleset"])
    assert not journey.legs
    assert journey.ended == f"no packet left alice: a rule drops it: inet own out: tcp dport {OTHER_PORT} drop"


def test_a_place_that_is_not_there_is_named(street: Street) -> None:
    """As everywhere: with those that there are."""
    with pytest.raises(UsageError, match=r"carol.*alice, gate, bob"):
        follow(street.sources, "carol", f"{BOB}:{PORT}")


# What it leaves, and what it does not touch


def test_nothing_is_left_in_the_firewall(street: Street) -> None:
    """The table that marks packets is gone, and all others are as they were."""
    before = street.rules()
    street.follow(f"http://{GATE}/")
    assert street.rules() == before


def test_a_killed_trace_leaves_nothing_either(street: Street) -> None:
    """The kernel removes the table with the socket that made it (NFT_TABLE_F_OWNER), however that is closed."""
    before = street.rules()
    program = (
        "import sys, time, pathlib\n"
        "from testbed.namespaces import NetworkNamespace\n"
        "from testbed.trace.nftrace import FirewallTrace\n"
        "trace = FirewallTrace(NetworkNamespace(pathlib.Path(sys.argv[1]), 'gate'), 80)\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", program, f"/proc/{street.gate.pid}/ns/net"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as tracing:
        assert tracing.stdout is not None
        assert tracing.stdout.readline() == b"ready\n"
        assert "nftrace set 1" in street.rules()
        tracing.kill()
    wait_for(lambda: street.rules() == before, "the kernel to remove the table of a killed trace")


def test_nothing_is_changed_on_a_machine_of_the_users_own(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """No table is made there; which rule it was the counters tell."""
    sources = tuple(replace(source, root=Path("/")) if source.name == "gate" else source for source in street.sources)
    seen: list[str] = []

    def looked(*_: object, **__: object) -> str:
        seen.append(street.rules())
        return ""

    monkeypatch.setattr("testbed.probe.vantage.Vantage._command", looked)  # called while everything is listened to
    before = street.rules()
    (leg,) = follow(sources, "alice", f"http://{GATE}/").legs
    assert seen == [before] and street.rules() == before
    (rewrite,) = leg.there[1].rewrites
    assert rewrite.rule is not None and not rewrite.rule.traced
    assert rewrite.rule.text == f"ip daddr {GATE} tcp dport 80 counter dnat to {BOB}:{PORT}"


def test_who_may_not_capture_is_told_so(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a line: what, the state it is in, and what to do."""
    real = type(street.alice.net).socket

    def refused(self: object, family: int = 2, *rest: int) -> socket.socket:
        if family == socket.AF_PACKET:
            raise PermissionError(1, "Operation not permitted")
        return real(self, family, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(type(street.alice.net), "socket", refused)
    with pytest.raises(CaptureError, match="interfaces of alice cannot be captured on: do it as root, or as"):
        street.follow(f"http://{GATE}/")


# What is shown


def test_tshark_reads_the_file(street: Street, tmp_path: Path) -> None:
    """An interface for each tap, and the rewriting as a comment on the packet that it made."""
    file = tmp_path / "journey.pcapng"
    written = pcapng.write(file, street.follow(f"http://{GATE}/"))
    fields = ["frame.interface_name", "ip.dst", "tcp.dstport", "ip.ttl", "frame.comment"]
    argv = ["tshark", "-r", str(file), "-T", "fields", *(word for field in fields for word in ("-e", field))]
    rows = [
        line.split("\t")
        for line in subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    ]
    assert len(rows) == written
    assert {row[0] for row in rows} == {"wan0@alice", "wan0@gate", "lan0@gate", "eth0@bob"}
    first = next(row for row in rows if row[0] == "lan0@gate" and row[1])
    assert first == [
        "lan0@gate",
        BOB,
        str(PORT),
        "63",
        (
            f"DNAT: {GATE}:80 -> {BOB}:{PORT}, rule ip shop in: "
            f"ip daddr {GATE} tcp dport 80 counter dnat to {BOB}:{PORT}; see conntrack"
        ),
    ]


def test_the_picture_is_a_ladder_that_fits(street: Street) -> None:
    """Stations in the order of the way, the rewriting between two wires; only rules and entries are longer than 100."""
    lines = report.lines(street.follow(f"http://{GATE}/"))
    stations = [line.split()[1] for line in lines if "■" in line]
    assert stations == ["alice", "gate", "bob", "bob", "gate", "alice"]
    rewriting = next(i for i, line in enumerate(lines) if "✎ DNAT" in line)
    assert f"becomes {BOB}:{PORT}" in lines[rewriting]
    assert all(len(line) <= 100 for line in lines if " by ip " not in line and "conntrack" not in line)


@pytest.mark.parametrize(("target", "code"), [(f"http://{GATE}/", 0), (f"{BOB}:{OTHER_PORT}", 1), ("nobody:80", 2)])
def test_the_command_says_by_its_status_how_it_ended(
    street: Street, monkeypatch: pytest.MonkeyPatch, target: str, code: int
) -> None:
    """0 answered, 1 followed to where it ended, 2 nothing seen; and one JSON object."""
    monkeypatch.setattr(command, "sources_for", lambda *_, **__: street.sources)
    done = CliRunner().invoke(command.trace, ["--from", "alice", "--json", target])
    assert done.exit_code == code
    told = json.loads(done.stdout)
    assert told["answered"] is (code == 0)
    assert [hop["namespace"] for leg in told["legs"] for hop in leg["there"]] == (
        [] if code == 2 else ["alice", "gate", "gate", "bob"]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "alice", "not a url"], "no URL and no host:port"),
        ([f"http://{GATE}/"], "from where?"),
        (["--from", "alice", "-H", "X", f"http://{GATE}/"], "is no header"),
        (["--from", "alice", "--data", "x", f"{GATE}:80"], "need http:// or https://"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(
    street: Street, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """With status 3."""
    monkeypatch.setattr(command, "sources_for", lambda *_, **__: street.sources)
    done = CliRunner().invoke(command.trace, arguments)
    assert (done.exit_code, said in done.stderr) == (3, True)
