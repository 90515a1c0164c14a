"""Nothing that is printed is cropped: a pipe's lines are whole, a terminal's are wrapped."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from typing import Final

import pytest
from click.testing import CliRunner
from rich.console import Console

from testbed.background import Running
from testbed.cli import doctor
from testbed.cli.group import group
from testbed.explain.codes import Cause
from testbed.explain.explanation import Conclusion, Cure, Diagnosis, Explanation, Row
from testbed.model import Observation, Outcome, Phase
from testbed.prerequisites import Prerequisite
from testbed.report import explanation, journey, matrix, story
from testbed.report.console import make
from testbed.report.verdict import verdict
from testbed.results import Axes, Check, Matrix, Scene
from testbed.trace.values import Journey
from tests.test_cli import a_cell, a_report, an_observation

#: As long as rules of a firewall get, in words and in one word that has no place to be broken.
WORDS: Final = " ".join(f"word{number}" for number in range(120))
ONE_WORD: Final = "x" * 400
EXPLAINED: Final = Explanation(
    Conclusion.EXPLAINED,
    f"sentence {WORDS}",
    Diagnosis(
        Cause.NOBODY_LISTENS,
        "",
        (Row("rule", "box", f"row {WORDS}"), Row("rule", "box", f"row {ONE_WORD}")),
        (Cure(f"cure {WORDS}", f"command {ONE_WORD}", f"all {WORDS}"),),
    ),
    None,
    Observation("a", "b", Outcome.REFUSED, Phase.CONNECT, 111, f"seen {WORDS}", 0.0, ""),
    f"decide {WORDS}",
    (f"warning {WORDS}", f"warning {ONE_WORD}"),
)
UNANSWERED: Final = Journey(
    "a", "b", EXPLAINED.observation or an_observation(), (), f"ended {WORDS}", (f"note {ONE_WORD}",), why=EXPLAINED
)
SCENE: Final = Scene(f"title {WORDS}", (Check(f"claim {WORDS}", False, f"saw {ONE_WORD}"),), (f"picture {WORDS}",))
CELL: Final = a_cell(Outcome.REFUSED, an_observation(Outcome.REFUSED, text=f"said {WORDS}"), vantage=ONE_WORD)
MATRIX: Final = Matrix(Axes((CELL.bind,), (ONE_WORD,), (f"target {ONE_WORD}",)), (CELL,))

#: Of each thing that commands print: how, and what must be in it whole.
PRINTED: Final[dict[str, tuple[Callable[[Console], None], tuple[str, ...]]]] = {
    "explain": (
        lambda console: explanation.show(console, EXPLAINED, walk=True),
        tuple(f"{what} {WORDS}" for what in ("sentence", "row", "cure", "all", "seen", "decide", "warning"))
        + tuple(f"{what} {ONE_WORD}" for what in ("row", "command", "warning")),
    ),
    "trace": (
        lambda console: journey.show(console, UNANSWERED),
        (f"ended {WORDS}", f"note {ONE_WORD}", f"sentence {WORDS}"),
    ),
    "run: a scene": (
        lambda console: story.scene(console, 1, SCENE),
        (f"title {WORDS}", f"picture {WORDS}", f"claim {WORDS}: saw {ONE_WORD}"),
    ),
    "run: the matrix": (lambda console: matrix.tables(console, MATRIX), (ONE_WORD,)),
    "run: the verdict": (
        lambda console: verdict(console, a_report(a_cell(Outcome.CONNECTED, CELL.observed))),
        (f"said {WORDS}",),
    ),
}


@pytest.mark.parametrize(("show", "whole"), PRINTED.values(), ids=PRINTED.keys())
def test_what_is_piped_has_every_line_whole(
    show: Callable[[Console], None], whole: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """In a pipe each row, cure, warning and cell stands in one line, however long it is."""
    show(make())
    lines = capsys.readouterr().out.splitlines()
    assert [text for text in whole if not any(text in line for line in lines)] == []


@pytest.mark.parametrize(("show", "whole"), PRINTED.values(), ids=PRINTED.keys())
def test_what_a_terminal_is_too_narrow_for_is_wrapped(show: Callable[[Console], None], whole: tuple[str, ...]) -> None:
    """On a terminal nothing is cropped either: what does not fit goes on in the next line."""
    written = io.StringIO()
    show(Console(width=40, file=written, force_terminal=True, color_system=None, highlight=False))
    # A table breaks its cells beside one another: there each has as many letters as it had.
    for text in whole:
        letters = Counter(re.sub(r"\W", "", text))
        assert not letters - Counter(written.getvalue())
    assert "…" not in written.getvalue()


def test_list_in_a_pipe_has_every_line_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab of many containers is one line."""
    lab = Running(
        ONE_WORD, "portainer", 1, 1.0, {}, {"host": 2}, {f"c{number}": ("host", 3) for number in range(99)}, {}
    )
    monkeypatch.setattr("testbed.cli.labs.running", lambda: [lab])
    _, line = CliRunner().invoke(group, ["list"]).output.splitlines()
    assert line.startswith(ONE_WORD) and line.endswith("c98")


def test_doctor_in_a_pipe_has_every_line_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found and the cure are whole, as long as paths are."""
    found = Prerequisite("podman", False, f"found {WORDS}", f"cure {ONE_WORD}")
    doctor._show([found])
    lines = capsys.readouterr().out.splitlines()
    assert any(f"found {WORDS}" in line for line in lines)
    assert any(f"cure {ONE_WORD}" in line for line in lines)
