"""Podman's settings on a host, chosen from what the machine allows. Pure: values in, file contents out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Final

from testbed.errors import UnfitError
from testbed.machine_facts import Machine

#: Where a private host's Podman answers, and what that prints.
SERVICE: Final = "/run/testbed/podman.sock"
SERVICE_LOG: Final = "/run/testbed/podman.log"
#: Podman's own defaults (containers/common pkg/config/default.go): never asked for more than the machine gives.
_WANTED_FILES: Final = 1_048_576
_WANTED_PROCESSES: Final = 4_194_304


def ulimits(machine: Machine) -> tuple[str, str]:
    """``default_ulimits`` for containers, at most the machine's own hard limits: setrlimit(2) refuses more."""
    files = _WANTED_FILES if machine.open_files < 0 else min(machine.open_files, _WANTED_FILES)
    processes = _WANTED_PROCESSES if machine.processes < 0 else min(machine.processes, _WANTED_PROCESSES)
    return f"nofile={files}:{files}", f"nproc={processes}:{processes}"


def runtime(machine: Machine, *, pure_cgroup2: bool) -> str:
    """The OCI runtime: crun, or runc where crun is missing or would refuse a hybrid cgroup hierarchy.

    :param pure_cgroup2: whether /sys/fs/cgroup is one cgroup2 file system there
    :raises UnfitError: neither fits
    """
    if machine.programs["crun"] and pure_cgroup2:
        return "crun"
    if machine.programs["runc"]:
        return "runc"
    if machine.programs["crun"]:
        raise UnfitError("crun refuses this machine's hybrid cgroups, and runc is not installed: apt-get install runc")
    raise UnfitError("no OCI runtime: run 'apt-get install crun' (or see 'testbed doctor')")


def seccomp_profile(machines: str) -> str:
    """A seccomp profile for containers: the machine's own, without the other architectures that its kernel also runs.

    libseccomp compiles every rule anew for each architecture and each container: for x86 and x32 beside x86_64 that is
    a seventh of what starting a container costs. A program of another architecture (32-bit ones) is killed by SIGSYS
    (seccomp(2), the bad-architecture action of libseccomp).

    :param machines: the JSON of containers/common's profile (pkg/seccomp/types.go, ``archMap``)
    :returns: JSON; empty where the machine's is not what this knows, and Podman's own choice then stands
    """
    try:
        profile = json.loads(machines)
        for architecture in profile["archMap"]:
            architecture["subArchitectures"] = []
    except (ValueError, KeyError, TypeError):
        return ""
    return json.dumps(profile)


def containers_conf(machine: Machine, *, networks: str = "/run/testbed/networks", rootless_network: str = "") -> str:
    """containers.conf(5) of a private host, or of an ordinary user of one.

    No keyrings: the kernel allows an ordinary user 200, one a container is soon too many. No base hosts file: the
    machine's own would leak in. runc refuses ``cgroups=disabled``; crun takes it, and saves what it cannot use.

    :param networks: the folder of the networks' configurations
    :param rootless_network: the program that is an ordinary user's network (default_rootless_network_cmd); empty for
        Podman's own choice
    """
    chosen = runtime(machine, pure_cgroup2=True)
    limits = ", ".join(f'"{limit}"' for limit in ulimits(machine))
    return "\n".join(
        [
            "[containers]",
            'base_hosts_file = "none"',
            *(['cgroups = "disabled"'] if chosen == "crun" else []),
            "keyring = false",
            f"default_ulimits = [{limits}]",
            "pids_limit = 0",
            'log_driver = "k8s-file"',
            "[engine]",
            'cgroup_manager = "cgroupfs"',
            'events_logger = "file"',
            f'runtime = "{chosen}"',
            "[network]",
            'network_backend = "netavark"',
            f'network_config_dir = "{networks}"',
            *([f'default_rootless_network_cmd = "{rootless_network}"'] if rootless_network else []),
            "",
        ]
    )


def storage_conf(
    graphroot: str,
    image_stores: Sequence[os.PathLike[str]],
    *,
    user_namespace: bool = False,
    runroot: str = "/run/testbed/runroot",
    rootless: bool = False,
) -> str:
    """containers-storage.conf(5): a graph root of its own, over image stores that are only read.

    :param user_namespace: whether it is for a user namespace, where overlayfs keeps its notes in ``user.`` attributes
        (mount(8), userxattr); Podman asks for that by itself only where it takes itself for rootless
    :param rootless: whether it is for a Podman that takes itself for rootless, and then passes ``graphroot`` over
    """
    stores = ", ".join(f'"{store}"' for store in image_stores)
    return "\n".join(
        [
            "[storage]",
            'driver = "overlay"',
            f'runroot = "{runroot}"',
            f'graphroot = "{graphroot}"',
            *([f'rootless_storage_path = "{graphroot}"'] if rootless else []),
            "[storage.options]",
            f"additionalimagestores = [{stores}]",
            *(["[storage.options.overlay]", 'mountopt = "userxattr"'] if user_namespace else []),
            "",
        ]
    )


def hosts_file(hostname: str, names: Mapping[str, str]) -> str:
    """hosts(5) of a private host, as Debian's installer writes it.

    :param names: other machines: name to address
    """
    return "".join(
        f"{address}\t{name}\n"
        for address, name in [
            ("127.0.0.1", "localhost"),
            ("127.0.1.1", hostname),
            ("::1", "localhost ip6-localhost ip6-loopback"),
            *((address, name) for name, address in names.items()),
        ]
    )
