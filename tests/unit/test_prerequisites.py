"""Each fault of a machine is found, and only it, with its cure."""

from __future__ import annotations

import dataclasses
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from testbed import prerequisites
from testbed.errors import UnfitError
from testbed.machine import read
from testbed.machine_facts import PROGRAMS, Machine
from testbed.prerequisites import Prerequisite, every, require
from tests.unit.stand_ins import a_machine

DEBIAN_12 = (4, 3, 1)


def failing(machine: Machine, podman: tuple[int, ...] | None = DEBIAN_12) -> list[Prerequisite]:
    """All checks that fail on a machine."""
    return [check for check in every(machine, podman) if not check.ok]


@pytest.mark.parametrize("uid", [0, 1000], ids=["root", "ordinary user"])
def test_sound_machine_passes_every_check(uid: int) -> None:
    """A machine with everything fails no check."""
    assert failing(a_machine(uid=uid)) == []


def test_what_is_there_is_said_too() -> None:
    """A check that passes says what was found: a path, a version, a state."""
    assert [(check.name, check.found) for check in every(a_machine(), DEBIAN_12)] == [
        ("user namespaces", "allowed"),
        ("user namespaces (AppArmor)", "not restricted"),
        ("newuidmap", "/usr/bin/newuidmap"),
        ("newgidmap", "/usr/bin/newgidmap"),
        ("subordinate ids", "65536 for ana in /etc/subuid and /etc/subgid"),
        ("podman", "/usr/bin/podman"),
        ("podman version", "4.3.1"),
        ("netavark", "/usr/lib/podman/netavark"),
        ("aardvark-dns", "/usr/lib/podman/aardvark-dns"),
        ("OCI runtime", "/usr/bin/crun"),
        ("ip", "/usr/bin/ip"),
        ("iptables", "/usr/bin/iptables"),
        ("unshare", "/usr/bin/unshare"),
        ("nsenter", "/usr/bin/nsenter"),
        ("catatonit", "/usr/bin/catatonit"),
        ("cgroup2", "known to the kernel"),
        ("overlay", "known to the kernel"),
        ("mmdebstrap", "/usr/bin/mmdebstrap"),
        ("ssh", "/usr/bin/ssh"),
        ("curl", "/usr/bin/curl"),
    ]


