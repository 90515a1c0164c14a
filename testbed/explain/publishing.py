"""Causes that have to do with published ports. Pure."""

from __future__ import annotations

from collections.abc import Collection

from testbed.evidence import Act, Container, Field, Namespace, Protocol, Published, Rule
from testbed.explain.by_ending import diagnose
from testbed.explain.case import Case, any_address, as_address, at, covers, holder, listener_row, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Address, bracketed
from testbed.predict.ending import Hairpin, Held
from testbed.predict.steps import Translation

_IN_USE = frozenset({"running", "paused"})


def behind_published_port(case: Case, here: Namespace) -> Diagnosis | None:
    """The port is published and leads into a container where nobody listens on the container's port."""
    rewritten = [s for s in case.prediction.steps if isinstance(s, Translation) and not s.back]
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
            Row("published", case.machine(here), f"{outside}->{case.port}/tcp {container.name}"),
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
    hosts = case.hosts_of(host.key)
    for container, published in case.published_at(hosts, case.port):
        if container.state not in _IN_USE:
            return not_running(case, container)
        found = _published_elsewhere(case, container, published, address)
        if found:
            return found
    return _not_published(case, hosts, address)


def direct(case: Case, there: Namespace, port: int) -> tuple[Cure, ...]:
    """Calling a container itself, where the one that calls is on a network of its; making it so where it is on none."""
    caller, container = case.place.container, next(iter(case.containers_in(there.key)), None)
    if caller is None or container is None:
        return ()
    for network in case.networks_of(caller):
        addresses = [a for on in container.attachments if on.network == network.name for a in on.addresses]
        if network in case.networks_of(container) and addresses:
            how, name = ("name", container.name) if network.dns_enabled else ("address", str(addresses[0]))
            text = f"Call {container.name} itself, by its {how} on the network {network.name}"
            return (Cure(text, at(name, port)),)
    theirs = next((network.name for network in case.networks_of(container)), "")
    if not theirs or not case.networks_of(caller):
        return ()
    text = f"Put {caller.name} on the network {theirs} of {container.name} too, and call it there"
    return (Cure(text, f"podman network connect {theirs} {caller.name}"),)


def not_running(case: Case, container: Container) -> Diagnosis:
    """The container that is meant does not run, or the one that it starts from."""
    code = f" with status {container.exit_code}" if container.state == "exited" else ""
    role = ""
    if container == case.place.container:
        role = ", which it is to be tried from,"
    elif case.attempt.target.host != container.name:
        role = f", which {case.said} leads to,"
    host = case.named(container.host)
    return Diagnosis(
        Cause.NOT_RUNNING,
        f"The container {container.name} on {host}{role} does not run: it is {container.state}{code}.",
        (Row("container", host, f"{container.id[:12]} {container.name} {container.state}"),),
        (
            Cure("Start it", f"podman start {container.name}"),
            Cure("See why it ended", f"podman logs {container.name}"),
        ),
    )


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
            ),
            Cure("Or take another port", ""),
        ),
    )


