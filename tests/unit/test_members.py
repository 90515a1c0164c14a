"""A host or container of a running lab is found by what a person calls it, for every command alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from click.testing import CliRunner

from testbed.background import Running, members
from testbed.background.members import Member, find
from testbed.cli import enter, looking
from testbed.cli.group import group
from testbed.errors import UsageError
from testbed.readers.take import Source

IDS: Final = {"web": "6d9070d16dba" + 52 * "0", "web2": "aaaa" + 60 * "0"}
ONE: Final = Running(
    name="one",
    scenario="toaster",
    keeper=11,
    seconds=1.0,
    options={},
    hosts={"laptop": 12, "far": 13},
    containers={"web": ("laptop", 14), "web2": ("far", 15)},
    zones={},
    ids=IDS,
)
#: Another lab of the same scenario; its name begins as the first one's.
OTHER: Final = replace(ONE, name="one-more", keeper=21, ids={"web": "0123456789ab" + 52 * "0", "web2": "bb" + 62 * "0"})
#: What somebody ran by hand on a host of the first lab, and what he stopped.
BY_HAND: Final = Member(ONE, "far", 99, "byhand", "cafe" + 60 * "0")
STOPPED: Final = Member(ONE, "far", 0, "stopped", "dead" + 60 * "0")


@pytest.fixture(autouse=True)
def podman(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Podman on the hosts of the labs, and how often it was asked; this process is root, and stays where it is."""
    asked: list[str] = []

    def living(labs: list[Running]) -> tuple[Member, ...]:
        asked.extend(lab.name for lab in labs)
        return (BY_HAND, STOPPED) if ONE in labs else ()

    monkeypatch.setattr(members, "living", living)
    monkeypatch.setattr(members, "is_root", lambda: True)
    monkeypatch.setattr(looking, "is_root", lambda: True)
    return asked


@pytest.mark.parametrize(
    ("text", "lab", "expected"),
    [
        ("one/web", None, ("one", 14)),
        ("one-more/web", None, ("one-more", 14)),
        ("web", "one", ("one", 14)),
        ("one/far", None, ("one", 13)),
        ("one/far/web2", None, ("one", 15)),
        ("one-more/far/host", None, ("one-more", 13)),
        (IDS["web"], None, ("one", 14)),
        (IDS["web"][:12], None, ("one", 14)),
        ("0123", None, ("one-more", 14)),
        ("byhand", None, ("one", 99)),
        ("byh", "one", ("one", 99)),
        ("cafe", None, ("one", 99)),
    ],
)
def test_a_member_is_found_by_name_id_and_first_letters(text: str, lab: str | None, expected: tuple[str, int]) -> None:
    """In its lab, whatever the other one has; a whole name goes before one that only begins so."""
    found = find(text, [ONE, OTHER], lab=lab)
    assert (found.lab.name, found.pid) == expected


@pytest.mark.parametrize(
    ("text", "lab", "said"),
    [
        ("web", None, "'web' may be any of one/web, one-more/web: give one of these"),
        ("host", "one", "'host' may be any of laptop, far: give one of these"),
        ("we", "one", "'we' may be any of web, web2: give one of these"),
        ("web", "two", "no lab called 'two' is running: start one with 'testbed up portainer'"),
        (
            "nobody",
            "one",
            "no running lab has a host or container 'nobody': there are laptop, far, web, web2, byhand, stopped",
        ),
        ("", "one", "no running lab has a host or container '': there are laptop, far, web, web2, byhand, stopped"),
    ],
)
def test_what_is_not_one_member_is_refused_in_a_line(text: str, lab: str | None, said: str) -> None:
    """With words that are one's, where there are some."""
    with pytest.raises(UsageError) as caught:
        find(text, [ONE, OTHER], lab=lab)
    assert str(caught.value) == said


def test_podman_is_not_asked_for_what_the_keeper_knows(podman: list[str]) -> None:
    """A lab can be entered though its Podman hangs."""
    find("one/web", [ONE, OTHER])
    assert podman == []


def test_a_user_s_process_joins_no_lab_that_is_not_known_to_be_meant(
    monkeypatch: pytest.MonkeyPatch, podman: list[str]
) -> None:
    """It can join one user namespace, once: of two labs neither is asked, of one its keeper's is joined."""
    joined: list[int] = []
    monkeypatch.setattr(members, "is_root", lambda: False)
    monkeypatch.setattr(members, "join_user_namespace", joined.append)
    with pytest.raises(UsageError, match="no running lab has a host or container 'byhand'"):
        find("byhand", [ONE, OTHER])
    assert (joined, podman) == ([], [])
    assert find("byhand", [ONE, OTHER], lab="one").pid == 99
    assert joined == [11]


