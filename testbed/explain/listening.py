"""Causes where the packet arrives and no socket takes it: who listens there, and on what else. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change import Change
from testbed.change.listening import Listen, Rebind, StartProgram
from testbed.change.resuming import Continue, Unpause
from testbed.evidence import Listener, Namespace, Protocol
from testbed.evidence.programs import only_holds, takes_published_ports
from testbed.explain import elsewhere, published_protocol, publishing
from testbed.explain.by_ending import propose
from testbed.explain.calling import speak
from testbed.explain.case import Case, any_address, at, covers, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import bound_to, listener_row, no_listener_row, rows_of_walk
from testbed.explain.tunnels import without_listener
from testbed.model import Address
from testbed.predict.ending import NoListener, QueueFull, Suspended
from testbed.predict.steps import Translation
from testbed.predict.wording import why


@propose.register
def no_listener(ending: NoListener, case: Case) -> Iterator[Proposal]:
    """No socket takes connections for the address and port."""
    here, address = ending.namespace, ending.destination
    own = listeners(here, case.port, case.protocol)
    there = [entry for entry in own if not only_holds(entry) and not takes_published_ports(entry)]
    same = [entry for entry in there if covers(entry, address.version)]
    if same:
        yield _on_another_address(case, here, address, same)
    elif there:
        yield _of_the_other_family(case, here, address, there)
    yield from published_protocol.proposals(ending, case)
    yield from publishing.proposals(ending, case)
    yield from _other_protocol(case, here, address)
    yield from elsewhere.proposals(ending, case)
    yield from without_listener(case, here)
    yield from elsewhere.of_another_container(ending, case)
    yield _nobody(case, here, address)


@propose.register
def suspended(ending: Suspended, case: Case) -> Iterator[Proposal]:
    """The kernel accepts, and the program behind does not run."""
    here, listener = ending.namespace, ending.listener
    paused = ending.container
    if paused is not None:
        change: Change = Unpause(paused.host, paused.id)
        remedy = Remedy(f"Let {paused.name} run again", changes=(change,))
    else:
        change = Continue(here.key, listener)
        remedy = Remedy(f"Let {holder(listener)} run again", changes=(change,))
    yield Proposal(
        Cause.PEER_SILENT,
        f"{why(ending)}, so that {case.said} is connected to and says nothing.",
        (listener_row(here, listener),),
        (remedy,),
    )


@propose.register
def queue_full(ending: QueueFull, case: Case) -> Iterator[Proposal]:
    """The listener is there and takes no more: its queue of connections to be accepted is full."""
    here, listener = ending.namespace, ending.listener
    yield Proposal(
        Cause.QUEUE_FULL,
        f"{holder(listener)} of {here.label} listens on {at(listener.address, listener.port)} but accepts no more: "
        f"{waiting(listener)} and it lets at most {listener.backlog} wait, so the kernel drops "
        "new ones.",
        (listener_row(here, listener),),
        (
            Remedy(
                f"Restart {holder(listener)}, which is stuck or too slow: it does not accept what waits",
                case.restart_of(listener),
                (Rebind(here.key, listener, listener.address, listener.port),),
            ),
        ),
        ("A full queue looks like a firewall that drops: nothing comes back at all.",),
    )


def waiting(listener: Listener) -> str:
    """Say how many connections wait to be accepted."""
    return "1 connection is waiting" if listener.queue == 1 else f"{listener.queue} connections are waiting"


def _on_another_address(case: Case, here: Namespace, address: Address, same: list[Listener]) -> Proposal:
    """The port is listened on in that very namespace, on other addresses of the family that was called."""
    who, bound = holder(same[0]), " and ".join(bound_to(here, entry) for entry in same)
    loopback = all(entry.address.is_loopback for entry in same) and not address.is_loopback
    inside = bool(case.containers_in(here.key)) and not case.is_host(here.key)
    binds = _binds(case, here, address, same[0], inside=inside)
    rows = tuple(listener_row(here, entry) for entry in same)
    if loopback and inside and here.key != case.place.namespace:
        rewritten = any(isinstance(s, Translation) and not s.back for s in case.prediction.steps)
        return Proposal(
            Cause.LOOPBACK_IN_CONTAINER,
            f"{who} in the container {here.label} listens only on {bound}, the container's own loopback: "
            f"nothing from outside it gets there{', not even by a published port' if rewritten else ''}.",
            rows,
            binds,
            publishing.HOLDS_ONLY if rewritten else (),
        )
    if loopback:
        own = "its own" if here.key != case.place.namespace else "your own"
        return Proposal(
            Cause.LOOPBACK_ONLY,
            f"{leads_to(case, here, address)}, and on port {case.port} there {_listen_only(here, same)}: "
            f"that is {own} loopback, which only processes in that network namespace reach.",
            rows,
            (*binds, *_calls(case, same)),
        )
    if _between_gateways(case, address, same):
        return Proposal(
            Cause.NAME_OF_OTHER_GATEWAY,
            f"{case.attempt.target.host} is {address} in {case.place.name}, which is on several networks, and {who} "
            f"listens only on {bound}, another of their gateways: which one Podman writes into the hosts file is not "
            "fixed.",
            (*rows, Row("hosts", case.place.name, f"{address} {case.attempt.target.host}")),
            (*binds, *_calls(case, same)),
            ("It may work after the next restart of the container, and fail again after another.",),
        )
    elsewhere = "another address of the same machine"
    if any(entry.link for entry in same):
        elsewhere = "what comes in by another interface is not for a socket that is bound to one (SO_BINDTODEVICE)"
    return Proposal(
        Cause.OTHER_ADDRESS,
        f"{leads_to(case, here, address)}, and on port {case.port} there {_listen_only(here, same)}: {elsewhere}.",
        rows,
        (*binds, *_calls(case, same)),
    )


def _listen_only(here: Namespace, there: list[Listener]) -> str:
    """Say what alone is listened on, and by whom: each with its own holder where there are several."""
    bound = [bound_to(here, entry) for entry in there]
    holders = [holder(entry) for entry in there]
    if len(set(holders)) == 1:
        return f"only {' and '.join(bound)} {'is' if len(bound) == 1 else 'are'} listened on, by {holders[0]}"
    each = (f"{where} by {who}" for where, who in zip(bound, holders, strict=True))
    return f"only {' and '.join(each)} are listened on"


def _of_the_other_family(case: Case, here: Namespace, address: Address, there: list[Listener]) -> Proposal:
    """The port is listened on in that very namespace, for the other IP version only."""
    who, bound = holder(there[0]), " and ".join(at(entry.address, entry.port) for entry in there)
    everywhere = any_address(address.version)
    return Proposal(
        Cause.OTHER_FAMILY,
        f"{case.said} is reached over IPv{address.version} here, and {who} of {here.label} listens only on {bound}: "
        "the same port, the other IP version.",
        tuple(listener_row(here, entry) for entry in there),
        (
            _let_listen(case, here, there[0], everywhere, f"every address of IPv{address.version}"),
            *_calls(case, there),
            *_calls_by_the_other_version(case, here, there),
        ),
    )


def leads_to(case: Case, here: Namespace, address: Address) -> str:
    """Say whose the address is that was called, or that it was rewritten to, and of which interface."""
    leads = "is" if address == case.prediction.address else f"leads to {address}, which is"
    for row in here.addresses:
        if row.address.ip == address:
            link = next((link.name for link in here.links if link.index == row.link), "")
            return f"{case.said} {leads} {here.label}'s own address on {link}"
    return f"{case.said} {leads} {here.label}'s own address"


def _between_gateways(case: Case, address: Address, same: list[Listener]) -> bool:
    """Tell if it is a matter of several networks: the listener is on the gateway of another one of the container's."""
    container = case.place.container
    if container is None or not case.attempt.target.host.endswith(".internal"):
        return False
    gateways = {g for network in case.networks_of(container) for g in network.gateways}
    return address in gateways and any(entry.address in gateways for entry in same)


