"""What the commands make of their words, and what they say when something ends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from click.testing import CliRunner

from testbed.background import Running
from testbed.cli.group import group
from tests.test_cli import main, shell

LAB: Final = Running(
    name="mine",
    scenario="portainer",
    keeper=4711,
    seconds=3.2,
    options={"bind": "127.0.0.1"},
    hosts={"laptop": 4712, "remote": 4713},
    containers={"portainer": ("laptop", 4714)},
    zones={},
)

# NAME and options


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("exec", "--lab", "nope", "--", "true"), "testbed: say which host or container of nope; 'testbed list' shows"),
        (("shell", "--lab", "nope"), "testbed: say which host or container of nope; 'testbed list' shows them"),
        (("exec", "laptop", "--lab", "nope", "--", "true"), "testbed: no lab called 'nope' is running: start one with"),
        (("exec", "laptop", "ls", "--", "true"), "Error: one NAME goes before --, not laptop ls; the command goes"),
        (("exec", "--lba", "nope", "--", "true"), "Error: No such option '--lba'."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_no_word_before_the_dashes_is_lost(words: tuple[str, ...], said: str) -> None:
    """An option counts wherever it stands, and what makes no sense runs nothing: exit 2 and a line that says why."""
    done = shell(*words)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[-1].startswith(said)
    assert done.stdout == b""


def test_without_the_dashes_the_options_behind_the_name_are_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """``testbed exec laptop ls --lab`` runs ``ls --lab``."""
    entered: list[tuple[str | None, list[str], str | None]] = []
    monkeypatch.setattr("testbed.cli.enter._enter", lambda *words: entered.append(words))
    CliRunner().invoke(group, ["exec", "--lab", "mine", "laptop", "ls", "--lab"], catch_exceptions=False)
    assert entered == [("laptop", ["ls", "--lab"], "mine")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "--nope", "http://127.0.0.1"), "Error: No such option '--nope'."),
        (("explain", "--evidnce", "x", "http://127.0.0.1"), "Did you mean '--evidence'?"),
        (("explain", "-k", "--cacert", "x", "https://127.0.0.1"), "--insecure verifies nothing: leave out --cacert"),
        (("explain", "--cacert", "/nowhere.pem", "https://127.0.0.1"), "--cacert /nowhere.pem cannot be read: No such"),
        (("trace", "--seconds", "0", "http://127.0.0.1"), "Error: Invalid value for '--seconds': 0.0 is not in the"),
        (("trace",), "Error: Missing argument 'URL'."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_words_that_make_no_sense_to_explain_and_trace_end_with_3(words: tuple[str, ...], said: str) -> None:
    """2 is an answer of theirs: it cannot tell, none of its packets was seen."""
    done = shell(*words)
    assert done.returncode == 3
    assert said in done.stderr.decode().splitlines()[-1]


# What is said of labs


def test_a_list_in_a_pipe_is_a_line_for_each_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame and no line that is cut: a heading, and a row with all the names, however many they are."""
    hosts = {f"host{number:02}": number for number in range(40)}
    other = Running("other", "switch", 4, 70.0, {}, hosts, {"alice": ("host00", 5)}, {})
    monkeypatch.setattr("testbed.cli.labs.running", lambda: [LAB, other])
    lines = CliRunner().invoke(group, ["list"]).output.splitlines()
    assert [line.split() for line in lines] == [
        ["lab", "scenario", "options", "up", "for", "hosts", "containers"],
        ["mine", "portainer", "bind=127.0.0.1", "3", "s", "laptop", "remote", "portainer"],
        ["other", "switch", "-", "70", "s", *hosts, "alice"],
    ]


def test_a_keeper_that_is_gone_as_its_lab_came_up_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and one line that names the lab, not a traceback."""
    monkeypatch.setattr("testbed.cli.labs.spawn.up", lambda *words, **options: None)
    monkeypatch.setattr("testbed.cli.labs.running", list)
    assert main(monkeypatch, "up", "switch", "--name", "mine") == 2
    assert capfd.readouterr().err == (
        "testbed: mine came up, and its keeper has ended or does not answer: see 'testbed list'\n"
    )


@pytest.mark.testbed
def test_a_bind_address_that_cannot_be_ends_the_lab_that_comes_up() -> None:
    """``up`` with one that the laptop lacks: exit 2, the reason last, and no lab of that name runs."""
    name = f"unbound-{os.getpid()}"
    done = shell("up", "portainer", "--bind", "192.0.2.99", "--name", name)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[-1] == (
        "testbed: bind [192.0.2.99]:19001: Cannot assign requested address: laptop has no such address; "
        "see 'ip address' there"
    )
    assert shell("down", name).stderr.decode() == f"testbed: no lab called '{name}' is running; see 'testbed list'\n"


# What is left


def interrupt(*_: object, **__: object) -> None:
    """As a Ctrl-C does, here and now."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def heard() -> Iterator[None]:
    """A Ctrl-C is heard, also where these tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("words", "interrupted", "said"),
    [
        (
            ("down", "mine"),
            "testbed.cli.labs.stop",
            "a lab that was told to end goes on ending: 'testbed list' shows what still runs",
        ),
        (("clean",), "testbed.cli.maintain.stop", "not all was removed: run it again for the rest"),
        (
            ("build",),
            "testbed.images.ensure",
            "the images that are done stay, and the next build removes what is half made",
        ),
        (("up", "switch", "--name", "mine"), "testbed.cli.labs.make", "mine is up: 'testbed down mine' ends it"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_interrupted_command_says_what_it_left(
    heard: None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    interrupted: str,
    said: str,
) -> None:
    """Those that leave something on purpose do not say that nothing is left behind."""
    for module in ("labs", "maintain"):
        monkeypatch.setattr(f"testbed.cli.{module}.running", lambda: [LAB])
    monkeypatch.setattr("testbed.cli.labs.spawn.up", lambda *words, **options: None)
    monkeypatch.setattr("testbed.cli.maintain.become_root", lambda: None)
    monkeypatch.setattr(interrupted, interrupt)
    assert main(monkeypatch, *words) == 130
    assert capfd.readouterr().err.strip() == f"testbed: interrupted; {said}"


# Words for a stream that has fewer letters


@pytest.mark.testbed
def test_a_stream_without_check_marks_is_given_others() -> None:
    """Where standard output has only ASCII a mark is shown as a plain one, and the command ends as elsewhere."""
    done = shell("doctor", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line for line in done.stdout.splitlines()[1:-1] if not line.startswith(b"+  ")] == []


# The images


@pytest.fixture
def built(testbed_image: Callable[[str], str]) -> None:
    """All images are there."""
    done = shell("build")
    assert done.returncode == 0, done.stderr


def test_a_build_with_nothing_to_do_is_silent(built: None) -> None:
    """Every image is there: exit 0, and not a word."""
    done = shell("build")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
