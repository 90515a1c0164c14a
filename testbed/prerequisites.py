"""What the testbed needs of a machine, as checks over its picture: each found or not, with the cure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from testbed.errors import UnfitError
from testbed.evidence.programs import PASTA, SLIRP
from testbed.machine_facts import PROGRAMS, Machine

#: The oldest Podman that the suite passes on (Debian 12's). Before 4.0 there was no netavark at all.
OLDEST_PODMAN: Final = (4, 3, 0)
#: Podman's network of rootless containers by default: slirp4netns before it, pasta from it on (its release notes).
FIRST_WITH_PASTA: Final = (5, 0, 0)
#: A full rootless map (subuid(5)): fewer ids and images with high uids cannot be unpacked.
ENOUGH_IDS: Final = 65536
#: Those whose packages have the names of :data:`testbed.machine_facts.PROGRAMS`, by their ID in os-release(5).
APT: Final = ("debian", "ubuntu")


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """One prerequisite as it was found."""

    name: str
    ok: bool
    found: str
    cure: str
    """The command or the step that mends it, for this distribution; empty where nothing is to be mended."""


def require(checks: Iterable[Prerequisite]) -> None:
    """Raise for the first check that fails.

    :raises UnfitError: with what is missing and its cure
    """
    for check in checks:
        if not check.ok:
            raise UnfitError(f"{check.name}: {check.found}; {check.cure}")


def user_namespace(machine: Machine) -> list[Prerequisite]:
    """What an ordinary user needs to become root of a user namespace."""
    if machine.uid == 0:
        return []
    free = f"{machine.first_free_id}-{machine.first_free_id + ENOUGH_IDS - 1}"
    return [
        Prerequisite(
            "user namespaces",
            machine.user_namespaces > 0 and machine.unprivileged_user_namespaces,
            "allowed"
            if machine.user_namespaces > 0 and machine.unprivileged_user_namespaces
            else "forbidden to ordinary users",
            "as root: sysctl -w "
            + (
                "user.max_user_namespaces=65536"
                if machine.user_namespaces <= 0
                else "kernel.unprivileged_userns_clone=1"
            ),
        ),
        Prerequisite(
            "user namespaces (AppArmor)",
            not machine.apparmor_restricts_user_namespaces or machine.programs["podman"] is not None,
            "restricted to known programs; Podman is one, and is used"
            if machine.apparmor_restricts_user_namespaces and machine.programs["podman"]
            else "restricted to known programs, and Podman is not installed"
            if machine.apparmor_restricts_user_namespaces
            else "not restricted",
            "install podman, or as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        _program(machine, "newuidmap", "maps the user's subordinate ids"),
        _program(machine, "newgidmap", "maps the user's subordinate ids"),
        Prerequisite(
            "subordinate ids",
            machine.subordinate_ids >= ENOUGH_IDS,
            f"{machine.subordinate_ids} for {machine.user} in /etc/subuid and /etc/subgid",
            f"as root: usermod --add-subuids {free} --add-subgids {free} {machine.user}",
        ),
    ]


def private_host(machine: Machine, podman: tuple[int, ...] | None) -> list[Prerequisite]:
    """What a private host needs beside the right to make namespaces.

    :param podman: :func:`testbed.machine.podman_version`
    """
    return [
        *engine(machine, podman),
        _program(machine, "unshare", "makes namespaces"),
        _program(machine, "nsenter", "runs commands in them"),
        _program(machine, "catatonit", "is a private host's first process"),
        Prerequisite(
            "cgroup2",
            "cgroup2" in machine.filesystems,
            "known to the kernel" if "cgroup2" in machine.filesystems else "not known to the kernel",
            "boot a kernel with cgroup v2 (CONFIG_CGROUPS, Linux 4.5 or later)",
        ),
        Prerequisite(
            "overlay",
            "overlay" in machine.filesystems,
            "known to the kernel" if "overlay" in machine.filesystems else "not known to the kernel",
            "as root: modprobe overlay",
        ),
    ]


def engine(machine: Machine, podman: tuple[int, ...] | None) -> list[Prerequisite]:
    """What Podman and its network need."""
    version = ".".join(str(part) for part in podman or ())
    runtime = machine.programs["crun"] or machine.programs["runc"]
    return [
        _program(machine, "podman", "runs the containers"),
        Prerequisite(
            "podman version",
            podman is not None and podman >= OLDEST_PODMAN,
            version or "unknown",
            f"needs {'.'.join(str(p) for p in OLDEST_PODMAN)} or later: Debian 12 and Ubuntu 24.04 have it",
        ),
        Prerequisite(
            "netavark",
            machine.netavark is not None,
            machine.netavark or "missing: this Podman would use CNI, whose networks the testbed does not know",
            _install(machine, "netavark", "netavark"),
        ),
        Prerequisite(
            "aardvark-dns",
            machine.aardvark is not None,
            machine.aardvark or "missing",
            _install(machine, "aardvark-dns", "aardvark-dns"),
        ),
        Prerequisite(
            "OCI runtime",
            runtime is not None,
            runtime or "neither crun nor runc is installed",
            _install(machine, "crun", "crun"),
        ),
        _program(machine, "ip", "sets up interfaces"),
        _program(machine, machine.firewall, "netavark sets up its rules with it"),
    ]


def images(machine: Machine) -> list[Prerequisite]:
    """What building the images needs, where no registry image is named as their base."""
    return [_program(machine, "mmdebstrap", "makes the base image from the distribution's packages")]


def tunnel(machine: Machine) -> list[Prerequisite]:
    """What the OpenSSH tunnel needs; the paramiko one needs nothing."""
    return [_program(machine, "ssh", "is the OpenSSH tunnel")]


def by_hand(machine: Machine) -> list[Prerequisite]:
    """What somebody needs who repeats an attempt: every command that stands beside one is a curl."""
    return [_program(machine, "curl", "repeats an attempt by hand")]


def rootless_network(podman: tuple[int, ...] | None) -> str:
    """The program that is the network of an ordinary user's containers where nothing else is said.

    :param podman: :func:`testbed.machine.podman_version`
    """
    return PASTA if podman is not None and podman >= FIRST_WITH_PASTA else SLIRP


def rootless(machine: Machine, network: str) -> list[Prerequisite]:
    """What an ordinary user's own Podman needs beside that for its network, also inside a private host.

    Only tests of rootless Podman need it. Root can make a device that is open to all; another user needs the machine's.

    :param network: the program that is its network
    """
    everybody = 0o006
    return [
        _program(machine, "newuidmap", "maps the user's subordinate ids"),
        _program(machine, "newgidmap", "maps the user's subordinate ids"),
        _program(machine, network, "is the network of rootless containers"),
        Prerequisite(
            "/dev/net/tun",
            machine.uid == 0 or machine.tun & everybody == everybody,
            f"permissions {machine.tun:o}" if machine.tun else "missing",
            "as root: chmod 666 /dev/net/tun" if machine.tun else "as root: modprobe tun",
        ),
    ]


def every(machine: Machine, podman: tuple[int, ...] | None) -> list[Prerequisite]:
    """All of them, in the order in which they matter."""
    return [
        *user_namespace(machine),
        *private_host(machine, podman),
        *images(machine),
        *tunnel(machine),
        *by_hand(machine),
    ]


def _install(machine: Machine, what: str, package: str) -> str:
    if machine.distribution in APT:
        return f"as root: apt-get install {package}"
    return f"as root: install the package that has {what} (Debian's is {package})"


def _program(machine: Machine, name: str, purpose: str) -> Prerequisite:
    path = machine.programs[name]
    return Prerequisite(
        name, path is not None, path or f"not installed ({purpose})", _install(machine, name, PROGRAMS[name])
    )
