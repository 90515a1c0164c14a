"""Where commands are run, and what namespaces, containers and addresses are called in them. Pure."""

from __future__ import annotations

import shlex

from testbed.evidence import Container, Evidence, Namespace
from testbed.model import Address, bracketed

_ANY = ("0.0.0.0", "::")


def label(evidence: Evidence, key: str) -> str:
    """The name of a namespace, as people call it."""
    found = evidence.namespaces.get(key)
    return found.label if found else key


def container(evidence: Evidence, host: str, identity: str) -> Container | None:
    """A container by its host's key and its id; None where it is not in the picture."""
    return next((one for one in evidence.containers if (one.host, one.id) == (host, identity)), None)


def name(evidence: Evidence, host: str, identity: str) -> str:
    """A container's name, by its host's key and its id."""
    found = container(evidence, host, identity)
    return found.name if found else identity


def inside(evidence: Evidence, key: str, *commands: str) -> str:
    """Commands as they are run on the machine for a namespace: containers have no such tools.

    :param key: the key of the namespace
    """
    prefix = _prefix(evidence, key)
    if not prefix:
        return "\n".join(commands)
    return "\n".join(f"{prefix} {_one_program(line)}" for line in commands)


def _prefix(evidence: Evidence, key: str) -> str:
    if any(host.namespace == key for host in evidence.hosts):
        return ""
    if any(host.rootless_namespace == key for host in evidence.hosts):
        return "podman unshare --rootless-netns"
    for one in evidence.containers:
        if one.namespace == key:
            rootless = evidence.host(one.host).rootless
            pid = str(one.pid) if one.pid else f"$(podman inspect --format '{{{{.State.Pid}}}}' {one.name})"
            return f"{'podman unshare ' if rootless else ''}nsenter -t {pid} -n"
    return ""


def _one_program(line: str) -> str:
    """A command line as one program with its arguments, for what runs a program."""
    return f"sh -c {shlex.quote(line)}" if any(mark in line for mark in "|;&<>") else line


def link_name(namespace: Namespace | None, index: int | None) -> str:
    """The name of an interface by its index; empty where there is none."""
    links = namespace.links if namespace else ()
    return next((link.name for link in links if link.index == index), "")


def at(address: Address | str, port: int) -> str:
    """An address and a port as ss(8) prints them."""
    return f"{bracketed(str(address))}:{port}"


def everywhere(address: Address | str) -> bool:
    """Tell if an address stands for all of them."""
    return str(address) in _ANY


def ip(version: int) -> str:
    """The program that changes routes of an IP version (ip(8))."""
    return "ip" if version == 4 else "ip -6"
