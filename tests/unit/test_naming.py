"""Resolving as a vantage would, without a network: the questions are answered at the seam where they leave."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from testbed.destination_order import Destination
from testbed.evidence import Names
from testbed.model import Address, Outcome
from testbed.names import NameFailure, Naming, stub
from tests.unit.stand_ins import HereNamespace

HERE = HereNamespace()
FOUND = (ip_address("10.0.0.9"),)
NO_SUCH_NAME: tuple[Address, ...] = ()
NO_ANSWER = None

Answers = Mapping[tuple[str, str], tuple[Address, ...] | None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], list[tuple[str, str]]]:
    """Answer questions from a table of (name, server); returns the list that they are noted in."""

    def answer_from(answers: Answers) -> list[tuple[str, str]]:
        questions: list[tuple[str, str]] = []

        def query(name: str, server: str, net: object, seconds: float) -> tuple[Address, ...] | None:
            questions.append((name, server))
            return answers[name, server]

        monkeypatch.setattr(stub, "_query", query)
        return questions

    return answer_from


@pytest.mark.parametrize(
    ("text", "servers", "search"),
    [
        ("nameserver 203.0.113.53\n", ["203.0.113.53"], []),
        ("nameserver 10.89.0.1\nnameserver ::1\n", ["10.89.0.1", "::1"], []),
        ("search dns.podman example.org.\n", [], ["dns.podman", "example.org"]),
        ("domain example.org\n", [], ["example.org"]),
        ("domain example.org.\n", [], ["example.org"]),
        ("domain .\n", [], []),
        ("search a\nsearch b\n", [], ["b"]),
        ("domain a\nsearch b\n", [], ["b"]),
        ("search b\ndomain a\n", [], ["a"]),
        ("search .\nnameserver 127.0.0.53\n", ["127.0.0.53"], []),
        ("# nameserver 10.0.0.1\n; nameserver 10.0.0.2\nnameserver 10.0.0.3 # x\n", ["10.0.0.3"], []),
        ("nameserver\nnameserver dns.example.org\nnameserver 10.0.0.3\n", ["10.0.0.3"], []),
        ("options edns0 trust-ad ndots:0\nsortlist 10.0.0.0\n", [], []),
        ("", [], []),
    ],
    ids=[
        "one server",
        "several, both families",
        "search list, dots at the end left out",
        "domain is a search list of one",
        "domain with a dot at the end",
        "the root is no domain",
        "the last search line counts",
        "search after domain counts",
        "domain after search counts",
        "the root is nothing to search (systemd-resolved)",
        "comments",
        "what is no address is passed over",
        "other lines are passed over",
        "empty file",
    ],
)
def test_resolv_conf_is_read_as_the_c_library_does(text: str, servers: list[str], search: list[str]) -> None:
    """A resolv.conf gives its servers in order and its search list."""
    names = Naming.parse("", text).names
    assert ([str(server) for server in names.nameservers], list(names.search)) == (servers, search)


def test_both_files_are_read(tmp_path: Path) -> None:
    """Naming is read from a hosts file and a resolv.conf, bytes that are no UTF-8 included."""
    (tmp_path / "hosts").write_bytes(b"10.88.0.1 host # \xff\n")
    (tmp_path / "resolv.conf").write_text("nameserver 10.89.0.1\n")
    naming = Naming.read(tmp_path / "hosts", tmp_path / "resolv.conf")
    assert naming == Naming.parse("10.88.0.1 host", "nameserver 10.89.0.1")


def test_files_that_are_not_there_are_empty(tmp_path: Path) -> None:
    """A vantage without a hosts file or a resolv.conf is one that knows no name, not an error."""
    assert Naming.read(tmp_path / "hosts", tmp_path / "resolv.conf") == Naming.parse("", "")


def test_files_are_read_with_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of somebody's endless hosts file only the beginning is read."""
    monkeypatch.setattr(stub, "_LARGEST_FILE", 20)
    (tmp_path / "hosts").write_text("10.0.0.1 a\n" + "#" * 9 + "\n10.0.0.1 b\n")
    assert list(Naming.read(tmp_path / "hosts", tmp_path / "none").names.hosts.addresses) == ["a"]


