"""The words of who is exposed by a cure, held against the places that really reach the service afterwards."""

from __future__ import annotations

import ipaddress
from typing import Final

import pytest

from testbed.evidence import Attachment, Attempt, Container, Evidence, HostFacts, Names, Namespace, Place
from testbed.explain.explanation import Cure
from testbed.hosts_file import HostsFile
from testbed.model import Scheme, Target
from truth.opened import Opened, Service, wrongly_said
from truth.worlds import HOST, NEIGHBOUR

NOBODY: Final = Names(HostsFile({}))
BOX: Final = HostFacts("h", HOST, "net:1", NOBODY)


def container(name: str, number: int, *networks: str) -> Container:
    """A container that runs, on some networks."""
    places = tuple(Attachment(network, (ipaddress.ip_address(f"10.88.0.{number}"),)) for network in networks)
    return Container(name * 12, name, "h", "running", "bridge", number, f"net:{number}", attachments=places)


CALLER: Final = container("a", 10, "one")
PICTURE: Final = Evidence(
    "2026-01-01T00:00:00Z",
    (BOX, HostFacts("n", NEIGHBOUR, "net:2", NOBODY)),
    (CALLER, container("b", 11, "one"), container("c", 12, "one", "two"), container("d", 13)),
    (),
    {key: Namespace(key, label) for key, label in (("net:1", HOST), ("net:2", NEIGHBOUR), ("net:13", "d"))},
)
ATTEMPT: Final = Attempt(Place(BOX, CALLER), Target(Scheme.TCP, "10.88.0.12", 80))


def opened(*new: str, commands: str = "") -> Opened:
    """What a cure opened to some places."""
    return Opened(PICTURE, PICTURE, ATTEMPT, Service("d", 80, (80,)), frozenset(new), frozenset(new), commands)


@pytest.mark.parametrize(
    ("words", "new"),
    [
        ("", ""),
        (f"{HOST} itself", HOST),
        ("the containers of the network one", "b"),
        ("the containers of the networks one and two", "c"),
        (f"the LAN on lan0 of {HOST}", NEIGHBOUR),
        (f"the LAN on lan0 of {NEIGHBOUR}", HOST),
        (f"{HOST} itself, the containers of the network one", f"{HOST} b"),
    ],
)
def test_words_that_name_just_those_who_reach_it_are_right(words: str, new: str) -> None:
    """Each part of the words stands for somebody who reaches it, and everybody who does is named."""
    assert wrongly_said(Cure("", "", words), opened(*new.split())) == ""


def test_somebody_who_is_not_named_is_missing() -> None:
    """Who reaches the service, and is not among the words, makes them wrong."""
    assert "opens the service to b too" in wrongly_said(Cure("", "", f"{HOST} itself"), opened(HOST, "b"))


def test_somebody_who_does_not_reach_it_is_named_without_reason() -> None:
    """A part of the words that nobody who reaches the service is of makes them wrong."""
    said = wrongly_said(Cure("", "", f"{HOST} itself, the containers of the networks one and two"), opened(HOST))
    assert "the containers of the networks one and two, and nobody there" in said


def test_those_who_are_where_the_caller_or_the_service_is_need_no_words() -> None:
    """The caller is to connect, and whoever shares the service's network namespace had it before."""
    assert wrongly_said(Cure("", ""), opened("a", "d")) == ""


def test_what_singles_the_neighbour_out_says_nothing_of_the_lan() -> None:
    """Where a rule is for the neighbour's address alone, others of the LAN may reach what it does not."""
    words = Cure("", "", f"the LAN on lan0 of {HOST}")
    assert wrongly_said(words, opened(commands="iptables -A INPUT -s 203.0.113.20 -j DROP")) == ""
    assert wrongly_said(words, opened()) != ""
