"""Explanations of listeners, published ports, tunnels and pasted words, on declared pictures: a branch in each."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace

import pytest

from testbed.diagnose import pasted_offline
from testbed.errors import UsageError
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
    Forwarder,
    Hook,
    HostFacts,
    Listener,
    Match,
    Names,
    Network,
    Process,
    Protocol,
    Published,
    Rule,
    Ruleset,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion, Diagnosis, Explanation
from testbed.explain.pasted import read
from testbed.hosts_file import HostsFile
from testbed.model import Answer, Observation, Outcome, Phase, Target
from tests.unit.test_predict import edited

NAMES = Names(HostsFile.parse("10.88.0.1 host.containers.internal\n"))
GATEWAY = ipaddress.ip_address("10.88.0.1")
OTHER = ipaddress.ip_address("10.89.1.1")
SUBNET = ipaddress.ip_network("10.88.0.0/16")
PORT = 9000


#: Podman's resolver on the gateway.
DNS = Listener(Protocol.UDP, GATEWAY, 53, process=Process(3, "aardvark-dns"))


def tcp(address: str, name: str = "app", *, pid: int = 7, port: int = PORT) -> Listener:
    """A TCP listener of a process."""
    return Listener(Protocol.TCP, ipaddress.ip_address(address), port, process=Process(pid, name))


def container(name: str, host: str, address: str, *, network: str = "podman", outside: int = 0) -> Container:
    """A running container on one network; with ``outside`` it publishes that port on the host's loopback."""
    published = (Published("tcp", PORT, outside, "127.0.0.1"),) if outside else ()
    attached = (Attachment(network, (ipaddress.ip_address(address),), (GATEWAY,)),)
    return Container(
        name, name, host, "running", "bridge", 9, name, attachments=attached, published=published, names=NAMES
    )


def world(
    listeners: Mapping[str, tuple[Listener, ...]],
    *,
    forwards: tuple[Forwarder, ...] = (),
    dns: bool = False,
    web_network: str = "podman",
    agent_publishes: int = 0,
    rules: tuple[Rule, ...] = (),
) -> Evidence:
    """Two hosts on a LAN, each with a podman0 of the same address: ``client`` and ``web`` on one, ``agent`` beyond."""

    def stack(name: str, *seats: tuple[str, str, bool]) -> Stack:
        made = tuple(Seat(segment, ipaddress.ip_interface(address), bridge) for segment, address, bridge in seats)
        host = name in ("box", "far")
        return Stack(
            name,
            made,
            None if host else GATEWAY,
            forwards=host,
            listeners=listeners.get(name, ()),
            firewall=Ruleset((chain,)) if name == "box" and rules else Ruleset(),
            sysctls={"bridge/bridge-nf-call-iptables": "1"} if host else {},
        )

    chain = Chain(Backend.IPTABLES, "ip", "nat", "PREROUTING", rules, Hook.PREROUTING, "nat", -100)

    return replace(
        picture(
            [
                stack("box", ("podman0", "10.88.0.1/16", True), ("lan", "203.0.113.10/27", False)),
                stack("client", ("podman0", "10.88.0.10/16", False)),
                stack("web", ("podman0", "10.88.0.11/16", False)),
                stack("far", ("far-podman0", "10.88.0.1/16", True), ("lan", "203.0.113.20/27", False)),
                stack("agent", ("far-podman0", "10.88.0.12/16", False)),
            ],
            [HostFacts("box", "box", "box", NAMES, podman="4"), HostFacts("far", "far", "far", NAMES, podman="4")],
            [
                container("client", "box", "10.88.0.10"),
                container("web", "box", "10.88.0.11", network=web_network),
                container("agent", "far", "10.88.0.12", outside=agent_publishes),
            ],
            [
                Network("podman", "box", "bridge", "podman0", (SUBNET,), (GATEWAY,), dns_enabled=dns),
                Network("other", "box", "bridge", "podman1", (ipaddress.ip_network("10.89.1.0/24"),), (OTHER,)),
                Network("podman", "far", "bridge", "podman0", (SUBNET,), (GATEWAY,)),
            ],
        ),
        forwards=forwards,
    )


