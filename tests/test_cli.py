"""The command line: what it prints, for people and for machines, and what it exits with."""

from __future__ import annotations

import dataclasses
import io
import ipaddress
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from testbed import cli, tools
from testbed.bind import parse
from testbed.cli.group import COMMANDS, group
from testbed.machine_facts import Machine
from testbed.model import Answer, Observation, Outcome, Phase
from testbed.predict import Prediction
from testbed.predict.unresolved import NotRunning
from testbed.report import as_json
from testbed.report.console import clean
from testbed.report.matrix import difference
from testbed.report.verdict import verdict
from testbed.results import Axes, Cell, Check, ClientCheck, Event, Matrix, Report, Scene
from testbed.scenarios import table
from testbed.scenarios.scenario import Reference, Scenario
from testbed.scenarios.scenario_lab import ScenarioLab
from tests.unit.stand_ins import a_machine

PROGRAM = Path(sys.executable).with_name("testbed")
#: The line that started it all.
REFUSAL = 'Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused'
REFUSED = "[Errno 111] Connection refused"
SECONDS = 100.0


def shell(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a shell would, and keep what it said."""
    return subprocess.run([PROGRAM, *words], capture_output=True, check=False, timeout=SECONDS, **options)


# testbed run, on real hosts.


@pytest.fixture(scope="module")
def whole_run(testbed_session: None) -> subprocess.CompletedProcess[bytes]:
    """``testbed run portainer --json``, once."""
    return shell("run", "portainer", "--json")


@pytest.fixture(scope="module")
def report(whole_run: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    """The object that it printed."""
    found = json.loads(whole_run.stdout)
    assert isinstance(found, dict)
    return found


def test_run_ends_with_0_when_all_is_as_expected(
    whole_run: subprocess.CompletedProcess[bytes], report: dict[str, Any]
) -> None:
    """The object says ok, and so does the exit code."""
    assert (whole_run.returncode, report["ok"]) == (0, True)


def test_run_prints_one_object_with_the_promised_keys(report: dict[str, Any]) -> None:
    """Standard output is one JSON object and nothing else: version, scenario, ok, seconds, scenes, cells are in it."""
    assert {"version", "scenario", "options", "ok", "seconds", "scenes", "cells", "holes"} <= set(report)
    assert (report["version"], report["scenario"], report["options"]) == (1, "portainer", {})
    assert report["seconds"] > 0
    assert [scene["ok"] for scene in report["scenes"]] == [True] * len(report["scenes"])
    assert [check["observed"]["text"] for check in report["scenes"][2]["checks"]] == [REFUSAL]


def test_each_cell_has_the_promised_keys(report: dict[str, Any]) -> None:
    """Vantage, bind, target, expected, observed and control; six keys of an observation are promised."""
    of_a_cell = {"vantage", "bind", "target", "expected", "observed", "control"}
    of_an_observation = {"outcome", "errno", "text", "phase", "seconds", "command"}
    assert [cell for cell in report["cells"] if of_a_cell - set(cell)] == []
    assert [cell for cell in report["cells"] if of_an_observation - set(cell["observed"])] == []


def test_all_504_cells_are_there_once(report: dict[str, Any]) -> None:
    """Nine binds, eight vantages and seven targets, each combination once."""
    names = [(cell["bind"], cell["vantage"], cell["target"]) for cell in report["cells"]]
    assert [len({name[i] for name in names}) for i in range(3)] == [9, 8, 7]
    assert len(names) == len(set(names)) == 504


def test_each_refused_cell_has_a_control_that_connected(report: dict[str, Any]) -> None:
    """A refusal stands beside somebody whom the same listener answered; no other cell has a control."""
    refused = [cell for cell in report["cells"] if cell["observed"]["outcome"] == "refused"]
    assert refused
    assert {cell["control"] and cell["control"]["outcome"] for cell in refused} == {"connected"}
    others = [cell for cell in report["cells"] if cell["observed"]["outcome"] != "refused"]
    assert {cell["control"] for cell in others} == {None}


def test_observed_is_what_was_expected_in_each_cell(report: dict[str, Any]) -> None:
    """Outcome, errno and text of both sides are equal, and an errno is there wherever a connect failed."""
    keys = ("outcome", "errno", "text", "phase")
    wrong = [c for c in report["cells"] if [c["expected"][k] for k in keys] != [c["observed"][k] for k in keys]]
    assert wrong == []
    seen = {(c["observed"]["outcome"], c["observed"]["errno"], c["observed"]["phase"]) for c in report["cells"]}
    assert seen == {
        ("connected", None, "HTTP"),
        ("refused", 111, "connect"),
        ("network unreachable", 101, "connect"),
        ("name not found", -2, "resolve"),
    }


@pytest.mark.testbed
def test_one_bind_gives_its_56_cells() -> None:
    """With --bind only that bind address is tried, from everywhere to everywhere."""
    done = shell("run", "portainer", "--bind", "::1", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["options"] == {"bind": "::1"}
    assert [cell["bind"] for cell in found["cells"]] == ["::1"] * 56


@pytest.fixture(scope="module")
def plain_run(testbed_session: None) -> subprocess.CompletedProcess[bytes]:
    """``testbed run portainer --bind 127.0.0.1`` into a pipe, once."""
    return shell("run", "portainer", "--bind", "127.0.0.1", env={**os.environ, "TERM": "xterm-256color"})


def test_the_seeds_line_is_a_line_of_the_output(plain_run: subprocess.CompletedProcess[bytes]) -> None:
    """What the user read is printed byte for byte, on a line of its own, however long that is."""
    assert REFUSAL.encode() in [line.strip() for line in plain_run.stdout.split(b"\n")]
    assert plain_run.returncode == 0


def test_piped_output_has_no_escape_sequence(plain_run: subprocess.CompletedProcess[bytes]) -> None:
    """No colour, no cursor movement and no carriage return goes into a pipe."""
    assert plain_run.stdout.count(b"\x1b") == 0
    assert plain_run.stdout.count(b"\r") == 0
    assert (plain_run.stderr, plain_run.stdout != b"") == (b"", True)


def test_the_last_line_is_the_verdict(plain_run: subprocess.CompletedProcess[bytes]) -> None:
    """One line says how many cells are as expected, and how they ended."""
    last = plain_run.stdout.decode().splitlines()[-1]
    assert last.startswith("✓ 56 of 56 cells as expected: ")


@pytest.mark.testbed
def test_a_terminal_gets_colours() -> None:
    """The same output in a terminal is coloured: a mark in front of a scene is bold and green."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "run", "portainer", "--bind", "127.0.0.1"],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
    ) as process:
        os.close(terminal)
        shown = _all_of(controller)
        assert process.wait(SECONDS) == 0
    assert "\x1b[1;32m✓\x1b[0m" in shown.decode()


