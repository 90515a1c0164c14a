"""Causes where a listener could not be: the address that is not there, the port that is taken or reserved. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from testbed.errors import UsageError
from testbed.evidence import Evidence, HostFacts, Listener, Namespace, Network, Place, Protocol
from testbed.evidence.programs import AARDVARK, CONMON, DNS_PORT, ROOTLESSPORT
from testbed.explain.case import at, holder, listeners
from testbed.explain.client_texts.said import Pasted
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.explain.rows import listener_row
from testbed.model import Address
from testbed.predict.routing import own_addresses, setting

#: Podman's processes that hold a published port: conmon as root, rootlessport and its child without.
_HOLDERS = (CONMON, ROOTLESSPORT)


def diagnose(evidence: Evidence, pasted: Pasted, namespace: Namespace) -> Diagnosis | None:
    """Why a program could not listen, from its own words; None where they are about something else."""
    found = _BY_CODE.get(pasted.code) if pasted.code else None
    return found(evidence, pasted, namespace) if found else None


def is_about_binding(pasted: Pasted) -> bool:
    """True for the words of a program that could not listen, or of ssh: no place has to be known for them."""
    return pasted.code in _BY_CODE


def speaker(evidence: Evidence, pasted: Pasted) -> Place:
    """The host where a program could not listen, as its words alone tell: where that port is taken now, else the first.

    :raises UsageError: it is taken on several hosts, or there is none
    """
    if not evidence.hosts:
        raise UsageError("there is no host in the picture")
    first = Place(evidence.hosts[0])
    if pasted.code is not Cause.PORT_TAKEN:
        return first
    # Two Podmans of one machine share its namespace, and are one place.
    namespaces = {host.namespace: host for host in reversed(evidence.hosts)}
    hosts = [host for host in evidence.hosts if host is namespaces[host.namespace]]
    found = [Place(host) for host in hosts if _is_held(evidence, pasted, host)]
    if len(found) > 1:
        known = ", ".join(map(evidence.spelled, found))
        raise UsageError(f"that may have been said on {known}: say which with --from NAME")
    return found[0] if found else first


def _is_held(evidence: Evidence, pasted: Pasted, host: HostFacts) -> bool:
    namespace = evidence.namespaces.get(host.namespace)
    return namespace is not None and bool(_holding(pasted, namespace))


def _no_such_address(evidence: Evidence, pasted: Pasted, namespace: Namespace) -> Diagnosis:
    address = pasted.address
    said = Row("said", "", pasted.text)
    if address is not None and address in set(own_addresses(namespace, address.version)):
        return Diagnosis(
            Cause.NO_SUCH_BIND_ADDRESS,
            f"{address} was not {namespace.label}'s when that was said; it is now: start the listener again.",
            (said, Row("address", namespace.label, str(address))),
            (Cure("Start the listener again", ""),),
            ("An ssh that could not bind may still run, without its listener (ExitOnForwardFailure no).",),
        )
    hosts = {host.key for host in evidence.hosts if host.namespace == namespace.key}
    network = next((n for n in evidence.networks if n.host in hosts and address in n.gateways), None)
    if network is not None and address is not None:
        return _bridge_not_there(network, address, namespace, said)
    own = ", ".join(map(str, own_addresses(namespace, address.version if address else 4)))
    return Diagnosis(
        Cause.NO_SUCH_BIND_ADDRESS,
        f"{address or 'That address'} is no address of {namespace.label}, so nothing can listen on it; it has {own}.",
        (said, Row("address", namespace.label, own)),
        (Cure("Listen on an address that it has, or on all of them", "0.0.0.0", "also your LAN"),),
    )


def _bridge_not_there(network: Network, address: Address, namespace: Namespace, said: Row) -> Diagnosis:
    return Diagnosis(
        Cause.NO_SUCH_BIND_ADDRESS,
        f"{address} is the address that {namespace.label} has on {network.bridge}, and {network.bridge} is not there "
        "now: "
        f"Podman makes it with the first container on the network {network.name} and removes it with the last.",
        (said, Row("network", namespace.label, f"{network.name} bridge={network.bridge} gateway={address}")),
        (
            Cure(
                "Start a container on that network first, then the listener", f"podman start NAME (on {network.name})"
            ),
            Cure(
                "Allow binding to addresses that are not there yet",
                "sysctl -w net.ipv4.ip_nonlocal_bind=1",
                "nothing more than the listener would",
            ),
            Cure("Listen on every address", "0.0.0.0", "also your LAN"),
        ),
    )


def _taken(evidence: Evidence, pasted: Pasted, namespace: Namespace) -> Diagnosis:
    port = f"{'UDP port' if pasted.udp else 'Port'} {pasted.port}"
    found = _holding(pasted, namespace)
    said = Row("said", "", pasted.text)
    if not found:
        return Diagnosis(
            Cause.PORT_TAKEN,
            f"{port} of {namespace.label} was taken when that was said; nobody listens on it now: try again.",
            (said,),
            (Cure("Try again", ""),),
        )
    who = found[0]
    publisher = _publisher(evidence, who, namespace)
    inside = who.process.container if who.process else None
    where = f" for the container {publisher}" if publisher else f" in the container {inside}" if inside else ""
    end = f"kill {who.process.pid}" if who.process else "ss -ltnp"
    return Diagnosis(
        Cause.PORT_TAKEN,
        f"{port} of {namespace.label} is taken: {holder(who)}{where} listens on {at(who.address, who.port)}.",
        (said, *(listener_row(namespace, entry) for entry in found)),
        (
            Cure(f"Stop the container {publisher}, if it is not meant", f"podman stop {publisher}")
            if publisher
            else Cure("End what holds it, if it is not meant", end),
            Cure("Take another port", ""),
        ),
        ("That process only holds the published port: stop the container, not the process.",) if publisher else (),
    )


def _holding(pasted: Pasted, namespace: Namespace) -> list[Listener]:
    """Who listens where a program wanted to."""
    return [
        entry
        for entry in listeners(namespace, pasted.port or 0, Protocol.UDP if pasted.udp else Protocol.TCP)
        if pasted.address is None
        or entry.address == pasted.address
        or entry.address.is_unspecified
        or pasted.address.is_unspecified
    ]


def _resolver_taken(_: Evidence, pasted: Pasted, namespace: Namespace) -> Diagnosis:
    """Podman's resolver could not bind its port, and the container did not start for that."""
    port, address = pasted.port or DNS_PORT, pasted.address
    found = [
        entry
        for protocol in (Protocol.UDP, Protocol.TCP)
        for entry in listeners(namespace, port, protocol)
        if entry.address.is_unspecified or entry.address == address
    ]
    who = f"{holder(found[0])} has it" if found else "somebody had it when that was said, and nobody has it now"
    return Diagnosis(
        Cause.RESOLVER_TAKEN,
        f"Podman's resolver ({AARDVARK}) cannot listen on port {port} of {address or 'the gateway'}, the network's "
        f"gateway, and without it the container does not start: {who}.",
        (Row("said", "", pasted.text), *(listener_row(namespace, entry) for entry in found)),
        (
            Cure(
                "Keep that server off the bridges (dnsmasq: except-interface and bind-interfaces), and start the "
                "container again",
                "podman start NAME",
            ),
            Cure("Give Podman's resolver another port, in containers.conf(5)", "[network]\ndns_bind_port = 1053"),
        ),
    )


