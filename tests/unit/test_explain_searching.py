"""A domain of the search list makes another name of what was typed (podman#26198)."""

from __future__ import annotations

from testbed.evidence import Attempt, Evidence
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion
from testbed.model import Target
from tests.unit.test_predict import edited, tcp
from tests.unit.test_predict_names import FAR, GATEWAY, PORT, WILDCARD, lab, names


def searched(zone: dict[str, str], *, answers: bool = False, place: str = "web") -> Evidence:
    """A place that searches lab.example; whether a machine of the LAN listens at the address that is found."""
    evidence = names(lab(zone=zone), place, f"search lab.example\nnameserver {GATEWAY}\n")
    return edited(evidence, "far", listeners=(tcp("0.0.0.0"),) if answers else ())


def test_a_name_that_the_search_list_gives_to_another_is_named_with_the_list() -> None:
    """The container of that name listens, and a machine of the LAN refuses; without the domain it connects."""
    evidence = searched(WILDCARD)
    told = explain(evidence, Attempt(evidence.place("web"), Target.parse(f"peer:{PORT}")))
    assert (told.verdict, told.cause) == (Conclusion.EXPLAINED, Cause.SEARCH_DOMAIN)
    assert told.diagnosis is not None
    assert f"as peer.lab.example first, by the search list of its resolv.conf, and that is {FAR}" in told.sentence
    assert [row.text for row in told.diagnosis.rows] == ["search lab.example"]
    assert {cure.command for cure in told.diagnosis.cures} == {
        f"tcp://peer.:{PORT}",
        "podman run --dns-search=. ... (a new container)",
    }


def test_a_connection_to_another_than_the_name_as_it_is_is_warned_of() -> None:
    """The LAN's machine answers in the place of the container: it connects, and to whom is said."""
    evidence = searched(WILDCARD, answers=True)
    told = explain(evidence, Attempt(evidence.place("web"), Target.parse(f"peer:{PORT}")))
    assert told.verdict is Conclusion.CONNECTS
    (warning,) = told.warnings
    assert warning.startswith(f"peer was asked for as peer.lab.example, by the search list of web, and is {FAR};")
    assert warning.endswith("it would be 10.88.0.11.")


def test_a_name_that_only_the_search_list_knows_is_nothing_to_warn_of() -> None:
    """Search lists are for that."""
    evidence = searched({"printer.lab.example": FAR}, answers=True)
    told = explain(evidence, Attempt(evidence.place("web"), Target.parse(f"printer:{PORT}")))
    assert (told.verdict, told.warnings) == (Conclusion.CONNECTS, ())


def test_a_host_loses_the_domain_itself() -> None:
    """Of a host the file is changed, and nothing is started anew."""
    evidence = searched(WILDCARD, place="box")
    told = explain(evidence, Attempt(evidence.place("box"), Target.parse(f"peer:{PORT}")))
    assert told.cause is Cause.SEARCH_DOMAIN
    assert told.diagnosis is not None
    assert any(cure.command.endswith("/etc/resolv.conf") for cure in told.diagnosis.cures)