@pytest.mark.testbed
@pytest.mark.parametrize(
    ("bind", "line"),
    [
        (
            "192.0.2.99",
            (
                "testbed: bind [192.0.2.99]:19001: Cannot assign requested address: laptop has no such address; "
                "see 'ip address' there"
            ),
        ),
        (
            "nonsense",
            "testbed: bind address 'nonsense' is no address and not in the hosts file: give an address of the host",
        ),
        ("300.1.1.1", None),
        ("::1%lo", None),
        ("127.0.0.1:19001", None),
        ("x y\x1b[31m", None),
    ],
)
def test_a_bind_that_cannot_be_is_one_line_and_nothing_is_left(bind: str, line: str | None, tmp_path: Path) -> None:
    """Exit 2, one line on standard error that names the value, nothing else there, and no process or file stays."""
    done, left = _run_and_count("run", "portainer", "--bind", bind, "--json", folder=tmp_path)
    said = done.stderr.decode()
    assert done.returncode == 2
    assert said.startswith("testbed: bind ")
    assert line is None or said == line + "\n"
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert done.stdout == b""
    assert left == ([], [])


@pytest.mark.testbed
def test_a_run_leaves_nothing(tmp_path: Path) -> None:
    """After a run that went well no process of it lives and no temporary file is there."""
    done, left = _run_and_count("run", "portainer", "--bind", "::1", "--json", folder=tmp_path)
    assert done.returncode == 0
    assert left == ([], [])


