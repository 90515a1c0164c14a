"""Names on pictures: which of them is asked for, of whom, what is answered, and in what order addresses are tried."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from testbed.evidence import Attachment, Evidence, Listener, Names, Network, Process, Protocol
from testbed.model import Outcome
from testbed.predict import Disposition, Prediction
from testbed.predict.steps import NameLookup
from testbed.predict.unresolved import AnswersDiffer, AnswerUnknown, NameNotFound, NotAsked, SourceUnknown
from tests.unit.predicted import question
from tests.unit.test_predict import ask, resolver, tcp, world

PORT = 8000
GATEWAY = "10.88.0.1"
FAR = "203.0.113.20"


def names(
    evidence: Evidence, place: str, text: str, *, hosts: str = "", nsswitch: str = "", musl: bool = False
) -> Evidence:
    """The same picture with another resolv.conf, and perhaps other files beside it, at a place."""
    read = Names.parse(hosts, text, nsswitch, musl=musl)
    return replace(
        evidence,
        containers=tuple(replace(c, names=read) if c.name == place else c for c in evidence.containers),
        hosts=tuple(replace(h, names=read) if h.name == place else h for h in evidence.hosts),
    )


def udp(address: str, name: str) -> Listener:
    """A resolver's socket."""
    return Listener(Protocol.UDP, ipaddress.ip_address(address), 53, process=Process(9, name))


def lab(*, podman: str = "4.3.1", zone: dict[str, str] | None = None) -> Evidence:
    """A host that asks its own resolver at 10.88.0.1:53 ... and Podman's own there, with a zone of the LAN's names."""
    evidence = world(
        host_listens=(resolver("aardvark-dns"), udp("127.0.0.1", "dnsmasq")),
        peer_listens=(tcp("0.0.0.0"),),
    )
    known = {name: (ipaddress.ip_address(address),) for name, address in (zone or {}).items()}
    own = Names.parse("", "nameserver 127.0.0.1\n")
    hosts = tuple(replace(h, names=own, zone=known, podman=podman) if h.name == "box" else h for h in evidence.hosts)
    return replace(evidence, hosts=hosts)


def lookup(seen: Prediction) -> NameLookup:
    """The step in which the name got its addresses."""
    return next(step for step in seen.steps if isinstance(step, NameLookup))


WILDCARD = {"*.lab.example": FAR}


def test_a_wildcard_of_the_search_domain_answers_before_podman_is_asked_for_the_bare_name() -> None:
    """podman#26198: the name with the domain is asked for first, and the LAN's resolver has a name for everything."""
    evidence = names(lab(zone=WILDCARD), "web", f"search lab.example\nnameserver {GATEWAY}\n")
    seen = ask(evidence, "web", f"peer:{PORT}")
    assert (str(seen.address), lookup(seen).asked) == (FAR, "peer.lab.example")


def test_podmans_own_domain_in_front_keeps_the_wildcard_off() -> None:
    """Podman before 5.5 writes dns.podman into the search list, in front of the host's domains."""
    evidence = names(lab(zone=WILDCARD), "web", f"search dns.podman lab.example\nnameserver {GATEWAY}\n")
    seen = ask(evidence, "web", f"peer:{PORT}")
    assert (str(seen.address), lookup(seen).asked) == ("10.88.0.11", "peer.dns.podman")


@pytest.mark.parametrize(
    ("options", "name", "address"),
    [("ndots:0", "peer", "10.88.0.11"), ("ndots:1", "peer", FAR), ("ndots:1", "peer.", "10.88.0.11")],
    ids=["no dot is enough", "one dot is wanted", "a dot at the end"],
)
def test_ndots_and_a_last_dot_decide_what_is_asked_for_first(options: str, name: str, address: str) -> None:
    """resolv.conf(5), ndots: with enough dots, or one at the end, the name is asked for as it is."""
    text = f"search lab.example\noptions {options}\nnameserver {GATEWAY}\n"
    seen = ask(names(lab(zone=WILDCARD), "web", text), "web", f"{name}:{PORT}")
    assert str(seen.address) == address


def test_musl_leaves_the_search_list_out_for_a_name_with_a_dot() -> None:
    """glibc asks for x.y.lab.example after x.y; musl does not (src/network/lookup_name.c)."""
    text = f"search lab.example\nnameserver {GATEWAY}\n"
    of_glibc = ask(names(lab(zone=WILDCARD), "web", text), "web", f"x.y:{PORT}")
    of_musl = ask(names(lab(zone=WILDCARD), "web", text, musl=True), "web", f"x.y:{PORT}")
    assert (str(of_glibc.address), of_musl.outcome) == (FAR, Outcome.NAME_NOT_FOUND)


