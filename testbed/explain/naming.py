"""Causes where the name has no address, or nobody says which. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from testbed.change.containers import Restart, RestartAll, Start
from testbed.change.listening import StopListening
from testbed.change.naming import NewWithResolver, SetResolverPort
from testbed.change.networks import Connect
from testbed.change.new_networks import CreateNetwork
from testbed.change.publishing import Republish
from testbed.evidence import Container, HostFacts, Network, Protocol
from testbed.evidence.programs import AARDVARK, DNS_PORT
from testbed.evidence.uplinks import uplinks
from testbed.explain import names_elsewhere
from testbed.explain.accepting import let_through
from testbed.explain.by_ending import propose
from testbed.explain.case import Case, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.filtering import decided
from testbed.explain.names_elsewhere import hosts_row, named, resolver_rows
from testbed.explain.not_running import not_running
from testbed.explain.publishing import published_row
from testbed.explain.rows import listener_row, rule_row
from testbed.explain.sentences import continued
from testbed.model import Address
from testbed.predict.ending import Accepted, Filtered, Left, NoListener
from testbed.predict.multipath import travel
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import NameNotFound, NotAsked, Question, ResolverFailed, question_of
from testbed.predict.wording import why

#: The network that a remedy makes where there is none that both are on.
_SHARED: Final = "shared"
_INTERNAL: Final = (".containers.internal", ".docker.internal")


@propose.register
def name_not_found(_: NameNotFound | NotAsked, case: Case) -> Iterator[Proposal]:
    """The resolver that was asked does not know the name, or none is asked."""
    yield from not_found(case)


def not_found(case: Case) -> Iterator[Proposal]:
    """Neither the hosts file nor the resolver has the name."""
    name = case.attempt.target.host.rstrip(".").lower()
    yield from resolver_taken(case)
    asking, host = case.place.container, case.place.host
    meant = [c for c in case.evidence.containers if name in names_of(c) and c.host == host.key]
    for container in meant:
        if container.state != "running":
            yield not_running(case, container)
        elif asking is None:
            yield _unknown_to_the_host(case, container, host)
        else:
            yield from _container_unknown(case, container, asking)
    yield from names_elsewhere.proposals(case, name)
    yield _missing(case, name, asking)


def _missing(case: Case, name: str, asking: Container | None) -> Proposal:
    """Nothing in the picture is called so, or Podman does not write the name where it was looked up."""
    internal = name.endswith(_INTERNAL)
    local = replace(case.attempt.target, host="localhost")
    remedies = [Remedy("Call the host by localhost, on the host itself", target=local)]
    if not (internal and asking is None):
        meant = tuple(_addresses_meant(case, name))
        calls = [replace(case.attempt.target, host=str(address)) for address in meant] if internal else []
        remedies = [Remedy("Call it by its address", target=target) for target in calls]
        remedies += named(case, name, iter(meant))
    reason = (
        "Podman writes it into the hosts files of containers, not of hosts"
        if internal and asking is None
        else "no resolver that it asks knows it either"
    )
    return Proposal(
        Cause.NAME_MISSING,
        f"{case.place.name} does not know the name {case.attempt.target.host}: it is not in the hosts file of "
        f"{case.place.name}, and {reason}.",
        (hosts_row(case), *resolver_rows(case)),
        tuple(remedies),
        meant="" if internal else f"{name} is to be a name for what listens there",
    )


def _addresses_meant(case: Case, name: str) -> Iterator[Address]:
    """The addresses that a name may have been meant for.

    For one of Podman's names for the host that is the gateway of a network; for another one the gateway too, where the
    host listens on the port that was called, and each container on a network of the caller's that does.
    """
    container, port = case.place.container, case.attempt.target.port
    networks = case.networks_of(container) if container is not None else ()
    host = case.evidence.namespaces.get(case.place.host.namespace)
    if name.endswith(_INTERNAL) or (host is not None and listeners(host, port, case.protocol)):
        for network in networks:
            yield from network.gateways
    for other in case.evidence.containers:
        there = case.evidence.namespaces.get(other.namespace or "")
        if other is not container and there is not None and listeners(there, port, case.protocol):
            shared = {network.name for network in networks if network in case.networks_of(other)}
            yield from (address for on in other.attachments if on.network in shared for address in on.addresses)


def _unknown_to_the_host(case: Case, meant: Container, host: HostFacts) -> Proposal:
    """The host asks for a container's name: Podman's resolver is for containers, and the host does not ask it."""
    port = case.attempt.target.port
    addresses = [a for on in meant.attachments for a in on.addresses]
    remedies: list[Remedy] = []
    for published in meant.published:
        if published.container_port == port and published.protocol == case.protocol:
            target = replace(case.attempt.target, host="127.0.0.1", port=published.host_port)
            remedies.append(Remedy(f"Call the port that {meant.name} publishes", target=target))
    for address in addresses:
        target = replace(case.attempt.target, host=str(address))
        remedies.append(Remedy("Call it by its address, which changes with restarts", target=target))
    return Proposal(
        Cause.NAME_MISSING,
        f"{host.name} does not know the name {meant.name}: that is a container, and Podman's resolver ({AARDVARK}) "
        "answers for containers only to containers on the same network. The host does not ask it.",
        (hosts_row(case), *resolver_rows(case)),
        (*remedies, *named(case, case.attempt.target.host, iter(addresses[:1]))),
    )


def unknown_at_start(case: Case) -> Iterator[Proposal]:
    """A name that a program did not know as it started, and ended over; none where its container would know it now."""
    asking, name = case.place.container, case.attempt.target.host.rstrip(".").lower()
    if asking is None:
        return
    own, target = case.networks_of(asking), case.attempt.target
    for container in case.evidence.containers:
        if name not in names_of(container) or container.state != "running":
            continue
        if any(network.dns_enabled for network in case.networks_of(container) if network in own):
            return
        # The words have the name alone.
        target = replace(target, port=case.only_port_of(container) or target.port)
    ended = f"The program in {asking.name} ended as it started, with status {asking.exit_code}, over the name {name}"
    row = Row("container", case.place.host.name, f"{asking.id[:12]} {asking.name} {asking.state}")
    for found in not_found(replace(case, attempt=replace(case.attempt, target=target))):
        remedies = tuple(_and_start(remedy, asking) for remedy in found.remedies)
        yield replace(
            found,
            sentence=f"{ended}: {continued(found.sentence)}",
            rows=(row, *found.rows),
            remedies=(*remedies, *found.remedies),
        )


def _and_start(remedy: Remedy, container: Container) -> Remedy:
    """A remedy, and then the container that ended is started again; one that makes it anew has started it."""
    return replace(
        remedy,
        text=f"{remedy.text}, and start {container.name} again",
        command=f"{remedy.command}\npodman start {container.name}" if remedy.command else "",
        changes=(*remedy.changes, Start(container.host, container.id)),
    )


def _container_unknown(case: Case, meant: Container, asking: Container) -> Iterator[Proposal]:
    """The name is another container's, and the resolver does not say so."""
    own, its = case.networks_of(asking), case.networks_of(meant)
    shared = [network for network in own if network in its]
    row = Row("networks", case.place.host.name, f"{asking.name}: {_list(own)}; {meant.name}: {_list(its)}")
    for gateway in (g for network in shared if network.dns_enabled for g in network.gateways):
        lost = _not_answering(case, gateway)
        if lost is not None:
            yield _no_answer(lost, case)
    yield from _alias_elsewhere(case, meant, asking, shared, row)
    addresses = [a for on in meant.attachments for a in on.addresses if on.network in {n.name for n in shared}]
    direct = [replace(case.attempt.target, host=str(address)) for address in addresses]
    if shared and not any(network.dns_enabled for network in shared):
        yield Proposal(
            Cause.DNS_DISABLED,
            f"{asking.name} and {meant.name} are both on the network {_list(tuple(shared))}, where Podman answers for "
            "no names: DNS is off there, as always on the default network.",
            (row,),
            (
                *(Remedy("Call it by its address", target=target) for target in direct),
                *_together(case, meant, asking),
                *named(case, meant.name, iter(addresses[:1])),
            ),
        )
    elif not shared:
        yield Proposal(
            Cause.NETWORKS_NOT_SHARED,
            f"{asking.name} does not know {meant.name}: they are on no network together, and Podman tells a container "
            "only the names on its own networks.",
            (row,),
            tuple(_together(case, meant, asking)),
        )