# Words that make no sense.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "nope"], f"'nope' is not one of {', '.join(map(repr, table.NAMES))}"),
        (["run"], "Missing argument"),
        (["run", "portainer", "--bind"], "'--bind' requires an argument"),
        (["run", "portainer", "--nope"], "No such option '--nope'"),
        (["nope"], "No such command 'nope'"),
        (["exec", "laptop"], "give a command after --"),
        (["down", "nope"], "no lab called 'nope' is running; see 'testbed list'"),
        (["exec", "--lab", "nope", "laptop", "--", "true"], "no lab called 'nope' is running: start one with"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_words_that_make_no_sense_end_with_2(words: list[str], said: str) -> None:
    """The message names the word, standard output stays empty, and there is no traceback."""
    done = shell(*words)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_shows_an_example(name: str) -> None:
    """``--help`` has a line that can be copied, which starts with the command itself."""
    shown = CliRunner().invoke(group, [name, "--help"])
    lines = shown.output.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip() in ("Example:", "Examples:"))
    examples = [line for line in lines[start + 1 :] if f"testbed {name}" in line]
    assert shown.exit_code == 0
    assert examples


def test_the_help_of_the_program_shows_examples_and_exit_codes() -> None:
    """``testbed --help`` names each command, a first one to try, and what the exit codes mean."""
    shown = CliRunner().invoke(group, ["--help"])
    assert shown.exit_code == 0
    assert "  testbed run portainer  " in shown.output
    assert "Exit codes: 0 all as expected, 1 something differs, 2 cannot run here." in shown.output
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.output] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_by_the_name_that_it_has(name: str) -> None:
    """The table of commands, which imports none of them, names each as it calls itself."""
    assert COMMANDS[name].load().name == name