def test_a_name_that_nobody_knows_tells_all_that_was_asked_for() -> None:
    """The ending has every name of the search list, in the order of the questions."""
    evidence = names(lab(zone={}), "web", f"search dns.podman lab.example\nnameserver {GATEWAY}\n")
    seen = ask(evidence, "web", f"nobody:{PORT}")
    assert isinstance(seen.ending, NameNotFound)
    assert seen.ending.names == ("nobody.dns.podman", "nobody.lab.example", "nobody")


@pytest.mark.parametrize(("podman", "found"), [("4.3.1", None), ("5.3.0", FAR), ("", FAR)])
def test_a_name_of_one_label_goes_on_to_the_hosts_resolver_from_1_13_on(podman: str, found: str | None) -> None:
    """coredns.rs denied names with one dot (the last) until 1.12; Podman 5.3 comes with 1.13."""
    evidence = names(lab(podman=podman, zone={"printer": FAR}), "web", f"nameserver {GATEWAY}\n")
    seen = ask(evidence, "web", f"printer:{PORT}")
    assert (str(seen.address) if seen.address else None) == found


def test_a_container_on_internal_networks_is_told_of_containers_alone() -> None:
    """aardvark-dns hands nothing on for it (ctr_is_internal), from 1.11 on, with which Podman 5.2 comes."""
    evidence = names(lab(podman="5.5.0", zone={"printer.lan": FAR}), "web", f"nameserver {GATEWAY}\n")
    internal = replace(evidence, networks=tuple(replace(n, internal=True) for n in evidence.networks))
    assert str(ask(evidence, "web", f"printer.lan:{PORT}").address) == FAR
    assert ask(internal, "web", f"printer.lan:{PORT}").outcome is Outcome.NAME_NOT_FOUND
    assert str(ask(internal, "web", f"peer:{PORT}").address) == "10.88.0.11"
    older = replace(internal, hosts=tuple(replace(host, podman="4.3.1") for host in internal.hosts))
    assert str(ask(older, "web", f"printer.lan:{PORT}").address) == FAR


def test_podmans_resolver_knows_no_container_of_a_network_without_dns() -> None:
    """A network that both are on has its names in aardvark-dns only where DNS is on there."""
    evidence = names(lab(), "web", f"nameserver {GATEWAY}\n")
    second = Network("plain", "box", "bridge", "podman9", dns_enabled=False)
    only = Attachment("plain", (ipaddress.ip_address("10.90.0.2"),))
    both = tuple(
        replace(c, attachments=(only,) if c.name == "peer" else (*c.attachments, only)) for c in evidence.containers
    )
    without = replace(evidence, containers=both, networks=(*evidence.networks, second))
    assert ask(without, "web", f"peer:{PORT}").outcome is Outcome.NAME_NOT_FOUND


def test_a_pod_is_called_by_its_own_name_and_no_member_by_any() -> None:
    """Podman tells aardvark-dns of the infra container alone, under the pod's name (libpod, getNetworkPodName)."""
    evidence = names(lab(), "web", f"nameserver {GATEWAY}\n")
    peer = next(c for c in evidence.containers if c.name == "peer")
    infra = replace(peer, name="0123456789ab-infra", pod="shop")
    member = replace(peer, id="m" * 64, name="till", pod="shop", mode=f"container:{infra.id}")
    others = tuple(c for c in evidence.containers if c.name != "peer")
    pod = replace(evidence, containers=(*others, infra, member))
    found = {name: ask(pod, "web", f"{name}:{PORT}").address for name in ("shop", "till", infra.name)}
    assert {name: str(address) for name, address in found.items() if address} == {"shop": "10.88.0.11"}


def test_a_host_that_asks_podmans_resolver_is_told_of_that_network() -> None:
    """A caller that is no container gets the names of the network whose gateway it asks (backend/mod.rs, lookup)."""
    seen = ask(names(lab(), "box", f"nameserver {GATEWAY}\n"), "box", f"peer:{PORT}")
    assert str(seen.address) == "10.88.0.11"


def test_a_resolver_behind_podmans_that_nobody_answers_for_is_a_failed_one() -> None:
    """aardvark-dns is silent where no server of its host's resolv.conf answers."""
    evidence = names(lab(), "web", f"nameserver {GATEWAY}\n")
    hosts = tuple(
        replace(h, names=Names.parse("", "nameserver 10.88.0.77\n")) if h.name == "box" else h for h in evidence.hosts
    )
    seen = ask(replace(evidence, hosts=hosts), "web", f"a.example:{PORT}")
    assert (seen.outcome, question(seen).ending.disposition) == (Outcome.RESOLVER_FAILED, Disposition.NO_NEIGHBOUR)