@pytest.mark.parametrize("text", ["10.88.0.1", "::1"])
def test_address_is_its_own_name(text: str, asked: Callable[[Answers], list[tuple[str, str]]]) -> None:
    """An address resolves to itself and nobody is asked, even where a hosts file names something so."""
    questions = asked({})
    assert Naming.parse(f"10.0.0.1 {text}", "nameserver 10.0.0.53").resolve(text, HERE) == (ip_address(text),)
    assert questions == []


def test_hosts_file_comes_first(asked: Callable[[Answers], list[tuple[str, str]]]) -> None:
    """A name of the hosts file is never asked for: "files dns" of nsswitch.conf(5)."""
    questions = asked({})
    naming = Naming.parse("10.88.0.1 host.containers.internal", "nameserver 10.0.0.53")
    assert naming.resolve("host.containers.internal", HERE) == (ip_address("10.88.0.1"),)
    assert questions == []


@pytest.mark.parametrize(
    ("nsswitch", "name", "found"),
    [
        ("hosts: files dns", "x", ["10.88.0.1"]),
        ("hosts: dns files", "x", ["10.0.0.9"]),
        ("hosts: dns files", "y", ["10.88.0.2"]),
        ("hosts: files myhostname", "db.localhost", ["::1", "127.0.0.1"]),
        ("hosts: files", "z", []),
    ],
    ids=["files first", "dns first", "files after dns", "localhost of systemd", "nobody is asked"],
)
def test_services_have_their_turn(
    nsswitch: str, name: str, found: list[str], asked: Callable[[Answers], list[tuple[str, str]]]
) -> None:
    """The hosts file and the resolvers are asked in the order of nsswitch.conf(5)."""
    asked({("x", "10.0.0.53"): FOUND, ("y", "10.0.0.53"): NO_SUCH_NAME})
    naming = Naming(Names.parse("10.88.0.1 x\n10.88.0.2 y\n", "nameserver 10.0.0.53", nsswitch))
    try:
        got = naming.resolve(name, HERE)
    except NameFailure:
        got = ()
    assert sorted(str(address) for address in got) == sorted(found)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("agent", ["agent.one", "agent.two", "agent"]),
        ("agent.example", ["agent.example", "agent.example.one", "agent.example.two"]),
        ("agent.", ["agent"]),
        ("agent.example.", ["agent.example"]),
    ],
    ids=["no dot: as it is last", "a dot: as it is first", "absolute", "absolute with a dot"],
)
def test_search_list_is_gone_through_in_order(
    name: str, order: list[str], asked: Callable[[Answers], list[tuple[str, str]]]
) -> None:
    """The names asked for are those of resolv.conf(5) with ndots 1, in its order."""
    questions = asked({(candidate, "10.0.0.53"): NO_SUCH_NAME for candidate in order})
    with pytest.raises(NameFailure):
        Naming.parse("", "search one two\nnameserver 10.0.0.53").resolve(name, HERE)
    assert [asked_name for asked_name, _ in questions] == order


def test_first_name_of_the_search_list_that_is_known_ends_the_search(
    asked: Callable[[Answers], list[tuple[str, str]]],
) -> None:
    """Nothing is asked for after an answer."""
    questions = asked({("a.one", "10.0.0.53"): NO_SUCH_NAME, ("a.two", "10.0.0.53"): FOUND})
    assert Naming.parse("", "search one two\nnameserver 10.0.0.53").resolve("a", HERE) == FOUND
    assert [name for name, _ in questions] == ["a.one", "a.two"]


