"""Podman's settings on a host, read back as Podman reads them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import UnfitError
from testbed.host import settings
from testbed.hosts_file import HostsFile
from tests.unit.stand_ins import a_machine


@pytest.mark.parametrize(
    ("files", "processes", "limits"),
    [
        (-1, -1, ("nofile=1048576:1048576", "nproc=4194304:4194304")),
        (1024, 500, ("nofile=1024:1024", "nproc=500:500")),
        (1_048_575, 4_194_303, ("nofile=1048575:1048575", "nproc=4194303:4194303")),
        (2_000_000, 9_000_000, ("nofile=1048576:1048576", "nproc=4194304:4194304")),
    ],
    ids=["unlimited", "low", "just below what is wanted", "more than is wanted"],
)
def test_ulimits_are_never_above_the_machines(files: int, processes: int, limits: tuple[str, str]) -> None:
    """Containers get Podman's own limits, or the machine's where those are lower."""
    assert settings.ulimits(a_machine(open_files=files, processes=processes)) == limits


@pytest.mark.parametrize(
    ("missing", "pure", "chosen"),
    [
        ((), True, "crun"),
        (("runc",), True, "crun"),
        (("crun",), True, "runc"),
        ((), False, "runc"),
        (("crun",), False, "runc"),
    ],
    ids=["both", "crun only", "runc only", "both, hybrid cgroups", "runc only, hybrid cgroups"],
)
def test_runtime_fits_the_machine(missing: tuple[str, ...], pure: bool, chosen: str) -> None:
    """The runtime is crun where it is installed and runs, else runc."""
    assert settings.runtime(a_machine(without=missing), pure_cgroup2=pure) == chosen


@pytest.mark.parametrize(
    ("missing", "pure", "message"),
    [
        (
            ("runc",),
            False,
            "crun refuses this machine's hybrid cgroups, and runc is not installed: apt-get install runc",
        ),
        (("crun", "runc"), True, "no OCI runtime: run 'apt-get install crun' (or see 'testbed doctor')"),
        (("crun", "runc"), False, "no OCI runtime: run 'apt-get install crun' (or see 'testbed doctor')"),
    ],
    ids=["crun alone, hybrid cgroups", "none", "none, hybrid cgroups"],
)
def test_machine_without_a_fitting_runtime_is_unfit(missing: tuple[str, ...], pure: bool, message: str) -> None:
    """Where no runtime fits the error says why and what to install."""
    with pytest.raises(UnfitError) as caught:
        settings.runtime(a_machine(without=missing), pure_cgroup2=pure)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("missing", "own"),
    [((), {"cgroups": "disabled"}), (("crun",), {})],
    ids=["crun", "runc, which refuses disabled cgroups"],
)
def test_containers_conf_is_what_podman_reads(missing: tuple[str, ...], own: dict[str, str]) -> None:
    """containers.conf is TOML with these tables, and nothing else."""
    machine = a_machine(without=missing, open_files=1024, processes=-1)
    assert tomllib.loads(settings.containers_conf(machine)) == {
        "containers": {
            "base_hosts_file": "none",
            **own,
            "keyring": False,
            "default_ulimits": ["nofile=1024:1024", "nproc=4194304:4194304"],
            "pids_limit": 0,
            "log_driver": "k8s-file",
        },
        "engine": {
            "cgroup_manager": "cgroupfs",
            "events_logger": "file",
            "runtime": "runc" if "crun" in missing else "crun",
        },
        "network": {"network_backend": "netavark", "network_config_dir": "/run/testbed/networks"},
    }


def test_seccomp_profile_is_the_machines_own_but_for_other_architectures() -> None:
    """Every rule and action stays; what the kernel also runs, such as 32-bit programs, is left out."""
    machines = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_S390X", "subArchitectures": ["SCMP_ARCH_S390"]},
        ],
        "syscalls": [{"names": ["accept"], "action": "SCMP_ACT_ALLOW"}],
    }
    assert json.loads(settings.seccomp_profile(json.dumps(machines))) == {
        **machines,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_S390X", "subArchitectures": []},
        ],
    }


@pytest.mark.parametrize(
    "machines",
    ["", "not JSON", "[]", "{}", '{"archMap": null}', '{"archMap": ["x"]}', "1"],
    ids=["no file", "no JSON", "a list", "no archMap", "null", "no objects", "a number"],
)
def test_seccomp_profile_that_is_not_understood_is_left_to_podman(machines: str) -> None:
    """What is no profile of containers/common is not touched: Podman reads its own, and complains if it must."""
    assert settings.seccomp_profile(machines) == ""


@pytest.mark.parametrize("stores", [[], ["/a"], ["/a", "/b c"]], ids=["none", "one", "two"])
def test_storage_conf_is_what_podman_reads(stores: list[str]) -> None:
    """storage.conf is TOML with a graph root of its own over the image stores."""
    read: dict[str, Any] = tomllib.loads(settings.storage_conf("/graph", [Path(store) for store in stores]))
    assert read == {
        "storage": {
            "driver": "overlay",
            "runroot": "/run/testbed/runroot",
            "graphroot": "/graph",
            "options": {"additionalimagestores": stores},
        }
    }


def test_storage_conf_of_a_user_namespace_keeps_overlays_notes_in_user_attributes() -> None:
    """In a user namespace overlayfs may write ``user.`` attributes only, and is told so."""
    read = tomllib.loads(settings.storage_conf("/graph", [], user_namespace=True))
    assert read["storage"]["options"]["overlay"] == {"mountopt": "userxattr"}


def test_hosts_file_names_the_host_and_its_neighbours() -> None:
    """A host's own name is 127.0.1.1 as on Debian, localhost has both families, neighbours stand below."""
    text = settings.hosts_file("laptop", {"remote": "198.51.100.2", "lan": "198.51.100.3"})
    assert text == (
        "127.0.0.1\tlocalhost\n"
        "127.0.1.1\tlaptop\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "198.51.100.2\tremote\n"
        "198.51.100.3\tlan\n"
    )
    assert [str(address) for address in HostsFile.parse(text).lookup("localhost")] == ["127.0.0.1", "::1"]