@pytest.mark.parametrize("given", ["container", "network"])
def test_resolvers_of_a_container_or_its_network_are_asked_instead_of_the_hosts(given: str) -> None:
    """aardvark-dns hands on to those of --dns: of the container, else of its networks, else of its host."""
    evidence = names(lab(zone={"a.example": FAR}), "web", f"nameserver {GATEWAY}\n")
    nobody = (ipaddress.ip_address("10.88.0.77"),)
    if given == "container":
        web = tuple(replace(c, dns_servers=nobody) if c.name == "web" else c for c in evidence.containers)
        other = replace(evidence, containers=web)
    else:
        other = replace(evidence, networks=tuple(replace(n, dns_servers=nobody) for n in evidence.networks))
    assert str(ask(evidence, "web", f"a.example:{PORT}").address) == FAR
    assert ask(other, "web", f"a.example:{PORT}").outcome is Outcome.RESOLVER_FAILED


def test_an_answer_from_beyond_the_picture_is_not_guessed_behind_podmans_resolver() -> None:
    """The first name of the search list may be known out there, so that nothing is said of the bare one."""
    evidence = names(lab(), "web", f"search lab.example\nnameserver {GATEWAY}\n")
    unknown = replace(evidence, hosts=tuple(replace(h, zone=None) for h in evidence.hosts))
    assert isinstance(ask(unknown, "web", f"peer:{PORT}").ending, AnswerUnknown)


def test_the_second_server_answers_for_a_first_that_is_not_there() -> None:
    """Each server is asked in its turn until one answers (resolv.conf(5), nameserver)."""
    seen = ask(names(lab(), "web", f"nameserver 10.88.0.77\nnameserver {GATEWAY}\n"), "web", f"peer:{PORT}")
    assert str(seen.address) == "10.88.0.11"


@pytest.mark.parametrize("how", ["musl", "rotate"])
def test_servers_that_do_not_say_the_same_leave_it_open_where_any_may_answer_first(how: str) -> None:
    """musl asks all at once, and with ``rotate`` glibc begins with any; the first server alone decides otherwise."""
    evidence = lab()
    far = replace(evidence.namespaces["far"], listeners=(udp(FAR, "dnsmasq"),))
    hosts = tuple(
        replace(h, names=Names.parse("", f"nameserver {FAR}\n")) if h.name == "far" else h for h in evidence.hosts
    )
    evidence = replace(evidence, hosts=hosts, namespaces={**evidence.namespaces, "far": far})
    text = f"nameserver {GATEWAY}\nnameserver {FAR}\n"
    plain = ask(names(evidence, "web", text), "web", f"peer:{PORT}")
    options = "options rotate\n" if how == "rotate" else ""
    open_ = ask(names(evidence, "web", text + options, musl=how == "musl"), "web", f"peer:{PORT}")
    assert str(plain.address) == "10.88.0.11"
    assert isinstance(open_.ending, AnswersDiffer)


# --- services of nsswitch.conf ----------------------------------------------------------------------------------------


def test_dns_before_files_is_asked_first() -> None:
    """The order of nsswitch.conf(5) counts, not a usual one."""
    evidence = names(
        lab(), "web", f"nameserver {GATEWAY}\n", hosts="203.0.113.99 peer\n", nsswitch="hosts: dns files\n"
    )
    assert str(ask(evidence, "web", f"peer:{PORT}").address) == "10.88.0.11"


def test_files_alone_ask_nobody() -> None:
    """Without ``dns`` a name that is not in the hosts file is not known, and no resolver failed."""
    seen = ask(names(lab(), "web", f"nameserver {GATEWAY}\n", nsswitch="hosts: files\n"), "web", f"peer:{PORT}")
    assert isinstance(seen.ending, NotAsked)
    assert seen.outcome is Outcome.NAME_NOT_FOUND


def test_a_picture_without_any_service_asks_nobody() -> None:
    """A picture that was made by hand may have none."""
    evidence = names(lab(), "web", f"nameserver {GATEWAY}\n")
    bare = tuple(replace(c, names=replace(c.names, sources=())) for c in evidence.containers)
    assert isinstance(ask(replace(evidence, containers=bare), "web", f"peer:{PORT}").ending, NotAsked)