def told(evidence: Evidence, target: str, seen: Outcome | None = None, *, place: str = "client") -> Explanation:
    """The explanation of an attempt; with ``seen`` of one that was made and failed above TCP."""
    goal = Target.parse(target)
    observed = None if seen is None else Observation(place, target, seen, Phase.HTTP, None, "", 0.1, "")
    return explain(evidence, Attempt(evidence.place(place), goal), observed)


def diagnosed(explained: Explanation) -> Diagnosis:
    """The diagnosis, where there is one."""
    assert explained.diagnosis is not None, explained.sentence
    return explained.diagnosis


SSH = Forwarder(5, "ssh", "box", "", PORT, "db", 5432)


def test_a_forward_on_loopback_is_cured_by_its_own_command() -> None:
    """What ssh was told, with the address that is called instead of none."""
    evidence = world({"box": (tcp("127.0.0.1", "ssh", pid=5),)}, forwards=(SSH,))
    found = diagnosed(told(evidence, f"10.88.0.1:{PORT}"))
    assert found.cause is Cause.LOOPBACK_ONLY
    assert [cure.command for cure in found.cures] == [
        f"ssh -L 10.88.0.1:{PORT}:db:5432 ...",
        f"ssh -L 0.0.0.0:{PORT}:db:5432 ...",
    ]


def test_another_process_with_the_port_is_not_taken_for_the_tunnel() -> None:
    """The forward of that port belongs to another pid."""
    evidence = world({"box": (tcp("127.0.0.1", pid=6),)}, forwards=(SSH,))
    assert diagnosed(told(evidence, f"10.88.0.1:{PORT}")).cures[0].text == "Let app (pid 6) listen on 10.88.0.1"


def test_an_ssh_without_its_listener_is_named() -> None:
    """It was told to listen on that port, and nobody does."""
    found = diagnosed(told(world({}, forwards=(SSH,)), f"10.88.0.1:{PORT}"))
    assert found.cause is Cause.TUNNEL_WITHOUT_LISTENER
    assert "ssh (pid 5)" in found.sentence


@pytest.mark.parametrize("outcome", [Outcome.CLOSED, Outcome.RESET])
@pytest.mark.parametrize(
    ("far", "verdict", "cause"),
    [
        # Which of the two it is only the far side can tell.
        ((), Conclusion.CANNOT_TELL, None),
        ((tcp("0.0.0.0", "sshd", port=22),), Conclusion.EXPLAINED, Cause.TUNNEL_FAR_END_DOWN),
        (
            (tcp("0.0.0.0", "sshd", port=22), tcp("127.0.0.1", "postgres", port=5432)),
            Conclusion.EXPLAINED,
            Cause.TUNNEL_FORBIDDEN,
        ),
    ],
    ids=["not seen", "nobody there", "somebody there"],
)
def test_a_tunnel_that_drops_is_judged_by_its_far_side(
    far: tuple[Listener, ...], verdict: Conclusion, cause: Cause | None, outcome: Outcome
) -> None:
    """The other host with an sshd is the far side: does a connection to where the tunnel leads succeed there?"""
    forward = replace(SSH, to_host="127.0.0.1")
    evidence = world({"box": (tcp("0.0.0.0", "ssh", pid=5),), "far": far}, forwards=(forward,))
    explained = told(evidence, f"http://10.88.0.1:{PORT}", outcome)
    assert (explained.verdict, explained.cause) == (verdict, cause)
    if cause is None:
        assert "administratively prohibited" in explained.decide


def test_of_two_far_sides_neither_is_believed() -> None:
    """Which of the two ssh is connected to is not in the picture."""
    sshd = (tcp("0.0.0.0", "sshd", port=22),)
    forward = replace(SSH, to_host="127.0.0.1")
    evidence = world({"box": (tcp("0.0.0.0", "ssh", pid=5),), "far": sshd, "agent": sshd}, forwards=(forward,))
    evidence = replace(evidence, hosts=(*evidence.hosts, HostFacts("third", "third", "agent", NAMES)))
    assert told(evidence, f"http://10.88.0.1:{PORT}", Outcome.CLOSED).verdict is Conclusion.CANNOT_TELL


