"""Words and commands of changes of the programs that connect rootless containers, for podman(1). Pure."""

from __future__ import annotations

from testbed.change.containers import ContainerChange
from testbed.change.rootless import MapGuestAddress, OpenHostLoopback, SlirpSubnet
from testbed.change.wording.anew import dropped, made_anew
from testbed.change.wording.places import container, name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence
from testbed.evidence.programs import PASTA, SLIRP


@words.register
def _(change: OpenHostLoopback, evidence: Evidence) -> str:
    return f"Let {name(evidence, change.host, change.container)} reach the host's loopback (a new container)"


@command.register
def _(change: OpenHostLoopback, evidence: Evidence) -> str:
    return _with_network(change, evidence, f"{SLIRP}:allow_host_loopback=true")


@words.register
def _(change: SlirpSubnet, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Give {SLIRP} of {of} the subnet {change.subnet} (a new container)"


@command.register
def _(change: SlirpSubnet, evidence: Evidence) -> str:
    return _with_network(change, evidence, f"{SLIRP}:cidr={change.subnet}")


@words.register
def _(change: MapGuestAddress, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Let {change.address} mean the host's own address in {of} (a new container)"


@command.register
def _(change: MapGuestAddress, evidence: Evidence) -> str:
    return _with_network(change, evidence, f"{PASTA}:--map-guest-addr={change.address}")


def _with_network(change: ContainerChange, evidence: Evidence, mode: str) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=dropped("network", "net"), options=[f"--network={mode}"]) if found else ""