def _binds(case: Case, here: Namespace, address: Address, listener: Listener, *, inside: bool) -> tuple[Remedy, ...]:
    """Listening on the address that is called, or on all of them."""
    interface = " of every interface" if listener.link else ""
    everywhere = _let_listen(case, here, listener, any_address(address.version), f"every address{interface}")
    if address.is_loopback or inside or listener.link:
        return (everywhere,)
    return (_let_listen(case, here, listener, address, str(address)), everywhere)


def _let_listen(case: Case, here: Namespace, listener: Listener, address: Address, where: str) -> Remedy:
    """A program that is to listen elsewhere."""
    forward = case.forwarder_of(listener)
    change = Rebind(here.key, listener, address, listener.port)
    if forward is None:
        return Remedy(f"Let {holder(listener)} listen on {where}", at(address, listener.port), (change,))
    command = f"ssh -L {at(address, forward.port)}:{at(forward.to_host, forward.to_port)} ..."
    return Remedy(f"End {holder(listener)} and start it again, listening on {where}", command, (change,))


def _calls(case: Case, there: list[Listener]) -> Iterator[Remedy]:
    """Calling an address that is listened on, where it is a certain one."""
    for entry in there:
        if not entry.address.is_unspecified:
            target = replace(case.attempt.target, host=str(entry.address), port=entry.port)
            yield Remedy(f"Call an address that it listens on: {entry.address}", str(target), target=target)


