"""Every object of JSON that a command prints has a version, and docs/json.md has its keys."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from testbed.background import Running
from testbed.cli.group import COMMANDS, group
from testbed.evidence import codec
from testbed.evidence.declared import picture
from testbed.explain.explanation import Conclusion, Explanation
from testbed.model import Certificate, Handshake, Observation, Outcome, Phase, SocketState
from testbed.report import as_json, explanation, journey
from testbed.results import Report
from testbed.trace import Journey

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
_SEEN: Final = Observation("web", "tcp://10.88.0.1:80", Outcome.CONNECTED, Phase.CONNECT, None, "", 0.1, "by hand")
_LAB: Final = Running("mine", "switch", 4711, 3.2, {}, {"laptop": 4712}, {"alice": ("laptop", 4713)}, {})


def _list() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("testbed.cli.labs.running", lambda: [_LAB])
        return CliRunner().invoke(group, ["list", "--json"], catch_exceptions=False).output


def _doctor() -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("testbed.cli.doctor._checks", list)
        return CliRunner().invoke(group, ["doctor", "--json"], catch_exceptions=False).output


#: What each command that prints JSON prints, of values that hold as little as they can.
PRINTED: Final[dict[str, Callable[[], str]]] = {
    "run": lambda: as_json.report(Report("switch", {}, 1.0, 0.5, ())),
    "list": _list,
    "doctor": _doctor,
    "explain": lambda: explanation.as_json(Explanation(Conclusion.CONNECTS, "it connects", None, None, _SEEN)),
    "trace": lambda: journey.as_json(Journey("web", "tcp://10.88.0.1:80", _SEEN, (), "it was answered")),
    "evidence": lambda: codec.to_json(picture([], [], [])),
}


def test_every_command_that_prints_json_is_known_here() -> None:
    """Those with ``--json``, and evidence, which prints nothing else."""
    with_option = {
        name for name, one in COMMANDS.items() if any("--json" in option.opts for option in one.load().params)
    }
    assert with_option | {"evidence"} == set(PRINTED)


@pytest.mark.parametrize("command", PRINTED)
def test_an_object_has_a_version(command: str) -> None:
    """It is a number, which whoever reads the object can look at before anything else of it."""
    found = json.loads(PRINTED[command]())
    assert isinstance(found, dict)
    assert isinstance(found["version"], int)


@pytest.mark.parametrize("command", sorted(set(PRINTED) - {"evidence"}))
def test_the_page_has_the_version_and_every_key(command: str) -> None:
    """A section for each command, whose title has the version."""
    found = json.loads(PRINTED[command]())
    (section,) = (text for text in PAGE.split("\n## ") if text.startswith(f"`testbed {command} "))
    assert section.splitlines()[0].endswith(f"`, version {found['version']}")
    assert [key for key in found if key != "version" and f"`{key}`" not in section] == []


def test_an_observation_has_what_was_seen_of_tls_and_of_the_sockets() -> None:
    """Points in time as RFC 3339 writes them, and every key on the page."""
    when = datetime(2026, 11, 28, tzinfo=UTC)
    handshake = Handshake(hello=True, chain=(Certificate("CN=a", "CN=b", ("a",), when, when),), clock=when)
    socket = SocketState("net:[1]", "ESTAB", "10.0.0.1:1", "10.0.0.2:2", accepted=True, unread=3, unacknowledged=0,
                         retransmitted=0, received=3, acknowledged=1)  # fmt: skip
    found = json.loads(json.dumps(as_json.observation(replace(_SEEN, handshake=handshake, sockets=(socket,)))))
    assert found["handshake"]["chain"][0]["not_after"] == "2026-11-28T00:00:00+00:00"
    assert found["sockets"][0]["unread"] == 3
    keys = [*found, *found["handshake"], *found["sockets"][0]]
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


def test_no_other_module_prints_json() -> None:
    """Whatever makes an object for standard output is one of those above: others are asked for a version here too."""
    making = {
        str(path.relative_to(ROOT))
        for folder in ("cli", "report")
        for path in (ROOT / "testbed" / folder).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "dumps"
    }
    assert making == {
        "testbed/cli/doctor.py",
        "testbed/cli/labs.py",
        "testbed/report/as_json.py",
        "testbed/report/explanation.py",
        "testbed/report/journey.py",
    }
