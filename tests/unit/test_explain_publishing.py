"""Explanations of published ports, on declared pictures: what is published, where, and for which protocol."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from testbed.change import apply
from testbed.change.networks import NewOnNetwork
from testbed.change.publishing import Publish
from testbed.evidence import Evidence, Listener, Process, Protocol, Published
from testbed.explain.codes import Cause
from testbed.model import Target
from tests.unit.test_explain_listening import PORT, diagnosed, tcp, told, world


def publishing(evidence: Evidence, *published: Published, runs: bool = True) -> Evidence:
    """A picture whose ``web`` publishes ports."""
    web = next(c for c in evidence.containers if c.name == "web")
    new = replace(web, published=published)
    if not runs:
        new = replace(new, state="exited", namespace=None)
    return replace(evidence, containers=tuple(new if c == web else c for c in evidence.containers))


def test_a_port_that_is_published_for_udp_is_not_published_for_tcp() -> None:
    """conmon holds it for UDP, and nobody takes TCP there or in the container: UDP is what is to be spoken."""
    asked = Listener(Protocol.UDP, ip_address("0.0.0.0"), PORT, process=Process(7, "app"))
    evidence = apply(Publish("box", "web", Published("udp", PORT, PORT, "")), world({"web": (asked,)}))
    found = diagnosed(told(evidence, f"203.0.113.10:{PORT}", place="far"))
    assert found.cause is Cause.UDP_NOT_TCP
    assert f"web publishes port {PORT} for UDP only" in found.sentence
    assert found.cures[0].target == Target.parse(f"udp://203.0.113.10:{PORT}")


def test_a_container_that_stopped_is_said_to_publish_the_port() -> None:
    """The address that was called is the host's own, and leads to no container."""
    evidence = publishing(world({}), Published("tcp", PORT, 8080, ""), runs=False)
    found = diagnosed(told(evidence, "203.0.113.10:8080", place="far"))
    assert found.sentence.startswith("The container web on box, which publishes port 8080 there, does not run")


def test_a_port_that_is_published_as_another_is_said_to_be() -> None:
    """The container's own port was called on its host."""
    evidence = publishing(world({"web": (tcp("0.0.0.0"),)}), Published("tcp", PORT, 8080, "127.0.0.1"))
    found = diagnosed(told(evidence, f"203.0.113.10:{PORT}", place="far"))
    assert found.cause is Cause.NOT_PUBLISHED
    assert "that port is only published as 127.0.0.1:8080 on box" in found.sentence
    assert f"127.0.0.1:8080->{PORT}/tcp web" in [row.text for row in found.rows]


def test_the_publication_that_is_on_another_address_is_shown_beside_another_port_to_call() -> None:
    """The other port cures without it; that the one that was called is on the loopback only is still the cause."""
    two = (Published("tcp", PORT, 8080, "127.0.0.1"), Published("tcp", PORT, 8081, "203.0.113.10"))
    evidence = publishing(world({"web": (tcp("0.0.0.0"),)}), two[0])
    web = next(c for c in evidence.containers if c.name == "web")
    evidence = apply(Publish("box", web.id, two[1]), evidence)
    found = diagnosed(told(evidence, "203.0.113.10:8080", place="far"))
    assert found.cause is Cause.PUBLISHED_ON_LOOPBACK
    assert found.cures[0].target == Target.parse("203.0.113.10:8081")
    assert [row.text for row in found.rows] == [f"127.0.0.1:8080->{PORT}/tcp web"]


def test_who_listens_for_a_published_port_is_not_told_to_listen_elsewhere() -> None:
    """rootlessport listens where Podman told it to: the publication is what is to be changed."""
    held = tcp("127.0.0.1", "rootlessport", pid=8, port=8080)
    evidence = publishing(world({"box": (held,), "web": (tcp("0.0.0.0"),)}), Published("tcp", PORT, 8080, "127.0.0.1"))
    found = diagnosed(told(evidence, "203.0.113.10:8080", place="far"))
    assert found.cause is Cause.PUBLISHED_ON_LOOPBACK
    assert "rootlessport" not in " ".join(cure.text for cure in found.cures)


def test_a_container_that_is_made_anew_on_a_network_does_not_ask_for_its_address_again() -> None:
    """An address of its own choice (podman-run(1), --ip) may be what was wrong."""
    evidence = world({})
    web = next(c for c in evidence.containers if c.name == "web")
    chosen = replace(web, static=web.attachments[0].addresses)
    evidence = replace(evidence, containers=tuple(chosen if c == web else c for c in evidence.containers))
    anew = apply(NewOnNetwork("box", web.id, "podman"), evidence)
    assert next(c for c in anew.containers if c.name == "web").static == ()
