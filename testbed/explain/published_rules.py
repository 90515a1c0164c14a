"""Causes where the rules of a published port are missing, are passed by, or lead back to the caller. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change.containers import ReloadNetworks, Restart
from testbed.change.networks import Connect
from testbed.change.publishing import Republish
from testbed.change.routing import SetSysctl
from testbed.change.segments import SetHairpin
from testbed.evidence import Act, Container, Field, Namespace, Network, Published, Rule
from testbed.explain.by_ending import propose
from testbed.explain.calling import direct
from testbed.explain.case import Case, holder
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.publishing import published_row, spelled
from testbed.explain.rows import listener_row, rule_row
from testbed.predict.ending import Hairpin, Held, Unasked
from testbed.predict.steps import Translation


@propose.register
def rules_lost(ending: Held, case: Case) -> Iterator[Proposal]:
    """conmon took the connection, which it only does where the rule that should rewrite it is not there."""
    here, listener = ending.namespace, ending.listener
    for container, published in case.published_at(case.hosts_of(here.key), case.port):
        networks = case.networks_of(container)
        if networks and all(n.driver != "bridge" or n.internal for n in networks):
            yield _no_rules_there(case, container, published, networks, listener_row(here, listener))
            continue
        literal = _for_nobody(here, case.port)
        why = (
            "its firewall rule is for packets to 0.0.0.0, of which there are none (so does Podman's API with the "
            "address 0.0.0.0; the command line leaves it out)"
            if literal
            else "the firewall rule that should rewrite it is gone, as after a firewall was reloaded or flushed"
        )
        new = replace(published, host_address="")
        again = Remedy(
            "Publish it anew without that address",
            f"podman run -p {spelled(new)} ... (a new container)",
            (Republish(container.host, container.id, published, new),),
        )
        anew = (
            Remedy("Write Podman's rules anew", changes=(ReloadNetworks(container.host),)),
            Remedy("Restart the container", changes=(Restart(container.host, container.id),)),
        )
        yield Proposal(
            Cause.PUBLISHED_NO_RULE,
            f"Port {case.port} is published by {container.name}, but {why}: the connection hangs in "
            f"{holder(listener)}, which only holds the port and never answers.",
            (listener_row(here, listener), *(Row("rule", here.label, text) for text in literal)),
            (again,) if literal else anew,
            ("ss shows the port as listened on, and connecting succeeds: neither says that the container is reached.",),
        )


def _no_rules_there(
    case: Case, container: Container, published: Published, networks: tuple[Network, ...], row: Row
) -> Proposal:
    """Podman makes no rule for a port that is published on such a network, and only holds it."""
    network = networks[0]
    there = case.evidence.namespaces.get(container.namespace or "")
    others = [
        n
        for n in case.evidence.networks
        if n.host == container.host and n.driver == "bridge" and not n.internal and n not in networks
    ]
    kind = "internal" if network.internal else f"of the driver {network.driver}"
    addresses = [address for on in container.attachments for address in on.addresses]
    calls = [replace(case.attempt.target, host=str(address), port=published.container_port) for address in addresses]
    return Proposal(
        Cause.INTERNAL_NETWORK if network.internal else Cause.NOT_PUBLISHED,
        f"{container.name} is to publish port {published.host_port}, and is only on the network {network.name}, which "
        f"is {kind}: Podman leads no published port there, conmon only holds it.",
        (row, published_row(case, container, published)),
        (
            *(Remedy(f"Call {container.name} itself", target=target) for target in calls),
            *(direct(case, there, published.container_port) if there else ()),
            *(
                Remedy(
                    f"Connect {container.name} to the network {other.name} too",
                    changes=(Connect(container.host, container.id, other.name),),
                )
                for other in others
            ),
        ),
        ("ss shows the port as listened on, and connecting succeeds: neither says that the container is reached.",),
    )


@propose.register
def answered_by_another(ending: Unasked, case: Case) -> Iterator[Proposal]:
    """The answer comes from the container's own address, by a way on which nothing puts it back."""
    here, source = ending.namespace, ending.source
    steps = [step for step in case.prediction.steps if isinstance(step, Translation)]
    for host in {step.namespace.key: step.namespace for step in steps if not step.back}.values():
        key = f"bridge/bridge-nf-call-ip{'6' if source.version == 6 else ''}tables"
        yield Proposal(
            Cause.PUBLISHED_NO_RULE,
            f"{case.said} leads to {source} by a published port, and {here.label} gets the answer from {source} "
            f"itself, straight over the bridge: {host.label} does not masquerade it, and does not see it on its way "
            "back.",
            (
                Row("sysctl", host.label, f"net.{key.replace('/', '.')} = {host.sysctls.get(key, 'not there')}"),
                *(rule_row(host, step.by) for step in steps if step.by),
            ),
            (
                *(
                    Remedy("Write Podman's rules anew", changes=(ReloadNetworks(facts),))
                    for facts in case.hosts_of(host.key)
                ),
                Remedy("Let the bridge ask the firewall, as Podman has it", changes=(SetSysctl(host.key, key, "1"),)),
            ),
        )


def _for_nobody(here: Namespace, port: int) -> tuple[str, ...]:
    """The rules that rewrite packets of a port where they are for 0.0.0.0 itself."""
    return tuple(
        rule.text
        for chain in here.firewall.chains
        for rule in chain.rules
        if any(action.act is Act.DNAT for action in rule.actions)
        and _matches(rule, Field.DESTINATION) & {"0.0.0.0", "0.0.0.0/32"}
        and str(port) in _matches(rule, Field.DESTINATION_PORT)
    )


def _matches(rule: Rule, field: Field) -> set[str]:
    return {value for match in rule.matches if match.field is field and not match.negated for value in match.values}


@propose.register
def hairpin(ending: Hairpin, case: Case) -> Iterator[Proposal]:
    """The container calls a port that it publishes itself: its bridge would have to send the frame back to it."""
    here, bridge, veth = ending.namespace, ending.bridge, ending.port.name
    name, port = case.place.name, case.port
    target = replace(case.attempt.target, port=port)
    filters = f"ipv{ending.destination.version}".replace("v4", "").replace("ipv6", "ip6")
    sysctl = f"bridge/bridge-nf-call-{filters}tables"
    yield Proposal(
        Cause.HAIRPIN,
        f"{case.said} leads back to {name} itself, which publishes port {case.attempt.target.port}: the bridge "
        f"{bridge.name} of {here.label} would have to send the packet back by {veth}, where it came in, and drops it "
        "without a word.",
        (
            Row("published", here.label, f"{case.attempt.target.port}->{port}/{case.protocol} {name}"),
            Row("link", here.label, f"{veth} master {bridge.name} hairpin off"),
            Row("sysctl", here.label, f"net.{sysctl.replace('/', '.')} = {here.sysctls.get(sysctl, '')}"),
        ),
        (
            *(
                Remedy(f"Let {name} call itself directly", target=replace(target, host=own))
                for own in ("127.0.0.1", str(ending.destination))
            ),
            Remedy(
                "Let the bridge send back by that port, until the container is restarted",
                changes=(SetHairpin(here.key, ending.port),),
            ),
        ),
        ("The host and other containers reach the published port: it is only the container itself that does not.",),
    )
