"""Explanations of names that one resolver knows and another one does not, on declared pictures."""

from __future__ import annotations

from dataclasses import replace

from testbed.change.containers import Start
from testbed.evidence import Attachment, Evidence
from testbed.explain.codes import Cause
from testbed.model import Target
from tests.unit.test_explain_listening import DNS, GATEWAY, NAMES, PORT, diagnosed, tcp, told, world


def asking(evidence: Evidence) -> Evidence:
    """A picture whose containers ask the gateway for names, as on a network with DNS."""
    names = replace(NAMES, nameservers=(GATEWAY,))
    return replace(evidence, containers=tuple(replace(c, names=names) for c in evidence.containers))


def test_what_shares_a_network_is_called_by_the_name_of_its_owner() -> None:
    """A container with another one's network has no name of its own there (podman-run(1), --network)."""
    evidence = world({"box": (DNS,), "web": (tcp("0.0.0.0"),)}, dns=True)
    web = next(c for c in evidence.containers if c.name == "web")
    side = replace(web, id="side", name="side", mode=f"container:{web.id}", attachments=())
    evidence = replace(evidence, containers=(*asking(evidence).containers, side))
    found = diagnosed(told(evidence, f"side:{PORT}"))
    assert (
        found.sentence == "client does not know the name side: that container shares the network of web, which "
        "alone has a name there."
    )
    assert found.cures[0].target == Target.parse(f"web:{PORT}")


def test_an_alias_is_known_on_the_network_that_it_was_given_on() -> None:
    """Both are on one network, and the name is one of another that the caller is not on."""
    evidence = asking(world({"box": (DNS,), "web": (tcp("0.0.0.0"),)}, dns=True))
    web = next(c for c in evidence.containers if c.name == "web")
    two = replace(web, attachments=(*web.attachments, Attachment("other", (), (), ("cache",))))
    evidence = replace(evidence, containers=tuple(two if c == web else c for c in evidence.containers))
    found = diagnosed(told(evidence, f"cache:{PORT}"))
    assert found.cause is Cause.NETWORKS_NOT_SHARED
    assert "that is a name of web on the network other only" in found.sentence
    assert found.cures[0].target == Target.parse(f"web:{PORT}")


def test_a_container_that_stopped_is_taken_to_listen_where_it_was_called() -> None:
    """The packet that was sent went to port 53: that is the resolver's, and not the container's."""
    evidence = asking(world({"box": (DNS,)}, dns=True))
    web = next(c for c in evidence.containers if c.name == "web")
    gone = replace(web, state="exited", namespace=None, pid=0)
    evidence = replace(evidence, containers=tuple(gone if c == web else c for c in evidence.containers))
    found = diagnosed(told(evidence, f"web:{PORT}"))
    assert found.cause is Cause.NOT_RUNNING
    assert [cure.changes for cure in found.cures] == [(Start("box", web.id, (PORT,)),)]