def test_the_list_of_commands_waits_for_none_of_them() -> None:
    """``testbed --help`` imports neither a command nor what makes hosts and containers."""
    program = "import sys; from testbed.cli.group import group; group(['--help'], standalone_mode=False); "
    said = subprocess.run(
        [sys.executable, "-c", f"{program} print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    loaded = set(said.stdout.splitlines()[-1].split())
    assert "testbed.cli.group" in loaded
    assert loaded & {"testbed.cli.run", "testbed.cli.explain", "podman", "pyroute2", "dns", "docker"} == set()


def test_version_is_the_packages() -> None:
    """``testbed --version`` prints the version of what is installed."""
    done = shell("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"testbed, version {metadata.version('testbed')}\n")


# testbed doctor.


@pytest.mark.testbed
def test_doctor_ends_with_0_where_nothing_is_missing() -> None:
    """On this machine, which runs these tests, everything is there."""
    done = shell("doctor")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[-1].strip() == "all is there"


@pytest.mark.testbed
def test_doctor_says_the_same_to_machines() -> None:
    """``--json`` prints one object: ok, and each check with what was found and no cure for what is sound."""
    done = shell("doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["ok"] is True
    assert {check["name"] for check in found["checks"]} >= {"podman", "podman version", "netavark", "OCI runtime"}
    assert {(check["ok"], check["cure"]) for check in found["checks"]} == {(True, "")}


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the machine another one, as far as its facts are read."""

    def become(facts: Machine, podman: tuple[int, ...] | None = (4, 3, 1), *, root: bool = True) -> None:
        monkeypatch.setattr("testbed.machine.read", lambda: facts)
        monkeypatch.setattr("testbed.machine.podman_version", lambda: podman)
        monkeypatch.setattr("testbed.namespaces.user.is_root", lambda: root)

    return become


def test_doctor_names_what_is_missing_and_its_cure(pretend: Callable[..., None]) -> None:
    """One program missing: exit 2, a line that says so, and the last lines count it and say what to do."""
    pretend(a_machine(without=("crun", "runc")))
    shown = CliRunner().invoke(group, ["doctor"])
    lines = [line.rstrip() for line in shown.output.splitlines()]
    assert shown.exit_code == 2
    assert [line.split(maxsplit=1)[1] for line in lines if "✗" in line] == [
        f"{'OCI runtime':<26}  neither crun nor runc is installed"
    ]
    assert lines[-2:] == ["1 missing, and what to do:", "   OCI runtime: as root: apt-get install crun"]


def test_doctor_tells_machines_what_is_missing(pretend: Callable[..., None]) -> None:
    """The same as JSON: the check that fails has a cure, the others have none."""
    pretend(a_machine(without=("podman",)), None)
    shown = CliRunner().invoke(group, ["doctor", "--json"])
    found = json.loads(shown.output)
    assert (shown.exit_code, found["ok"]) == (2, False)
    assert {check["name"]: check["cure"] for check in found["checks"] if not check["ok"]} == {
        "podman": "as root: apt-get install podman",
        "podman version": "needs 4.3.0 or later: Debian 12 and Ubuntu 24.04 have it",
    }
    assert {check["cure"] for check in found["checks"] if check["ok"]} == {""}


def test_doctor_says_what_keeps_a_user_from_becoming_root(
    pretend: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command that gives subordinate ids is on one line, to be copied, in a narrow terminal too."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # to rich this is a terminal
    monkeypatch.setenv("COLUMNS", "60")
    pretend(a_machine(subordinate_ids=0, first_free_id=165_536), root=False)
    shown = CliRunner().invoke(group, ["doctor"])
    assert shown.exit_code == 2
    assert "usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ana" in shown.output


def test_doctor_prints_a_path_as_it_is(pretend: Callable[..., None]) -> None:
    """A folder with brackets in its name is not taken for markup."""
    machine = a_machine()
    pretend(dataclasses.replace(machine, programs={**machine.programs, "ssh": "/opt/[bold]/ssh"}))
    assert "/opt/[bold]/ssh" in CliRunner().invoke(group, ["doctor"]).output


# A machine that cannot run it.

NOT_FIT = [
    # What an ordinary user needs to become root of a user namespace.
    (
        "no newuidmap",
        a_machine(without=("newuidmap",)),
        False,
        "newuidmap: not installed (maps the user's subordinate ids); as root: apt-get install uidmap",
    ),
    (
        "no subordinate ids",
        a_machine(subordinate_ids=0, first_free_id=165_536),
        False,
        (
            "subordinate ids: 0 for ana in /etc/subuid and /etc/subgid; as root: usermod --add-subuids 165536-231071 "
            "--add-subgids 165536-231071 ana"
        ),
    ),
    (
        "user namespaces limited to 0",
        a_machine(user_namespaces=0),
        False,
        "user namespaces: forbidden to ordinary users; as root: sysctl -w user.max_user_namespaces=65536",
    ),
    (
        "user namespaces for root only",
        a_machine(unprivileged_user_namespaces=False),
        False,
        "user namespaces: forbidden to ordinary users; as root: sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "AppArmor and no Podman",
        a_machine(apparmor_restricts_user_namespaces=True, without=("podman",)),
        False,
        (
            "user namespaces (AppArmor): restricted to known programs, and Podman is not installed; install podman, "
            "or as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        ),
    ),
    # What everybody needs.
    (
        "no Podman",
        a_machine(without=("podman",)),
        True,
        "podman: not installed (runs the containers); as root: apt-get install podman",
    ),
    (
        "CNI",
        a_machine(netavark=None),
        True,
        (
            "netavark: missing: this Podman would use CNI, whose networks the testbed does not know; as root: apt-get "
            "install netavark"
        ),
    ),
    (
        "no cgroup2",
        a_machine(filesystems=frozenset({"overlay"})),
        True,
        "cgroup2: not known to the kernel; boot a kernel with cgroup v2 (CONFIG_CGROUPS, Linux 4.5 or later)",
    ),
]


def main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the command line in this process, and return what it exits with."""
    monkeypatch.setattr(sys, "argv", ["testbed", *words])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize(("machine", "root", "said"), [case[1:] for case in NOT_FIT], ids=[case[0] for case in NOT_FIT])
@pytest.mark.parametrize("words", [("exec", "--", "true"), ("run", "portainer")], ids=["exec", "run"])
def test_a_machine_that_cannot_run_it_is_told_why_and_the_cure(
    pretend: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
    machine: Machine,
    root: bool,
    said: str,
) -> None:
    """Exit 2, and the last thing said is one line with what is missing and the command that mends it."""
    monkeypatch.setenv("TESTBED_CACHE", str(tmp_path))
    pretend(machine, root=root)
    assert main(monkeypatch, *words) == 2
    shown = capfd.readouterr()
    assert shown.err.splitlines()[-1] == f"testbed: {said}"
    assert shown.out == ""


@pytest.mark.parametrize(
    ("podman", "found"), [((4, 2, 9), "4.2.9"), ((3, 4, 4), "3.4.4"), (None, "unknown")], ids=["4.2.9", "3.4.4", "none"]
)
def test_a_podman_that_is_too_old_is_told_the_oldest_one_that_is_not(
    pretend: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    podman: tuple[int, ...] | None,
    found: str,
) -> None:
    """Exit 2, and one line with the version that was found and the one that is needed."""
    pretend(a_machine(), podman)
    assert main(monkeypatch, "exec", "--", "true") == 2
    assert capfd.readouterr().err == (
        f"testbed: podman version: {found}; needs 4.3.0 or later: Debian 12 and Ubuntu 24.04 have it\n"
    )


# A verdict on values made by hand.


def an_observation(outcome: Outcome = Outcome.CONNECTED, **facts: Any) -> Observation:
    """What somebody saw."""
    values: dict[str, Any] = {
        "vantage": "portainer",
        "target": "https://10.88.0.1:19001/ping",
        "phase": Phase.HTTP if outcome is Outcome.CONNECTED else Phase.CONNECT,
        "errno": None if outcome is Outcome.CONNECTED else 111,
        "text": "" if outcome is Outcome.CONNECTED else REFUSED,
        "seconds": 0.001,
        "command": "testbed exec portainer -- curl -kv -m 3 https://10.88.0.1:19001/ping",
        "answer": Answer("10.88.0.1:19001", 204, "Portainer-Agent 2.23.0") if outcome is Outcome.CONNECTED else None,
    }
    return Observation(outcome=outcome, **{**values, **facts})


def a_prediction(outcome: Outcome) -> Prediction:
    """What somebody should have seen."""
    seen = an_observation(outcome)
    return Prediction(
        outcome, seen.phase, seen.errno, seen.text, NotRunning("the agent"), ipaddress.ip_address("10.88.0.1")
    )


def a_cell(expected: Outcome, observed: Observation, **facts: Any) -> Cell:
    """One cell, with a control where it needs one."""
    control = an_observation() if observed.outcome is Outcome.REFUSED else None
    bind = parse("127.0.0.1")
    values: dict[str, Any] = {"vantage": "portainer", "bind": bind, "target": "10.88.0.1", "control": control}
    return Cell(expected=a_prediction(expected), observed=observed, **{**values, **facts})


GOOD = a_cell(Outcome.REFUSED, an_observation(Outcome.REFUSED, command="repeat the good one"), target="good.example")
WRONG = a_cell(Outcome.CONNECTED, an_observation(Outcome.REFUSED, command="repeat the wrong one"))


def a_report(*cells: Cell, scenes: tuple[Scene, ...] = (), holes: int = 0) -> Report:
    """A run that saw some cells, each of another target, and missed some."""
    targets = (*(cell.target for cell in cells), *(f"missed-{number}" for number in range(holes)))
    axes = Axes((parse("127.0.0.1"),), ("portainer",), targets)
    return Report("portainer", {}, 1.0, 0.5, scenes, Matrix(axes, cells))


def shown_verdict(report: Report) -> str:
    """What a person reads of it."""
    written = io.StringIO()
    verdict(Console(width=200, file=written, color_system=None), report)
    return written.getvalue()


def test_the_verdict_names_wrong_cells_only() -> None:
    """A wrong cell is there with expected, observed and the command that repeats it; a good one is not."""
    shown = shown_verdict(a_report(GOOD, WRONG))
    assert shown.splitlines()[:4] == [
        "✗ portainer to 10.88.0.1, tunnel bound to 127.0.0.1",
        "    expected: connected  (the agent does not run)",
        f"    observed: {REFUSED}",
        "    by hand:  repeat the wrong one",
    ]
    assert "✗ 1 of 2 cells as expected" in shown.splitlines()[-1]
    assert "good" not in shown


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            (GOOD, dataclasses.replace(GOOD, target="also.example")),
            "2 are refused, each beside a control that connected,",
        ),
        (
            (GOOD, dataclasses.replace(GOOD, target="also.example", control=None)),
            "2 are refused, 1 of them beside a control that connected,",
        ),
    ],
    ids=["all", "one"],
)
def test_the_verdict_counts_the_controls_that_connected(cells: tuple[Cell, ...], said: str) -> None:
    """It claims no more of refused cells than what was seen beside them."""
    assert said in shown_verdict(a_report(*cells)).splitlines()[-1]


def test_a_refusal_without_its_control_is_wrong_and_says_so() -> None:
    """The observation is as expected, and yet the cell counts for nothing: the missing control is named."""
    cell = dataclasses.replace(GOOD, control=None)
    assert not cell.ok
    assert difference(cell).splitlines() == [
        "✗ portainer to good.example, tunnel bound to 127.0.0.1",
        "    its control, which must connect: none was made",
    ]


def test_a_control_that_did_not_connect_is_shown() -> None:
    """A refusal beside a control that was refused too is wrong, in the control's own words."""
    cell = dataclasses.replace(GOOD, control=an_observation(Outcome.REFUSED))
    assert not cell.ok
    assert difference(cell).splitlines()[-1] == f"    its control, which must connect: {REFUSED}"


def test_the_real_clients_words_are_compared_byte_for_byte() -> None:
    """A cell whose real client says the same in other words is wrong, and both texts are shown."""
    client = ClientCheck(REFUSAL, an_observation(Outcome.REFUSED, text=REFUSAL + " ", command="curl its API"))
    cell = dataclasses.replace(GOOD, client=client)
    assert not cell.ok
    assert difference(cell).splitlines()[1:] == [
        f"    real client, expected: {REFUSAL}",
        f"    real client, observed: {REFUSAL} ",
        "    by hand:  curl its API",
    ]


# What a run exits with.


class NoLab(ScenarioLab):
    """Stands for a lab where the run itself is made by hand."""

    def __init__(self, **settings: Any) -> None:
        pass

    def close(self) -> None:
        """Nothing was started."""


HELD = Check(
    "it fails, in these words", ok=True, expected=REFUSAL, observed=an_observation(Outcome.REFUSED, text=REFUSAL)
)
SCENE = Scene("Portainer presses Connect", (HELD,))
WRONG_SCENE = dataclasses.replace(SCENE, checks=(dataclasses.replace(HELD, ok=False),))


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (a_report(GOOD, scenes=(SCENE,)), 0),
        (a_report(GOOD, WRONG, scenes=(SCENE,)), 1),
        (a_report(GOOD, scenes=(WRONG_SCENE,)), 1),
        (a_report(GOOD, scenes=(SCENE,), holes=1), 1),
        (a_report(dataclasses.replace(GOOD, control=None), scenes=(SCENE,)), 1),
    ],
    ids=["all good", "a wrong cell", "a wrong scene", "a hole", "no control"],
)
@pytest.mark.parametrize("json_", [False, True], ids=["plain", "json"])
def test_run_exits_with_1_when_anything_differs(
    monkeypatch: pytest.MonkeyPatch, report: Report, code: int, json_: bool
) -> None:
    """A cell, a claim of a scene, a hole or a control is enough; the output says so too."""
    shown = _invoke_run(monkeypatch, report, json_=json_)
    assert shown.exit_code == code
    if json_:
        assert json.loads(shown.stdout)["ok"] is (code == 0)
    else:
        assert shown.stdout.splitlines()[-1].startswith("✓" if code == 0 else "✗")