A, B = "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("first", "second", "servers", "result"),
    [
        # first server's answer, second's, who is asked, what comes of it
        (FOUND, FOUND, [A], FOUND),
        (NO_ANSWER, FOUND, [A, B], FOUND),
        (NO_SUCH_NAME, FOUND, [A], (Outcome.NAME_NOT_FOUND, socket.EAI_NONAME, "[Errno -2] Name or service not known")),
        (
            NO_ANSWER,
            NO_SUCH_NAME,
            [A, B],
            (Outcome.NAME_NOT_FOUND, socket.EAI_NONAME, "[Errno -2] Name or service not known"),
        ),
        (
            NO_ANSWER,
            NO_ANSWER,
            [A, B],
            (Outcome.RESOLVER_FAILED, socket.EAI_AGAIN, "[Errno -3] Temporary failure in name resolution"),
        ),
    ],
    ids=[
        "the first server answers",
        "the second server answers for a dead first",
        "a no is an answer",
        "the second server says no",
        "no server answers",
    ],
)
def test_servers_are_asked_until_one_answers(
    first: tuple[Address, ...] | None,
    second: tuple[Address, ...] | None,
    servers: list[str],
    result: object,
    asked: Callable[[Answers], list[tuple[str, str]]],
) -> None:
    """Servers are asked in turn until one says yes or no; only with no answer at all has the resolver failed."""
    questions = asked({("x.example", A): first, ("x.example", B): second})
    naming = Naming.parse("", f"nameserver {A}\nnameserver {B}")
    try:
        got: object = naming.resolve("x.example", HERE)
    except NameFailure as failure:
        got = (failure.outcome, failure.number, str(failure))
    assert got == result
    assert [server for _, server in questions] == servers


def test_name_without_any_server_is_a_failed_resolver() -> None:
    """With no name server nothing is known about a name, neither yes nor no."""
    with pytest.raises(NameFailure) as caught:
        Naming.parse("", "").resolve("agent", HERE)
    assert caught.value.outcome is Outcome.RESOLVER_FAILED


