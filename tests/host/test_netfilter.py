"""Rules of every kind on the way between containers and their host: predicted from the picture, and tried for real.

Each test loads rules beside netavark's own, takes the picture, predicts, and then connects and says something.
"""

from __future__ import annotations

import errno
import json
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final, Self

import pytest

from testbed.containers import HostContainer
from testbed.evidence import Attempt
from testbed.host.private import PrivateHost
from testbed.images import ImageStore
from testbed.model import Outcome, Target
from testbed.namespaces import NetworkNamespace
from testbed.predict import Prediction, predict
from testbed.predict.disposition import Disposition
from testbed.readers.sources import of_host
from testbed.readers.take import take
from tests.host.placed import IDLE
from tests.unit.recorded import recorded

#: A connection on one machine is there in microseconds; a SYN that is dropped never is.
SECONDS: Final = 0.4
#: Where an error must find its way to a socket that connects by IPv6, that takes a second SYN (tests/host/
#: test_firewall.py, SECONDS_V6).
SECONDS_V6: Final = 2.5
SUBNET: Final = "10.90.0"
SUBNET6: Final = "fd00:90:"
WEB: Final = f"{SUBNET}.2"
WEB6: Final = f"{SUBNET6}:2"
#: The address on another network of a container that is on both.
FAR: Final = "10.91.0.2"
BOX: Final = f"{SUBNET}.3"
GATEWAY: Final = f"{SUBNET}.1"
GATEWAY6: Final = f"{SUBNET6}:1"
PORT: Final = 80
PUBLISHED: Final = 8080
HOSTS: Final = 9000


class Echo:
    """Sockets that answer what is said to them, on a thread of their own."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._over, self._closes = socket.socketpair()
        self._selector.register(self._over, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closes.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            with suppress(OSError, AttributeError):
                key.fileobj.close()  # type: ignore[union-attr]

    def listen(self, net: NetworkNamespace, port: int) -> None:
        """Listen on a port of both families."""
        listener = net.socket(socket.AF_INET6)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", port))
        listener.listen()
        self._selector.register(listener, selectors.EVENT_READ)

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                found = key.fileobj
                assert isinstance(found, socket.socket)
                if found is self._over:
                    return
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    self._selector.register(found.accept()[0], selectors.EVENT_READ)
                    continue
                with suppress(OSError):
                    if said := found.recv(64):
                        found.send(said)
                        continue
                self._selector.unregister(found)
                found.close()


@dataclass(frozen=True, slots=True)
class Rig:
    """A host with two containers on one bridge: web, whose port 80 is published as 8080, and box."""

    host: PrivateHost
    nets: dict[str, NetworkNamespace]
    bridge: str

    def load(self, text: str) -> None:
        """Add rules on the host: by iptables-restore those that begin as its own do, by nft all others."""
        self.load_in("host", text)

    def load_in(self, place: str, text: str) -> None:
        """Add rules in a place."""
        family = "ip6" if text.startswith("*ip6 ") else "ip"
        text = text.replace("*ip6 ", "*", 1).replace("BRIDGE", self.bridge)
        restore = [f"{family}tables-restore", "--noflush"]
        self.run_in(place, restore if text.startswith("*") else ["nft", "-f", "-"], text)

    def run_in(self, place: str, argv: list[str], stdin: str = "") -> None:
        """Run a program in a place."""
        net = self.nets[place]
        entered = argv if place == "host" else ["nsenter", f"--net=/proc/{self._pid(place)}/ns/net", *argv]
        assert net is not None
        self.host.run(entered, stdin=stdin.encode())

    def _pid(self, place: str) -> str:
        return self.host.run(["podman", "inspect", "--format", "{{.State.Pid}}", place]).strip()

    def filter_bridges(self, value: str) -> None:
        """Set whether what crosses the host's bridges passes its IP firewall."""
        self.run_in("host", ["sh", "-c", f"echo {value} >/proc/sys/net/bridge/bridge-nf-call-iptables"])

    def predicted(self, place: str, target: str) -> Prediction:
        """What is predicted for an attempt, from a picture that is taken now."""
        evidence = take([of_host(self.host)])
        return predict(evidence, Attempt(evidence.place(place), Target.parse(target)))

    def tried(self, place: str, target: str) -> Outcome | int:
        """What a client gets: CONNECTED for an answer, TIMED_OUT for silence, or an errno of connect(2) or recv(2)."""
        parsed = Target.parse(target)
        family = socket.AF_INET6 if ":" in parsed.host else socket.AF_INET
        with self.nets[place].socket(family) as caller:
            caller.settimeout(SECONDS_V6 if family == socket.AF_INET6 else SECONDS)
            try:
                caller.connect((parsed.host, parsed.port))
                caller.send(b"hello")
                return Outcome.CONNECTED if caller.recv(64) == b"hello" else Outcome.CLOSED
            except TimeoutError:
                return Outcome.TIMED_OUT
            except OSError as exc:
                return exc.errno or Outcome.INCONCLUSIVE

    def agree(self, place: str, target: str, expected: Outcome | int, *, end: Disposition | None = None) -> Prediction:
        """Hold the kernel's answer against the prediction for a client of HTTP, and both against what is expected."""
        found = self.predicted(place, f"http://{target}/")
        what = found.outcome if found.errno is None else found.errno
        tried = self.tried(place, target)
        assert (what, tried) == (expected, expected), f"{found.why}; {found.outcome}"
        assert end in (None, found.disposition), found.why
        return found


