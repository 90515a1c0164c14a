"""Rootless Podman's namespaces, found by the files it leaves; and what a machine needs for it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import pytest

from testbed.host import settings
from testbed.machine_facts import Machine
from testbed.namespaces.rootless import owner_namespace, rootless_netns
from testbed.prerequisites import rootless, rootless_network
from tests.unit.stand_ins import a_machine

RUNTIME: Final = Path("/run/user/1000")
PAUSE: Final = "libpod/tmp/pause.pid"
CONMON: Final = "containers/overlay-containers/0badcafe/userdata/conmon.pid"
OWNER: Final = 77
HOSTS_NAMESPACE: Final = "user:[1]"
USERS_NAMESPACE: Final = "user:[2]"


def process(root: Path, pid: int, namespace: str) -> Path:
    """A process of a made-up machine, in a user namespace."""
    folder = root / "proc" / str(pid)
    (folder / "ns").mkdir(parents=True)
    (folder / "ns/user").symlink_to(namespace)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine whose first process is in the host's user namespace, and process 77 in a user's own."""
    process(tmp_path, 1, HOSTS_NAMESPACE)
    process(tmp_path, OWNER, USERS_NAMESPACE)
    return tmp_path


def leave(root: Path, file: str, text: str) -> Path:
    """A file of the user's runtime folder."""
    path = root / RUNTIME.relative_to("/") / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    return path


@pytest.mark.parametrize("file", [PAUSE, CONMON])
def test_the_owner_is_read_from_a_pid_file(root: Path, file: str) -> None:
    """The pause process, or else a container's conmon, is the process that is looked for; Podman ends no line."""
    leave(root, file, str(OWNER))
    assert owner_namespace(RUNTIME, root) == OWNER


def test_a_stale_pause_file_does_not_hide_a_conmon(root: Path) -> None:
    """Where the pause process is gone, the next file is looked at."""
    leave(root, PAUSE, "78")
    leave(root, CONMON, str(OWNER))
    assert owner_namespace(RUNTIME, root) == OWNER


@pytest.mark.parametrize("text", ["78", "1", "", "0", "-77", "77x", " " * 40 + str(OWNER)])
def test_a_pid_file_that_names_no_such_process_is_passed_over(root: Path, text: str) -> None:
    """A process that is gone, one of the host's own namespace, or no pid where one is looked for: no owner."""
    leave(root, PAUSE, text)
    assert owner_namespace(RUNTIME, root) is None


def test_without_a_runtime_folder_there_is_no_owner(root: Path) -> None:
    """A user who never ran Podman has no owner and no bridges."""
    assert (owner_namespace(RUNTIME, root), rootless_netns(RUNTIME, root)) == (None, None)


def bridges(root: Path, file: str, target: str) -> Path:
    """The file of the bridges' namespace, as the owner sees it."""
    path = root / "proc" / str(OWNER) / "root" / RUNTIME.relative_to("/") / file
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    return path


@pytest.mark.parametrize(
    "file",
    ["netns/rootless-netns-04474cb34bb3464f6f0f", "containers/networks/rootless-netns/rootless-netns"],
    ids=["Podman 4", "Podman 5"],
)
def test_the_bridges_namespace_is_found_in_the_owners_mounts(root: Path, file: str) -> None:
    """Both Podmans' places for it are looked at, through the owner's root folder."""
    leave(root, PAUSE, str(OWNER))
    path = bridges(root, file, "/proc/self/ns/net")
    assert rootless_netns(RUNTIME, root) == path


def test_a_file_that_is_no_namespace_is_not_the_bridges(root: Path) -> None:
    """An empty file, as one sees from the wrong mount namespace, is not taken for a namespace."""
    leave(root, PAUSE, str(OWNER))
    bridges(root, "netns/rootless-netns-04474cb34bb3464f6f0f", "/dev/null")
    assert rootless_netns(RUNTIME, root) is None


# What it needs

PODMAN_4: Final = (4, 3, 1)
PODMAN_5: Final = (5, 4, 2)


@pytest.mark.parametrize(
    ("machine", "podman", "bad"),
    [
        (a_machine(), PODMAN_4, []),
        (a_machine(without=("pasta",)), PODMAN_4, []),
        (a_machine(without=("slirp4netns",)), PODMAN_4, [("slirp4netns", "as root: apt-get install slirp4netns")]),
        (a_machine(without=("slirp4netns",)), PODMAN_5, []),
        (a_machine(without=("pasta",)), PODMAN_5, [("pasta", "as root: apt-get install passt")]),
        (a_machine(tun=0o600), PODMAN_4, [("/dev/net/tun", "as root: chmod 666 /dev/net/tun")]),
        (a_machine(tun=0), PODMAN_4, [("/dev/net/tun", "as root: modprobe tun")]),
        (a_machine(uid=0, tun=0o600), PODMAN_4, []),  # root makes one of its own
    ],
)
def test_what_rootless_podman_lacks_is_named(
    machine: Machine, podman: tuple[int, ...], bad: list[tuple[str, str]]
) -> None:
    """The network program of this Podman, and a /dev/net/tun that is open to all."""
    assert [(check.name, check.cure) for check in rootless(machine, rootless_network(podman)) if not check.ok] == bad


def test_storage_conf_of_a_user_names_the_folder_that_rootless_podman_reads() -> None:
    """Rootless Podman passes graphroot over for rootless_storage_path (containers-storage.conf(5))."""
    storage = tomllib.loads(settings.storage_conf("/graph", [], runroot="/run/user/1000/c", rootless=True))["storage"]
    assert (storage["rootless_storage_path"], storage["runroot"]) == ("/graph", "/run/user/1000/c")


def test_containers_conf_of_a_user_keeps_its_networks_elsewhere() -> None:
    """The folder of the networks is the user's own, who may not write to the host's."""
    conf = tomllib.loads(settings.containers_conf(a_machine(), networks="/home/ana/networks"))
    assert conf["network"]["network_config_dir"] == "/home/ana/networks"
