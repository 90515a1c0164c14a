"""Causes where the name has no address, or nobody says which. Pure."""

from __future__ import annotations

from dataclasses import replace

from testbed.evidence import Container, Network, Protocol
from testbed.evidence.programs import AARDVARK, DNS_PORT
from testbed.explain import filtering
from testbed.explain.by_ending import diagnose
from testbed.explain.case import Case, at, holder, listener_row
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.explain.publishing import not_running
from testbed.model import Address
from testbed.predict.ending import Accepted, Filtered, Left, NoListener
from testbed.predict.multipath import travel
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import NameNotFound, Question, ResolverFailed, question_of
from testbed.predict.wording import why


@diagnose.register
def name_not_found(_: NameNotFound, case: Case) -> Diagnosis:
    """The resolver that was asked does not know the name."""
    return not_found(case)


def not_found(case: Case) -> Diagnosis:
    """Neither the hosts file nor the resolver has the name."""
    name = case.attempt.target.host.rstrip(".").lower()
    asking = case.place.container
    if found := resolver_taken(case):
        return found
    meant = next((c for c in case.evidence.containers if name in _names(c) and c.host == case.place.host.key), None)
    if meant is not None and meant.state != "running":
        return not_running(case, meant)
    if meant is not None and asking is not None:
        return _container_unknown(case, meant, asking)
    internal = name.endswith((".containers.internal", ".docker.internal"))
    cures = [Cure("Name it for the container", f"podman run --add-host {name}:ADDRESS ... (a new container)")]
    if internal and asking is None:
        cures.insert(
            0, Cure("On the host itself call it by an address or by localhost", f"localhost:{case.attempt.target.port}")
        )
    where = f"the hosts file of {case.place.name}"
    why = (
        "Podman writes it into the hosts files of containers, not of hosts"
        if internal and asking is None
        else "no resolver knows it either"
    )
    return Diagnosis(
        Cause.NAME_MISSING,
        f"{case.place.name} does not know the name {case.attempt.target.host}: it is not in {where}, and {why}.",
        (Row("hosts", case.place.name, _hosts(case)), *_resolvers(case)),
        tuple(cures),
    )


def unknown_at_start(case: Case) -> Diagnosis | None:
    """A name that a program did not know as it started, and ended over; None where its container would know it now."""
    asking, name = case.place.container, case.attempt.target.host.rstrip(".").lower()
    if asking is None:
        return None
    own, target = case.networks_of(asking), case.attempt.target
    for container in case.evidence.containers:
        if name not in _names(container) or container.state != "running":
            continue
        if any(network.dns_enabled for network in case.networks_of(container) if network in own):
            return None
        # The words have the name alone.
        target = replace(target, port=case.only_port_of(container) or target.port)
    found = not_found(replace(case, attempt=replace(case.attempt, target=target)))
    ended = f"The program in {asking.name} ended as it started, with status {asking.exit_code}, over the name {name}"
    again = Cure("And start it again, where it is the same container", f"podman start {asking.name}")
    return replace(
        found,
        sentence=f"{ended}: {found.sentence}",
        rows=(Row("container", case.place.host.name, f"{asking.id[:12]} {asking.name} {asking.state}"), *found.rows),
        cures=(*found.cures, again),
    )


def _container_unknown(case: Case, meant: Container, asking: Container) -> Diagnosis:
    """The name is another container's, and the resolver does not say so."""
    own, its = case.networks_of(asking), case.networks_of(meant)
    shared = [network for network in own if network in its]
    row = Row("networks", case.place.host.name, f"{asking.name}: {_list(own)}; {meant.name}: {_list(its)}")
    move = Cure(
        "Put both on one network with DNS",
        f"podman network create shared && podman network connect shared {meant.name} && "
        f"podman network connect shared {asking.name}",
        f"{meant.name} and {asking.name} reach each other on every port",
    )
    asked = next((g for network in shared if network.dns_enabled for g in network.gateways), None)
    if asked is not None and (lost := _not_answering(case, asked)):
        return _no_answer(lost, case)
    if shared and not any(network.dns_enabled for network in shared):
        return Diagnosis(
            Cause.DNS_DISABLED,
            f"{asking.name} and {meant.name} are both on the network {_list(tuple(shared))}, where Podman answers "
            "for no "
            f"names: DNS is off there, as always on the default network.",
            (row,),
            (
                move,
                Cure("Or call it by its address", _address(meant, case.attempt.target.port)),
                Cure(
                    "Or name it for the container, with an address that it keeps (--ip)",
                    f"podman run --add-host {meant.name}:ADDRESS ... (a new container)",
                ),
            ),
        )
    return Diagnosis(
        Cause.NETWORKS_NOT_SHARED,
        f"{asking.name} does not know {meant.name}: they are on no network together, and Podman tells a container only "
        f"the names on its own networks.",
        (row,),
        (move,),
    )