def test_localhost_without_a_line_is_known_to_nss_myhostname() -> None:
    """nss-myhostname(8) has localhost and all names below it, on a host that asks it."""
    evidence = names(world(host_listens=(tcp("127.0.0.1"),)), "box", "", nsswitch="hosts: files myhostname\n")
    seen = ask(evidence, "box", f"db.localhost:{PORT}")
    assert (seen.outcome, str(seen.address)) == (Outcome.CONNECTED, "127.0.0.1")


def test_a_name_below_local_is_multicast_dns_business_on_a_host() -> None:
    """nss-mdns asks the LAN, which the picture does not show; for other names it asks nobody."""
    nsswitch = "hosts: files mdns4_minimal [NOTFOUND=return] dns\n"
    evidence = names(lab(), "box", "nameserver 127.0.0.1\n", nsswitch=nsswitch)
    assert isinstance(ask(evidence, "box", f"printer.local:{PORT}").ending, SourceUnknown)
    assert isinstance(ask(evidence, "box", f"printer.lan:{PORT}").ending, NameNotFound)


def test_systemd_resolved_is_asked_where_it_listens() -> None:
    """nss-resolve(8): what it says is not in the picture; where it is not there, ``dns`` has its turn."""
    nsswitch = "hosts: resolve [!UNAVAIL=return] files dns\n"
    evidence = names(lab(zone={"a.example": FAR}), "box", "nameserver 127.0.0.1\n", nsswitch=nsswitch)
    there = replace(
        evidence.namespaces["box"],
        listeners=(*evidence.namespaces["box"].listeners, udp("127.0.0.53", "systemd-resolve")),
    )
    assert str(ask(evidence, "box", f"a.example:{PORT}").address) == FAR
    running = replace(evidence, namespaces={**evidence.namespaces, "box": there})
    assert isinstance(ask(running, "box", f"a.example:{PORT}").ending, AnswerUnknown)


# --- several addresses ------------------------------------------------------------------------------------------------


def test_every_address_is_walked_in_the_order_of_the_client() -> None:
    """``localhost`` is ::1 and then 127.0.0.1: how each ends is told, also where another one connects."""
    seen = ask(world(host_listens=(tcp("127.0.0.1"),)), "box", f"localhost:{PORT}")
    assert [(str(one.address), one.outcome) for one in seen.tried] == [
        ("::1", Outcome.REFUSED),
        ("127.0.0.1", Outcome.CONNECTED),
    ]
    assert (str(seen.address), seen.outcome) == ("127.0.0.1", Outcome.CONNECTED)


def test_addresses_after_one_that_connects_are_walked_too() -> None:
    """A client that takes the other one first fails: that can be said beside the ✓."""
    seen = ask(world(host_listens=(tcp("::1"),)), "box", f"localhost:{PORT}")
    assert (str(seen.address), seen.tried[1].outcome) == ("::1", Outcome.REFUSED)


def test_an_address_of_which_it_is_not_known_leaves_the_name_open() -> None:
    """Where the first fails and the second may connect, a failure would be a guess."""
    evidence = names(world(), "box", "", hosts="10.88.0.10 db\n198.51.100.1 db\n")
    out = evidence.namespaces["box"]
    lan = next(link for link in out.links if link.name == "lan")
    beyond = replace(
        out,
        links=tuple(replace(x, peer=None) if x == lan else x for x in out.links),
        routes=(
            *out.routes,
            replace(out.routes[-1], destination=ipaddress.ip_network("0.0.0.0/0"), link=lan.index),
        ),
    )
    seen = ask(replace(evidence, namespaces={**evidence.namespaces, "box": beyond}), "box", f"db:{PORT}")
    assert [one.outcome for one in seen.tried] == [Outcome.REFUSED, Outcome.INCONCLUSIVE]
    assert (seen.outcome, str(seen.address)) == (Outcome.INCONCLUSIVE, "198.51.100.1")


def test_a_prediction_can_be_had_of_the_address_that_was_reached() -> None:
    """What was seen of one address is explained by its own way: the steps of the name, and then its walk."""
    seen = ask(world(host_listens=(tcp("::1"),)), "box", f"localhost:{PORT}")
    other = seen.at(ipaddress.ip_address("127.0.0.1"))
    assert other is not None
    assert (other.outcome, str(other.address), other.tried) == (Outcome.REFUSED, "127.0.0.1", seen.tried)
    assert [type(step).__name__ for step in other.steps][:2] == ["NameLookup", "RouteLookup"]
    assert other.steps[1:] == seen.tried[1].steps
    assert seen.at(ipaddress.ip_address("192.0.2.1")) is None
