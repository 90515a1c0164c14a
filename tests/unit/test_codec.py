"""A picture as JSON and back, and what is refused on the way back."""

from __future__ import annotations

import builtins
import collections.abc
import dataclasses
import enum
import functools
import ipaddress
import json
import stat
import types
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.errors import UsageError
from testbed.evidence import VERSION, Evidence, InterfaceAddress, codec

EMPTY: Final = Evidence("2026-11-24T12:00:00+00:00", ())

#: Whatever JSON can hold: other people's names have any character in them.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def interfaces(version: Literal[4, 6]) -> st.SearchStrategy[InterfaceAddress]:
    """Addresses with the length of their prefix."""
    length = st.integers(0, 32)
    return st.builds(lambda a, n: ipaddress.ip_interface(f"{a}/{n}"), st.ip_addresses(v=version), length)


PLAIN: Final[dict[Any, st.SearchStrategy[Any]]] = {
    str: words,
    int: st.integers(0, 2**32 - 1),
    bool: st.booleans(),
    type(None): st.none(),
    ipaddress.IPv4Address: st.ip_addresses(v=4),
    ipaddress.IPv6Address: st.ip_addresses(v=6),
    ipaddress.IPv4Interface: interfaces(4),
    ipaddress.IPv6Interface: interfaces(6),
    ipaddress.IPv4Network: interfaces(4).map(lambda interface: interface.network),
    ipaddress.IPv6Network: interfaces(6).map(lambda interface: interface.network),
}