def test_a_claim_that_did_not_hold_is_shown_with_what_was_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it happens: the mark, what was seen, what was expected, and the command."""
    seen = an_observation(Outcome.CONNECTED, command="curl its API")
    scene = Scene("Portainer presses Connect", (dataclasses.replace(HELD, observed=seen, ok=False),))
    shown = _invoke_run(monkeypatch, a_report(GOOD, scenes=(scene,)))
    assert [line.strip() for line in shown.stdout.splitlines()][:5] == [
        "✗ 1. Portainer presses Connect",
        "✗ it fails, in these words",
        "connected to 10.88.0.1:19001, answered 204 by Portainer-Agent 2.23.0, in 1 ms",
        f"expected: {REFUSAL}",
        "by hand:  curl its API",
    ]


@pytest.mark.parametrize(
    ("cells", "json_", "said"),
    [((GOOD,), False, "trying cells: 1 of 1"), ((), True, "Portainer presses Connect")],
    ids=["plain", "json"],
)
def test_a_terminal_is_told_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, cells: tuple[Cell, ...], json_: bool, said: str
) -> None:
    """A line of standard error says which cell is tried, and in JSON also which scene; the output has no such line."""
    terminal = io.StringIO()
    monkeypatch.setenv("TERM", "xterm")  # a dumb one is shown nothing that moves
    console = Console(file=terminal, force_terminal=True, width=80)
    monkeypatch.setattr("testbed.cli.progress.make", lambda *, stderr: console)
    shown = _invoke_run(monkeypatch, a_report(*cells, scenes=(SCENE,)), json_=json_)
    assert said in terminal.getvalue()
    assert "trying" not in shown.stdout


def test_a_lab_that_is_kept_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """``run --keep`` starts it for the user it was called by, who by then is root of a user namespace."""
    kept: list[tuple[str, Mapping[str, str], int | None]] = []

    def up(
        scenario: str, *, name: str, options: Mapping[str, str], say: Callable[[str], None], uid: int | None
    ) -> None:
        kept.append((name, options, uid))

    monkeypatch.setattr("testbed.cli.run.spawn.up", up)
    monkeypatch.setattr("testbed.cli.run.os.getuid", lambda: 4711)
    assert _invoke_run(monkeypatch, a_report(GOOD, scenes=(SCENE,)), keep=True).exit_code == 0
    assert kept == [("portainer", {}, 4711)]


# Somebody else's words.

HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202eback\x00\r\x7f"


def test_control_characters_are_replaced() -> None:
    """Escape sequences, C1 controls, direction overrides, NUL and DEL each become a visible mark; letters stay."""
    assert clean(HOSTILE) == "�]0;owned��[31mred�2J�back���"
    assert clean("Größe 10 µs ✓\nnext") == "Größe 10 µs ✓\nnext"


@pytest.mark.parametrize("json_", [False, True], ids=["plain", "json"])
def test_what_a_stranger_says_does_not_reach_the_terminal(monkeypatch: pytest.MonkeyPatch, json_: bool) -> None:
    """A server's name and an error's text are shown without what a terminal would obey."""
    seen = an_observation(Outcome.REFUSED, text=HOSTILE, command=HOSTILE)
    named = an_observation(answer=Answer("10.88.0.1:19001", 204, HOSTILE))
    report = a_report(
        dataclasses.replace(WRONG, observed=seen, client=ClientCheck("", seen)),
        scenes=(
            Scene(HOSTILE, (Check(HOSTILE, ok=True, expected=HOSTILE, observed=named),), (HOSTILE,), remark=HOSTILE),
            Scene(HOSTILE, (Check(HOSTILE, ok=False, seen=HOSTILE, expected=HOSTILE, observed=seen),)),
        ),
    )
    shown = _invoke_run(monkeypatch, report, json_=json_).stdout
    assert "owned" in shown
    assert [c for c in shown if not c.isprintable() and c != "\n"] == []


def test_json_keeps_the_exact_words() -> None:
    """What was said is escaped, not replaced: whoever reads the object gets it back byte for byte."""
    seen = an_observation(Outcome.REFUSED, text=HOSTILE)
    found = json.loads(as_json.report(a_report(dataclasses.replace(WRONG, observed=seen))))
    assert found["cells"][0]["observed"]["text"] == HOSTILE


def test_words_that_look_like_markup_are_printed_as_they_are() -> None:
    """Brackets in somebody's text are neither colour nor lost."""
    seen = an_observation(Outcome.REFUSED, text="[red]refused[/red] by [fe80::1]")
    assert "observed: [red]refused[/red] by [fe80::1]" in shown_verdict(
        a_report(dataclasses.replace(WRONG, observed=seen))
    )