@pytest.fixture(scope="module")
def lasting_rig(
    testbed_session: None, testbed_image: Callable[[str], str], testbed_image_store: ImageStore
) -> Iterator[Rig]:
    """One host for all tests."""
    image = testbed_image("base")
    with PrivateHost("host", image_store=testbed_image_store.storage) as host, ExitStack() as closing:
        host.engine.ready()
        host.run(
            ["podman", "network", "create", "--subnet", f"{SUBNET}.0/24", "--ipv6", "--subnet", f"{SUBNET6}:/64", "duo"]
        )
        host.run(["podman", "network", "create", "--subnet", "10.91.0.0/24", "other"])
        web = HostContainer(host, image, "web").with_command(IDLE).on("duo", address=WEB)
        web.publish(PORT, host_address="0.0.0.0", host_port=PUBLISHED)
        box = HostContainer(host, image, "box").with_command(IDLE).on("duo", address=BOX)
        far = HostContainer(host, image, "far").with_command(IDLE).on("duo").on("other", address=FAR)
        for container in (web, box, far):
            container.start()
        (bridge,) = (info.bridge for info in host.engine.networks() if info.name == "duo")
        echo = closing.enter_context(Echo())
        echo.listen(web.net, PORT)
        echo.listen(far.net, PORT)
        echo.listen(host.net, HOSTS)
        yield Rig(host, {"host": host.net, "web": web.net, "box": box.net, "far": far.net}, bridge)


#: So that nobody waits three seconds for a neighbour that does not answer (arp(7)), and no error falls to a limit.
_QUICK: Final = """
for file in /proc/sys/net/ipv[46]/neigh/*/retrans_time_ms; do echo 30 >$file; done
for file in /proc/sys/net/ipv[46]/neigh/*/ucast_solicit; do echo 1 >$file; done
echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
"""


@pytest.fixture
def rig(lasting_rig: Rig) -> Iterator[Rig]:
    """The host with netavark's rules alone, and nobody's hardware address known."""
    rig = lasting_rig
    netavark = {family: rig.host.run([f"{family}tables-save"]) for family in ("ip", "ip6")}
    for place in rig.nets:
        rig.run_in(place, ["sh", "-c", _QUICK])
        rig.run_in(place, ["ip", "neighbour", "flush", "all"])
    yield rig
    rig.filter_bridges("1")
    for place in rig.nets:
        rig.run_in(place, ["nft", "flush", "ruleset"])
    for family, text in netavark.items():
        rig.host.run([f"{family}tables-restore"], stdin=text.encode())