def _published_elsewhere(case: Case, container: Container, published: Published, address: Address) -> Diagnosis | None:
    bound = as_address(published.host_address) if published.host_address else None
    row = Row(
        "published",
        case.named(container.host),
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
    cures = [
        Cure(
            f"Publish it on {address}",
            f"podman run -p {bracketed(str(address))}:{again} ... (a new container)",
            _reached_by(case, address, container.host),
        ),
        Cure("Publish it on every address", f"podman run -p {again} ... (a new container)", "also your LAN"),
    ]
    there = case.evidence.namespaces.get(container.namespace or "")
    if there is not None:
        cures[:0] = direct(case, there, published.container_port)
    return Diagnosis(
        Cause.PUBLISHED_ON_LOOPBACK,
        f"{container.name} publishes port {published.host_port} on {where} only ({published.host_address}), and "
        f"{case.said} is another address of {case.named(container.host)}.",
        (row,),
        tuple(cures),
    )


def _reached_by(case: Case, address: Address, host: str) -> str:
    """Those who reach a port published on an address of a host, which is given by its key."""
    network = next((n for n in case.evidence.networks if n.host == host and address in n.gateways), None)
    if network is not None:
        return f"the containers of the network {network.name}, and {case.named(host)} itself"
    return f"only {case.named(host)} itself" if address.is_loopback else f"whoever reaches {address}"


def _not_published(case: Case, hosts: Collection[str], address: Address) -> Diagnosis | None:
    """A container listens on that port, and the host was called, where it is not published."""
    if case.end is not None and case.place.namespace == case.end.key and case.place.container is not None:
        return None
    for container in case.evidence.containers:
        if container.host not in hosts or container.namespace is None or case.is_host(container.namespace):
            continue
        if container.namespace == case.place.namespace or any(p.host_port == case.port for p in container.published):
            continue
        there = case.evidence.namespaces.get(container.namespace)
        found = [e for e in listeners(there, case.port) if covers(e, 4)] if there else []
        if there and found and not all(e.address.is_loopback for e in found):
            return Diagnosis(
                Cause.NOT_PUBLISHED,
                f"{holder(found[0])} listens on port {case.port} inside the container {container.name}, but that port "
                f"is not published on {case.named(container.host)}: at {address} nobody takes it.",
                (
                    listener_row(there, found[0]),
                    Row("published", case.named(container.host), f"{container.name}: nothing for {case.port}/tcp"),
                ),
                (
                    *direct(case, there, case.port),
                    Cure(
                        f"Publish it on {address}",
                        f"podman run -p {at(address, case.port)}:{case.port} ... (a new container)",
                        _reached_by(case, address, container.host),
                    ),
                ),
            )
    return None


@diagnose.register
def rules_lost(ending: Held, case: Case) -> Diagnosis:
    """conmon took the connection, which it only does where the rule that should rewrite it is not there."""
    here, listener = ending.namespace, ending.listener
    found = next(iter(case.published_at(case.hosts_of(here.key), case.port)), None)
    name = found[0].name if found else "a container"
    literal = _for_nobody(here, case.port)
    why = (
        "its firewall rule is for packets to 0.0.0.0, of which there are none (so does Podman's API with the address "
        "0.0.0.0; the command line leaves it out)"
        if literal
        else "the firewall rule that should rewrite it is gone, as after a firewall was reloaded or flushed"
    )
    to = found[1].container_port if found else case.port
    again = Cure(
        "Publish it anew without that address, or on one of the host's own",
        f"podman run -p {case.port}:{to} ... (a new container)",
        "also your LAN, which it was meant for",
    )
    anew = (
        Cure("Write Podman's rules anew", "podman network reload --all"),
        Cure("Or restart the container", f"podman restart {name}"),
    )
    return Diagnosis(
        Cause.PUBLISHED_NO_RULE,
        f"Port {case.port} is published by {name}, but {why}: the connection hangs in {holder(listener)}, which only "
        f"holds the port and never answers.",
        (listener_row(here, listener), *(Row("rule", here.label, text) for text in literal)),
        (again,) if literal else anew,
        ("ss shows the port as listened on, and connecting succeeds: neither says that the container is reached.",),
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


@diagnose.register
def hairpin(ending: Hairpin, case: Case) -> Diagnosis:
    """The container calls a port that it publishes itself: its bridge would have to send the frame back to it."""
    here, bridge, veth = ending.namespace, ending.bridge, ending.port.name
    name, port = case.place.name, case.port
    inside = case.evidence.namespaces.get(case.place.namespace or "")
    loops = any(e.address.is_loopback or e.address.is_unspecified for e in listeners(inside, port)) if inside else False
    own = "127.0.0.1" if loops else str(ending.destination)
    return Diagnosis(
        Cause.HAIRPIN,
        f"{case.said} leads back to {name} itself, which publishes port {case.attempt.target.port}: the bridge "
        f"{bridge.name} of {here.label} would have to send the packet back by {veth}, where it came in, and drops it "
        "without a word.",
        (
            Row("published", here.label, f"{case.attempt.target.port}->{port}/tcp {name}"),
            Row("link", here.label, f"{veth} master {bridge.name} hairpin off"),
            Row("sysctl", here.label, "net.bridge.bridge-nf-call-iptables = 1"),
        ),
        (
            Cure(f"Let {name} call itself directly", at(own, port)),
            Cure(
                "Or let the bridge send back by that port, until the container is restarted",
                f"bridge link set dev {veth} hairpin on",
            ),
        ),
        ("The host and other containers reach the published port: it is only the container itself that does not.",),
    )
