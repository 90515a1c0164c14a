"""Words and commands of changes of the networks that containers are on, for podman(1). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from testbed.change.networks import (
    Connect,
    Disconnect,
    NewOnHostNetwork,
    NewOnNetwork,
    NewWithNetworkOf,
    RecreateNetwork,
)
from testbed.change.podman.attaching import on
from testbed.change.wording.anew import dropped, made_anew
from testbed.change.wording.containers import running_on
from testbed.change.wording.places import container, name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence, Network

#: A bridge's name that Podman chose: the first one that is free.
_CHOSEN = re.compile(r"podman\d+|")
#: Options that say where a container is on its networks.
_PLACED = ("network", "net", "ip", "ip6", "mac-address", "network-alias")


@words.register
def _(change: Connect, evidence: Evidence) -> str:
    called = f", called {' and '.join(change.aliases)} there" if change.aliases else ""
    return f"Connect {name(evidence, change.host, change.container)} to the network {change.network}{called}"


@command.register
def _(change: Connect, evidence: Evidence) -> str:
    aliases = "".join(f"--alias {alias} " for alias in change.aliases)
    return f"podman network connect {aliases}{change.network} {name(evidence, change.host, change.container)}"


@words.register
def _(change: Disconnect, evidence: Evidence) -> str:
    return f"Disconnect {name(evidence, change.host, change.container)} from the network {change.network}"


@command.register
def _(change: Disconnect, evidence: Evidence) -> str:
    return f"podman network disconnect {change.network} {name(evidence, change.host, change.container)}"


@words.register
def _(change: NewOnNetwork, evidence: Evidence) -> str:
    return f"Run {name(evidence, change.host, change.container)} on the network {change.network} (a new container)"


@command.register
def _(change: NewOnNetwork, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=dropped(*_PLACED), options=[f"--network={change.network}"]) if found else ""


@words.register
def _(change: NewWithNetworkOf, evidence: Evidence) -> str:
    own, other = name(evidence, change.host, change.container), name(evidence, change.host, change.other)
    return f"Run {own} with the network of {other}, whose 127.0.0.1 is its own then (a new container)"


@command.register
def _(change: NewWithNetworkOf, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    option = f"--network=container:{name(evidence, change.host, change.other)}"
    return made_anew(found, without=dropped(*_PLACED), options=[option]) if found else ""


@words.register
def _(change: NewOnHostNetwork, evidence: Evidence) -> str:
    return f"Run {name(evidence, change.host, change.container)} with the host's own network (a new container)"


@command.register
def _(change: NewOnHostNetwork, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=dropped(*_PLACED), options=["--network=host"]) if found else ""


@words.register
def _(change: RecreateNetwork, evidence: Evidence) -> str:  # noqa: ARG001 - what changes is enough
    return f"Make the network {change.network} anew, {' and '.join(_said(change))}, with the containers on it"


@command.register
def _(change: RecreateNetwork, evidence: Evidence) -> str:
    network = next((n for n in evidence.networks if (n.host, n.name) == (change.host, change.network)), None)
    if network is None:
        return ""
    up = running_on(evidence, change.host, change.network)
    places = [one for one in evidence.containers if one.host == change.host and on(one, network.name)]
    return "\n".join(
        [
            *([f"podman stop {' '.join(up)}"] if up else []),
            *(f"podman network disconnect --force {network.name} {one.name}" for one in places),
            f"podman network rm {network.name}",
            f"podman network create {' '.join(_options(change, network))} {network.name}",
            *(f"podman network connect {network.name} {one.name}" for one in places),
            *([f"podman start {' '.join(up)}"] if up else []),
        ]
    )


def _said(change: RecreateNetwork) -> Iterator[str]:
    if change.isolate is not None:
        yield "without isolation" if change.isolate == "false" else f"with isolation {change.isolate}"
    if change.internal is not None:
        yield "internal" if change.internal else "not internal"
    if change.dns_enabled is not None:
        yield "with DNS" if change.dns_enabled else "without DNS"
    if change.subnets is not None:
        yield f"with the subnet{'s' * bool(change.subnets[1:])} {', '.join(map(str, change.subnets))}"


def _options(change: RecreateNetwork, network: Network) -> Iterator[str]:
    """The options of podman-network-create(1), also those that stay as they are."""
    options = dict(network.options)
    if change.isolate is not None:
        options["isolate"] = change.isolate
    yield f"--driver={network.driver}"
    if not _CHOSEN.fullmatch(network.bridge):
        yield f"--interface-name={network.bridge}"
    if network.internal if change.internal is None else change.internal:
        yield "--internal"
    if not (network.dns_enabled if change.dns_enabled is None else change.dns_enabled):
        yield "--disable-dns"
    subnets = network.subnets if change.subnets is None else change.subnets
    if any(subnet.version == 6 for subnet in subnets):
        yield "--ipv6"
    yield from (f"--subnet={subnet}" for subnet in subnets)
    yield from (f"--opt={key}={value}" for key, value in options.items())