# The commands


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a command says on standard error beside two labs, before it looks at anything."""
    for module in ("cli.looking", "cli.enter", "cli.labs"):
        monkeypatch.setattr(f"testbed.{module}.running", lambda: [ONE, OTHER])
    # Else a command that is not refused would take this process's place.
    monkeypatch.setattr(enter, "_replace", lambda *_: pytest.fail("it was entered"))

    def run(*words: str) -> str:
        done = CliRunner().invoke(group, list(words))
        if isinstance(done.exception, UsageError):
            return str(done.exception)
        assert done.exit_code != 0
        return done.stderr.strip()

    return run


@pytest.mark.parametrize("command", ["exec", "shell", "explain", "trace"])
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("web", "one/web, one-more/web"),
        ("laptop", "one/laptop, one-more/laptop"),
        ("host", "one/laptop, one/far, one-more/laptop, one-more/far"),
        ("one/host", "one/laptop, one/far"),
    ],
)
def test_a_name_in_two_labs_is_refused_with_words_that_work(
    said: Callable[..., str], command: str, text: str, names: str
) -> None:
    """By every command that takes one, in the same line; and what it names is found."""
    words = {"exec": (text, "--", "true"), "shell": (text,)}.get(command, ("--from", text, "127.0.0.1:1"))
    assert said(command, *words).removeprefix("testbed: ") == f"{text!r} may be any of {names}: give one of these"
    assert len({(found.lab.name, found.name) for name in names.split(", ") if (found := find(name, [ONE, OTHER]))}) == (
        len(names.split(", "))
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("down",), "several labs are running (one, one-more): say which"),
        (("down", "on"), "no lab called 'on' is running; see 'testbed list'"),
        (("evidence", "--lab", "on"), "no lab called 'on' is running; see 'testbed list'"),
        (("explain", "--lab", "on", "--from", "web", "a:1"), "no lab called 'on' is running; see 'testbed list'"),
        (("trace", "--lab", "on", "--from", "web", "a:1"), "no lab called 'on' is running; see 'testbed list'"),
        (("exec", "--lab", "on", "web", "--", "true"), "no lab called 'on' is running: start one with"),
        (("evidence", "--lab", "one", "--host"), "give --lab or --host, not both"),
        (("explain", "--lab", "one", "--host", "--from", "web", "a:1"), "give --lab or --host, not both"),
        (("trace", "--lab", "one", "--host", "--from", "web", "a:1"), "give --lab or --host, not both"),
        (
            ("explain", "--evidence", "x", "--lab", "one", "--from", "web", "a:1"),
            "--evidence has what was seen already",
        ),
        (("explain", "--evidence", "x", "--host", "--from", "web", "a:1"), "--evidence has what was seen already"),
        (("explain", "--from", "two/web", "a:1"), "no running lab has a host or container 'two/web': there are one/"),
        (("trace", "--from", "two/web", "a:1"), "no running lab has a host or container 'two/web': there are one/"),
        (("exec", "stopped", "--", "true"), "stopped does not run, so that there is nothing to enter: start it first"),
        (("shell", "stopped"), "stopped does not run, so that there is nothing to enter: start it first"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_called_wrongly_is_said_in_a_line(said: Callable[..., str], words: tuple[str, ...], line: str) -> None:
    """What there is, or what to leave out; a lab is called by its whole name alone."""
    told = said(*words).removeprefix("testbed: ")
    assert told.startswith(line)
    assert "\n" not in told


def test_a_lab_is_ended_by_its_whole_name(monkeypatch: pytest.MonkeyPatch, said: Callable[..., str]) -> None:
    """The one whose name begins so goes on."""
    ended: list[str] = []
    monkeypatch.setattr("testbed.cli.labs.stop", lambda lab: ended.append(lab.name))
    assert CliRunner().invoke(group, ["down", "one"]).exit_code == 0
    assert ended == ["one"]


@pytest.mark.parametrize(
    ("place", "options", "lab"),
    [
        ("one/web", {}, "one"),
        ("one-more/web2", {"lab": "one-more"}, "one-more"),
        (IDS["web2"], {}, "one"),
        ("byhand", {}, "one"),
        ("web", {"lab": "one-more"}, "one-more"),
        ("elsewhere", {"lab": "one"}, "one"),
        ("elsewhere", {}, None),
        ("web", {"host": True}, None),
    ],
)
def test_where_is_looked_is_where_the_place_is(
    monkeypatch: pytest.MonkeyPatch,
    said: Callable[..., str],
    place: str,
    options: dict[str, bool],
    lab: str | None,
) -> None:
    """The lab that has it, or that is named; the machine where none has it, or where that is asked for."""
    machine = object()
    monkeypatch.setattr(looking, "of_machine", lambda: machine)
    monkeypatch.setattr(looking, "of_running_lab", lambda hosts, zones, *, lab: (lab,))
    found: tuple[Source | object, ...] = looking.sources_for(place, **options)  # type: ignore[arg-type]
    assert found == ((lab or machine),)
