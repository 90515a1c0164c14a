"""Causes where a firewall decides. Pure."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from testbed.change.networks import Connect, RecreateNetwork
from testbed.evidence import Backend, Container, Hook, Network
from testbed.evidence.programs import only_holds
from testbed.explain.accepting import let_through
from testbed.explain.by_ending import propose
from testbed.explain.calling import direct
from testbed.explain.case import Case, at, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.explain.rows import rule_row
from testbed.model import Address
from testbed.predict.ending import (
    Filtered,
    LaterFiltered,
    NeighbourFiltered,
    NoTranslationAddress,
    Rejected,
    Verdict,
)
from testbed.predict.routing import is_local
from testbed.predict.socket_lookup import listener_for

#: netavark's chains that keep networks apart (netavark, src/firewall/varktables/types.rs and nft.rs).
_ISOLATION: Final = "NETAVARK_ISOLATION"
#: Of a packet for the namespace itself, of one that it passes on, and of one that its own programs send.
_CAUSES: Final[Mapping[str, tuple[Cause, Cause]]] = MappingProxyType(
    {
        "own": (Cause.INPUT_DROPPED, Cause.INPUT_REJECTED),
        "passing": (Cause.FORWARD_DROPPED, Cause.FORWARD_REJECTED),
        "sent": (Cause.OUTPUT_BLOCKED, Cause.OUTPUT_BLOCKED),
    }
)


@propose.register
def stopped(ending: Filtered, case: Case) -> Iterator[Proposal]:
    """A rule, or a chain's policy, drops or rejects the packet or its answer."""
    here, verdict = ending.namespace, ending.verdict
    if _ISOLATION in verdict.chain.name.replace("-", "_"):
        yield _isolated(ending, case)
        # The rule is netavark's, which writes it anew.
        return
    rejects = isinstance(ending, Rejected) or (isinstance(ending, LaterFiltered) and bool(ending.answer))
    cause = Cause.ANSWER_BLOCKED if ending.back else _CAUSES[_role(ending, case)][rejects]
    done = f"{'rejects' if rejects else 'drops'} {_what(ending, case)}"
    yield Proposal(
        cause,
        f"The firewall of {here.label} {done} in {str(verdict.hook).upper()}: {decided(verdict)}.",
        (rule_row(here, verdict),),
        tuple(let_through(ending, case)),
        _warnings(ending, case),
    )


@propose.register
def untranslatable(ending: NoTranslationAddress, case: Case) -> Iterator[Proposal]:
    """A rule translates to an address of an interface, which has none."""
    why = case.prediction.why
    yield Proposal(Cause.FORWARD_DROPPED, f"{why}.", (Row("firewall", ending.namespace.label, why),), ())


def decided(verdict: Verdict) -> str:
    """Say what in a firewall decided, and how many packets it had decided before the attempt."""
    rule, chain = verdict.rule, verdict.chain
    count = chain.packets if rule is None else rule.packets
    policy = f"policy of the chain {chain.name} is {chain.policy}"
    words = f"by the rule {rule.text}" if rule else f"no rule lets it pass, and the {policy}"
    if count is None:
        return f"{words} (which does not count)" if rule else words
    return f"{words} ({count} packet{'' if count == 1 else 's'} before this attempt)"


def _what(ending: Filtered, case: Case) -> str:
    """The part of a connection that is stopped."""
    if isinstance(ending, NeighbourFiltered):
        how = "the ARP" if ending.hop.version == 4 else "the neighbour discovery (ICMPv6)"
        return f"{how} that finds {ending.hop}, so that nothing can be sent to {_target(ending, case)},"
    if isinstance(ending, LaterFiltered):
        whose = "the answers" if ending.back else "the packets"
        return f"{whose} that follow once the connection to {_target(ending, case)} is made"
    return "the answer to the connection" if ending.back else f"the connection to {_target(ending, case)}"


def _target(ending: Filtered, case: Case) -> str:
    """What was called, and where that leads in the end."""
    to = ending.destination
    if (to, case.port) == (case.prediction.address, case.attempt.target.port):
        return case.said
    return f"{case.said}, rewritten to {at(to, case.port)},"


def _role(ending: Filtered, case: Case) -> str:
    """Tell if the packet was for the namespace, passed through it, or came from its own programs."""
    here, hook = ending.namespace, ending.verdict.hook
    if hook is Hook.OUTPUT or (hook is Hook.POSTROUTING and here.key == case.place.namespace):
        return "sent"
    if hook is Hook.INPUT or (hook is Hook.PREROUTING and is_local(here, ending.destination)):
        return "own"
    return "passing"


