"""Causes that have to do with published ports. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from testbed.change.containers import ReloadNetworks, Restart, Start
from testbed.change.listening import Rebind, StopListening
from testbed.change.networks import Connect
from testbed.change.publishing import Publish, Republish, Unpublish
from testbed.change.routing import SetSysctl
from testbed.change.segments import SetHairpin
from testbed.evidence import Act, Container, Field, Namespace, Network, Published, Rule
from testbed.explain.by_ending import propose
from testbed.explain.case import Case, any_address, as_address, at, covers, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Proposal, Remedy, Row
from testbed.explain.rows import listener_row, rule_row
from testbed.model import Address, Target, bracketed
from testbed.predict.ending import Hairpin, Held, NoListener, Unasked
from testbed.predict.steps import Translation
from testbed.predict.unresolved import NotRunning

_IN_USE: Final = frozenset({"running", "paused"})
#: Where a usual witness misleads.
HOLDS_ONLY: Final = (
    "The host's ss shows the published port as listened on: that is Podman's conmon, which only holds the port.",
)


def proposals(ending: NoListener, case: Case) -> Iterator[Proposal]:
    """Causes of a published port, or of one that is not published, where no socket takes the packet."""
    here, address = ending.namespace, ending.destination
    if case.is_host(here.key):
        hosts = case.hosts_of(here.key)
        for container, published in case.published_at(hosts, case.port):
            if container.state in _IN_USE:
                yield from _published_elsewhere(case, container, published, address)
            else:
                yield not_running(case, container, f"publishes port {case.port} there")
        yield from _not_published(case, hosts, address)
    else:
        yield from _wrong_container_port(case, here)


def _wrong_container_port(case: Case, here: Namespace) -> Iterator[Proposal]:
    """The port is published and leads into a container where nobody listens on the container's port."""
    container = next(iter(case.containers_in(here.key)), None)
    if container is None or listeners(here, case.port, case.protocol):
        return
    outside = case.attempt.target.port
    meant = next((p for p in container.published if (p.container_port, p.host_port) == (case.port, outside)), None)
    rewritten = [s for s in case.prediction.steps if isinstance(s, Translation) and not s.back]
    if not rewritten or meant is None:
        return
    version = case.prediction.address.version if case.prediction.address else 4
    for listener in here.listeners:
        if listener.protocol is not case.protocol or listener.address.is_loopback or not covers(listener, version):
            continue
        new = replace(meant, container_port=listener.port)
        yield Proposal(
            Cause.WRONG_CONTAINER_PORT,
            f"Port {outside} is published to port {case.port} of the container {here.label}, and nobody listens on "
            f"{case.port} there; {holder(listener)} listens on {listener.port}.",
            (published_row(case, container, meant), listener_row(here, listener)),
            (
                *_by_another_port(case, container, listener.port),
                Remedy(
                    f"Publish port {listener.port}, which {holder(listener)} listens on",
                    f"podman run -p {spelled(new)} ... (a new container)",
                    (Republish(container.host, container.id, meant, new),),
                ),
                Remedy(
                    f"Make {holder(listener)} listen on port {case.port}",
                    at(any_address(version), case.port),
                    (Rebind(here.key, listener, any_address(version), case.port),),
                ),
            ),
            HOLDS_ONLY,
            f"port {outside} was to be published to port {listener.port}",
        )


def direct(case: Case, there: Namespace, port: int) -> Iterator[Remedy]:
    """Calling a container itself, where the one that calls is on a network of its; making it so where it is on none."""
    caller, container = case.place.container, next(iter(case.containers_in(there.key)), None)
    if caller is None or container is None:
        return
    for network in case.networks_of(caller):
        addresses = [a for on in container.attachments if on.network == network.name for a in on.addresses]
        if network in case.networks_of(container) and addresses:
            how, name = ("name", container.name) if network.dns_enabled else ("address", str(addresses[0]))
            target = _called(case.attempt.target, name, port)
            yield Remedy(f"Call {container.name} itself, by its {how} on the network {network.name}", target=target)
            return
    for network in case.networks_of(container):
        addresses = [a for on in container.attachments if on.network == network.name for a in on.addresses]
        name = container.name if network.dns_enabled else str(next(iter(addresses), ""))
        if name:
            yield Remedy(
                f"Put {caller.name} on the network {network.name} of {container.name} too, and call it there",
                changes=(Connect(caller.host, caller.id, network.name),),
                target=_called(case.attempt.target, name, port),
            )