def _alias_elsewhere(
    case: Case, meant: Container, asking: Container, shared: list[Network], row: Row
) -> Iterator[Proposal]:
    """The name is an alias, which a container has on one network and not on another (podman-run(1), --network)."""
    name = case.attempt.target.host.rstrip(".").lower()
    having = [on.network for on in meant.attachments if name in (alias.lower() for alias in on.aliases)]
    if not shared or name == meant.name.lower() or any(network.name in having for network in shared):
        return
    target = replace(case.attempt.target, host=meant.name)
    yield Proposal(
        Cause.NETWORKS_NOT_SHARED,
        f"{asking.name} does not know {name}: that is a name of {meant.name} on the network {' and '.join(having)} "
        f"only, which {asking.name} is not on.",
        (row,),
        (
            Remedy(f"Call it by its own name, {meant.name}", target=target),
            *(
                Remedy(
                    f"Connect {asking.name} to the network {network} too",
                    changes=(Connect(asking.host, asking.id, network),),
                )
                for network in having
            ),
        ),
    )


def _together(case: Case, meant: Container, asking: Container) -> Iterator[Remedy]:
    """Bringing two containers onto one network with DNS: one that either is on, else a new one."""
    for network in case.networks_of(meant):
        if network.dns_enabled and network not in case.networks_of(asking):
            yield Remedy(
                f"Connect {asking.name} to the network {network.name}, which has DNS",
                changes=(Connect(asking.host, asking.id, network.name),),
            )
    for network in case.networks_of(asking):
        if network.dns_enabled and network not in case.networks_of(meant):
            yield Remedy(
                f"Connect {meant.name} to the network {network.name}, which has DNS",
                changes=(Connect(meant.host, meant.id, network.name),),
            )
    yield Remedy(
        "Put both on a network with DNS",
        changes=(
            CreateNetwork(asking.host, _SHARED),
            Connect(meant.host, meant.id, _SHARED),
            Connect(asking.host, asking.id, _SHARED),
        ),
    )