def nft(
    hook: str, *lines: str, family: str = "inet", priority: str = "0", kind: str = "filter", extra: str = ""
) -> str:
    """A table with one base chain that has these rules."""
    body = "\n".join(lines)
    return f"table {family} mine {{ {extra}\nchain c {{ type {kind} hook {hook} priority {priority};\n{body}\n}}\n}}\n"


def iptables(table: str, *lines: str) -> str:
    """What iptables-restore takes to add these rules to a table."""
    return "\n".join([f"*{table}", *lines, "COMMIT", ""])


TO_HOST: Final = f"{GATEWAY}:{HOSTS}"
TO_HOST6: Final = f"[{GATEWAY6}]:{HOSTS}"
TO_PUBLISHED: Final = f"{GATEWAY}:{PUBLISHED}"
TO_WEB: Final = f"{WEB}:{PORT}"
TO_WEB6: Final = f"[{WEB6}]:{PORT}"
NOBODY: Final = f"{GATEWAY}:9999"


@pytest.mark.parametrize(
    ("place", "target"),
    [("box", TO_HOST), ("box", TO_HOST6), ("box", TO_PUBLISHED), ("box", TO_WEB), ("box", TO_WEB6), ("host", TO_WEB)],
)
def test_without_rules_of_ones_own_all_connect(rig: Rig, place: str, target: str) -> None:
    """Netavark's rules alone let everything through that the other tests try."""
    rig.agree(place, target, Outcome.CONNECTED)


# The state of a connection

_DNAT_ONLY: Final = ("ct state established,related accept", "ct status dnat accept", "tcp dport { 80, 9000 } drop")


