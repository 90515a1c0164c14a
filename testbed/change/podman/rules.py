"""Putting netavark's rules for a container on a network into a namespace, by the driver that is in use. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.change.podman import iptables, nftables
from testbed.change.podman.plan import Leg, Plan, laid, lifted
from testbed.evidence import Attachment, Backend, Container, HostFacts, Namespace, Network, Published, Ruleset

#: Podman 6 comes with netavark 2, which has no iptables driver any more.
_ONLY_NFTABLES: Final = (6,)
_INPUT: Final = "NETAVARK_INPUT"
_FORWARD: Final = "NETAVARK_FORWARD"


def with_rules(
    here: Namespace, host: HostFacts, network: Network, container: Container, attachment: Attachment
) -> Namespace:
    """A namespace with all rules for a container on a network, those that are there already once."""
    ruleset = here.firewall
    for plan in _plans(ruleset, host, network, container, attachment):
        ruleset = laid(ruleset, plan)
    return replace(here, firewall=ruleset)


def without_rules(
    here: Namespace,
    host: HostFacts,
    network: Network,
    container: Container,
    attachment: Attachment,
    *,
    last: bool,
) -> Namespace:
    """A namespace without the rules for a container on a network.

    :param last: whether no other container is left on the network
    """
    ruleset = here.firewall
    for plan in _plans(ruleset, host, network, container, attachment):
        ruleset = lifted(ruleset, plan, last=last)
    return replace(here, firewall=ruleset)


def version_of(host: HostFacts) -> tuple[int, ...]:
    """Podman's version as numbers; empty where it is not known."""
    words = host.podman.split("-", 1)[0].split(".")
    return tuple(int(word) for word in words) if all(word.isdecimal() for word in words) else ()


def backend_of(ruleset: Ruleset, host: HostFacts) -> Backend:
    """The program that netavark makes its rules with: that of those that are there, else this Podman's default."""
    for chain in ruleset.chains:
        if chain.table == nftables.TABLE and chain.backend is Backend.NFTABLES:
            return Backend.NFTABLES
        if chain.name == _FORWARD:
            return chain.backend
    if version_of(host) >= _ONLY_NFTABLES:
        return Backend.NFTABLES
    legacy = any(chain.backend is Backend.LEGACY for chain in ruleset.chains)
    others = any(chain.backend is Backend.IPTABLES for chain in ruleset.chains)
    return Backend.LEGACY if legacy and not others else Backend.IPTABLES


def _plans(
    ruleset: Ruleset, host: HostFacts, network: Network, container: Container, attachment: Attachment
) -> Iterator[Plan]:
    if network.internal:
        return  # netavark makes none for such a network (src/network/bridge.rs)
    backend = backend_of(ruleset, host)
    for subnet in network.subnets:
        address = next((one for one in attachment.addresses if one in subnet), None)
        if address is None:
            continue
        published = tuple(p for p in container.published if _is_of(p, subnet.version))
        leg = Leg(network, subnet, container.id, address, published, version_of(host))
        if backend is Backend.NFTABLES:
            yield nftables.plan(leg, ruleset)
            continue
        known = any(chain.name == _FORWARD for chain in ruleset.chains)
        newer = any(chain.name == _INPUT for chain in ruleset.chains) if known else None
        yield iptables.plan(leg, backend, with_input=newer)


def _is_of(published: Published, version: int) -> bool:
    """Tell if a published port has rules for an IP version: without an address it has for both."""
    address = published.host_address
    return not address or (":" in address) == (version == 6)