def _calls_by_the_other_version(case: Case, here: Namespace, there: list[Listener]) -> Iterator[Remedy]:
    """Calling an address of the IP version that a wildcard listener takes."""
    for version in {entry.address.version for entry in there if entry.address.is_unspecified}:
        local = here.key == case.place.namespace
        for row in here.addresses:
            if row.address.version == version and (local or row.scope == "global"):
                target = replace(case.attempt.target, host=str(row.address.ip))
                yield Remedy(f"Call it by its IPv{version} address", str(target), target=target)
                break


def _other_protocol(case: Case, here: Namespace, address: Address) -> Iterator[Proposal]:
    """The port is taken for UDP, and TCP was spoken, or the other way round."""
    spoken = case.protocol
    taken = Protocol.UDP if spoken is Protocol.TCP else Protocol.TCP
    found = [e for e in listeners(here, case.port, taken) if covers(e, address.version) and not only_holds(e)]
    if found and found[0].process is not None:
        change = Listen(here.key, spoken, found[0].address, case.port, found[0].process)
        also = f"on port {case.port} too"
        yield Proposal(
            Cause.UDP_NOT_TCP,
            f"{leads_to(case, here, address)}, and on port {case.port} there {holder(found[0])} listens for "
            f"{taken.upper()}: you spoke {spoken.upper()}, which nobody takes.",
            (listener_row(here, found[0]),),
            (
                speak(case, taken),
                Remedy(f"Let {holder(found[0])} listen for {spoken.upper()} {also}", changes=(change,)),
            ),
        )


def _nobody(case: Case, here: Namespace, address: Address) -> Proposal:
    """Nothing in the picture listens on that port, wherever it may have been meant."""
    spoken = case.protocol
    others = [e for e in here.listeners if e.protocol is spoken and not only_holds(e)]
    running = ", ".join(at(e.address, e.port) for e in others[:6])
    known = f" Others are listened on: {running}." if running else f" No {spoken.upper()} port is listened on at all."
    anywhere = any_address(address.version)
    start = StartProgram(here.key, spoken, anywhere, case.port)
    warnings: tuple[str, ...] = ()
    if not case.is_host(here.key):
        warnings = ("A container that runs is not yet a program that listens: look at its log.",)
    return Proposal(
        Cause.NOBODY_LISTENS,
        f"{leads_to(case, here, address)}, and nobody listens on {spoken.upper()} port {case.port} there.{known}",
        (no_listener_row(here, spoken, address, case.port), *rows_of_walk(case.prediction)),
        (
            Remedy(
                f"Start the program that is to listen on port {case.port} of {here.label}", case.log_of(here), (start,)
            ),
            *_other_ports(case, others),
        ),
        warnings,
        f"the program for port {case.port} of {here.label} does not run",
    )


def _other_ports(case: Case, others: list[Listener]) -> Iterator[Remedy]:
    """Calling a port that is listened on, where the target's own is that of the namespace it leads to."""
    if case.port == case.attempt.target.port:
        ports = [entry.port for entry in others]
        if case.prediction.namespace is not None and case.is_host(case.prediction.namespace.key):
            hosts = case.hosts_of(case.prediction.namespace.key)
            running = [c for c in case.evidence.containers if c.host in hosts and c.state == "running"]
            ports += [p.host_port for c in running for p in c.published if p.protocol == case.protocol]
        for port in dict.fromkeys(ports):
            target = replace(case.attempt.target, port=port)
            yield Remedy(f"Call port {port}, where that is what was meant", str(target), target=target)
