"""Causes where the packet arrives and no socket takes it: who listens, and where instead. Pure."""

from __future__ import annotations

from testbed.evidence import Container, Listener, Namespace, Protocol
from testbed.evidence.programs import only_holds
from testbed.explain.by_ending import diagnose
from testbed.explain.case import (
    Case,
    any_address,
    at,
    covers,
    holder,
    listener_row,
    listeners,
    rows_of_walk,
)
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.explain.publishing import behind_published_port, direct, published_instead
from testbed.model import Address
from testbed.predict.ending import NoListener, QueueFull
from testbed.predict.steps import Translation


@diagnose.register
def nobody(ending: NoListener, case: Case) -> Diagnosis:
    """Nothing takes connections for the address and port: find who listens on that port, and say where."""
    here, address = ending.namespace, ending.destination
    if found := behind_published_port(case, here):
        return found
    if case.is_host(here.key) and (found := published_instead(case, here, address)):
        return found
    there = [entry for entry in listeners(here, case.port) if not only_holds(entry)]
    if there:
        return _elsewhere_here(case, here, address, there)
    for look in (_datagrams, _in_another_room, _tunnel_without_listener):
        if found := look(case, here, address):
            return found
    return _nobody_at_all(case, here, address)


def _datagrams(case: Case, here: Namespace, address: Address) -> Diagnosis | None:
    """Somebody takes UDP on that port."""
    version = address.version
    found = [e for e in listeners(here, case.port, Protocol.UDP) if covers(e, version)]
    if not found:
        return None
    return Diagnosis(
        Cause.UDP_NOT_TCP,
        f"{_leads_to(case, here, address)}, and on port {case.port} there {holder(found[0])} listens for UDP: you "
        "spoke TCP, which nobody takes.",
        (listener_row(here, found[0]),),
        (
            Cure(f"Make it listen for TCP on port {case.port}, or speak UDP to it", ""),
            Cure("Find the TCP port that it does have", case.command_in(here, "ss -ltnp")),
        ),
    )


@diagnose.register
def queue_full(ending: QueueFull, case: Case) -> Diagnosis:
    """The listener is there and takes no more: its queue of connections to be accepted is full."""
    here, listener = ending.namespace, ending.listener
    return Diagnosis(
        Cause.QUEUE_FULL,
        f"{holder(listener)} of {here.label} listens on {at(listener.address, listener.port)} but accepts no more: "
        f"{listener.queue} connections are waiting and it lets at most {listener.backlog} wait, so the kernel drops "
        "new ones.",
        (listener_row(here, listener),),
        (
            Cure(
                "Restart it, or find out why it does not accept: it is stuck or too slow",
                case.command_in(here, f"ss -ltnp 'sport = :{listener.port}'"),
            ),
            Cure("Let it queue more (its listen backlog, at most net.core.somaxconn)", ""),
        ),
        ("A full queue looks like a firewall that drops: nothing comes back at all.",),
    )


