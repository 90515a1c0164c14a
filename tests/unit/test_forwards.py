"""What the command line of an ssh process says of its forwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.evidence import Forwarder
from testbed.readers.forwards import forwards_of, local_forwards


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("-N -L 8080:db:80 host", ["8080:db:80"]),
        ("-NL8080:db:80 host", ["8080:db:80"]),
        ("-fNTL 8080:db:80 -L 8081:db:81 host", ["8080:db:80", "8081:db:81"]),
        ("host -L 8080:db:80", ["8080:db:80"]),
        # An L that is another option's argument, and one that is the other side's command.
        ("-l L host", []),
        ("-oLogLevel=DEBUG -i -L host", []),
        ("host curl -L http://db", []),
        ("-R 8080:db:80 -D 1080 host", []),
        ("-L", [""]),
    ],
)
def test_only_the_arguments_of_l_are_forwards(line: str, found: list[str]) -> None:
    """As ssh's getopt reads them: letters together, arguments attached or apart, options behind the destination."""
    assert [asked for asked, _ in local_forwards(line.split())] == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-N -L 8080:db:80 host", "-N host"),
        ("-NL8080:db:80 -p 22 host", "-N -p 22 host"),
        ("-i key -L 8080:db:80 -L 8081:db:81 host sleep 9", "-i key -L8081:db:81 host"),
    ],
)
def test_the_words_around_a_forward(line: str, words: str) -> None:
    """Without the forward itself, and without what runs on the far side, the command line is what starts it again."""
    assert next(iter(local_forwards(line.split())))[1] == tuple(words.split())


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("8080:db:80", ("", 8080, "db", 80)),
        ("127.0.0.1:8080:db:80", ("127.0.0.1", 8080, "db", 80)),
        ("*:8080:db:80", ("*", 8080, "db", 80)),
        ("[::1]:8080:[fd00::2]:80", ("::1", 8080, "fd00::2", 80)),
    ],
)
def test_a_forward_in_its_parts(tmp_path: Path, argument: str, parts: tuple[str, int, str, int]) -> None:
    """Bind address, port, and where it leads; brackets are no part of an address."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cmdline").write_bytes(b"\0".join([b"ssh", b"-L", argument.encode(), b"host", b""]))
    assert list(forwards_of(tmp_path / "7", "net:[1]")) == [Forwarder(7, "ssh", "net:[1]", *parts, ("host",))]


@pytest.mark.parametrize("argument", ["/run/one:/run/other", "8080:/run/other", "nonsense"])
def test_forwards_of_unix_sockets_are_left_out(tmp_path: Path, argument: str) -> None:
    """Nothing with a port is in them."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cmdline").write_bytes(b"\0".join([b"ssh", b"-L", argument.encode(), b"host", b""]))
    assert list(forwards_of(tmp_path / "7", "net:[1]")) == []


def test_a_process_that_has_ended_forwards_nothing(tmp_path: Path) -> None:
    """Its folder is gone."""
    assert list(forwards_of(tmp_path / "7", "net:[1]")) == []
