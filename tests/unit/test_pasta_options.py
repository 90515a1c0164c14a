"""What the command line of a pasta process says of the addresses that it takes for others."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from testbed.evidence import PastaNames
from testbed.host.listeners import open_files
from testbed.readers.pasta import names_of

#: As Podman 5.4.2 starts it, but for its namespace.
_PODMANS = "--config-net -t 8080-8080:80-80 --dns-forward 169.254.1.1 -u none -T none -U none --no-map-gw --quiet"


def process(folder: Path, line: str, *, keeps: bool = True) -> tuple[Path, str]:
    """The folder of a process in /proc, and the key of its namespace.

    :param keeps: whether it has the namespace's file open
    """
    namespace = folder / "netns"
    namespace.touch()
    (folder / "7/fd").mkdir(parents=True)
    (folder / "7/fd/4").symlink_to(folder)
    if keeps:
        (folder / "7/fd/5").symlink_to(namespace)
    words = ["pasta", *line.split(), "--netns", str(namespace), "--map-guest-addr", "169.254.1.2"]
    (folder / "7/cmdline").write_bytes("\0".join([*words, ""]).encode())
    return folder / "7", f"net:[{namespace.stat().st_ino}]"


def names(host: str | None, loopback: str | None, resolver: str | None) -> PastaNames:
    """The addresses by their texts."""
    return PastaNames(*(ipaddress.ip_address(one) if one else None for one in (host, loopback, resolver)))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (_PODMANS, names("169.254.1.2", None, "169.254.1.1")),
        (f"--map-host-loopback=169.254.1.9 {_PODMANS}", names("169.254.1.2", "169.254.1.9", "169.254.1.1")),
        (f"--map-host-loopback none {_PODMANS}", names("169.254.1.2", None, "169.254.1.1")),
    ],
)
def test_names_of_a_namespace(tmp_path: Path, line: str, found: PastaNames) -> None:
    """Each by its option, attached or apart, under the key of the namespace whose file the process keeps open."""
    folder, key = process(tmp_path, line)
    assert names_of(folder, open_files(folder)) == {key: found}


@pytest.mark.parametrize(
    "line",
    [
        _PODMANS.replace("--no-map-gw", ""),
        f"{_PODMANS} --address 10.0.2.100",
        f"{_PODMANS} --map-host-loopback fd00::9",
        f"{_PODMANS} 4711",
    ],
)
def test_options_that_are_not_modelled_say_nothing(tmp_path: Path, line: str) -> None:
    """What the rest of the command line means for the addresses is not known then."""
    folder, _ = process(tmp_path, line)
    assert names_of(folder, open_files(folder)) == {}


def test_a_process_without_the_file_of_its_namespace_says_nothing(tmp_path: Path) -> None:
    """Whose addresses they are is not known."""
    folder, _ = process(tmp_path, _PODMANS, keeps=False)
    assert names_of(folder, open_files(folder)) == {}


def test_a_process_that_has_ended_says_nothing(tmp_path: Path) -> None:
    """Its folder is gone."""
    assert names_of(tmp_path / "7", []) == {}