def _elsewhere_here(case: Case, here: Namespace, address: Address, there: list[Listener]) -> Diagnosis:
    """Somebody listens on that port in that very namespace: on another address, or family."""
    same = [entry for entry in there if covers(entry, address.version)]
    rows = tuple(listener_row(here, entry) for entry in there)
    who, bound = holder(there[0]), " and ".join(at(entry.address, entry.port) for entry in there)
    rewritten = _rewritten(case)
    if not same:
        version = "IPv4" if address.version == 4 else "IPv6"
        return Diagnosis(
            Cause.OTHER_FAMILY,
            f"{case.said} is reached over {version} here, and {who} of {here.label} listens only on {bound}: "
            f"the same port, the other IP version.",
            rows,
            (
                Cure(f"Listen on {version} too", at(any_address(address.version), case.port), _exposure(case, here)),
                Cure(f"Or use an address that it listens on: {bound}", ""),
            ),
        )
    loopback = all(entry.address.is_loopback for entry in same)
    inside = bool(case.containers_in(here.key)) and not case.is_host(here.key)
    if loopback and inside and here.key != case.place.namespace:
        return Diagnosis(
            Cause.LOOPBACK_IN_CONTAINER,
            f"{who} in the container {here.label} listens only on {bound}, the container's own loopback: "
            f"nothing from outside it gets there{rewritten}.",
            rows,
            (
                Cure(
                    f"Make the program in {here.label} listen on all of the container's addresses",
                    at(any_address(address.version), case.port),
                    f"whoever reaches {here.label} or a published port of it",
                ),
            ),
            _published_warning(case),
        )
    gateways = _gateways(case, address, same)
    cures = _bind_cures(case, here, address, same[0], inside=inside)
    if loopback:
        own = "its own" if here.key != case.place.namespace else "your own"
        return Diagnosis(
            Cause.LOOPBACK_ONLY,
            f"{_leads_to(case, here, address)}, and on port {case.port} there only {bound} is listened on, by {who}: "
            f"that is {own} loopback, another room of the same machine, which nobody outside it can enter.",
            rows,
            cures,
        )
    if gateways:
        return Diagnosis(
            Cause.NAME_OF_OTHER_GATEWAY,
            f"{case.attempt.target.host} is {address} in {case.place.name}, which is on several networks, and {who} "
            f"listens only on {bound}, another of their gateways: which one Podman writes into the hosts file is not "
            "fixed.",
            (*rows, Row("hosts", case.place.name, f"{address} {case.attempt.target.host}")),
            (
                Cure(
                    "Listen on the gateway that the name has now, or on all addresses",
                    at(any_address(4), case.port),
                    _exposure(case, here),
                ),
                Cure(
                    "Fix the name, in containers.conf(5) of the host",
                    f'[containers]\nhost_containers_internal_ip = "{same[0].address}"',
                ),
            ),
            ("It may work after the next restart of the container, and fail again after another.",),
        )
    return Diagnosis(
        Cause.OTHER_ADDRESS,
        f"{_leads_to(case, here, address)}, and on port {case.port} there only {bound} is listened on, by {who}: "
        "another address of the same machine.",
        rows,
        (*cures, Cure(f"Or use the address that it listens on: {bound}", "")),
    )


def _leads_to(case: Case, here: Namespace, address: Address) -> str:
    """Whose the address is that was called, or that it was rewritten to, and by which interface."""
    leads = "is" if address == case.prediction.address else f"leads to {address}, which is"
    for row in here.addresses:
        if row.address.ip == address:
            link = next((link.name for link in here.links if link.index == row.link), "")
            return f"{case.said} {leads} {here.label}'s own address on {link}"
    return f"{case.said} {leads} {here.label}'s own address"


def _gateways(case: Case, address: Address, same: list[Listener]) -> bool:
    """Whether it is a matter of several networks: the listener is on the gateway of another one of the container's."""
    container = case.place.container
    if container is None or not case.attempt.target.host.endswith(".internal"):
        return False
    gateways = {g for network in case.networks_of(container) for g in network.gateways}
    return address in gateways and any(entry.address in gateways for entry in same)


def _bind_cures(case: Case, here: Namespace, address: Address, listener: Listener, *, inside: bool) -> tuple[Cure, ...]:
    """Listening where the knock is, or everywhere; what each exposes."""
    everywhere = _let_listen(case, listener, any_address(address.version), "every address", _exposure(case, here))
    if address.is_loopback or inside:
        return (everywhere,)
    networks = [n.name for n in case.networks_with(address, case.hosts_of(here.key))]
    who = (
        f"only the containers of the network {networks[0]}, and the host itself"
        if networks
        else f"whoever reaches {address}"
    )
    return (_let_listen(case, listener, str(address), str(address), who), everywhere)


def _let_listen(case: Case, listener: Listener, address: str, where: str, exposes: str) -> Cure:
    """Who is to listen where; for an ssh forward the command that does it."""
    forward = case.forwarder_of(listener)
    if forward is None:
        return Cure(f"Let {holder(listener)} listen on {where}", at(address, case.port), exposes)
    command = f"ssh -L {at(address, forward.port)}:{at(forward.to_host, forward.to_port)} ..."
    return Cure(f"End {holder(listener)} and start it again, listening on {where}", command, exposes)


def _exposure(case: Case, here: Namespace) -> str:
    """Who reaches a port that listens on every address of a namespace."""
    if not case.is_host(here.key):
        return f"whoever reaches any address of {here.label}"
    bridges = {network.bridge for network in case.evidence.networks}
    lan = [
        f"{row.address} on {link.name}"
        for row in here.addresses
        for link in here.links
        if link.index == row.link and link.name not in bridges and row.scope == "global" and link.kind != "bridge"
    ]
    also = f": {', '.join(lan)}" if lan else ""
    return f"also your LAN and every other network of {here.label}{also}"