def test_budget_is_shared_by_all_servers(
    asked: Callable[[Answers], list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the seconds are over no other server is asked."""
    questions = asked({("x.example", server): NO_ANSWER for server in (A, B)})
    clock = itertools.count(100.0, 0.7)
    monkeypatch.setattr("testbed.names.stub.time.monotonic", lambda: next(clock))
    with pytest.raises(NameFailure):
        Naming.parse("", f"nameserver {A}\nnameserver {B}").resolve("x.example", HERE, seconds=1.0)
    assert questions == [("x.example", A)]


def test_a_known_answer_is_ordered_by_where_it_would_be_called_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several addresses those that cannot be reached come last (RFC 6724, 6, rule 1)."""
    unreachable = ip_address("10.0.0.1")

    def destination(address: Address, _: object) -> Destination:
        return Destination(address, None if address == unreachable else address)

    monkeypatch.setattr(stub, "_destination", destination)
    found = Naming.parse("10.0.0.1 x\n127.0.0.1 x\n", "").resolve("x", HERE)
    assert [str(address) for address in found] == ["127.0.0.1", "10.0.0.1"]


def test_an_address_is_called_from_the_one_that_the_kernel_chooses() -> None:
    """127.0.0.0/8 is called from 127.0.0.1, whose prefix has eight bits; without a family there is no way at all."""

    def only_ipv4(family: int, kind: int, protocol: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return socket.socket(family, kind, protocol)

    net, own = HereNamespace(only_ipv4), ip_address("127.0.0.1")
    assert stub._destination(ip_address("127.0.0.9"), net) == Destination(ip_address("127.0.0.9"), own, 8)
    assert stub._destination(ip_address("::1"), net) == Destination(ip_address("::1"), None)


def test_an_address_without_a_route_has_no_source() -> None:
    """Where connect(2) of a datagram socket says that there is no route, there is none."""

    class NoRoute(socket.socket):
        def connect(self, _: tuple[str, int]) -> None:  # type: ignore[override]
            raise OSError(101, "Network is unreachable")

    assert stub._destination(ip_address("192.0.2.1"), HereNamespace(NoRoute)).source is None


Reply = Callable[[dns.message.Message], dns.message.Message]


def _reply(*, code: dns.rcode.Rcode = dns.rcode.NOERROR, a: str = "", aaaa: str = "", aaaa_code: int = -1) -> Reply:
    """What a server says: records and codes by the type of the question."""

    def reply(question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        kind, name = question.question[0].rdtype, question.question[0].name
        text = a if kind == dns.rdatatype.A else aaaa
        if text:
            answer.answer.append(dns.rrset.from_text(name, 0, "IN", kind, text))
        answer.set_rcode(dns.rcode.Rcode(aaaa_code) if kind == dns.rdatatype.AAAA and aaaa_code >= 0 else code)
        return answer

    return reply


def _no_time(question: dns.message.Message) -> dns.message.Message:
    raise dns.exception.Timeout


def _nobody(question: dns.message.Message) -> dns.message.Message:
    raise ConnectionRefusedError(111, "Connection refused")


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (_reply(a="10.0.0.9"), ["10.0.0.9"]),
        (_reply(aaaa="2001:db8::9"), ["2001:db8::9"]),
        (_reply(a="10.0.0.9", aaaa="2001:db8::9"), ["10.0.0.9", "2001:db8::9"]),
        (_reply(), []),
        (_reply(code=dns.rcode.NXDOMAIN), []),
        (_reply(a="10.0.0.9", aaaa_code=dns.rcode.NXDOMAIN), ["10.0.0.9"]),
        (_reply(code=dns.rcode.SERVFAIL), None),
        (_reply(code=dns.rcode.REFUSED), None),
        (_no_time, None),
        (_nobody, None),
    ],
    ids=[
        "IPv4 only",
        "IPv6 only",
        "both",
        "empty NOERROR",
        "NXDOMAIN",
        "NXDOMAIN for IPv6 takes nothing away from IPv4",
        "SERVFAIL",
        "REFUSED",
        "silence",
        "no server there",
    ],
)
def test_server_is_asked_for_both_families(
    reply: Reply, found: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One server's word is the addresses of both families, none for "no such name", None for no usable answer."""
    monkeypatch.setattr("dns.query.udp", lambda question, *_, **__: reply(question))
    got = stub._query("agent.example", "127.0.0.1", HERE, 1.0)
    assert (None if got is None else [str(address) for address in got]) == found


def test_server_is_asked_at_port_53_from_the_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is the vantage's own and connected, so that a refusal by ICMP is seen; silence costs at most 1 s."""
    asked: list[object] = []

    class Noted(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            asked.append((self.family, self.type, address))

    def udp(question: dns.message.Message, server: str, *, timeout: float, port: int, sock: socket.socket) -> None:
        asked.append((server, port, timeout, isinstance(sock, Noted)))
        raise dns.exception.Timeout

    monkeypatch.setattr("dns.query.udp", udp)
    naming = Naming.parse("", "nameserver 10.0.0.53\nnameserver 2001:db8::53")
    with pytest.raises(NameFailure):
        naming.resolve("agent", HereNamespace(Noted))
    assert asked == [
        (socket.AF_INET, socket.SOCK_DGRAM, ("10.0.0.53", 53)),
        ("10.0.0.53", 53, 1.0, True),
        (socket.AF_INET6, socket.SOCK_DGRAM, ("2001:db8::53", 53)),
        ("2001:db8::53", 53, 1.0, True),
    ]


def test_port_that_nobody_serves_is_no_usable_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server the kernel's ICMP ends the question at once, without its second being waited for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.connect(("127.0.0.1", port))  # takes what comes from itself only, so that others are refused
        monkeypatch.setattr(stub, "_DNS_PORT", port)
        assert stub._query("agent.example", "127.0.0.1", HERE, 60.0) is None


@pytest.mark.parametrize("name", ["a..b", ".a", "a" * 64, "a." * 128 + "a"], ids=["empty", "first", "label", "name"])
def test_what_is_no_domain_name_is_not_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with an empty or too long label, or too long itself, is unknown without anybody being asked."""
    monkeypatch.delattr("dns.query.udp")
    with pytest.raises(NameFailure) as caught:
        Naming.parse("", "nameserver 127.0.0.1").resolve(name, HERE)
    assert caught.value.outcome is Outcome.NAME_NOT_FOUND


@pytest.mark.timeout(10)
def test_a_server_that_says_nothing_is_waited_for_no_longer_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that takes the question and never answers ends the question when its time is up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setattr(stub, "_DNS_PORT", silent.getsockname()[1])
        assert stub._query("agent.example", "127.0.0.1", HERE, 0.05) is None
        assert silent.recv(512), "it was asked"