@pytest.mark.parametrize(
    ("machine", "podman", "name", "found", "cure"),
    [
        (
            a_machine(without=("newuidmap",)),
            DEBIAN_12,
            "newuidmap",
            "not installed (",
            "apt-get install uidmap",
        ),
        (
            a_machine(without=("newgidmap",)),
            DEBIAN_12,
            "newgidmap",
            "not installed (",
            "apt-get install uidmap",
        ),
        (
            a_machine(subordinate_ids=0, first_free_id=165_536),
            DEBIAN_12,
            "subordinate ids",
            "0 for ana in /etc/subuid and /etc/subgid",
            "usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ana",
        ),
        (a_machine(subordinate_ids=65535), DEBIAN_12, "subordinate ids", "65535 for ana", "usermod --add-subuids"),
        (
            a_machine(user_namespaces=0),
            DEBIAN_12,
            "user namespaces",
            "forbidden to ordinary users",
            "sysctl -w user.max_user_namespaces=65536",
        ),
        (
            a_machine(unprivileged_user_namespaces=False),
            DEBIAN_12,
            "user namespaces",
            "forbidden to ordinary users",
            "sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        (a_machine(), (4, 2, 9), "podman version", "4.2.9", "needs 4.3.0 or later"),
        (a_machine(), (3, 4, 4), "podman version", "3.4.4", "needs 4.3.0 or later"),
        (a_machine(), None, "podman version", "unknown", "needs 4.3.0 or later"),
        (a_machine(netavark=None), DEBIAN_12, "netavark", "would use CNI", "apt-get install netavark"),
        (a_machine(aardvark=None), DEBIAN_12, "aardvark-dns", "missing", "apt-get install aardvark-dns"),
        (
            a_machine(without=("crun", "runc")),
            DEBIAN_12,
            "OCI runtime",
            "neither crun nor runc is installed",
            "apt-get install crun",
        ),
        (a_machine(without=("ip",)), DEBIAN_12, "ip", "not installed (", "apt-get install iproute2"),
        (
            a_machine(without=("iptables",)),
            DEBIAN_12,
            "iptables",
            "not installed (",
            "apt-get install iptables",
        ),
        (
            a_machine(without=("unshare",)),
            DEBIAN_12,
            "unshare",
            "not installed (",
            "apt-get install util-linux",
        ),
        (
            a_machine(without=("nsenter",)),
            DEBIAN_12,
            "nsenter",
            "not installed (",
            "apt-get install util-linux",
        ),
        (
            a_machine(without=("catatonit",)),
            DEBIAN_12,
            "catatonit",
            "not installed (",
            "apt-get install catatonit",
        ),
        (
            a_machine(filesystems=frozenset({"overlay"})),
            DEBIAN_12,
            "cgroup2",
            "not known to the kernel",
            "boot a kernel with cgroup v2",
        ),
        (
            a_machine(filesystems=frozenset({"cgroup2"})),
            DEBIAN_12,
            "overlay",
            "not known to the kernel",
            "modprobe overlay",
        ),
        (
            a_machine(without=("mmdebstrap",)),
            DEBIAN_12,
            "mmdebstrap",
            "not installed (",
            "apt-get install mmdebstrap",
        ),
        (
            a_machine(without=("ssh",)),
            DEBIAN_12,
            "ssh",
            "not installed (",
            "apt-get install openssh-client",
        ),
        (
            a_machine(without=("curl",)),
            DEBIAN_12,
            "curl",
            "not installed (",
            "apt-get install curl",
        ),
    ],
    ids=[
        "no newuidmap",
        "no newgidmap",
        "no subordinate ids",
        "one subordinate id too few",
        "user namespaces limited to 0",
        "user namespaces for root only",
        "Podman a little too old",
        "Podman much too old",
        "Podman does not say how old",
        "CNI",
        "no aardvark-dns",
        "no runtime",
        "no ip",
        "no iptables",
        "no unshare",
        "no nsenter",
        "no catatonit",
        "no cgroup2",
        "no overlay",
        "no mmdebstrap",
        "no ssh",
        "no curl",
    ],
)
def test_fault_is_found_alone_and_with_its_cure(
    machine: Machine, podman: tuple[int, ...] | None, name: str, found: str, cure: str
) -> None:
    """A machine with one fault fails one check, which says what was found and what mends it."""
    (check,) = failing(machine, podman)
    assert check.name == name
    assert found in check.found
    assert cure in check.cure


@pytest.mark.parametrize(
    ("machine", "cure"),
    [
        (a_machine(without=("ip",)), "as root: install the package that has ip (Debian's is iproute2)"),
        (a_machine(netavark=None), "as root: install the package that has netavark (Debian's is netavark)"),
        (a_machine(aardvark=None), "as root: install the package that has aardvark-dns (Debian's is aardvark-dns)"),
        (a_machine(without=("crun", "runc")), "as root: install the package that has crun (Debian's is crun)"),
    ],
    ids=["a program", "netavark", "aardvark-dns", "a runtime"],
)
def test_a_distribution_without_apt_is_told_what_to_look_for(machine: Machine, cure: str) -> None:
    """Fedora has other package names and no apt-get: the cure says what the package has to have in it."""
    (check,) = failing(dataclasses.replace(machine, distribution="fedora", codename=""))
    assert check.cure == cure


@pytest.mark.parametrize(
    ("subuid", "subgid", "first"),
    [
        ("", "", 100_000),
        ("root:1000:10\n", "root:1000:10\n", 100_000),
        ("debian:100000:65536\n", "debian:100000:65536\n", 165_536),
        ("one:100000:65536\nother:300000:65536\n", "one:100000:65536\n", 365_536),
        ("one:100000:65536\n", "one:100000:65536\nother:165536:65536", 231_072),
    ],
    ids=["nobody has any", "low ones", "another user's", "a gap", "more gids than uids"],
)
def test_the_first_free_id_is_behind_everybody_elses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, subuid: str, subgid: str, first: int
) -> None:
    """Ids are free from the highest end of both files on, and from 100000 at the earliest."""
    (tmp_path / "subuid").write_text(subuid, encoding="ascii")
    (tmp_path / "subgid").write_text(subgid, encoding="ascii")
    monkeypatch.setattr("testbed.machine.SUBORDINATE_IDS", (str(tmp_path / "subuid"), str(tmp_path / "subgid")))
    assert read.__wrapped__().first_free_id == first