def _rewritten(case: Case) -> str:
    steps = [s for s in case.prediction.steps if isinstance(s, Translation) and not s.back]
    return ", not even by a published port" if steps else ""


def _published_warning(case: Case) -> tuple[str, ...]:
    if not _rewritten(case):
        return ()
    return (
        "The host's ss shows the published port as listened on: that is Podman's conmon, which only holds the port.",
    )


def _in_another_room(case: Case, here: Namespace, address: Address) -> Diagnosis | None:
    """A loopback address is each namespace's own: the listener may be on another one's."""
    if not address.is_loopback or here.key != case.place.namespace:
        return None
    found = [
        (namespace, entry)
        for namespace in case.evidence.namespaces.values()
        if namespace.key != here.key
        for entry in listeners(namespace, case.attempt.target.port)
        if not only_holds(entry)
    ]
    if not found:
        return None
    # The host that the container is on is the one that people mean.
    found.sort(key=lambda pair: (pair[0].key != case.place.host.namespace, not case.is_host(pair[0].key)))
    there, listener = found[0]
    host = case.is_host(there.key)
    cures = (
        (
            Cure(
                f"Call the host by host.containers.internal, and let {holder(listener)} listen where that leads",
                f"host.containers.internal:{case.port}",
                "the containers of that network",
            ),
            Cure(f"Or run {case.place.name} with the host's network", "podman run --network host ..."),
        )
        if host
        else (
            *direct(case, there, case.port),
            Cure("Or share its namespace", f"podman run --network container:{there.label} ..."),
        )
    )
    return Diagnosis(
        Cause.OTHER_NAMESPACE,
        f"{case.said} in {case.place.name} is {case.place.name} itself: each container has its own 127.0.0.1. "
        f"On port {case.port} nobody listens there; {holder(listener)} does, in {there.label}.",
        (listener_row(there, listener),),
        cures,
    )


def _tunnel_without_listener(case: Case, here: Namespace, _: Address) -> Diagnosis | None:
    """An ssh that was to listen on the port runs, and does not."""
    for forward in case.evidence.forwards:
        if forward.namespace == here.key and forward.port == case.port:
            bind = forward.bind or "localhost"
            who = f"{forward.process} (pid {forward.pid})"
            told = f"{at(bind, forward.port)}:{at(forward.to_host, forward.to_port)}"
            return Diagnosis(
                Cause.TUNNEL_WITHOUT_LISTENER,
                f"{who} runs on {here.label} and was told to listen on {at(bind, forward.port)}, but it does not: "
                f"the bind failed when it started, and it went on without (ssh_config(5), ExitOnForwardFailure no).",
                (Row("process", here.label, f"{who} -L {told}"),),
                (
                    Cure(
                        "End it and start it again, so that it fails loudly",
                        f"ssh -o ExitOnForwardFailure=yes -L {told} ...",
                    ),
                    Cure(
                        "Start a container on the network first where it binds to a bridge's address: "
                        "podman0 exists only while a container is on it",
                        "",
                    ),
                ),
                ("A running ssh process is no proof of a tunnel: look for its listener.",),
            )
    return None


def _nobody_at_all(case: Case, here: Namespace, address: Address) -> Diagnosis:
    running = [f"{at(e.address, e.port)}" for e in here.listeners if e.protocol is Protocol.TCP][:6]
    others = f" It does listen on {', '.join(running)}." if running else " Nothing listens on TCP there at all."
    warnings: tuple[str, ...] = ()
    if not case.is_host(here.key):
        warnings = ("A container that runs is not yet a program that listens: look at its log.",)
    return Diagnosis(
        Cause.NOBODY_LISTENS,
        f"{_leads_to(case, here, address)}, and nobody listens on TCP port {case.port} there.{others}",
        rows_of_walk(case.prediction),
        (
            Cure(f"Start the program that is to listen on port {case.port} of {here.label}", _start(case, here)),
            *([Cure("Or use the port that it does listen on", case.command_in(here, "ss -ltnp"))] if running else []),
        ),
        warnings,
    )


def _start(case: Case, here: Namespace) -> str:
    containers: tuple[Container, ...] = case.containers_in(here.key)
    return f"podman logs {containers[0].name}" if containers and not case.is_host(here.key) else ""