def _called(target: Target, host: str, port: int) -> Target:
    return replace(target, host=host, port=port)


def _by_another_port(case: Case, container: Container, port: int) -> Iterator[Remedy]:
    """Calling another port of the host that leads to a container's port already."""
    for published in _publications(case, container, port):
        target = _called(case.attempt.target, published.host_address or case.attempt.target.host, published.host_port)
        if target != case.attempt.target:
            yield Remedy(
                f"Call {target.authority}, which is published to port {port} of {container.name}",
                str(target),
                target=target,
            )


def _port(case: Case) -> str:
    """The port that is called in the end, as ``podman port`` writes one."""
    return f"{case.port}/{case.protocol}"


def _publications(case: Case, container: Container, port: int) -> tuple[Published, ...]:
    """Where a container's port is published."""
    return tuple(one for one in container.published if (one.container_port, one.protocol) == (port, case.protocol))


def not_running(case: Case, container: Container, does: str = "") -> Proposal:
    """The container that is meant does not run, or the one that it starts from.

    :param does: why it is meant, as a verb; where that is not by its name or its address
    """
    code = f" with status {container.exit_code}" if container.state == "exited" else ""
    role = ""
    if container == case.place.container:
        role = ", which it is to be tried from,"
    elif does:
        role = f", which {does},"
    elif case.attempt.target.host != container.name:
        role = f", which {case.said} leads to,"
    host = case.named(container.host)
    # Its image does not tell what its program listens on: what was called is taken for that.
    ports = () if container == case.place.container else (case.port,)
    return Proposal(
        Cause.NOT_RUNNING,
        f"The container {container.name} on {host}{role} does not run: it is {container.state}{code}.",
        (Row("container", host, f"{container.id[:12]} {container.name} {container.state}"),),
        (
            Remedy(
                "Start it (podman logs says why it ended)",
                changes=(Start(container.host, container.id, ports, _known_by(case, container)),),
            ),
        ),
    )


def _known_by(case: Case, container: Container) -> tuple[Address, ...]:
    """The addresses that a container is called by: that of its name in the caller's hosts file, or what was called."""
    called = case.prediction.address
    named = case.place.names.hosts.lookup(container.name)
    return tuple(a for a in named if a == called) or tuple(a for a in named if not a.is_loopback)


@propose.register
def place_not_running(_: NotRunning, case: Case) -> Iterator[Proposal]:
    """The container that it is to be tried from does not run."""
    if case.place.container is not None:
        yield not_running(case, case.place.container)


def taken(case: Case, said: str) -> Diagnosis | None:
    """Somebody else answers at the port that a container publishes, which does not run.

    :param said: what he answered, in a few words
    """
    listener, here = case.prediction.listener, case.end
    if listener is None or listener.process is None or here is None or not case.is_host(here.key):
        return None
    published = [container for container, _ in case.published_at(case.hosts_of(here.key), case.port)]
    if not published or listener.process.container or any(container.state in _IN_USE for container in published):
        return None
    container = published[0]
    return Diagnosis(
        Cause.PORT_TAKEN,
        f"{holder(listener)} of {here.label}, listening on {at(listener.address, listener.port)}, answered{said}. It "
        f"is the container {container.name} that publishes port {case.port} there, which does not run "
        f"({container.state}), and cannot be started while that port is taken.",
        (
            listener_row(here, listener),
            Row("container", case.named(container.host), f"{container.id[:12]} {container.name} {container.state}"),
        ),
        (
            Cure(
                f"End what holds the port, if it is not meant, and start {container.name}",
                f"kill {listener.process.pid}\npodman start {container.name}",
                changes=(StopListening(here.key, listener), Start(container.host, container.id)),
            ),
        ),
    )