@pytest.mark.parametrize(
    ("dns", "command"), [(True, f"web:{PORT}"), (False, f"10.88.0.11:{PORT}")], ids=["with DNS", "without"]
)
def test_a_container_on_the_same_network_is_called_directly(dns: bool, command: str) -> None:
    """By its name only where the network has DNS: the default network has none."""
    evidence = world({"web": (tcp("0.0.0.0"),), "box": (DNS,)}, dns=dns)
    client, *others = evidence.containers
    client = replace(client, names=replace(NAMES, nameservers=(GATEWAY,)))
    found = diagnosed(told(replace(evidence, containers=(client, *others)), f"10.88.0.1:{PORT}"))
    assert (found.cause, found.cures[0].command) == (Cause.NOT_PUBLISHED, command)


def test_a_container_on_another_network_is_brought_there_first() -> None:
    """Its name means nothing to somebody who is not on its network."""
    evidence = world({"web": (tcp("0.0.0.0"),)}, web_network="other")
    found = diagnosed(told(evidence, f"10.88.0.1:{PORT}"))
    assert found.cures[0].command.splitlines()[0] == "podman network connect other client"


def test_a_port_is_published_on_the_address_that_is_called() -> None:
    """Publishing on the host's loopback would not help whoever calls from the LAN."""
    found = diagnosed(told(world({"web": (tcp("0.0.0.0"),)}), f"203.0.113.10:{PORT}", place="far"))
    assert found.cures[0].command.startswith(f"podman run -p 203.0.113.10:{PORT}:{PORT} ")
    assert found.cures[0].exposes == "the LAN on lan of box"


def test_who_has_the_port_is_named() -> None:
    """The process that holds it, by its number."""
    said = read(f"listen tcp 127.0.0.1:{PORT}: bind: address already in use")
    found = diagnosed(pasted_offline(world({"box": (tcp("0.0.0.0", "nginx", pid=33),)}), said).explanation)
    assert found.cause is Cause.PORT_TAKEN
    assert f"nginx (pid 33) listens on 0.0.0.0:{PORT}" in found.sentence


def test_who_has_a_port_of_udp_is_named() -> None:
    """A port of UDP is held by who listens on UDP: the same number of TCP is another port."""
    said = read("listen udp4 0.0.0.0:53: bind: address already in use")
    held = Listener(Protocol.UDP, ipaddress.ip_address("127.0.0.53"), 53, process=Process(9, "systemd-resolve"))
    found = diagnosed(pasted_offline(world({"box": (held, tcp("0.0.0.0", "other", port=53))}), said).explanation)
    assert found.sentence.startswith("UDP port 53 of box is taken: systemd-resolve (pid 9) listens on 127.0.0.53:53")


def test_a_port_that_is_taken_and_not_named_is_asked_for() -> None:
    """Words without a port are about none in particular, and not about port 0."""
    with pytest.raises(UsageError, match="not which: paste the line that names it"):
        pasted_offline(world({}), read("OSError: [Errno 98] Address already in use"))


def test_a_port_that_conmon_holds_is_freed_by_its_container() -> None:
    """Ending conmon would end the container's supervision, and not free the port in good order."""
    said = read("cannot listen on the TCP port: listen tcp4 :8080: bind: address already in use")
    evidence = world({"far": (tcp("127.0.0.1", "conmon", port=8080),)}, agent_publishes=8080)
    found = diagnosed(pasted_offline(evidence, said, "far").explanation)
    assert "for the container agent" in found.sentence
    assert found.cures[0].command == "podman stop agent"


def test_a_listener_on_another_address_has_not_taken_the_port() -> None:
    """A socket on one address leaves the port free on all others (ip(7))."""
    said = read(f"listen tcp 10.88.0.1:{PORT}: bind: address already in use")
    found = diagnosed(pasted_offline(world({"box": (tcp("127.0.0.1", "nginx"),)}), said).explanation)
    assert "nobody listens on it now" in found.sentence


def test_an_address_that_is_there_by_now_can_be_bound_now() -> None:
    """The words are of a moment at which podman0 was not there."""
    said = read(f"bind [10.88.0.1]:{PORT}: Cannot assign requested address")
    found = diagnosed(pasted_offline(world({}), said).explanation)
    assert found.cause is Cause.NO_SUCH_BIND_ADDRESS
    assert "it is now" in found.sentence