def _not_answering(case: Case, server: Address) -> Question | None:
    """The question to Podman's own resolver, which knows the name, where that one was not asked and does not answer."""
    if case.place.namespace is None:
        return None
    ending, _ = travel(case.evidence, case.place.namespace, Protocol.UDP, server, DNS_PORT)
    return None if isinstance(ending, Accepted | Unknown | Left) else Question(server, ending)


@diagnose.register
def resolver_failed(ending: ResolverFailed, case: Case) -> Diagnosis:
    """No resolver gave an answer."""
    if found := resolver_taken(case):
        return found
    if ending.question is not None:
        return _no_answer(ending.question, case)
    name = case.attempt.target.host
    return Diagnosis(
        Cause.RESOLVER_DOWN,
        f"{case.place.name} does not know the name {name}: it is not in its hosts file, and it has no resolver to ask.",
        (Row("hosts", case.place.name, _hosts(case)),),
        (Cure("Use an address, or give it a resolver", "podman run --dns ADDRESS ... (a new container)"),),
    )


def _no_answer(question: Question, case: Case) -> Diagnosis:
    """A resolver was asked, and its answer did not come."""
    server, asked, name = question.resolver, question.ending, case.attempt.target.host
    cannot = f"{case.place.name} cannot ask its resolver {server} for {name}"
    if isinstance(asked, Filtered):
        here, rule = asked.namespace.label, filtering.decided(asked.verdict)
        stopped = "the answer to it" if asked.back else "the question"
        return Diagnosis(
            Cause.RESOLVER_BLOCKED,
            f"{cannot}: the firewall of {here} stops {stopped} in {str(asked.verdict.hook).upper()}: {rule}.",
            (Row("rule", here, rule), *_resolvers(case)),
            filtering.cures(asked, case),
        )
    nobody = f"nobody listens on UDP port {DNS_PORT} there"
    return Diagnosis(
        Cause.RESOLVER_DOWN,
        f"{cannot}: {nobody if isinstance(asked, NoListener) else why(asked)}.",
        _resolvers(case),
        (
            *_restart(case, server),
            Cure("Give the container a resolver that answers", "podman run --dns ADDRESS ... (a new container)"),
            Cure("Or name it for the container", f"podman run --add-host {name}:ADDRESS ... (a new container)"),
        ),
    )


def _restart(case: Case, server: Address) -> tuple[Cure, ...]:
    """What starts Podman's own resolver anew; nothing where it is another one that does not answer."""
    container = case.place.container
    if container is None or all(server not in network.gateways for network in case.networks_of(container)):
        return ()
    return (Cure("Restart the container, which starts Podman's resolver anew", f"podman restart {container.name}"),)


def resolver_taken(case: Case) -> Diagnosis | None:
    """On the gateway of a network with DNS another program has port 53, and Podman's resolver could not bind it."""
    container, question = case.place.container, question_of(case.prediction.ending)
    if container is None or question is None or not isinstance(question.ending, Accepted):
        return None
    gateways = {g for n in case.networks_of(container) if n.dns_enabled for g in n.gateways}
    here, listener, server = question.ending.namespace, question.ending.listener, question.resolver
    if server not in gateways or listener.process is None or listener.process.name == AARDVARK:
        return None
    return Diagnosis(
        Cause.RESOLVER_TAKEN,
        f"{case.place.name} asks {server} for names, and there not Podman's resolver answers but {holder(listener)}: "
        "it "
        f"had port {DNS_PORT} first, so {AARDVARK} could not bind it.",
        (listener_row(here, listener), *_resolvers(case)),
        (
            Cure(
                f"Keep {listener.process.name} off the bridges (dnsmasq: except-interface and bind-interfaces), and "
                "restart the container",
                f"podman restart {container.name}",
            ),
            Cure("Or give Podman's resolver another port, in containers.conf(5)", "[network]\ndns_bind_port = 1053"),
        ),
    )


def _names(container: Container) -> set[str]:
    return {container.name.lower(), container.id[:12]} | {
        alias.lower() for attachment in container.attachments for alias in attachment.aliases
    }


def _list(networks: tuple[Network, ...]) -> str:
    return ", ".join(network.name for network in networks) or "none"


def _address(container: Container, port: int) -> str:
    found = next((a for attachment in container.attachments for a in attachment.addresses), None)
    return at(found, port) if found else ""


def _hosts(case: Case) -> str:
    names = sorted(case.place.names.hosts.addresses)
    return f"has {', '.join(names[:12])}" if names else "is empty"


def _resolvers(case: Case) -> tuple[Row, ...]:
    servers = case.place.names.nameservers
    return (Row("resolver", case.place.name, " ".join(f"nameserver {server}" for server in servers) or "none"),)