def _published_elsewhere(
    case: Case, container: Container, published: Published, address: Address
) -> Iterator[Proposal]:
    """The port is published on another address of the host than the one that was called, or for the other family."""
    bound = as_address(published.host_address) if published.host_address else None
    row = published_row(case, container, published)
    there = case.evidence.namespaces.get(container.namespace or "")
    straight = tuple(direct(case, there, published.container_port)) if there is not None else ()
    again = tuple(_republished(container, published, address))
    if address.version == 6 and (bound is None or bound.version == 4 or address.is_loopback):
        where = "[::1]" if address.is_loopback else f"[{address}]"
        target = replace(case.attempt.target, host="127.0.0.1")
        yield Proposal(
            Cause.PUBLISHED_IPV6_LOOPBACK,
            f"Port {published.host_port} of {container.name} is published for IPv4, and you called {where}: nothing "
            "takes it there, for Podman holds the port on IPv4 only, and a rule cannot lead from the IPv6 loopback to "
            "a container.",
            (row,),
            (
                Remedy("Call it by its IPv4 address", target=target),
                *straight,
                *_by_another_port(case, container, published.container_port),
                *again,
            ),
            ("localhost is often ::1 first: a client that tries only one address fails, another one works.",),
        )
        return
    if bound is None or bound.is_unspecified or bound == address:
        return
    where = f"the host's own loopback only ({bound})" if bound.is_loopback else f"{bound} only"
    yield Proposal(
        Cause.PUBLISHED_ON_LOOPBACK,
        f"{container.name} publishes port {published.host_port} on {where}, and "
        f"{case.said} is another address of {case.named(container.host)}.",
        (row,),
        (
            *straight,
            *_by_another_port(case, container, published.container_port),
            *again,
        ),
    )


def _republished(container: Container, published: Published, address: Address) -> Iterator[Remedy]:
    """Publishing it on the address that was called, or on all."""
    everywhere = replace(published, host_address="")
    for new, where in ((replace(published, host_address=str(address)), str(address)), (everywhere, "every address")):
        yield Remedy(
            f"Publish it on {where}",
            f"podman run -p {spelled(new)} ... (a new container)",
            (Republish(container.host, container.id, published, new),),
        )


def _not_published(case: Case, hosts: Collection[str], address: Address) -> Iterator[Proposal]:
    """A container listens on that port, and the host was called, where it is not published."""
    for container in case.evidence.containers:
        if container.host not in hosts or container.namespace is None or case.is_host(container.namespace):
            continue
        if container.namespace == case.place.namespace or any(p.host_port == case.port for p in container.published):
            continue
        there = case.evidence.namespaces.get(container.namespace)
        found = listeners(there, case.port, case.protocol) if there else ()
        found = tuple(entry for entry in found if covers(entry, address.version))
        if there is None or not found or all(e.address.is_loopback for e in found):
            continue
        new = Published(case.protocol, case.port, case.port, str(address))
        host, known = case.named(container.host), _publications(case, container, case.port)
        ports = ", ".join(f"{at(p.host_address or '0.0.0.0', p.host_port)}" for p in known)
        only = f"only published as {ports} on {host}" if known else f"not published on {host}"
        yield Proposal(
            Cause.NOT_PUBLISHED,
            f"{holder(found[0])} listens on port {case.port} inside the container {container.name}, but that port "
            f"is {only}: at {at(address, case.port)} nobody takes it.",
            (
                listener_row(there, found[0]),
                *(replace(published_row(case, container, one), removal=None) for one in known),
                *([] if known else [Row("published", host, f"{container.name}: nothing for {_port(case)}")]),
            ),
            (
                *_by_another_port(case, container, case.port),
                *direct(case, there, case.port),
                Remedy(
                    f"Publish it on {address}",
                    f"podman run -p {spelled(new)} ... (a new container)",
                    (Publish(container.host, container.id, new),),
                ),
            ),
        )


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
    calls = [_called(case.attempt.target, str(address), published.container_port) for address in addresses]
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


def published_row(case: Case, container: Container, published: Published) -> Row:
    """A published port as ``podman port`` shows it."""
    where = at(published.host_address or "0.0.0.0", published.host_port)
    text = f"{where}->{published.container_port}/{published.protocol} {container.name}"
    return Row("published", case.named(container.host), text, Unpublish(container.host, container.id, published))


def spelled(published: Published) -> str:
    """A publication as podman-run(1), --publish, is given it."""
    where = f"{bracketed(published.host_address)}:" if published.host_address else ""
    protocol = "" if published.protocol == "tcp" else f"/{published.protocol}"
    return f"{where}{published.host_port}:{published.container_port}{protocol}"