def _invoke_run(
    monkeypatch: pytest.MonkeyPatch, report: Report, *, json_: bool = False, keep: bool = False
) -> click.testing.Result:
    def story(lab: NoLab) -> Iterator[Event]:
        yield from report.scenes
        if report.matrix is not None:
            yield report.matrix.axes
            yield from report.matrix.cells

    by_hand = Scenario(
        "portainer",
        "as these tests have it",
        topology=Reference(__name__, "no topology"),
        story=Reference(__name__, "story_by_hand"),
        lab=Reference(__name__, "NoLab"),
    )
    monkeypatch.setattr(sys.modules[__name__], "story_by_hand", story, raising=False)
    monkeypatch.setattr("testbed.cli.run.become_root", lambda: None)
    monkeypatch.setattr("testbed.cli.run.table.find", lambda name: by_hand)
    options = [*(["--json"] if json_ else []), *(["--keep"] if keep else [])]
    return CliRunner().invoke(group, ["run", "portainer", *options], catch_exceptions=False)


def _all_of(controller: int) -> bytes:
    """Everything that a terminal is given, until nobody holds it any more (EIO, pty(7))."""
    blocks = []
    with os.fdopen(controller, "rb", buffering=0) as reader:
        while True:
            try:
                block = reader.read(1 << 16)
            except OSError:
                break
            if not block:
                break
            blocks.append(block)
    return b"".join(blocks)


