"""Causes that have to do with published ports. Pure."""

from __future__ import annotations

import ipaddress

from testbed.evidence import Container, Namespace, Protocol, Published
from testbed.explain.case import Case, any_address, as_address, at, covers, holder, listener_row, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Address
from testbed.predict import StepKind

_IN_USE = frozenset({"running", "paused"})


def behind_published_port(case: Case, here: Namespace) -> Diagnosis | None:
    """The port is published and leads into a container where nobody listens on the container's port."""
    rewritten = [s for s in case.prediction.steps if s.kind is StepKind.TRANSLATE and not s.back]
    if not rewritten or case.is_host(here.key) or listeners(here, case.port):
        return None
    others = [e for e in here.listeners if e.protocol is Protocol.TCP and not e.address.is_loopback and covers(e, 4)]
    container = next(iter(case.containers_in(here.key)), None)
    if not others or container is None:
        return None
    outside = case.attempt.target.port
    listener = others[0]
    return Diagnosis(
        Cause.WRONG_CONTAINER_PORT,
        f"Port {outside} is published to port {case.port} of the container {here.label}, and nobody listens on "
        f"{case.port} there; {holder(listener)} listens on {listener.port}.",
        (
            Row("published", case.host_of(here.key), f"{outside}->{case.port}/tcp {container.name}"),
            listener_row(here, listener),
        ),
        (
            Cure(
                "Publish the port that it listens on", f"podman run -p {outside}:{listener.port} ... (a new container)"
            ),
            Cure(f"Or make the program listen on port {case.port}", at(any_address(4), case.port)),
        ),
        ("The host's ss shows the published port as listened on: that is Podman's conmon, which only holds the port.",),
    )


def published_instead(case: Case, host: Namespace, address: Address) -> Diagnosis | None:
    """The host itself does not listen; a container publishes that port otherwise, or not, or does not run."""
    name = case.host_of(host.key)
    for container, published in case.published_at(name, case.port):
        if container.state not in _IN_USE:
            return not_running(case, container)
        found = _published_elsewhere(case, container, published, address)
        if found:
            return found
    return _not_published(case, name, address)


def not_running(case: Case, container: Container) -> Diagnosis:
    """The container that is meant does not run."""
    code = f" with status {container.exit_code}" if container.state == "exited" else ""
    return Diagnosis(
        Cause.NOT_RUNNING,
        f"The container {container.name} on {container.host}, which {case.said} leads to, does not run: it is "
        f"{container.state}{code}.",
        (Row("container", container.host, f"{container.id[:12]} {container.name} {container.state}"),),
        (
            Cure("Start it", f"podman start {container.name}"),
            Cure("See why it ended", f"podman logs {container.name}"),
        ),
    )


def _published_elsewhere(case: Case, container: Container, published: Published, address: Address) -> Diagnosis | None:
    bound = as_address(published.host_address) if published.host_address else None
    row = Row(
        "published",
        container.host,
        f"{published.host_address or '0.0.0.0'}:{published.host_port}->{published.container_port}/tcp {container.name}",
    )
    again = f"{published.host_port}:{published.container_port}"
    if address.version == 6 and (bound is None or bound.version == 4 or address.is_loopback):
        where = "[::1]" if address.is_loopback else f"[{address}]"
        return Diagnosis(
            Cause.PUBLISHED_IPV6_LOOPBACK,
            f"Port {published.host_port} of {container.name} is published for IPv4, and you called {where}: the kernel "
            f"rewrites no packet to the IPv6 loopback, and Podman holds the port on IPv4 only.",
            (row,),
            (
                Cure("Call it by its IPv4 address", f"127.0.0.1:{published.host_port}"),
                Cure("Give the network IPv6 and call the host's own IPv6 address", "podman network create --ipv6 ..."),
            ),
            ("localhost is often ::1 first: a client that tries only one address fails, another one works.",),
        )
    if bound is None or bound.is_unspecified or bound == address:
        return None
    loopback = bound.is_loopback
    where = "the host's own loopback" if loopback else f"the address {bound}"
    network = next((n for n in case.evidence.networks if n.host == container.host and address in n.gateways), None)
    cures = [
        Cure(
            f"Publish it on {address}",
            f"podman run -p {address}:{again} ... (a new container)",
            f"the containers of the network {network.name}" if network else f"whoever reaches {address}",
        ),
        Cure("Publish it on every address", f"podman run -p {again} ... (a new container)", "also your LAN"),
    ]
    if case.place.container is not None:
        cures.insert(
            0,
            Cure(
                f"Call {container.name} itself, on a network that both are on",
                f"{container.name}:{published.container_port}",
            ),
        )
    return Diagnosis(
        Cause.PUBLISHED_ON_LOOPBACK,
        f"{container.name} publishes port {published.host_port} on {where} only ({published.host_address}), and "
        f"{case.said} is another address of {container.host}.",
        (row,),
        tuple(cures),
    )


def _not_published(case: Case, host: str, address: Address) -> Diagnosis | None:
    """A container listens on that port, and the host was called, where it is not published."""
    if case.place.namespace == case.prediction.namespace and case.place.container is not None:
        return None
    for container in case.evidence.containers:
        if container.host != host or container.namespace is None or case.is_host(container.namespace):
            continue
        if container.namespace == case.place.namespace or any(p.host_port == case.port for p in container.published):
            continue
        there = case.evidence.namespaces.get(container.namespace)
        found = [e for e in listeners(there, case.port) if covers(e, 4)] if there else []
        if there and found and not all(e.address.is_loopback for e in found):
            own = next((a for at_ in container.attachments for a in at_.addresses), None)
            return Diagnosis(
                Cause.NOT_PUBLISHED,
                f"{holder(found[0])} listens on port {case.port} inside the container {container.name}, but that port "
                f"is not published on {host}: at {address} nobody takes it.",
                (
                    listener_row(there, found[0]),
                    Row("published", host, f"{container.name}: nothing for {case.port}/tcp"),
                ),
                (
                    Cure(
                        "Publish it",
                        f"podman run -p 127.0.0.1:{case.port}:{case.port} ... (a new container)",
                        "only this host; without 127.0.0.1: also your LAN",
                    ),
                    *([Cure("Or call the container's own address", at(own, case.port))] if own else []),
                ),
            )
    return None


def rules_lost(case: Case) -> Diagnosis:
    """conmon took the connection, which it only does where the rule that should rewrite it is not there."""
    here, listener = case.end, case.prediction.listener
    assert here is not None and listener is not None
    host = case.host_of(here.key)
    found = next(iter(case.published_at(host, case.port)), None)
    name = found[0].name if found else "a container"
    literal = found is not None and found[1].host_address == str(ipaddress.ip_address("0.0.0.0"))
    why = (
        "its firewall rule is for packets to 0.0.0.0, of which there are none (published through the API on 0.0.0.0)"
        if literal and _has_rule(here)
        else "the firewall rule that should rewrite it is gone, as after a firewall was reloaded or flushed"
    )
    return Diagnosis(
        Cause.PUBLISHED_NO_RULE,
        f"Port {case.port} is published by {name}, but {why}: the connection hangs in {holder(listener)}, which only "
        f"holds the port and never answers.",
        (listener_row(here, listener),),
        (
            Cure("Write Podman's rules anew", "podman network reload --all"),
            Cure("Or restart the container", f"podman restart {name}"),
        ),
        ("ss shows the port as listened on, and connecting succeeds: neither says that the container is reached.",),
    )


def _has_rule(here: Namespace) -> bool:
    return any("0.0.0.0/32" in rule.text for chain in here.firewall.chains for rule in chain.rules)