def _warnings(ending: Filtered, case: Case) -> tuple[str, ...]:
    chain = ending.verdict.chain
    found = []
    if isinstance(ending, Rejected) and not ending.back and (whose := _whose_answer(ending, case)):
        found.append(whose)
    if isinstance(ending, LaterFiltered):
        found.append("The listener is there, and the handshake with it passes: only what follows does not.")
    elif case.prediction.listener is not None:
        found.append("The listener is there and was reached: only its answer does not come back.")
    elif behind := _behind(ending, case):
        found.append(behind)
    if chain.backend is Backend.NFTABLES:
        found.append(
            "An accept in another table does not help: in nftables a drop or reject is final, whatever netavark's "
            f"table or another one accepts. It has to be let through in {chain.family} {chain.table}."
        )
    return tuple(found)


def _whose_answer(ending: Rejected, case: Case) -> str:
    """Which of the two an error is, a firewall's or the kernel's own, and how one knows; empty where none is heard."""
    number, chain, here = case.prediction.errno, ending.verdict.chain, ending.namespace
    rule = ending.verdict.rule
    how = f"that rule decides in {here.label} before any socket is looked for"
    if rule is not None and rule.packets is not None:
        how += ", and its counter rises with each try"
    if chain.backend is not Backend.NFTABLES:
        how += f" (iptables -t {chain.table} -vnL {chain.name})"
    if number == errno.ECONNREFUSED:
        return f"This 'connection refused' comes from a REJECT rule, not from a closed port: {how}."
    if number is None:
        return ""
    words = os.strerror(number)
    return f"'{words}' is the answer of this REJECT rule, not of a router: there is a route, and {how}."


def _behind(ending: Filtered, case: Case) -> str:
    """Say whether somebody listens behind a rule: else taking it away does not help."""
    here, to = ending.namespace, ending.destination
    if ending.back or ending.verdict.hook not in (Hook.INPUT, Hook.PREROUTING) or not is_local(here, to):
        return ""
    listener = listener_for(here, case.protocol, to, case.port, 0)
    if listener is not None and only_holds(listener):
        # A rule that is asked later leads what is for the port into a container.
        return ""
    if listener is not None:
        return f"Behind the rule {holder(listener)} listens on {at(listener.address, listener.port)}."
    elsewhere = [at(other.address, other.port) for other in listeners(here, case.port, case.protocol)]
    only = f" (only {', '.join(elsewhere)})" if elsewhere else ""
    return f"Behind the rule nobody listens on {at(to, case.port)}{only}: without it the connection would be refused."


def _isolated(ending: Filtered, case: Case) -> Proposal:
    here = ending.namespace
    container = case.place.container
    own = case.networks_of(container) if container else ()
    to = case.networks_with(ending.destination, case.hosts_of(here.key))
    one, other = (own[0].name if own else "its network"), (to[0].name if to else "the other one")
    name = case.place.name
    connect = (
        Remedy(f"Connect {name} to {other}", changes=(Connect(container.host, container.id, other),))
        if container is not None
        else None
    )
    anew = [
        Remedy(
            f"Make the network {network.name} anew without isolation",
            _create(network),
            (RecreateNetwork(network.host, network.name, "false"),),
        )
        for network in (*own, *to)
        if network.options.get("isolate", "false") != "false"
    ]
    there = next((c for c in case.evidence.containers if _lives_at(c, ending.destination)), None)
    called = case.evidence.namespaces.get(there.namespace or "") if there is not None else None
    straight = tuple(direct(case, called, case.port)) if called is not None else ()
    return Proposal(
        Cause.NETWORKS_ISOLATED,
        f"{name} is on {one} and {case.said} is on {other}, and these networks are kept apart: Podman's isolation rule "
        "drops what goes from one to the other.",
        (
            rule_row(here, ending.verdict),
            *(Row("network", case.named(n.host), _isolation(n)) for n in (*own, *to)),
        ),
        (*([connect] if connect else []), *straight, *anew),
        ("Networks that docker-compose or Portainer made are isolated by default (Podman's Docker API).",),
    )


def _create(network: Network) -> str:
    """The command that makes a network anew as it is, but without isolation."""
    subnets = "".join(f" --subnet {subnet}" for subnet in network.subnets)
    internal = " --internal" if network.internal else ""
    return f"podman network create -o isolate=false{subnets}{internal} {network.name}"


def _lives_at(container: Container, address: Address) -> bool:
    """Tell if a container has an address on a network."""
    return any(address in attachment.addresses for attachment in container.attachments)


def _isolation(network: Network) -> str:
    return f"{network.name} isolate={network.options.get('isolate', 'false')}"