@functools.cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type that a picture is made of. Every field of a class is given: none survives by its default."""
    if kind in PLAIN:
        return PLAIN[kind]
    parts = typing.get_args(kind)
    match typing.get_origin(kind):
        case types.UnionType | typing.Union:
            return st.one_of(*map(values, parts))
        case builtins.tuple:
            # None would leave the shape of its members untried.
            return st.lists(values(parts[0]), min_size=1, max_size=2).map(tuple)
        case collections.abc.Mapping:
            return st.dictionaries(words, values(parts[1]), min_size=1, max_size=2)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


def placed(picture: Evidence) -> Evidence:
    """The picture with hosts that are told apart, and everything on its first one."""
    hosts = tuple(replace(host, key=f"{at} {host.key}") for at, host in enumerate(picture.hosts))
    first = hosts[0].key
    return replace(
        picture,
        hosts=hosts,
        containers=tuple(replace(container, host=first) for container in picture.containers),
        networks=tuple(replace(network, host=first) for network in picture.networks),
    )


pictures = values(Evidence).map(lambda picture: placed(replace(picture, version=VERSION)))


@settings(max_examples=25)
@given(pictures)
def test_a_picture_comes_back_equal(picture: Evidence) -> None:
    """Every field of every class survives, whatever characters names have and whichever family addresses are of."""
    assert codec.from_json(codec.to_json(picture)) == picture


def with_fields(**fields: object) -> str:
    """The JSON of an empty picture with other fields."""
    return json.dumps({**json.loads(codec.to_json(EMPTY)), **fields})


def refusal(text: bytes | str) -> str:
    """What is said of it."""
    with pytest.raises(UsageError) as caught:
        codec.from_json(text)
    return str(caught.value)


def test_another_version_is_refused_before_anything_else_is_looked_at() -> None:
    """A newer picture may have another shape altogether: what is said is its version, not its first unknown word."""
    assert refusal('{"version": 7, "hosts": 0}') == "the evidence file is of version 7, and this testbed reads 1 to 3"


#: A picture as the first version wrote it: hosts by their names, and a container on one of them.
OF_1: Final[dict[str, Any]] = {
    "version": 1,
    "taken": "2026-11-24T12:00:00+00:00",
    "hosts": [
        {"name": name, "namespace": f"net:[{name}]", "names": {"hosts": {"addresses": {}}}} for name in ("box", "far")
    ],
    "containers": [{"id": "c0ffee", "name": "web", "host": "far", "state": "exited", "mode": "bridge"}],
}


def test_a_picture_of_the_first_version_is_read() -> None:
    """Its hosts had their names for keys, so that what is on a host is on it still."""
    picture = codec.from_json(json.dumps(OF_1))
    assert (picture.version, [(host.key, host.name) for host in picture.hosts]) == (
        VERSION,
        [("box", "box"), ("far", "far")],
    )
    assert picture.place("web").host is picture.hosts[1]


def test_a_picture_of_the_second_version_is_read() -> None:
    """Every key that came with the third has a value for pictures that lack it."""
    picture = codec.from_json(with_fields(version=2))
    assert (picture.version, picture.taken) == (VERSION, codec.from_json(with_fields()).taken)


def test_a_picture_of_the_first_version_with_two_hosts_of_one_name_is_refused() -> None:
    """Nobody can say any more which of them a container is on: one line says so, and what to do."""
    hosts = [*OF_1["hosts"], OF_1["hosts"][0]]
    assert refusal(json.dumps({**OF_1, "hosts": hosts})) == (
        "it is of version 1, which tells hosts apart by their names, and 2 hosts in it are called 'box': take the "
        "picture anew with 'testbed evidence'"
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"hosts": [{"namespace": "n"}]}, "hosts.0.name: Field required", id="a host without a name"),
        pytest.param({"hosts": [{"name": 1}]}, "hosts.0.", id="a name that is no text"),
        pytest.param({"hosts": "box"}, "hosts: Input should be a valid array", id="no list of hosts"),
        pytest.param({"colour": "red"}, "colour: Unexpected keyword", id="an unknown word"),
    ],
)
def test_what_is_no_picture_of_the_first_version_is_refused(fields: dict[str, object], says: str) -> None:
    """One line says what is wrong and where, as with the present version."""
    assert says in refusal(json.dumps({**OF_1, **fields}))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param(
            {"hosts": ["box", "box"]}, "this is no evidence file: two of its hosts have the key 'box'", id="one key"
        ),
        pytest.param(
            {"containers": [{**OF_1["containers"][0], "host": "gone"}]},
            "this is no evidence file: the container 'web' is on a host 'gone' not in it",
            id="a container on no host",
        ),
        pytest.param(
            {"networks": [{"name": "podman", "host": "gone", "driver": "bridge", "bridge": "podman0"}]},
            "this is no evidence file: the network 'podman' is on a host 'gone' not in it",
            id="a network on no host",
        ),
    ],
)
def test_whose_hosts_do_not_fit_is_refused(fields: dict[str, Any], says: str) -> None:
    """What is on a host must find it, and find one."""
    host = {"namespace": "n", "names": {"hosts": {"addresses": {}}}}
    hosts = [{"key": name, "name": name, **host} for name in fields.get("hosts", ["box"])]
    assert refusal(with_fields(**{**fields, "hosts": hosts})) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "Invalid JSON", id="empty"),
        pytest.param('{"version": 3,', "Invalid JSON", id="cut off"),
        pytest.param(b"\xff\xfe", "Invalid JSON", id="no text"),
        pytest.param("[]", "should be an object", id="a list"),
        pytest.param('{"taken": ""}', "version: Field required", id="no version"),
        pytest.param('{"version": true}', "version: Input should be a valid integer", id="version is no number"),
        pytest.param('{"version": 3}', "taken: Field required", id="nothing in it"),
        pytest.param(with_fields(colour="red"), "colour: Unexpected keyword", id="unknown word"),
        pytest.param(
            with_fields(hosts=[{"key": "k", "name": 1}]),
            "hosts.0.name: Input should be a valid string",
            id="wrong type",
        ),
        pytest.param(with_fields(missing="none"), "missing: Input should be a valid array", id="text for a list"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_first_wrong_place(text: bytes | str, says: str) -> None:
    """One line says what is wrong and where."""
    said = refusal(text)
    assert says in said
    assert "\n" not in said


def test_an_unknown_word_deep_inside_is_refused() -> None:
    """Strictness holds in every class, not in the outermost one only."""
    host = {"key": "k", "name": "h", "namespace": "n", "names": {"hosts": {"addresses": {}}, "colour": 1}}
    assert "hosts.0.names.colour: Unexpected keyword" in refusal(with_fields(hosts=[host]))


def test_an_address_that_is_none_is_refused() -> None:
    """A host name cannot pass for an address of the hosts file."""
    host = {"key": "k", "name": "h", "namespace": "n", "names": {"hosts": {"addresses": {"db": ["db.example"]}}}}
    assert "hosts.0.names.hosts.addresses.db.0" in refusal(with_fields(hosts=[host]))


def test_deep_nesting_is_refused() -> None:
    """A hundred thousand brackets are an error, not the end of the stack."""
    assert "recursion limit" in refusal('{"version": 3, "taken": ' + "[" * 100_000 + "]" * 100_000 + "}")


def test_control_characters_of_a_file_are_escaped_and_long_words_cut() -> None:
    """A word of the file cannot move the cursor of whoever reads the error, nor fill his screen."""
    said = refusal(with_fields(**{"\x1b[2J\n" + "x" * 1000: 1}))
    assert r"\x1b[2J\n" in said
    assert "\x1b" not in said and "\n" not in said
    assert len(said) < 200


def test_a_file_that_is_too_long_is_refused_unread() -> None:
    """One byte above the limit is told by its size."""
    assert refusal(b" " * (codec.LONGEST + 1)) == "an evidence file has at most 64 MiB, and this one has 64.0"


def test_millions_of_errors_are_not_collected() -> None:
    """A list of two million wrong things is given up at the first: what is told is that one's place."""
    text = '{"version": 3, "taken": "", "hosts": [' + "0," * 2_000_000 + "0]}"
    assert refusal(text) == "this is no evidence file: hosts.0: Input should be an object"


def test_many_wrong_entries_are_counted() -> None:
    """Where more is wrong than is worth telling apart, the number is told."""
    entries = ",".join(f'"{number}": 0' for number in range(1001))
    text = '{"version": 3, "taken": "", "hosts": [], "namespaces": {' + entries + "}}"
    assert refusal(text) == "this is no evidence file: 1001 things in it are wrong"


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    """What write puts there read gives back, readable for its owner only: it tells where a network is weak."""
    path = tmp_path / "picture.json"
    codec.write(path, EMPTY)
    assert codec.read(path) == EMPTY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Writing over a folder fails in one line, and no part of the picture stays beside it."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"folder' cannot be written: Is a directory$"):
        codec.write(tmp_path / "folder", EMPTY)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path and the reason are the whole message."""
    with pytest.raises(UsageError) as caught:
        codec.read(tmp_path / "none.json")
    assert str(caught.value) == f"{str(tmp_path / 'none.json')!r} cannot be read: No such file or directory"


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    """An error inside a file says which file."""
    path = tmp_path / "old.json"
    path.write_text('{"version": 0}')
    with pytest.raises(UsageError, match=r"old\.json': the evidence file is of version 0"):
        codec.read(path)
