"""Two hosts of one name, by every entry point of the library that takes one: each is what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from testbed.diagnose import why, why_pasted
from testbed.errors import HostError, UsageError
from testbed.explain.explanation import Conclusion
from testbed.host.private import PrivateHost
from testbed.model import Outcome, Target
from testbed.readers.sources import of_host
from testbed.readers.take import Source, take
from testbed.readers.vantages import vantage
from testbed.trace import Journey, follow

MakeHost = Callable[..., PrivateHost]
PORT = 8123
TARGET = Target.parse(f"127.0.0.1:{PORT}")
REFUSED = f"dial tcp 127.0.0.1:{PORT}: connect: connection refused"
VAGUE = "'box' may be any of one/box, other/box: give one of these"


@dataclass(frozen=True, slots=True)
class Twins:
    """Two hosts called ``box``, as labs ``one`` and ``other`` have them; on the first one somebody listens."""

    hosts: tuple[PrivateHost, PrivateHost]
    sources: tuple[Source, Source]


@pytest.fixture
def twins(make_private_host: MakeHost) -> Iterator[Twins]:
    """Both without Podman."""
    one, other = (make_private_host("box", with_engine=False) for _ in range(2))
    sources = replace(of_host(one), lab="one"), replace(of_host(other), lab="other")
    with one.net.socket() as server:
        server.bind(("127.0.0.1", PORT))
        server.listen()
        yield Twins((one, other), sources)


def test_an_explanation_is_of_the_host_that_is_meant(twins: Twins) -> None:
    """What one of them connects to is refused on the other."""
    with pytest.raises(UsageError, match=VAGUE):
        why(twins.sources, "box", TARGET)
    told = [why(twins.sources, f"{lab}/box", TARGET) for lab in ("one", "other")]
    assert [one.explanation.verdict for one in told] == [Conclusion.CONNECTS, Conclusion.EXPLAINED]
    assert [one.place.host.lab for one in told] == ["one", "other"]


def test_pasted_words_are_of_the_host_that_is_meant(twins: Twins) -> None:
    """Without a name they are of the one where it ends so; a name of both is asked about."""
    assert why_pasted(twins.sources, REFUSED).place.host.lab == "other"
    with pytest.raises(UsageError, match=VAGUE):
        why_pasted(twins.sources, REFUSED, "box")
    told = why_pasted(twins.sources, REFUSED, "one/box")
    assert told.explanation.verdict is Conclusion.CONNECTS


def test_a_request_is_followed_from_the_host_that_is_meant(twins: Twins) -> None:
    """And its hops are called so that nobody takes them for the other's."""
    with pytest.raises(UsageError, match=VAGUE):
        follow(twins.sources, "box", TARGET)
    answered, refused = (follow(twins.sources, f"{lab}/box", TARGET) for lab in ("one", "other"))
    assert (answered.answered, refused.observation.outcome) == (True, Outcome.REFUSED)
    assert {hop.namespace for hop in refused.legs[0].there} == {"other/box"}


def test_the_fixture_follows_from_what_a_host_is(twins: Twins, trace: Callable[..., Journey]) -> None:
    """Hosts of a test are in no lab: the key of its network namespace tells one from another."""
    with pytest.raises(UsageError, match=r"'box' may be any of net:\[\d+\], net:\[\d+\]: give one of these"):
        trace(twins.hosts, "box", str(TARGET))
    picture = take([of_host(host) for host in twins.hosts])
    seen = [trace(twins.hosts, host.namespace, str(TARGET)).answered for host in picture.hosts]
    assert seen == [True, False]


def test_a_picture_of_both_says_what_each_is(twins: Twins) -> None:
    """Their namespaces are called by the words that are taken for them."""
    picture = take(twins.sources)
    assert [picture.namespaces[host.namespace].label for host in picture.hosts] == ["one/box", "other/box"]


def test_a_host_that_ended_is_no_other_one_s(twins: Twins) -> None:
    """After it was seen and before it is tried from: it is gone, whoever else is called so."""
    place = take(twins.sources).place("one/box")
    twins.hosts[0].close()
    with pytest.raises(HostError, match="the host 'box' is gone"), vantage(twins.sources, place):
        pass


def test_the_command_by_hand_says_the_lab(twins: Twins) -> None:
    """There is a host of that name in another one."""
    with vantage(twins.sources, take(twins.sources).place("other/box")) as here:
        assert here.by_hand == "testbed exec other/box --"
