"""Causes of a network of Podman's whose bridge is gone, or has lost its address. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from testbed.change.containers import RestartAll
from testbed.change.segments import AddAddress
from testbed.evidence import Namespace, Network
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.model import Address
from testbed.predict.routing import link_named


def proposals(case: Case, to: Address) -> Iterator[Proposal]:
    """Networks with an address whose bridge is not what Podman made.

    :param to: the address that nobody answers for
    """
    for network in case.evidence.networks:
        if network.driver == "bridge" and any(to in subnet for subnet in network.subnets):
            for here in _where(case, network):
                yield from _of_network(case, network, here, to)


def _where(case: Case, network: Network) -> Iterator[Namespace]:
    """The namespace that a network's bridge is to be in: its host's, or rootless Podman's own."""
    host = case.evidence.host(network.host)
    here = case.evidence.namespaces.get((host.rootless_namespace if host.rootless else host.namespace) or "")
    if here is not None:
        yield here


def _of_network(case: Case, network: Network, here: Namespace, to: Address) -> Iterator[Proposal]:
    on = [c for c in case.evidence.containers if c.state == "running" and network in case.networks_of(c)]
    bridge = link_named(here, network.bridge)
    if bridge is None and on:
        yield Proposal(
            Cause.BRIDGE_GONE,
            f"The bridge {network.bridge} of the network {network.name} is gone from {here.label}, and with it what "
            f"connects its containers ({', '.join(c.name for c in on)}) to each other and to the host.",
            (Row("link", here.label, f"ip link show {network.bridge}: does not exist"),),
            (
                Remedy(
                    f"Restart all containers of the network {network.name}: stop them all first, for Podman makes the "
                    "bridge anew with the first one that starts",
                    changes=(RestartAll(network.host, network.name),),
                ),
            ),
            ("Restarting one of them makes the bridge anew, and leaves the others without it.",),
        )
        return
    own = [row.address.ip for row in here.addresses if bridge is not None and row.link == bridge.index]
    for subnet, gateway in zip(network.subnets, network.gateways, strict=False):
        if bridge is None or gateway in own or gateway.version != to.version:
            continue
        address = ipaddress.ip_interface(f"{gateway}/{subnet.prefixlen}")
        yield Proposal(
            Cause.BRIDGE_WITHOUT_ADDRESS,
            f"The bridge {network.bridge} of {here.label} does not have {gateway}, the gateway of the network "
            f"{network.name}: nobody answers for it.",
            (Row("address", here.label, f"ip address show {network.bridge}: no {gateway}"),),
            (
                Remedy(f"Give it back (run on {case.machine(here)})", changes=(AddAddress(here.key, bridge, address),)),
                Remedy(
                    f"Restart all containers of the network {network.name}",
                    changes=(RestartAll(network.host, network.name),),
                ),
            ),
        )
