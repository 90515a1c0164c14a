"""Causes of a name that is known elsewhere: to the host, below a search domain, or as that of a pod. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change.naming import AddHostsLine, NewWithHostsLine
from testbed.evidence import Container
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.model import Address

#: What is shown of a network mode: ``container:`` and the short id.
_SHOWN = 22


def proposals(case: Case, name: str) -> Iterator[Proposal]:
    """Where else a name is known that was not found.

    :param name: in lower case, without a dot at its end
    """
    container = case.place.container
    if container is not None:
        yield from _in_the_hosts_file_of_the_host(case, name, container)
        yield from _below_a_search_domain(case, name, container)
        yield from _of_a_pod(case, name, container)
        yield from _of_who_shares_a_namespace(case, name, container)


def _in_the_hosts_file_of_the_host(case: Case, name: str, container: Container) -> Iterator[Proposal]:
    """Podman's resolver asks the host's resolvers, and reads no hosts file."""
    host = case.place.host
    addresses = tuple(a for a in host.names.hosts.lookup(name) if not a.is_loopback)
    if addresses:
        yield Proposal(
            Cause.NAME_MISSING,
            f"{container.name} does not know the name {name}: it stands in the hosts file of {host.name}, which is not "
            "the container's own, and no resolver knows it.",
            (
                *(Row("hosts", host.name, f"{address} {name}") for address in addresses),
                hosts_row(case),
                *resolver_rows(case),
            ),
            (*_calls(case, addresses), *named(case, name, iter(addresses))),
        )


def _below_a_search_domain(case: Case, name: str, container: Container) -> Iterator[Proposal]:
    """The host completes the name by a search domain, and the container does not have that one."""
    host = case.place.host
    for domain in host.names.search:
        if domain not in container.names.search:
            target = replace(case.attempt.target, host=f"{name}.{domain}")
            yield Proposal(
                Cause.NAME_MISSING,
                f"{container.name} does not know the name {name}: {host.name} completes it by its search domain "
                f"{domain}, and {container.name} does not have that one.",
                (Row("resolver", host.name, f"search {' '.join(host.names.search)}"), *resolver_rows(case)),
                (Remedy("Call it by its whole name", target=target),),
            )


def _of_a_pod(case: Case, name: str, asking: Container) -> Iterator[Proposal]:
    """The name is that of a pod's member; on the network it is the pod that has a name."""
    for member in case.evidence.containers:
        if not member.pod or member.name.lower() != name or member.host != asking.host:
            continue
        on_networks = [c for c in case.evidence.containers if c.pod == member.pod and c.host == member.host]
        for infra in (c for c in on_networks if c.attachments):
            names = dict.fromkeys(alias for on in infra.attachments for alias in (*on.aliases, infra.name))
            targets = [replace(case.attempt.target, host=one) for one in (member.pod, *names)]
            addresses = tuple(address for on in infra.attachments for address in on.addresses)
            yield Proposal(
                Cause.NAME_MISSING,
                f"{asking.name} does not know the name {name}: that is a member of the pod {member.pod}, and on the "
                "network the pod alone has a name.",
                (Row("pod", case.named(member.host), f"{member.pod}: {', '.join(c.name for c in on_networks)}"),),
                (
                    *(Remedy("Call the pod by its name", target=target) for target in targets),
                    *named(case, name, iter(addresses)),
                ),
            )


def _of_who_shares_a_namespace(case: Case, name: str, asking: Container) -> Iterator[Proposal]:
    """The name is that of a container with another one's network: that one alone has names there."""
    for member in case.evidence.containers:
        if member.name.lower() != name or member.host != asking.host or not member.mode.startswith("container:"):
            continue
        for owner in (c for c in case.evidence.containers if c.namespace == member.namespace and c.mode == "bridge"):
            target = replace(case.attempt.target, host=owner.name)
            addresses = tuple(address for on in owner.attachments for address in on.addresses)
            yield Proposal(
                Cause.NAME_MISSING,
                f"{asking.name} does not know the name {name}: that container shares the network of {owner.name}, "
                f"which alone has a name there.",
                (Row("container", case.named(member.host), f"{member.name} {member.mode[:_SHOWN]}"),),
                (
                    Remedy(f"Call it by the name of {owner.name}", target=target),
                    *_calls(case, addresses),
                    *named(case, name, iter(addresses)),
                ),
            )


def _calls(case: Case, addresses: tuple[Address, ...]) -> Iterator[Remedy]:
    for address in addresses:
        target = replace(case.attempt.target, host=str(address))
        yield Remedy("Call it by its address", target=target)


def named(case: Case, name: str, addresses: Iterator[Address]) -> Iterator[Remedy]:
    """Writing a name into the hosts file of the place."""
    place = case.place
    for address in addresses:
        if place.container is not None:
            yield Remedy(
                f"Name it for {place.name}",
                f"podman run --add-host {name}:{address} ... (a new container)",
                (NewWithHostsLine(place.host.key, place.container.id, name, address),),
            )
        else:
            yield Remedy(
                f"Name it in the hosts file of {place.name}", changes=(AddHostsLine(place.host.key, name, address),)
            )


def hosts_row(case: Case) -> Row:
    """The names that the hosts file of a place has."""
    names = sorted(case.place.names.hosts.addresses)
    return Row("hosts", case.place.name, f"has {', '.join(names[:12])}" if names else "is empty")


def resolver_rows(case: Case) -> tuple[Row, ...]:
    """The resolvers that a place asks."""
    servers = case.place.names.nameservers
    return (Row("resolver", case.place.name, " ".join(f"nameserver {server}" for server in servers) or "none"),)