@pytest.mark.testbed
def test_shell_is_a_prompt_on_a_fresh_host_and_ends_with_its_status() -> None:
    """Without a name: what is typed runs on a host of its own, and the exit code is the shell's."""
    status, shown = _typed_into_a_shell("hostname; exit 7\n")
    assert "[private host] " in shown
    assert (status, "host" in shown.splitlines()) == (7, True)


@pytest.mark.testbed
def test_shell_with_a_name_is_a_prompt_there() -> None:
    """On a host of a lab, under its name."""
    name = f"shell-{os.getpid()}"
    assert shell("up", "namespaces", "--name", name).returncode == 0
    try:
        (lab,) = [lab for lab in json.loads(shell("list", "--json").stdout)["labs"] if lab["name"] == name]
        host = next(iter(lab["hosts"]))
        status, shown = _typed_into_a_shell("hostname; exit 7\n", host, "--lab", name)
        assert f"[{host}] " in shown
        assert (status, host in shown.splitlines()) == (7, True)
    finally:
        assert shell("down", name).returncode == 0


def _typed_into_a_shell(line: str, *words: str) -> tuple[int, str]:
    """What ``testbed shell`` on a terminal of its own (setsid(1)) ends with, and all that is seen there."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [tools.need("setsid", "util-linux"), "--ctty", PROGRAM, "shell", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "dumb"},
    ) as process:
        os.close(terminal)
        os.write(controller, line.encode())
        shown = _all_of(controller)
        return process.wait(SECONDS), shown.decode()


#: Runs a command as the reaper of all that it starts, and then says which of those still live (prctl(2)).
_REAPER = """
import ctypes, json, os, subprocess, sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
status = subprocess.call(sys.argv[2:])
left = []
for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if words[0] not in "ZX":
        left.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\\0", " "))