def rewriting(address: str, to: str) -> Rule:
    """What netavark makes of a published port 8080."""
    matches = (
        Match(Field.DESTINATION, (address,)),
        Match(Field.PROTOCOL, ("tcp",)),
        Match(Field.DESTINATION_PORT, ("8080",)),
    )
    return Rule(f"-d {address} -p tcp --dport 8080 -j DNAT {to}", matches, (Action(Act.DNAT, to),))


def test_a_rule_for_0_0_0_0_is_not_one_that_was_lost() -> None:
    """Writing it anew would write the same again: it has to be published in another way."""
    rule = rewriting("0.0.0.0/32", f"10.88.0.11:{PORT}")
    evidence = world({"box": (tcp("0.0.0.0", "conmon", port=8080),), "web": (tcp("0.0.0.0"),)}, rules=(rule,))
    client, web, agent = evidence.containers
    web = replace(web, published=(Published("tcp", PORT, 8080, "0.0.0.0"),))
    evidence = replace(evidence, containers=(client, web, agent))
    found = diagnosed(told(evidence, "http://10.88.0.1:8080"))
    assert found.cause is Cause.PUBLISHED_NO_RULE
    assert rule.text in [row.text for row in found.rows]
    assert "network reload" not in found.cures[0].command


@pytest.mark.parametrize(("bound", "itself"), [("0.0.0.0", f"127.0.0.1:{PORT}"), ("10.88.0.10", f"10.88.0.10:{PORT}")])
def test_a_container_that_calls_its_own_published_port_is_told_where_it_listens(bound: str, itself: str) -> None:
    """Its loopback, or its own address where it listens on that alone."""
    evidence = world({"client": (tcp(bound),)}, rules=(rewriting("10.88.0.1", f"10.88.0.10:{PORT}"),))
    found = diagnosed(told(evidence, "10.88.0.1:8080"))
    assert (found.cause, found.cures[0].command) == (Cause.HAIRPIN, itself)


REFUSED = f"dial tcp 10.88.0.1:{PORT}: connect: connection refused"


def test_somebody_who_listens_elsewhere_is_likelier_than_nobody() -> None:
    """The same address is refused on both hosts; on one of them there is a reason that one can see."""
    evidence = world({"box": (tcp("127.0.0.1"),)})
    found = pasted_offline(evidence, read(REFUSED))
    assert (found.place.name, found.explanation.cause) == ("client", Cause.LOOPBACK_ONLY)


def test_a_container_is_not_thought_to_call_the_port_that_it_publishes() -> None:
    """``agent`` publishes it on its host's loopback, where its own call would be refused as well."""
    evidence = world({"box": (tcp("127.0.0.1"),)}, agent_publishes=PORT)
    assert pasted_offline(evidence, read(REFUSED)).place.name == "client"


def test_where_nobody_listens_anywhere_that_is_the_cause() -> None:
    """There is no better one."""
    assert pasted_offline(world({}), read(REFUSED)).explanation.cause is Cause.NOBODY_LISTENS


BUSY = f"listen tcp 0.0.0.0:{PORT}: bind: address already in use"


def test_a_port_that_is_taken_is_the_hosts_where_it_is() -> None:
    """Of several hosts the one whose port is taken is meant, whichever is the first."""
    found = pasted_offline(world({"far": (tcp("0.0.0.0", "nginx", pid=33),)}), read(BUSY))
    assert found.place.name == "far"
    assert "nginx (pid 33)" in found.explanation.sentence


def test_a_port_that_is_taken_on_two_hosts_is_asked_about() -> None:
    """Neither is guessed."""
    both = world({"box": (tcp("0.0.0.0"),), "far": (tcp("0.0.0.0"),)})
    with pytest.raises(UsageError, match="on box, far: say which with --from"):
        pasted_offline(both, read(BUSY))


@pytest.mark.parametrize("place", ["client", "web"])
def test_nginx_speaks_where_it_listens(place: str) -> None:
    """Both are refused there; the words are of the one that has an nginx."""
    said = read(
        f'connect() failed (111: Connection refused) while connecting to upstream, upstream: "http://{GATEWAY}:1"'
    )
    assert pasted_offline(world({place: (tcp("0.0.0.0", "nginx"),)}), said).place.name == place


