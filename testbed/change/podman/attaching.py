"""A running container on a network, and off it: all that netavark sets up and takes down for that. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from testbed.change.change import ImpossibleChangeError
from testbed.change.edit import namespace_of, with_namespace
from testbed.change.podman.helpers import with_resolver, without_resolver
from testbed.change.podman.links import bridge_of, ports_of, with_bridge, with_pair, without_link, without_pair
from testbed.change.podman.rootless import revived
from testbed.change.podman.rules import version_of, with_rules, without_rules
from testbed.evidence import Attachment, Container, Evidence, HostFacts, Network

#: The only kind of network that is modelled.
BRIDGE: Final = "bridge"


def host_of(evidence: Evidence, container: Container) -> HostFacts:
    """The host that a container is on."""
    return evidence.host(container.host)


def bridges_in(host: HostFacts) -> str:
    """The key of the namespace in which a host's Podman makes its bridges.

    :raises ImpossibleChangeError: it is that of a rootless Podman, which is not in the picture
    """
    key = host.rootless_namespace if host.rootless else host.namespace
    if key is None:
        raise ImpossibleChangeError("rootless Podman's own network namespace is not in the picture")
    return key


def set_up(evidence: Evidence, network: Network, container: Container, attachment: Attachment) -> Evidence:
    """The picture with a container's namespace on a network; the container itself is left as it is.

    :param attachment: the addresses that it gets there
    :raises ImpossibleChangeError: a namespace is not in the picture, or the network is none of bridges
    """
    _see(network)
    host = host_of(evidence, container)
    outside = namespace_of(evidence, bridges_in(host))
    inside = namespace_of(evidence, container.namespace or "")
    outside = with_bridge(
        outside, network, published=bool(container.published) and not network.internal, podman=version_of(host)
    )
    outside, inside = with_pair(outside, inside, network, attachment)
    outside = with_rules(outside, host, network, container, attachment)
    outside = with_resolver(outside, host, network)
    return with_namespace(with_namespace(evidence, outside), inside)


def take_down(evidence: Evidence, network: Network, container: Container, attachment: Attachment) -> Evidence:
    """The picture with a container's namespace off a network: with the last one on it goes the bridge.

    :raises ImpossibleChangeError: a namespace is not in the picture, or the network is none of bridges
    """
    _see(network)
    host = host_of(evidence, container)
    outside = namespace_of(evidence, bridges_in(host))
    inside = evidence.namespaces.get(container.namespace or "")
    outside, inside = without_pair(outside, inside, network, attachment)
    bridge = bridge_of(outside, network)
    # Where the bridge has gone, netavark does not see that nobody is left, and leaves the network's rules.
    last = bridge is not None and not ports_of(outside, bridge)
    outside = without_rules(outside, host, network, container, attachment, last=last)
    if bridge is not None and last:
        outside = without_link(outside, bridge.index)
    outside = without_resolver(outside, network, last=last)
    if host.rootless and not any(link.kind == "veth" for link in outside.links):
        outside = revived(outside, evidence, host)
    changed = with_namespace(evidence, outside)
    return changed if inside is None else with_namespace(changed, inside)


def reloaded(evidence: Evidence, network: Network, container: Container, attachment: Attachment) -> Evidence:
    """The picture after ``podman network reload``: off the network and on it again, with the same addresses."""
    return set_up(take_down(evidence, network, container, attachment), network, container, attachment)


def _see(network: Network) -> None:
    if network.driver != BRIDGE:
        raise ImpossibleChangeError(f"the network {network.name} has no bridge: its driver is {network.driver}")


def on(container: Container, network: str) -> Attachment | None:
    """A container's place on a network; None where it is not on it."""
    return next((one for one in container.attachments if one.network == network), None)


def with_attachment(container: Container, attachment: Attachment) -> Container:
    """A container with a place on a network, instead of one that it has there; they are sorted by name."""
    others = [one for one in container.attachments if one.network != attachment.network]
    return replace(container, attachments=tuple(sorted((*others, attachment), key=lambda one: one.network)))
