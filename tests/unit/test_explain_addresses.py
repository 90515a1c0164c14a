"""Names with several addresses: the one that is explained is the one that was reached, and the others are told."""

from __future__ import annotations

from ipaddress import ip_address

from testbed.change.listening import Rebind
from testbed.diagnose import pasted_offline
from testbed.evidence import Attempt, Evidence
from testbed.explain import addresses
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Cure, Diagnosis
from testbed.explain.pasted import read
from testbed.model import Observation, Outcome, Phase, Target
from testbed.predict import predict
from tests.unit.test_predict import edited, tcp, world
from tests.unit.test_predict_names import GATEWAY, PORT, WILDCARD, lab, names


def attempt(evidence: Evidence, place: str, target: str) -> Attempt:
    """One try."""
    return Attempt(evidence.place(place), Target.parse(target))


def saw(peer: str | None, outcome: Outcome, errno: int | None = None, phase: Phase = Phase.CONNECT) -> Observation:
    """What was seen of an attempt."""
    return Observation("x", "", outcome, phase, errno, "", 0.1, "", peer=ip_address(peer) if peer else None)


def test_the_sentence_names_the_address_that_was_reached() -> None:
    """podman#26198 where the resolver's word is not in the picture: what was reached is not the container."""
    evidence = names(lab(), "web", f"nameserver {GATEWAY}\n", hosts="10.88.0.11 db\n")
    evidence = edited(evidence, "far", listeners=(tcp("0.0.0.0"),))
    told = explain(evidence, attempt(evidence, "web", f"db:{PORT}"), saw("203.0.113.20", Outcome.CONNECTED))
    assert "db (203.0.113.20)" in told.sentence
    assert "db was 203.0.113.20 as it was tried, and by the picture it is 10.88.0.11." in told.warnings


def test_an_address_that_only_the_attempt_shows_is_walked() -> None:
    """A resolver beyond the picture has answered: from its address on the picture decides again."""
    evidence = names(lab(), "web", "nameserver 10.88.0.1\n")
    open_ = attempt(evidence, "web", f"x.lab.example:{PORT}")
    told = addresses.of_the_peer(evidence, open_, saw("10.88.0.11", Outcome.CONNECTED))
    assert (told.outcome, str(told.address)) == (Outcome.CONNECTED, "10.88.0.11")


def test_another_address_that_fails_is_told_beside_the_tick() -> None:
    """``localhost`` connects by 127.0.0.1, and whoever takes ::1 alone is refused."""
    evidence = world(host_listens=(tcp("127.0.0.1"),))
    told = explain(evidence, attempt(evidence, "box", f"localhost:{PORT}"))
    (warning,) = told.warnings
    assert warning.startswith("localhost is ::1 too and is tried first, where it is refused: ")


def test_two_addresses_that_connect_are_nothing_to_warn_of() -> None:
    """A warning is for what goes wrong."""
    evidence = world(host_listens=(tcp("::"),))
    assert explain(evidence, attempt(evidence, "box", f"localhost:{PORT}")).warnings == ()


def test_a_failure_says_what_becomes_of_the_other_addresses() -> None:
    """Both are refused, each for a reason of its own."""
    evidence = world()
    told = explain(evidence, attempt(evidence, "box", f"localhost:{PORT}"))
    assert [text.partition(":")[0] for text in told.warnings if "127.0.0.1 too" in text] != []


def test_an_attempt_that_failed_at_one_address_does_not_hide_that_another_should_connect() -> None:
    """The first error is what a client reports: it was refused at ::1, and at 127.0.0.1 against the prediction."""
    evidence = world(host_listens=(tcp("127.0.0.1"),))
    told = addresses.of_the_peer(
        evidence, attempt(evidence, "box", f"localhost:{PORT}"), saw("::1", Outcome.REFUSED, 111)
    )
    assert (told.outcome, str(told.address)) == (Outcome.CONNECTED, "127.0.0.1")


def test_words_about_an_address_that_the_name_had_are_explained_of_that_one() -> None:
    """A client kept an old address of a name that is another one now: the old one refuses, and that is said."""
    evidence = names(lab(), "web", "", hosts="10.88.0.11 db\n")
    text = f'Get "http://db:{PORT}/": dial tcp 10.88.0.10:{PORT}: connect: connection refused'
    told = pasted_offline(evidence, read(text), "web").explanation
    assert told.prediction is not None
    assert (str(told.prediction.address), told.prediction.outcome) == ("10.88.0.10", Outcome.REFUSED)
    assert "db was 10.88.0.10 as it was tried, and by the picture it is 10.88.0.11." in told.warnings


def test_a_connection_that_fails_above_tcp_is_explained_by_its_own_address() -> None:
    """What comes after the handshake is about the address that it was made to."""
    evidence = world(host_listens=(tcp("::"),))
    seen = saw("127.0.0.1", Outcome.TIMED_OUT, phase=Phase.HTTP)
    told = addresses.of_the_peer(evidence, attempt(evidence, "box", f"http://localhost:{PORT}"), seen)
    assert str(told.address) == "127.0.0.1"


def test_a_case_can_be_looked_at_by_each_address() -> None:
    """Causes can be looked for at each of them, beginning with the one that decides."""
    evidence = world()
    one = attempt(evidence, "box", f"localhost:{PORT}")
    cases = list(addresses.by_address(Case(evidence, one, addresses.of_the_peer(evidence, one, None))))
    assert [str(case.prediction.address) for case in cases] == ["::1", "127.0.0.1"]
    assert [case.prediction.ending for case in cases] == [one.ending for one in cases[0].prediction.tried]


def test_a_wildcards_answer_is_the_one_that_is_named() -> None:
    """podman#26198: web reaches a machine of the LAN by the name of a container."""
    evidence = names(lab(zone=WILDCARD), "web", f"search lab.example\nnameserver {GATEWAY}\n")
    told = explain(evidence, attempt(evidence, "web", f"peer:{PORT}"))
    assert "203.0.113.20" in told.sentence


def test_a_cause_is_looked_for_at_every_address() -> None:
    """podman#17353: the first address fails and cannot be cured; the second one's program is bound to its loopback."""
    evidence = names(world(web_listens=(tcp("127.0.0.1"),)), "box", "", hosts="203.0.113.11 db\n10.88.0.10 db\n")
    told = explain(evidence, attempt(evidence, "box", f"db:{PORT}"), saw("203.0.113.11", Outcome.HOST_UNREACHABLE, 113))
    assert told.cause is Cause.LOOPBACK_IN_CONTAINER
    assert told.prediction is not None
    assert str(told.prediction.address) == "10.88.0.10"
    assert any(text.startswith("db is 203.0.113.11 too and is tried first, where it is host") for text in told.warnings)


def test_what_is_explained_is_the_address_that_a_change_cures() -> None:
    """The first cure calls somebody else; listening on 127.0.0.1 is what makes one of localhost's addresses connect."""
    app = tcp("203.0.113.10")
    evidence = world(host_listens=(app,))
    tried = attempt(evidence, "box", f"localhost:{PORT}")
    made = Case(evidence, tried, predict(evidence, tried))
    elsewhere = Cure("Call it", "", target=Target.parse(f"203.0.113.10:{PORT}"))
    moved = Cure("Let it listen", "", changes=(Rebind("box", app, ip_address("127.0.0.1"), PORT),))
    found = addresses.of_the_cure(made, Diagnosis(Cause.OTHER_ADDRESS, "", (), (elsewhere, moved)))
    assert (str(made.prediction.address), str(found.prediction.address)) == ("::1", "127.0.0.1")
