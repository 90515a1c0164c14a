"""What random worlds once showed to be said wrongly (``make truth``) is not said any more: cures and sentences."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from testbed.evidence import Attempt, Evidence, codec
from testbed.explain.explain import explain
from testbed.explain.explanation import Explanation
from testbed.model import Observation, Outcome, Phase, Scheme, Target
from truth.saved import EVIDENCE, SEEN
from truth.sentences import Judgement, judged

#: As many of the recorded pictures as make the test one of seconds.
_SOME = 8
RECORDED = Path(__file__).with_name("recorded")
CURES = sorted(RECORDED.joinpath("cures").glob(f"*{SEEN}"))
SENTENCES = sorted(RECORDED.joinpath("sentences").glob(f"*{SEEN}"))
WORLDS = sorted(RECORDED.joinpath("disagreements").glob(f"*{EVIDENCE}"))[:_SOME]


def _explained(path: Path) -> tuple[Evidence, Explanation, dict[str, str]]:
    seen = json.loads(path.read_text())
    evidence = codec.read(path.with_name(path.name.replace(SEEN, EVIDENCE)))
    place, target = seen["place"], Target.parse(seen["target"])
    outcome, phase = Outcome(seen["outcome"]), Phase(seen["phase"])
    observed = Observation(place, str(target), outcome, phase, seen["errno"], "", 0.0, "")
    return evidence, explain(evidence, Attempt(evidence.place(place), target), observed), seen


def test_no_wrong_cure_is_printed_any_more() -> None:
    """Neither with the words of who is exposed that it had, nor at all."""
    for path in CURES:
        _, told, seen = _explained(path)
        found = (told.diagnosis,) if told.diagnosis else told.alternatives
        printed = [(cure.text, cure.command, cure.exposes) for one in found for cure in one.cures]
        assert (seen["cure"], seen["command"], seen["exposes"]) not in printed, path.name


@pytest.mark.parametrize("path", SENTENCES, ids=lambda path: path.name.removesuffix(SEEN))
def test_no_false_sentence_is_said_any_more(path: Path) -> None:
    """Neither the one that was, nor another one."""
    evidence, told, seen = _explained(path)
    assert [one.text for one in judged(evidence, told, seen["place"]) if one.judgement is Judgement.FALSE] == []


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.name.removesuffix(EVIDENCE))
def test_what_is_said_of_a_recorded_world_is_so(path: Path) -> None:
    """Of attempts from each place to an address of each namespace nothing false is said, and nothing unreadable."""
    evidence = codec.read(path)
    places = [place for place in evidence.places() if place.namespace is not None]
    addresses = {str(here.addresses[-1].address.ip) for here in evidence.namespaces.values() if here.addresses}
    addresses |= {str(here.addresses[1].address.ip) for here in evidence.namespaces.values() if here.addresses[1:]}
    for place in places:
        for address, port in product(sorted(addresses), (8000, 9001)):
            told = explain(evidence, Attempt(place, Target(Scheme.TCP, address, port)))
            wrong = [
                (one.judgement, one.text)
                for one in judged(evidence, told, place.name)
                if one.judgement not in (Judgement.TRUE, Judgement.ADVICE)
            ]
            assert wrong == [], (place.name, address, port)