def ended(evidence: Evidence, code: int) -> Evidence:
    """The container ``client`` has ended with a status."""
    client, *others = evidence.containers
    return replace(
        evidence, containers=(replace(client, state="exited", namespace=None, pid=0, exit_code=code), *others)
    )


UNKNOWN = '[emerg] 1#1: host not found in upstream "web" in /etc/nginx/nginx.conf:41'


def test_a_name_that_nginx_ended_over_is_that_of_the_container_that_ended() -> None:
    """It is no word of those that run; and what the container could be told instead is an address with its port."""
    found = pasted_offline(ended(world({"web": (tcp("0.0.0.0"),)}), 1), read(UNKNOWN))
    assert (found.place.name, found.explanation.cause) == ("client", Cause.DNS_DISABLED)
    assert found.explanation.sentence.startswith("The program in client ended as it started, with status 1, over the")
    again = f"podman start client\n# and then call 10.88.0.11:{PORT}"
    assert again in [cure.command for cure in diagnosed(found.explanation).cures]


def test_a_name_that_is_known_by_now_is_no_reason_any_more() -> None:
    """On a network with DNS its container need only be started again, now that the other one runs."""
    found = pasted_offline(ended(world({"web": (tcp("0.0.0.0"),)}, dns=True), 1), read(UNKNOWN), "client")
    assert found.explanation.cause is Cause.NOT_RUNNING


def test_who_was_stopped_on_purpose_did_not_end_over_a_name() -> None:
    """The words may then be those of an nginx that is asked to read its settings anew, where it runs."""
    evidence = ended(world({"far": (tcp("0.0.0.0", "nginx"),)}), 0)
    assert pasted_offline(evidence, read(UNKNOWN)).place.name == "far"


def gateway(evidence: Evidence, status: int, names: str) -> Diagnosis:
    """The diagnosis of an answer of ``web``, whose hosts file has some lines."""
    containers = tuple(
        replace(c, names=Names(HostsFile.parse(names))) if c.name == "web" else c for c in evidence.containers
    )
    target = Target.parse(f"http://10.88.0.11:{PORT}/")
    answer = Answer(f"10.88.0.11:{PORT}", status, "nginx", '{"error":\n "why"}')
    seen = Observation("box", str(target), Outcome.HTTP_STATUS, Phase.HTTP, None, f"HTTP {status}", 0.1, "", answer)
    return diagnosed(explain(replace(evidence, containers=containers), Attempt(evidence.place("box"), target), seen))


WEB = {"web": (tcp("0.0.0.0", "nginx"),)}


@pytest.mark.parametrize(
    ("names", "upstream"),
    [
        ("10.88.0.10 orders", f"orders:{PORT}"),
        ("10.88.0.10 orders\n10.88.0.10 stock", "UPSTREAM:PORT"),
        ("10.88.0.1 host.containers.internal", "UPSTREAM:PORT"),
    ],
    ids=["one", "two", "none"],
)
def test_a_gateways_upstream_is_guessed_where_it_knows_one_name(names: str, upstream: str) -> None:
    """By whoever has the address that its hosts file gives, and by the one port that is listened on there."""
    found = gateway(world({**WEB, "client": (tcp("0.0.0.0"),)}), 502, names)
    assert found.decide.endswith(f"testbed explain --from web http://{upstream}")


def test_a_gateways_upstream_that_does_not_run_is_named() -> None:
    """What is called by the name has no address while it does not run."""
    evidence = ended(world(WEB), 137)
    client, *others = evidence.containers
    gone = replace(client, attachments=(Attachment("podman"),))
    found = gateway(replace(evidence, containers=(gone, *others)), 504, "10.88.0.10 client")
    assert found.sentence.endswith("client, which its hosts file names, does not run: it is exited.")


@pytest.mark.parametrize(("status", "rows"), [(500, ['{"error": "why"}']), (502, [])])
def test_an_answer_that_is_no_gateways_is_shown(status: int, rows: list[str]) -> None:
    """In one line; a gateway's own page says no more than its status."""
    assert [row.text for row in gateway(world(WEB), status, "").rows if row.what == "answer"] == rows


