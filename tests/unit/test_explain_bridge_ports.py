"""Causes of the ports of a bridge: what is cut off is named with its port, and one command mends it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pytest

from testbed.evidence import Attempt, Evidence
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Diagnosis
from testbed.model import Target
from tests.unit.test_explain_listening import tcp, world
from tests.unit.test_predict import edited

_WEB: Final = "10.88.0.11:9000"


def found(evidence: Evidence, place: str) -> Diagnosis:
    """Why ``web`` is not reached from a place."""
    told = explain(evidence, Attempt(evidence.place(place), Target.parse(_WEB)))
    assert told.diagnosis is not None, told.sentence
    return told.diagnosis


def test_one_of_two_isolated_ports_is_let_talk() -> None:
    """One that is not isolated is enough: the kernel keeps only isolated ones apart (net/bridge/br_private.h)."""
    evidence = world({"web": (tcp("0.0.0.0"),)})
    box = evidence.namespaces["box"]
    apart = edited(evidence, "box", links=tuple(replace(x, isolated=x.master is not None) for x in box.links))
    cause = found(apart, "client")
    assert cause.cause is Cause.LINK_DOWN
    assert "are both isolated" in cause.sentence
    assert [len(cure.changes) for cure in cause.cures] == [1, 1]
    assert "isolated off" in cause.cures[0].command


@pytest.mark.parametrize("place", ["client", "box"])
def test_who_is_no_port_of_its_network_s_bridge_is_made_one(place: str) -> None:
    """The host's end of the pair of the one that is called has no master any more."""
    evidence = world({"web": (tcp("0.0.0.0"),)})
    box, web = evidence.namespaces["box"], evidence.namespaces["web"]
    end = next(link.peer.index for link in web.links if link.peer is not None and link.peer.namespace == "box")
    lost = edited(evidence, "box", links=tuple(replace(x, master=None) if x.index == end else x for x in box.links))
    cause = found(lost, place)
    assert cause.cause is Cause.LINK_DOWN
    assert "is no port of podman0" in cause.sentence
    assert cause.cures[0].command.endswith("master podman0")


def test_an_owner_that_keeps_silent_is_let_answer() -> None:
    """arp_ignore 8 answers for no address at all (ip-sysctl)."""
    evidence = world({"web": (tcp("0.0.0.0"),)})
    sysctls = {**evidence.namespaces["web"].sysctls, "ipv4/conf/all/arp_ignore": "8"}
    cause = found(edited(evidence, "web", sysctls=MappingProxyType(sysctls)), "client")
    assert [row.text for row in cause.rows] == ["net.ipv4.conf.all.arp_ignore = 8"]
    assert "net.ipv4.conf.all.arp_ignore=0" in cause.cures[0].command