@pytest.mark.parametrize(
    ("rules", "target", "expected"),
    [
        (nft("forward", *_DNAT_ONLY), TO_PUBLISHED, Outcome.CONNECTED),
        (nft("prerouting", *_DNAT_ONLY, priority="10"), TO_PUBLISHED, Outcome.CONNECTED),
        (nft("input", *_DNAT_ONLY), TO_HOST, Outcome.TIMED_OUT),
        (
            nft("input", *_DNAT_ONLY)
            + "table ip r { chain c { type nat hook prerouting priority -101; tcp dport 9001 redirect to :9000; }; }",
            f"{GATEWAY}:9001",
            Outcome.CONNECTED,
        ),
        (nft("prerouting", "ct state invalid tcp dport 9000 drop", priority="-300"), TO_HOST, Outcome.TIMED_OUT),
        (nft("prerouting", "ct state new tcp dport 9000 drop", priority="-300"), TO_HOST, Outcome.CONNECTED),
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 9000 -m conntrack --ctstate INVALID -j DROP"),
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (nft("forward", "meta l4proto tcp ct original proto-dst 8080 drop"), TO_PUBLISHED, Outcome.TIMED_OUT),
        (
            iptables("filter", "-I FORWARD -p tcp -m conntrack --ctorigdstport 8080 -j DROP"),
            TO_PUBLISHED,
            Outcome.TIMED_OUT,
        ),
        (
            iptables("filter", "-I FORWARD -p tcp -m conntrack --ctorigdst 10.90.0.2 -j DROP"),
            TO_PUBLISHED,
            Outcome.CONNECTED,
        ),
        (
            iptables("filter", "-I FORWARD -p tcp -m conntrack --ctreplsrc 10.90.0.2 --ctdir ORIGINAL -j DROP"),
            TO_PUBLISHED,
            Outcome.TIMED_OUT,
        ),
        (iptables("filter", "-I FORWARD -p tcp -m conntrack --ctdir REPLY -j DROP"), TO_PUBLISHED, Outcome.TIMED_OUT),
        (
            iptables("filter", "-I OUTPUT -p tcp --sport 9000 -m conntrack --ctorigdstport 9000 -j DROP"),
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (iptables("filter", "-I INPUT -m conntrack --ctstatus SEEN_REPLY -j DROP"), TO_HOST, Outcome.TIMED_OUT),
    ],
)
def test_what_conntrack_knows(rig: Rig, rules: str, target: str, expected: Outcome) -> None:
    """State, status and tuples are those of the kernel at that hook."""
    rig.load(rules)
    rig.agree("box", target, expected)


@pytest.mark.parametrize(
    ("rules", "target", "expected", "end"),
    [
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 8080 -j CT --notrack"),
            TO_PUBLISHED,
            Outcome.TIMED_OUT,
            Disposition.HELD,
        ),
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 9000 -j NOTRACK")
            + iptables("filter", "-I OUTPUT -m conntrack --ctstate INVALID -j DROP"),
            TO_HOST,
            Outcome.TIMED_OUT,
            Disposition.DROPPED,
        ),
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 9000 -j NOTRACK", "-I OUTPUT -p tcp --sport 9000 -j NOTRACK")
            + iptables("filter", "-I OUTPUT -m conntrack --ctstate INVALID -j DROP"),
            TO_HOST,
            Outcome.CONNECTED,
            None,
        ),
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 9000 -j NOTRACK")
            + iptables("filter", "-I INPUT -p tcp --dport 9000 -m conntrack ! --ctstate NEW -j DROP"),
            TO_HOST,
            Outcome.TIMED_OUT,
            Disposition.DROPPED,
        ),
        (iptables("raw", "-I PREROUTING -p tcp --sport 80 -j NOTRACK"), TO_PUBLISHED, Outcome.TIMED_OUT, None),
    ],
)
def test_what_is_not_tracked(rig: Rig, rules: str, target: str, expected: Outcome, end: Disposition | None) -> None:
    """A packet that is not tracked is not translated, and its answer is one to nothing."""
    rig.load(rules)
    rig.agree("box", target, expected, end=end)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (
            iptables("filter", "-I INPUT -p tcp --dport 9000 -m conntrack --ctstate ESTABLISHED -j DROP"),
            Outcome.TIMED_OUT,
        ),
        (iptables("filter", "-I OUTPUT -p tcp --sport 9000 --tcp-flags PSH PSH -j DROP"), Outcome.TIMED_OUT),
        (
            iptables("filter", "-I INPUT -p tcp --dport 9000 --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset"),
            errno.ECONNRESET,
        ),
        (iptables("filter", "-I INPUT -p tcp --dport 9000 --tcp-flags PSH PSH -j REJECT"), Outcome.TIMED_OUT),
        (
            iptables("filter", "-I INPUT -p tcp --dport 9000 ! --syn -j REJECT --reject-with tcp-reset"),
            errno.ECONNRESET,
        ),
        (iptables("filter", "-I INPUT -p tcp --dport 9000 ! --syn -j REJECT"), errno.ECONNREFUSED),
    ],
)
def test_what_follows_the_handshake_is_stopped(rig: Rig, rules: str, expected: Outcome | int) -> None:
    """Whoever connects sees a connection, and then what a firewall makes of its data or of the answer to that."""
    rig.load(rules)
    rig.agree("box", TO_HOST, expected, end=Disposition.LATER_FILTERED)


@pytest.mark.parametrize(
    "rules",
    [
        iptables("filter", "-I OUTPUT -p tcp --tcp-flags RST RST -j DROP"),
        iptables("filter", "-I INPUT -p tcp --dport 9999 -j REJECT", "-I OUTPUT -p icmp --icmp-type 3 -j DROP"),
        iptables(
            "filter", "-I INPUT -p tcp --dport 9999 -j REJECT", "-I OUTPUT -m conntrack --ctstate RELATED -j DROP"
        ),
    ],
)
def test_a_lost_refusal_is_two_facts(rig: Rig, rules: str) -> None:
    """A reset, or an ICMP error, that a rule keeps: the ending has that rule, and what the packet itself came to."""
    assert rig.tried("box", NOBODY) == errno.ECONNREFUSED
    rig.load(rules)
    found = rig.agree("box", NOBODY, Outcome.TIMED_OUT, end=Disposition.DROPPED)
    assert found.ending.there is not None  # type: ignore[attr-defined]


# Matches


