"""A story of scenes, for people as it happens, and for machines."""

from __future__ import annotations

import json
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from testbed.report.console import plain
from testbed.results import Check, Scene, Story

_GOOD: Final = "✓"
_BAD: Final = "✗"


def scene(console: Console, number: int, shown: Scene) -> None:
    """One scene: its title, its picture, each claim with what was seen, and what follows."""
    console.print(Text.assemble(_mark(shown.ok), plain(f" {number}. {shown.title}", "bold")))
    for line in shown.picture:
        _under(console, plain(line, "cyan"), 7)
    for check in shown.checks:
        _under(console, Text.assemble(_mark(check.ok), plain(f" {_said(check)}")), 5)
    if shown.remark:
        _under(console, plain(shown.remark, "dim"), 5)


def verdict(console: Console, story: Story) -> None:
    """The last line: how many claims held, and how long it took."""
    checks = [check for shown in story.scenes for check in shown.checks]
    good = sum(check.ok for check in checks)
    console.print(
        plain(
            f"{_GOOD if story.ok else _BAD} {good} of {len(checks)} claims of {len(story.scenes)} scenes seen on the "
            f"kernel in {story.seconds:.1f} s (ready after {story.ready_seconds:.1f} s)",
            "bold green" if story.ok else "bold red",
        )
    )


def as_json(story: Story) -> str:
    """One object: ``scenario``, ``ok``, ``seconds``, ``ready_seconds``, and ``scenes`` of ``title``, ``ok``,
    ``picture``, ``remark`` and ``checks`` (``text``, ``ok``, ``seen``).
    """
    return json.dumps(
        {
            "scenario": story.scenario,
            "ok": story.ok,
            "seconds": round(story.seconds, 3),
            "ready_seconds": round(story.ready_seconds, 3),
            "scenes": [
                {
                    "title": shown.title,
                    "ok": shown.ok,
                    "picture": list(shown.picture),
                    "checks": [{"text": x.text, "ok": x.ok, "seen": x.seen} for x in shown.checks],
                    "remark": shown.remark,
                }
                for shown in story.scenes
            ],
        },
        indent=1,  # and ASCII only: the words of others may hold what a terminal obeys
    )


def _under(console: Console, text: Text, columns: int) -> None:
    """Indented: folded to a terminal's width, and whole in a pipe, where padding would cut it off."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, columns), expand=False))
    else:
        console.print(Text.assemble(" " * columns, text), soft_wrap=True)


def _mark(ok: bool) -> Text:
    return Text(_GOOD if ok else _BAD, style="bold green" if ok else "bold red")


def _said(check: Check) -> str:
    return f"{check.text}: {check.seen}" if check.seen else check.text