def _not_answering(case: Case, server: Address) -> Question | None:
    """The question to Podman's own resolver, which knows the name, where that one was not asked and does not answer."""
    if case.place.namespace is None:
        return None
    ending, _ = travel(case.evidence, case.place.namespace, Protocol.UDP, server, DNS_PORT)
    return None if isinstance(ending, Accepted | Unknown | Left) else Question(server, ending)


@propose.register
def resolver_failed(ending: ResolverFailed, case: Case) -> Iterator[Proposal]:
    """No resolver gave an answer."""
    yield from resolver_taken(case)
    if ending.question is not None:
        yield _no_answer(ending.question, case)
        return
    name = case.attempt.target.host
    yield Proposal(
        Cause.RESOLVER_DOWN,
        f"{case.place.name} does not know the name {name}: it is not in its hosts file, and it has no resolver to ask.",
        (hosts_row(case),),
        tuple(_by_address(case)),
    )


def _no_answer(question: Question, case: Case) -> Proposal:
    """A resolver was asked, and its answer did not come."""
    server, asked, name = question.resolver, question.ending, case.attempt.target.host
    cannot = f"{case.place.name} cannot ask its resolver {server} for {name}"
    if isinstance(asked, Filtered):
        here, rule = asked.namespace, decided(asked.verdict)
        stopped = "the answer to it" if asked.back else "the question"
        return Proposal(
            Cause.RESOLVER_BLOCKED,
            f"{cannot}: the firewall of {here.label} stops {stopped} in {str(asked.verdict.hook).upper()}: {rule}.",
            (rule_row(here, asked.verdict), *resolver_rows(case)),
            tuple(let_through(asked, case)),
        )
    nobody = f"nobody listens on UDP port {DNS_PORT} there"
    return Proposal(
        Cause.RESOLVER_DOWN,
        f"{cannot}: {nobody if isinstance(asked, NoListener) else why(asked)}.",
        resolver_rows(case),
        (*_restart(case, server), *_by_address(case)),
    )


def _by_address(case: Case) -> Iterator[Remedy]:
    """Calling a container by its address, and naming it in the hosts file, where the name is a container's."""
    name = case.attempt.target.host.rstrip(".").lower()
    for container in case.evidence.containers:
        if name in names_of(container) and container.host == case.place.host.key:
            addresses = [a for on in container.attachments for a in on.addresses]
            for address in addresses:
                target = replace(case.attempt.target, host=str(address))
                yield Remedy("Call it by its address, which changes with restarts", target=target)
            yield from named(case, name, iter(addresses[:1]))
    yield from _by_another_resolver(case)
    yield from named(case, name, _addresses_meant(case, name))