Path(sys.argv[1]).write_text(json.dumps(left))
sys.exit(status)
"""


def _run_and_count(*words: str, folder: Path) -> tuple[subprocess.CompletedProcess[bytes], tuple[list[str], list[str]]]:
    """Run the command; the second value is the processes that outlive it and the temporary files that it leaves."""
    temporary, found = folder / "tmp", folder / "left.json"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _REAPER, found, PROGRAM, *words],
        capture_output=True,
        check=False,
        timeout=SECONDS,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    return done, (json.loads(found.read_text()), [path.name for path in temporary.iterdir()])


@pytest.mark.parametrize("command", ["run", "up"])
def test_an_option_that_a_scenario_does_not_have_is_refused(command: str) -> None:
    """switch has no tunnel: --bind is refused in one line, before anything starts."""
    done = shell(command, "switch", "--bind", "127.0.0.1")
    assert done.returncode == 2
    assert done.stderr == b"testbed: the scenario switch has no option --bind: leave it out (it has none)\n"


@pytest.mark.testbed
@pytest.mark.parametrize("scenario", sorted({*table.NAMES} - {"portainer"}))  # which has been run above
def test_a_story_in_json_has_every_claim_seen(scenario: str, testbed_session: None) -> None:
    """Status 0, and one object with scenes of checks that all held."""
    done = shell("run", scenario, "--json")
    assert done.returncode == 0, done
    found = json.loads(done.stdout)
    assert (found["version"], found["scenario"], found["ok"]) == (1, scenario, True)
    assert (found["options"], found["cells"], found["holes"]) == ({}, [], 0)
    assert found["scenes"]
    assert all(check["ok"] for scene in found["scenes"] for check in scene["checks"])


@pytest.mark.testbed
def test_a_scenario_without_a_tunnel_stays_up_too(testbed_session: None) -> None:
    """``up switch`` leaves alice running, ``exec`` reaches her, and ``down`` ends it."""
    name = f"switch-{os.getpid()}"
    assert shell("up", "switch", "--name", name).returncode == 0
    try:
        said = shell("exec", "--lab", name, "alice", "--", "ip", "-brief", "link", "show", "eth0")
        assert b"aa:11:22:33:44:55" in said.stdout
    finally:
        assert shell("down", name).returncode == 0
