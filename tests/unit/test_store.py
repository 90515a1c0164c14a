"""The image store's records and its lock."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from pathlib import Path

import pytest

from testbed.errors import ImageError
from testbed.images import ImageStore
from testbed.images.store import Built

AGENT = Built("localhost/testbed/agent:0123456789ab", "bookworm's packages", 9_000_000, 1.5)
SSHD = Built("localhost/testbed/sshd:0123456789ab", "bookworm's packages", 90_000_000, 20.0)


@pytest.fixture
def empty(tmp_path: Path) -> ImageStore:
    """A store in a folder that does not exist yet."""
    return ImageStore(tmp_path / "cache" / "testbed")


def quiet(line: str) -> None:
    """Told nothing of interest."""


# Records


def test_record_is_read_back(empty: ImageStore) -> None:
    """What was recorded of an image is what is known of it, also to another run."""
    empty.add(AGENT)
    assert ImageStore(empty.folder).built(AGENT.tag) == AGENT


def test_image_without_a_record_is_not_there(empty: ImageStore) -> None:
    """An image of which nothing is recorded is not in the store."""
    empty.add(AGENT)
    assert empty.built(SSHD.tag) is None


def test_all_records_are_listed_by_tag(empty: ImageStore) -> None:
    """All images are listed, and no draft among them."""
    empty.add(SSHD)
    empty.add(AGENT)
    assert empty.all_built() == [AGENT, SSHD]


def test_empty_store_lists_nothing(empty: ImageStore) -> None:
    """A store that does not exist yet has no images."""
    assert empty.all_built() == []


def test_later_record_replaces_the_earlier(empty: ImageStore) -> None:
    """An image that was built again has its new record."""
    again = dataclasses.replace(AGENT, size=1)
    empty.add(AGENT)
    empty.add(again)
    assert empty.all_built() == [again]


@pytest.mark.parametrize(
    "text",
    [b"", b'{"tag": "x"', b"[]", b"null", b'{"tag": "x"}', b"\xff\xfe", json.dumps({"new": 1}).encode()],
    ids=["empty", "cut off", "a list", "null", "fields missing", "no UTF-8", "other fields"],
)
def test_damaged_record_is_no_record(text: bytes, empty: ImageStore) -> None:
    """A record that cannot be read counts as none: the image is built again."""
    empty.add(AGENT)
    (record,) = empty.folder.glob("built/*.json")
    record.write_bytes(text)
    assert empty.built(AGENT.tag) is None
    assert empty.all_built() == []


def test_record_is_written_whole_or_not_at_all(empty: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends while it writes a record leaves no record."""

    def killed(path: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        empty.add(AGENT)
    assert empty.all_built() == []


# Builds that were cut off


def test_build_that_began_and_did_not_end_is_known(empty: ImageStore) -> None:
    """The mark of a build stays until the build takes it away, for whoever comes after a kill."""
    with empty.building(quiet):
        assert not empty.interrupted
        empty.mark(dirty=True)
    assert ImageStore(empty.folder).interrupted


def test_build_that_ended_leaves_no_mark(empty: ImageStore) -> None:
    """Taking the mark away twice does no harm."""
    with empty.building(quiet):
        empty.mark(dirty=True)
        empty.mark(dirty=False)
        empty.mark(dirty=False)
    assert not empty.interrupted


# The lock


def test_second_run_waits_and_says_for_whom(empty: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds the store locked is told the holder's pid, once, and goes on when it is free."""
    looks: list[float] = []
    first = empty.building(quiet)
    first.__enter__()

    def after_a_while(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            first.__exit__(None, None, None)

    monkeypatch.setattr("testbed.images.store.time.sleep", after_a_while)
    told: list[str] = []
    with ImageStore(empty.folder).building(told.append):
        assert len(looks) == 3
    assert told == [f"another run (pid {os.getpid()}) is building images; waiting for it"]


def test_holder_that_is_not_known_is_said_to_be_so(empty: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock taken by one that has not yet written its pid is waited for all the same."""
    empty.folder.mkdir(parents=True)
    holder = os.open(empty.folder / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    monkeypatch.setattr("testbed.images.store.time.sleep", lambda _: os.close(holder))
    told: list[str] = []
    with empty.building(told.append):
        pass
    assert told == ["another run (pid unknown) is building images; waiting for it"]


def test_store_is_locked_only_while_building(empty: ImageStore) -> None:
    """After a build the next one is told of nobody."""
    told: list[str] = []
    with empty.building(told.append):
        pass
    with empty.building(told.append):
        pass
    assert told == []


def test_build_that_fails_lets_go_of_the_lock(empty: ImageStore) -> None:
    """An exception while building frees the store."""
    told: list[str] = []
    with pytest.raises(ZeroDivisionError), empty.building(told.append):
        _ = 1 // 0
    with empty.building(told.append):
        pass
    assert told == []


def test_shorter_pid_leaves_nothing_of_a_longer_one(empty: ImageStore) -> None:
    """The lock file holds the present holder's pid alone."""
    empty.folder.mkdir(parents=True)
    (empty.folder / "lock").write_text("9" * 19)
    with empty.building(quiet):
        assert (empty.folder / "lock").read_text() == str(os.getpid())


# Where it is


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"TESTBED_CACHE": "/big/disk", "XDG_CACHE_HOME": "/xdg"}, "/big/disk"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/testbed"),
        ({}, "/home/ana/.cache/testbed"),
        ({"TESTBED_CACHE": "", "XDG_CACHE_HOME": ""}, "/home/ana/.cache/testbed"),
        ({"TESTBED_CACHE": "here"}, "/work/here"),
    ],
    ids=["TESTBED_CACHE", "XDG", "home", "empty variables", "relative"],
)
def test_store_is_in_the_users_cache(environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TESTBED_CACHE, else the cache folder of the XDG base directories; always a whole path."""
    for name in ("TESTBED_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/ana", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.getcwd", lambda: "/work")
    assert ImageStore().folder == Path(folder)


@pytest.mark.parametrize("below", ["file", "file/testbed"], ids=["is a file", "lies below a file"])
def test_folder_that_cannot_be_written_is_said_with_the_way_out(below: str, tmp_path: Path) -> None:
    """A store that cannot be made is an ImageError with the folder and the variable that names another."""
    (tmp_path / "file").touch()
    folder = tmp_path / below
    with pytest.raises(ImageError) as caught, ImageStore(folder).building(quiet):
        pass
    message = str(caught.value)
    assert message.startswith(f"the image store {folder} cannot be written (")
    assert message.endswith("): set TESTBED_CACHE to a folder that can")


def test_hosts_read_the_storage_below_it(empty: ImageStore) -> None:
    """While a build holds the lock, the folders that it writes are there."""
    with empty.building(quiet):
        assert empty.storage.is_dir()
        assert empty.logs.is_dir()