def _by_another_resolver(case: Case) -> Iterator[Remedy]:
    """Asking another resolver: Podman's own on a network, and each that the host asks and a container can ask too."""
    container = case.place.container
    if container is None:
        return
    own = [
        (server, f"Podman's resolver on the network {network.name}", "without --dns")
        for network in case.networks_of(container)
        if network.dns_enabled
        for server in network.gateways
    ]
    hosts = [(server, "as its host does", f"--dns {server}") for server in case.place.host.names.nameservers]
    for server, which, option in (*own, *hosts):
        if server not in container.names.nameservers and not server.is_loopback:
            yield Remedy(
                f"Let {container.name} ask {server}, {which}",
                f"podman run {option} ... (a new container)",
                (NewWithResolver(container.host, container.id, server),),
            )


def _restart(case: Case, server: Address) -> Iterator[Remedy]:
    """Starting the container anew, which starts Podman's own resolver; nothing where it is another that is silent."""
    container = case.place.container
    if container is not None and any(server in network.gateways for network in case.networks_of(container)):
        yield Remedy(
            "Restart the container, which starts Podman's resolver anew",
            changes=(Restart(container.host, container.id),),
        )


def resolver_taken(case: Case) -> Iterator[Proposal]:
    """On the gateway of a network with DNS another program has port 53, and Podman's resolver could not bind it."""
    container, question = case.place.container, question_of(case.prediction.ending)
    if container is None or question is None or not isinstance(question.ending, Accepted):
        return
    gateways = {g for n in case.networks_of(container) if n.dns_enabled for g in n.gateways}
    here, listener, server = question.ending.namespace, question.ending.listener, question.resolver
    if server not in gateways or listener.process is None or listener.process.name == AARDVARK:
        return
    whose = next((c for c in case.containers_in(here.key) if not case.is_host(here.key)), None)
    if whose is not None:
        yield _taken_by_a_published_port(case, whose, server)
        return
    yield Proposal(
        Cause.RESOLVER_TAKEN,
        f"{case.place.name} asks {server} for names, and there not Podman's resolver answers but {holder(listener)}: "
        f"it had port {DNS_PORT} first, so {AARDVARK} could not bind it.",
        (listener_row(here, listener), *resolver_rows(case)),
        (
            Remedy(
                f"Keep {listener.process.name} off the bridges (dnsmasq: except-interface and bind-interfaces), and "
                "restart the container",
                changes=(StopListening(here.key, listener), Restart(container.host, container.id)),
            ),
            Remedy(
                "Give Podman's resolver another port, in containers.conf(5), and restart the containers",
                changes=(SetResolverPort(container.host, 1053),),
            ),
        ),
    )


def _taken_by_a_published_port(case: Case, whose: Container, server: Address) -> Proposal:
    """A container publishes port 53 on every address of the host, those of the bridges among them."""
    published = [p for p in whose.published if p.host_port == DNS_PORT and p.protocol == "udp"]
    networks = case.networks_with(server, {whose.host})
    own = [a.ip for uplink in uplinks(case.evidence, case.evidence.host(whose.host)) for a in uplink.addresses]
    return Proposal(
        Cause.RESOLVER_TAKEN,
        f"{case.place.name} asks {server} for names, and its questions go to the container {whose.name}, which "
        f"publishes port {DNS_PORT} on every address of {case.named(whose.host)}, that of the bridge among them: "
        f"{AARDVARK} does not hear them.",
        (*(published_row(case, whose, one) for one in published), *resolver_rows(case)),
        tuple(
            Remedy(
                f"Publish port {DNS_PORT} of {whose.name} on {address} only, and restart the containers of the "
                f"network, so that {AARDVARK} is started",
                f"podman run -p {address}:{DNS_PORT}:{one.container_port}/udp ... (a new container)",
                (
                    Republish(whose.host, whose.id, one, replace(one, host_address=str(address))),
                    *(RestartAll(network.host, network.name) for network in networks),
                ),
            )
            for one in published
            for address in own
            if address.version == server.version
        ),
    )


def names_of(container: Container) -> set[str]:
    """The names that Podman's resolver has for a container, in lower case."""
    return {container.name.lower(), container.id[:12]} | {
        alias.lower() for attachment in container.attachments for alias in attachment.aliases
    }


def _list(networks: tuple[Network, ...]) -> str:
    return ", ".join(network.name for network in networks) or "none"
