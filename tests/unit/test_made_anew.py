"""The command that makes a container anew, run by a shell: what Podman is asked for then, of one that had options."""

from __future__ import annotations

import ipaddress
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from testbed.change import Change, ImpossibleChangeError, apply
from testbed.change.naming import NewWithoutSearchDomain, NewWithResolver
from testbed.change.wording import command
from testbed.evidence import Container, Evidence, HostFacts, Names
from testbed.hosts_file import HostsFile

IDENTITY: Final = "0123456789abcdef"
PICTURE: Final = Evidence(
    "2026-01-01T00:00:00Z",
    (HostFacts("h", "box", "net:1", Names(HostsFile({}))),),
    (Container(IDENTITY, "web", "h", "running", "bridge"),),
)
#: Tells by which command the container was made, and writes down what it is asked for otherwise.
PODMAN: Final = """#!/bin/sh
if [ "$1 $2" = "container inspect" ]; then cat "${0%/*}/made"; else echo "$@" >>"${0%/*}/asked"; fi
"""


def asked_for(change: Change, made: str, folder: Path) -> str:
    """What Podman is asked to run by the command of a change.

    :param made: the words that the container was made by
    """
    program = folder / "podman"
    program.write_text(PODMAN)
    program.chmod(0o755)
    folder.joinpath("made").write_text(made.replace(" ", "\n") + "\n")
    text = command(change, PICTURE)
    subprocess.run(["sh", "-ec", text], check=True, env={"PATH": f"{folder}:/usr/bin:/bin"})
    return folder.joinpath("asked").read_text().splitlines()[1]


@pytest.mark.parametrize("old", ["--dns-search=lab.example", "--dns-search lab.example", "--name web"])
def test_a_container_without_search_domains_loses_those_it_had(old: str, tmp_path: Path) -> None:
    """Podman refuses the option of none beside another one of the kind."""
    change = NewWithoutSearchDomain("h", IDENTITY)
    asked = asked_for(change, f"podman run {old} image sleep", tmp_path)
    assert asked == f"run --dns-search=. {'' if 'dns' in old else f'{old} '}image sleep"


@pytest.mark.parametrize("old", ["--dns=192.0.2.1", "--dns 192.0.2.1", "--name web"])
def test_a_container_with_one_resolver_loses_those_it_had(old: str, tmp_path: Path) -> None:
    """Podman would ask all that it is given."""
    change = NewWithResolver("h", IDENTITY, ipaddress.ip_address("192.0.2.7"))
    asked = asked_for(change, f"podman run {old} image sleep", tmp_path)
    assert asked == f"run --dns=192.0.2.7 {'' if 'dns' in old else f'{old} '}image sleep"


@pytest.mark.parametrize("mode", ["none", "container:fedcba"])
def test_a_container_without_a_network_of_its_own_is_given_no_resolver(mode: str) -> None:
    """Podman refuses the options of DNS for it."""
    picture = replace(PICTURE, containers=(replace(PICTURE.containers[0], mode=mode),))
    for change in (NewWithoutSearchDomain("h", IDENTITY), NewWithResolver("h", IDENTITY, ipaddress.ip_address("::1"))):
        with pytest.raises(ImpossibleChangeError, match="takes no resolver for web"):
            apply(change, picture)