def test_ids_count_that_both_files_give_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user has as many subordinate ids as the file has that gives it fewer, by its name and by its number."""
    name, number = pwd.getpwuid(os.getuid()).pw_name, os.getuid()
    (tmp_path / "subuid").write_text(f"{name}:100000:300\n{number}:200000:50\nx:1:999\n", encoding="ascii")
    (tmp_path / "subgid").write_text(f"{name}:100000:200\n", encoding="ascii")
    for names, ids in ((("subuid", "subgid"), 200), (("subuid", "subuid"), 350)):
        monkeypatch.setattr("testbed.machine.SUBORDINATE_IDS", [str(tmp_path / name) for name in names])
        assert read.__wrapped__().subordinate_ids == ids


def test_missing_podman_comes_before_its_version() -> None:
    """Without Podman the first thing said is that it is not installed."""
    checks = failing(a_machine(without=("podman",)), None)
    assert [check.name for check in checks] == ["podman", "podman version"]
    assert checks[0].found.startswith("not installed (")
    assert checks[0].cure == "as root: apt-get install podman"


def test_restriction_by_apparmor_is_no_fault_where_podman_is() -> None:
    """Ubuntu's restriction lets Podman through, and the check says that this is the way taken."""
    checks = every(a_machine(apparmor_restricts_user_namespaces=True), DEBIAN_12)
    (check,) = [check for check in checks if "AppArmor" in check.name]
    assert check.ok
    assert check.found == "restricted to known programs; Podman is one, and is used"


def test_restriction_by_apparmor_needs_podman() -> None:
    """Without Podman nothing on Ubuntu may make a user namespace: the cure is Podman or the sysctl."""
    check = failing(a_machine(apparmor_restricts_user_namespaces=True, without=("podman",)), None)[0]
    assert check.name == "user namespaces (AppArmor)"
    assert check.found == "restricted to known programs, and Podman is not installed"
    assert check.cure == "install podman, or as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"


@pytest.mark.parametrize("missing", [("crun",), ("runc",)])
def test_one_runtime_is_enough(missing: tuple[str, ...]) -> None:
    """Either of crun and runc will do."""
    assert failing(a_machine(without=missing)) == []


@pytest.mark.parametrize("podman", [(4, 3, 0), (4, 3, 1), (5, 4, 2), (6, 0, 0)])
def test_podman_from_the_oldest_on_passes(podman: tuple[int, ...]) -> None:
    """Debian 12's Podman and later ones pass."""
    assert failing(a_machine(), podman) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"without": ("newuidmap", "newgidmap")},
        {"user_namespaces": 0},
        {"unprivileged_user_namespaces": False},
        {"apparmor_restricts_user_namespaces": True},
        {"subordinate_ids": 0},
    ],
    ids=["no newuidmap", "no namespaces", "root only", "AppArmor", "no subordinate ids"],
)
def test_root_needs_no_user_namespace(facts: dict[str, Any]) -> None:
    """What hinders an ordinary user from becoming root of a user namespace does not concern root."""
    assert failing(a_machine(uid=0, **facts)) == []


def test_every_check_that_fails_names_a_cure() -> None:
    """On a machine with nothing at all each check fails, and each says what to do."""
    bare = a_machine(
        without=tuple(PROGRAMS),
        netavark=None,
        aardvark=None,
        filesystems=frozenset(),
        user_namespaces=0,
        unprivileged_user_namespaces=False,
        apparmor_restricts_user_namespaces=True,
        subordinate_ids=0,
    )
    checks = every(bare, None)
    assert [check.name for check in checks if check.ok] == []
    assert [check.name for check in checks if not check.cure] == []


def test_first_check_that_fails_is_raised_with_its_cure() -> None:
    """require() stops at the first fault, in one line with what was found and what to do."""
    with pytest.raises(UnfitError) as caught:
        require(prerequisites.engine(a_machine(netavark=None, aardvark=None), DEBIAN_12))
    assert str(caught.value) == (
        "netavark: missing: this Podman would use CNI, whose networks the testbed does not know; "
        "as root: apt-get install netavark"
    )


def test_nothing_is_raised_for_a_sound_machine() -> None:
    """require() is content where every check passes; were it not, this test would end with its error."""
    require(every(a_machine(), DEBIAN_12))


def test_netavark_with_nftables_needs_nft() -> None:
    """Where netavark's driver is nftables, the program that must be there is nft, and iptables need not be."""
    found = a_machine(without=("nft", "iptables"), firewall="nft")
    failed = [check.name for check in prerequisites.engine(found, (5, 4, 2)) if not check.ok]
    assert failed == ["nft"]