@pytest.mark.parametrize(
    ("rules", "place", "target", "expected"),
    [
        (nft("input", "ip saddr . tcp dport { 10.90.0.3 . 9000 } drop"), "box", TO_HOST, Outcome.TIMED_OUT),
        (nft("input", "ip saddr . tcp dport { 10.90.0.4 . 9000 } drop"), "box", TO_HOST, Outcome.CONNECTED),
        (
            nft("input", "ip saddr . tcp dport != { 10.90.0.4 . 9000 } tcp dport 9000 drop"),
            "box",
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (
            nft(
                "input",
                "ip saddr . tcp dport vmap @v",
                extra="map v { type ipv4_addr . inet_service : verdict; flags interval; "
                "elements = { 10.90.0.0/30 . 8000-9100 : drop }; }",
            ),
            "box",
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (
            nft(
                "prerouting",
                "dnat ip to tcp dport map { 9001 : 10.90.0.2, 80 : 10.90.0.9 }",
                kind="nat",
                priority="-110",
            ),
            "box",
            f"{GATEWAY}:9001",
            errno.ECONNREFUSED,
        ),
        (
            nft(
                "prerouting",
                "dnat ip addr . port to tcp dport map { 9001 : 10.90.0.2 . 80 }",
                kind="nat",
                priority="-110",
            ),
            "box",
            f"{GATEWAY}:9001",
            Outcome.CONNECTED,
        ),
        (nft("input", "meta skuid 0 tcp dport 9000 drop"), "box", TO_HOST, Outcome.TIMED_OUT),
        (nft("output", "meta skuid 0 tcp sport 9000 drop"), "box", TO_HOST, Outcome.TIMED_OUT),
        (nft("output", "meta skuid != 0 tcp sport 9000 drop"), "box", TO_HOST, Outcome.CONNECTED),
        (nft("postrouting", "meta skuid != 5 tcp dport 80 drop"), "box", TO_PUBLISHED, Outcome.CONNECTED),
        (
            iptables("filter", "-I OUTPUT -p tcp --sport 9000 -m owner --uid-owner 0-5 -j DROP"),
            "box",
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (
            iptables("filter", "-I OUTPUT -p tcp --sport 9000 -m owner ! --socket-exists -j DROP"),
            "box",
            TO_HOST,
            Outcome.CONNECTED,
        ),
        (nft("prerouting", "fib saddr . iif oif missing tcp dport 9000 drop"), "box", TO_HOST, Outcome.CONNECTED),
        (nft("prerouting", "fib saddr . iif oif exists tcp dport 9000 drop"), "box", TO_HOST, Outcome.TIMED_OUT),
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 9000 -m rpfilter --invert -j DROP"),
            "box",
            TO_HOST,
            Outcome.CONNECTED,
        ),
        (
            iptables("raw", "-I PREROUTING -p tcp --dport 9000 -m rpfilter --loose -j DROP"),
            "box",
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (
            iptables("filter", "-I INPUT -p tcp --dport 9000 -m physdev --physdev-is-in -j DROP"),
            "box",
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (
            iptables("filter", "-I FORWARD -p tcp --dport 80 -m physdev --physdev-is-bridged -j DROP"),
            "box",
            TO_WEB,
            Outcome.TIMED_OUT,
        ),
        (
            iptables("filter", "-I FORWARD -p tcp --dport 80 -m physdev ! --physdev-is-bridged -j DROP"),
            "box",
            TO_WEB,
            Outcome.CONNECTED,
        ),
        (
            iptables("filter", "-I FORWARD -p tcp --dport 80 -m physdev --physdev-is-bridged -j DROP"),
            "host",
            TO_WEB,
            Outcome.CONNECTED,
        ),
        (iptables("filter", "-I INPUT -p tcp -m multiport --ports 22,9000 -j DROP"), "box", TO_HOST, Outcome.TIMED_OUT),
        (
            iptables("filter", "-I INPUT -f -j DROP", "-I INPUT -m pkttype --pkt-type broadcast -j DROP"),
            "box",
            TO_HOST,
            Outcome.CONNECTED,
        ),
        (
            iptables("filter", "-I INPUT -p tcp --dport 9000 -m policy --dir in --pol none -j DROP"),
            "box",
            TO_HOST,
            Outcome.TIMED_OUT,
        ),
        (
            iptables("filter", "-I INPUT -p tcp --dport 9000 -m policy --dir in --pol ipsec -j DROP"),
            "box",
            TO_HOST,
            Outcome.CONNECTED,
        ),
        (
            iptables("nat", "-I PREROUTING -d 10.92.0.0/24 -j NETMAP --to 10.90.0.0/24"),
            "box",
            "10.92.0.2:80",
            Outcome.CONNECTED,
        ),
        (
            iptables(
                "mangle", "-I PREROUTING -p tcp -j TTL --ttl-set 64", "-I PREROUTING -p tcp -j TEE --gateway 10.90.0.9"
            ),
            "box",
            TO_HOST,
            Outcome.CONNECTED,
        ),
    ],
)
def test_a_match(rig: Rig, rules: str, place: str, target: str, expected: Outcome | int) -> None:
    """A rule matches where the kernel's does."""
    rig.load(rules)
    rig.agree(place, target, expected)


# Frames


@pytest.mark.parametrize(
    ("rules", "target", "expected"),
    [
        (nft("ingress device BRIDGE", "tcp dport 9000 drop", family="netdev"), TO_HOST, Outcome.TIMED_OUT),
        (nft("ingress device lo", "tcp dport 9000 drop", family="netdev"), TO_HOST, Outcome.CONNECTED),
        (nft("egress device BRIDGE", "tcp sport 9000 drop", family="netdev"), TO_HOST, Outcome.TIMED_OUT),
        (nft("ingress device BRIDGE", "tcp dport 9000 drop"), TO_HOST, Outcome.TIMED_OUT),
        (nft("forward", "tcp dport 80 drop", family="bridge"), TO_WEB, Outcome.TIMED_OUT),
        (nft("forward", "ip6 daddr ::/0 tcp dport 80 drop", family="bridge"), TO_WEB, Outcome.CONNECTED),
        (nft("input", "tcp dport 9000 drop", family="bridge"), TO_HOST, Outcome.TIMED_OUT),
        (nft("output", "tcp sport 9000 drop", family="bridge"), TO_HOST, Outcome.TIMED_OUT),
        (nft("input", "tcp dport 9000 drop", family="bridge"), TO_WEB, Outcome.CONNECTED),
        (nft("forward", "ether type arp drop", family="bridge"), TO_WEB, errno.EHOSTUNREACH),
        (nft("forward", "ether type arp drop", family="bridge"), TO_HOST, Outcome.CONNECTED),
        (nft("input", "arp saddr ip 10.90.0.3 drop", family="arp"), TO_HOST, errno.EHOSTUNREACH),
        (nft("input", "arp saddr ip 10.90.0.4 drop", family="arp"), TO_HOST, Outcome.CONNECTED),
        (nft("output", "arp daddr ip 10.90.0.3 drop", family="arp"), TO_HOST, errno.EHOSTUNREACH),
    ],
)
def test_frames(rig: Rig, rules: str, target: str, expected: Outcome | int) -> None:
    """Chains of devices, bridges and ARP stop what they stop in the kernel."""
    rig.load(rules)
    rig.agree("box", target, expected)


@pytest.mark.parametrize(
    ("lines", "target", "expected"),
    [
        (["-P INPUT DROP", "-A INPUT -p tcp --dport 9000 -j ACCEPT"], TO_HOST6, errno.EHOSTUNREACH),
        (
            [
                "-P INPUT DROP",
                "-A INPUT -p tcp --dport 9000 -j ACCEPT",
                "-A INPUT -p icmpv6 -m hl --hl-eq 255 -j ACCEPT",
            ],
            TO_HOST6,
            Outcome.CONNECTED,
        ),
        (
            ["-P INPUT DROP", "-A INPUT -p tcp -j ACCEPT", "-A INPUT -p icmpv6 --icmpv6-type 136 -j ACCEPT"],
            TO_HOST6,
            errno.EHOSTUNREACH,
        ),
        (["-I INPUT -m conntrack --ctstate INVALID -j DROP"], TO_HOST6, Outcome.CONNECTED),
        (["-I INPUT -m rt --rt-type 0 -j DROP", "-I INPUT -m frag -j DROP"], TO_HOST6, Outcome.CONNECTED),
        (["-I FORWARD -p icmpv6 -j DROP"], TO_WEB6, errno.EHOSTUNREACH),
    ],
)
def test_questions_for_neighbours(rig: Rig, lines: list[str], target: str, expected: Outcome | int) -> None:
    """IPv6 asks for a neighbour by ICMPv6, which ip6tables sees; without an answer the host is unreachable."""
    for line in lines:
        rig.host.run(["ip6tables", *line.split()])
    try:
        rig.agree("box", target, expected)
    finally:
        rig.host.run(["ip6tables", "-P", "INPUT", "ACCEPT"])


# Rule sets of others, whole

#: What firewalld's zone trusted has in the recorded rules.
_TRUSTED: Final = "10.88.0.0"


def firewalld(trusted: str) -> str:
    """firewalld's own table, with another trusted subnet, as ``nft -j -f`` takes it; netavark's table is the rig's."""
    items = json.loads(recorded("firewalld-netavark.json").replace(_TRUSTED, trusted))["nftables"]
    own = [item for item in items if next(iter(item.values())).get("table", "firewalld") == "firewalld"]
    own = [item for item in own if "metainfo" not in item and item.get("table", {}).get("name") != "netavark"]
    for item in own:
        item.get("table", {}).pop("flags", None)  # a table with an owner goes with the program that made it
    return json.dumps({"nftables": [{"add": item} for item in own]})


@pytest.mark.parametrize(
    ("trusted", "place", "target", "expected"),
    [
        (f"{SUBNET}.0", "box", TO_PUBLISHED, Outcome.CONNECTED),
        (f"{SUBNET}.0", "box", TO_HOST, Outcome.CONNECTED),
        (f"{SUBNET}.0", "box", TO_WEB, Outcome.CONNECTED),
        (f"{SUBNET}.0", "host", TO_WEB, Outcome.CONNECTED),
        (f"{SUBNET}.0", "host", f"127.0.0.1:{PUBLISHED}", Outcome.CONNECTED),
        (f"{SUBNET}.0", "box", TO_HOST6, errno.EACCES),
        (_TRUSTED, "box", TO_PUBLISHED, Outcome.CONNECTED),
        (_TRUSTED, "box", TO_HOST, errno.EHOSTUNREACH),
        (_TRUSTED, "box", NOBODY, errno.EHOSTUNREACH),
        (_TRUSTED, "box", TO_WEB, errno.EHOSTUNREACH),  # br_netfilter shows FORWARD what crosses the bridge
        (_TRUSTED, "host", TO_WEB, Outcome.CONNECTED),
    ],
)
def test_firewalld(rig: Rig, trusted: str, place: str, target: str, expected: Outcome | int) -> None:
    """firewalld's rules let published ports through by their translation, and reject what no zone lets in."""
    rig.run_in("host", ["nft", "-j", "-f", "-"], firewalld(trusted))
    rig.agree(place, target, expected)


@pytest.mark.parametrize(
    ("place", "target", "expected"),
    [
        ("box", TO_HOST, Outcome.CONNECTED),
        ("box", NOBODY, Outcome.TIMED_OUT),
        ("box", f"{GATEWAY}:22", errno.ECONNREFUSED),
        ("box", TO_PUBLISHED, Outcome.CONNECTED),
        ("box", TO_WEB, Outcome.CONNECTED),
        ("host", TO_WEB, Outcome.CONNECTED),
        ("host", f"127.0.0.1:{PUBLISHED}", Outcome.CONNECTED),
        ("box", TO_HOST6, Outcome.CONNECTED),
        ("box", f"[{GATEWAY6}]:9999", Outcome.TIMED_OUT),
        ("box", f"[{GATEWAY6}]:22", errno.ECONNREFUSED),
        ("box", TO_WEB6, Outcome.CONNECTED),
    ],
)
def test_ufw(rig: Rig, place: str, target: str, expected: Outcome | int) -> None:
    """ufw's rules for both families, of which two allow ports 22 and, from the bridge, 9000."""
    for family in ("ip", "ip6"):
        text = recorded(f"ufw-0.36.2.{family}tables").replace("podman1", rig.bridge)
        rig.host.run([f"{family}tables-restore", "--noflush"], stdin=text.encode())
    rig.agree(place, target, expected)


# Translations


@pytest.mark.parametrize(
    ("rules", "place", "target", "expected"),
    [
        # The host's own loopback listener: for others only with route_localnet, which netavark sets on its bridges
        # (netavark, src/network/bridge.rs).
        (
            iptables("nat", "-I PREROUTING -p tcp --dport 9001 -j DNAT --to-destination 127.0.0.1:9000"),
            "box",
            "9001",
            Outcome.CONNECTED,
        ),
        (
            iptables("nat", "-I OUTPUT -p tcp --dport 9001 -j DNAT --to-destination 10.90.0.2:80"),
            "host",
            "9001",
            Outcome.CONNECTED,
        ),
        (
            iptables("nat", "-I OUTPUT -p tcp --dport 9001 -j REDIRECT --to-ports 9000"),
            "host",
            "9001",
            Outcome.CONNECTED,
        ),
        (
            iptables("nat", "-I PREROUTING -p tcp --dport 9001 -j DNAT --to-destination 10.90.0.99:80"),
            "box",
            "9001",
            errno.EHOSTUNREACH,
        ),
        (
            iptables("nat", "-I PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.90.0.2:81"),
            "box",
            "8080",
            errno.ECONNREFUSED,
        ),
        (
            iptables("nat", "-I POSTROUTING -p tcp --dport 80 -j SNAT --to-source 10.90.0.1:5000-6000"),
            "box",
            "8080",
            Outcome.CONNECTED,
        ),
        (iptables("nat", "-I POSTROUTING -p tcp --dport 80 -j ACCEPT"), "host", "8080", Outcome.CONNECTED),
        (iptables("nat", "-I PREROUTING -p tcp --dport 8080 -j ACCEPT"), "box", "8080", Outcome.TIMED_OUT),
    ],
)
def test_translations(rig: Rig, rules: str, place: str, target: str, expected: Outcome | int) -> None:
    """A translation leads where the kernel's does, and the answer finds its way back or does not."""
    rig.load(rules)
    rig.agree(place, f"{GATEWAY}:{target}", expected)


@pytest.mark.parametrize("filters", ["0", "1"])
@pytest.mark.parametrize("masquerades", [True, False])
@pytest.mark.parametrize("place", ["web", "box"])
def test_a_published_port_from_its_own_network(rig: Rig, place: str, filters: str, *, masquerades: bool) -> None:
    """The answer finds its way back or not, by masquerading and by whether bridges have an IP firewall."""
    rig.filter_bridges(filters)
    if not masquerades:
        rig.load(iptables("nat", "-I POSTROUTING -s 10.90.0.0/24 -d 10.90.0.0/24 -j ACCEPT"))
    found = rig.predicted(place, f"http://{TO_PUBLISHED}/")
    tried = rig.tried(place, TO_PUBLISHED)
    assert tried in (Outcome.CONNECTED, Outcome.TIMED_OUT)
    assert found.outcome is tried, found.why


@pytest.mark.parametrize(
    ("filters", "expected", "end"),
    [("1", Outcome.CONNECTED, None), ("0", Outcome.TIMED_OUT, Disposition.LATER_FILTERED)],
)
def test_an_answer_that_goes_another_way(rig: Rig, filters: str, expected: Outcome, end: Disposition | None) -> None:
    """A firewall that has not seen the answer takes what follows the handshake for invalid.

    A container is called by its address on another network, and answers by the one that both are on.
    """
    rig.filter_bridges(filters)
    rig.load(iptables("nat", "-I POSTROUTING -s 10.90.0.0/24 -d 10.91.0.0/24 -j ACCEPT"))
    rig.load(nft("forward", "ct state invalid tcp dport 80 drop"))
    rig.agree("box", f"{FAR}:{PORT}", expected, end=end)