@pytest.mark.parametrize(("state", "cause"), [("exited", Cause.PORT_TAKEN), ("running", Cause.HTTP_STATUS)])
def test_who_answers_instead_of_a_container_is_named(state: str, cause: Cause) -> None:
    """Another program has the port that a container publishes, which for that cannot be started."""
    evidence = world({"far": (tcp("0.0.0.0", "python3"),)}, agent_publishes=PORT)
    client, web, agent = evidence.containers
    containers = (client, web, replace(agent, state=state))
    target = Target.parse(f"http://203.0.113.20:{PORT}/")
    seen = Observation("box", str(target), Outcome.HTTP_STATUS, Phase.HTTP, None, "HTTP 404", 0.1, "")
    evidence = replace(evidence, containers=containers)
    assert explain(evidence, Attempt(evidence.place("box"), target), seen).cause is cause


def test_a_name_that_no_place_knows_is_near_to_none() -> None:
    """There is no address to compare with a network's; with one cause everywhere the first place is as good as any."""
    found = pasted_offline(world({}), read("curl: (6) Could not resolve host: db; http://db:80/"))
    assert (found.place.name, found.explanation.verdict) == ("client", Conclusion.CANNOT_TELL)
    assert "db is not in the hosts file of client, and it has no resolver to ask" in found.explanation.sentence


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_a_timeout_is_what_nobody_s_address_may_give_however_long(seconds: float) -> None:
    """The kernel takes three seconds to say so, or says nothing while it remembers who had that address (arp(7))."""
    target = Target.parse("http://10.88.0.77:80/")
    seen = Observation("client", str(target), Outcome.TIMED_OUT, Phase.CONNECT, None, "timed out", seconds, "")
    evidence = world({})
    found = explain(evidence, Attempt(evidence.place("client"), target), seen)
    assert found.verdict is Conclusion.CANNOT_TELL
    assert "nobody answers for 10.88.0.77 on eth0 of client" in found.sentence


def test_a_socket_of_one_interface_is_told_from_one_of_another_address() -> None:
    """A wildcard that is bound to an interface covers the address, and takes nothing that comes in elsewhere."""
    evidence = world({"box": (tcp("0.0.0.0"),)})
    lan = next(link for link in evidence.namespaces["box"].links if link.name == "lan")
    evidence = edited(evidence, "box", listeners=(replace(tcp("0.0.0.0"), link=lan.index),))
    found = diagnosed(told(evidence, f"10.88.0.1:{PORT}"))
    assert "SO_BINDTODEVICE" in found.sentence
    assert f"0.0.0.0%lan:{PORT}" in found.rows[0].text
    assert [cure.text for cure in found.cures] == ["Let app (pid 7) listen on every address of every interface"]


def test_each_of_two_programs_is_named_with_what_it_listens_on() -> None:
    """Two processes have the port on two addresses: neither is said to have the other's."""
    evidence = world({"box": (tcp("127.0.0.1", "one", pid=5), tcp("203.0.113.10", "two", pid=6))})
    said = diagnosed(told(evidence, f"10.88.0.1:{PORT}")).sentence
    assert f"only 127.0.0.1:{PORT} by one (pid 5) and 203.0.113.10:{PORT} by two (pid 6) are listened on" in said


def test_another_loopback_address_is_another_address() -> None:
    """127.0.0.2 is not out of reach of who called 127.0.0.1: it is only another address."""
    found = diagnosed(told(world({"client": (tcp("127.0.0.2"),)}), f"127.0.0.1:{PORT}"))
    assert found.cause is Cause.OTHER_ADDRESS
    assert found.cures[0].target == Target.parse(f"127.0.0.2:{PORT}")


def test_a_port_that_is_taken_for_the_other_protocol_is_called_by_that() -> None:
    """UDP was spoken to a port of TCP: speaking TCP changes the least."""
    found = diagnosed(told(world({"web": (tcp("0.0.0.0"),)}), f"udp://10.88.0.11:{PORT}"))
    assert found.cause is Cause.UDP_NOT_TCP
    assert found.cures[0].target == Target.parse(f"tcp://10.88.0.11:{PORT}")
