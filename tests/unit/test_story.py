"""A story of scenes, as text and as JSON."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from testbed.report import as_json, story
from testbed.results import Check, Report, Scene

HELD = Check("a frame to a known address leaves by that port alone", ok=True)
BROKEN = Check("carlos sees nothing", ok=False, seen="carlos saw 2 frames")


def a_story(*scenes: Scene) -> Report:
    """One of some scenes."""
    return Report("switch", {}, 1.25, 0.5, scenes)


def said(shown: Scene) -> str:
    """What a terminal without colours is shown of a scene."""
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        story.scene(console, 3, shown)
    return captured.get()


def test_a_scene_shows_its_picture_and_marks_each_claim() -> None:
    """The number and the title first, the picture as it is, and what was seen beside the claim."""
    shown = said(Scene("One frame", (HELD, BROKEN), picture=("port  badge", "1     aa:…"), remark="So it learns."))
    assert shown.splitlines() == [
        "✗ 3. One frame",
        "       port  badge",
        "       1     aa:…",
        "     ✓ a frame to a known address leaves by that port alone",
        "     ✗ carlos sees nothing: carlos saw 2 frames",
        "     So it learns.",
    ]


def test_nothing_in_a_scene_reaches_the_terminal_as_a_command() -> None:
    """Names of containers and rules are somebody else's text."""
    assert "\x1b" not in said(Scene("\x1b[31mred", (HELD,), picture=("\x1b]0;title\x07",)))


def test_json_has_every_claim_and_what_was_seen() -> None:
    """The keys that --help names; a story without a matrix has no cells, and no hole among them."""
    found = json.loads(as_json.report(a_story(Scene("One frame", (HELD, BROKEN), ("x",), "So."))))
    assert (found["scenario"], found["ok"], found["seconds"], found["ready_seconds"]) == ("switch", False, 1.25, 0.5)
    assert found["scenes"] == [
        {
            "title": "One frame",
            "ok": False,
            "picture": ["x"],
            "checks": [
                {"text": HELD.text, "ok": True, "seen": "", "expected": "", "observed": None},
                {"text": BROKEN.text, "ok": False, "seen": BROKEN.seen, "expected": "", "observed": None},
            ],
            "remark": "So.",
        }
    ]
    assert (found["version"], found["options"], found["cells"], found["holes"]) == (as_json.VERSION, {}, [], 0)


@pytest.mark.parametrize(
    ("scenes", "ok"),
    [
        ((Scene("a", (HELD,)), Scene("b", (HELD,))), True),
        ((Scene("a", (HELD,)), Scene("b", (BROKEN,))), False),
        ((), False),  # a story that told nothing proved nothing
    ],
)
def test_a_story_is_right_only_where_every_claim_was_seen(scenes: tuple[Scene, ...], ok: bool) -> None:
    """One that was not, or none at all, makes it wrong."""
    assert a_story(*scenes).ok is ok