def _publisher(evidence: Evidence, listener: Listener, namespace: Namespace) -> str:
    """The container whose published port a process of Podman's holds; empty for any other process."""
    hosts = {host.key for host in evidence.hosts if host.namespace == namespace.key}
    if listener.process is None or not listener.process.name.startswith(_HOLDERS):
        return ""
    return next(
        (
            container.name
            for container in evidence.containers
            if container.host in hosts and any(port.host_port == listener.port for port in container.published)
        ),
        "",
    )


def _privileged(_: Evidence, pasted: Pasted, namespace: Namespace) -> Diagnosis:
    first = setting(namespace, "ipv4/ip_unprivileged_port_start") or 1024
    port = pasted.port or 0
    free = max(8080, first)
    return Diagnosis(
        Cause.PRIVILEGED_PORT,
        f"Port {port} is below {first}, which on {namespace.label} only root may listen on "
        f"(net.ipv4.ip_unprivileged_port_start), and rootless Podman is not root.",
        (
            Row("said", "", pasted.text),
            Row("sysctl", namespace.label, f"net.ipv4.ip_unprivileged_port_start = {first}"),
        ),
        (
            Cure("Publish it on a higher port", f"podman run -p {free}:{port} ..."),
            Cure(
                "Let ordinary users have it, as root",
                f"sysctl -w net.ipv4.ip_unprivileged_port_start={port}",
                f"every user of the machine may listen on ports from {port}",
            ),
        ),
    )


def _tunnel(_evidence: Evidence, pasted: Pasted, _namespace: Namespace) -> Diagnosis:
    said = Row("said", "ssh", pasted.text)
    if pasted.code is Cause.TUNNEL_FORBIDDEN:
        return Diagnosis(
            Cause.TUNNEL_FORBIDDEN,
            "The tunnel stands, but the SSH server at its far end does not open that forward: its settings forbid it.",
            (said,),
            (
                Cure(
                    "Allow it on the server, in sshd_config(5)",
                    "AllowTcpForwarding local\nPermitOpen HOST:PORT",
                    "who may log in there reaches that port",
                ),
            ),
        )
    return Diagnosis(
        Cause.TUNNEL_FAR_END_DOWN,
        "The tunnel stands, but at its far end nobody takes the connection: what it leads to is down, or listens "
        "elsewhere.",
        (said,),
        (Cure("Start what the tunnel leads to, on the far side (third part of -L)", "ss -ltnp (on the far side)"),),
        ("The client sees its connection closed or reset, never refused: the tunnel's own listener took it.",),
    )


#: The diagnosis of each cause that the words alone prove.
_BY_CODE: Final[Mapping[Cause, Callable[[Evidence, Pasted, Namespace], Diagnosis]]] = MappingProxyType(
    {
        Cause.NO_SUCH_BIND_ADDRESS: _no_such_address,
        Cause.PORT_TAKEN: _taken,
        Cause.RESOLVER_TAKEN: _resolver_taken,
        Cause.PRIVILEGED_PORT: _privileged,
        Cause.TUNNEL_FAR_END_DOWN: _tunnel,
        Cause.TUNNEL_FORBIDDEN: _tunnel,
    }
)
