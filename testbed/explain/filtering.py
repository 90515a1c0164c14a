"""Causes where a firewall decides. Pure."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from testbed.evidence import Act, Backend, Chain, Hook, Namespace, Network, Protocol
from testbed.explain.by_ending import diagnose
from testbed.explain.case import Case, at, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.predict.ending import Filtered, NoTranslationAddress, Rejected, Verdict
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


@diagnose.register
def stopped(ending: Filtered, case: Case) -> Diagnosis:
    """A rule, or a chain's policy, drops or rejects the packet or its answer."""
    here, verdict = ending.namespace, ending.verdict
    chain = verdict.chain
    if _ISOLATION in chain.name.replace("-", "_"):
        return _isolated(ending, case)
    rejects = isinstance(ending, Rejected)
    cause = Cause.ANSWER_BLOCKED if ending.back else _CAUSES[_role(ending, case)][rejects]
    what = "the answer to the connection" if ending.back else f"the connection to {_target(ending, case)}"
    verb = "rejects" if rejects else "drops"
    return Diagnosis(
        cause,
        f"The firewall of {here.label} {verb} {what} in {str(verdict.hook).upper()}: {decided(verdict)}.",
        (Row("rule", here.label, f"{chain.backend} {chain.family} {chain.table} {chain.name}: {_words(verdict)}"),),
        cures(ending, case),
        _warnings(ending, case),
    )


@diagnose.register
def untranslatable(ending: NoTranslationAddress, case: Case) -> Diagnosis:
    """A rule translates to an address of an interface, which has none."""
    why = case.prediction.why
    return Diagnosis(Cause.FORWARD_DROPPED, f"{why}.", (Row("firewall", ending.namespace.label, why),))


def decided(verdict: Verdict) -> str:
    """What in a firewall decided, and how many packets it had decided before the attempt."""
    rule = verdict.rule
    count = verdict.chain.packets if rule is None else rule.packets
    words = f"by the rule {rule.text}" if rule else f"no rule lets it pass, and the {_words(verdict)}"
    if count is None:
        return f"{words} (which does not count)" if rule else words
    return f"{words} ({count} packet{'' if count == 1 else 's'} before this attempt)"


def _words(verdict: Verdict) -> str:
    rule, chain = verdict.rule, verdict.chain
    return rule.text if rule else f"policy of the chain {chain.name} is {chain.policy}"


def _target(ending: Filtered, case: Case) -> str:
    """What was called, and where that leads in the end."""
    to = ending.destination
    if (to, case.port) == (case.prediction.address, case.attempt.target.port):
        return case.said
    return f"{case.said}, rewritten to {at(to, case.port)},"


def _role(ending: Filtered, case: Case) -> str:
    """Whether the packet was for the namespace, passed through it, or came from its own programs."""
    here, hook = ending.namespace, ending.verdict.hook
    if hook is Hook.OUTPUT or (hook is Hook.POSTROUTING and here.key == case.place.namespace):
        return "sent"
    if hook is Hook.INPUT or (hook is Hook.PREROUTING and is_local(here, ending.destination)):
        return "own"
    return "passing"


def cures(ending: Filtered, case: Case) -> tuple[Cure, ...]:
    """Letting it through before the rule; taking the rule out. Both are commands for the host of the namespace."""
    here = ending.namespace
    if ending.back:
        who = "only answers to connections that were let through"
    elif _role(ending, case) == "sent":
        who = ""
    else:
        to = f"port {case.port} of {ending.destination}"
        who = f"{to}, to whoever reaches it; narrow it with the address of {case.place.name}"
    let, remove = _nft(ending) if ending.verdict.chain.backend is Backend.NFTABLES else _iptables(ending)
    return (
        Cure(
            "Let this through before that rule is asked (or with your firewall's own tool: ufw, firewall-cmd)",
            case.command_in(here, let),
            who,
        ),
        Cure("Or take out what stops it, if it is not meant", case.command_in(here, remove), "whatever it kept out"),
    )


def _nft(ending: Filtered) -> tuple[str, str]:
    packet, verdict = ending.packet, ending.verdict
    chain = verdict.chain
    family = "ip" if packet.destination.version == 4 else "ip6"
    match = "ct state established,related"
    if not ending.back:
        match = f"{family} daddr {packet.destination} {packet.protocol} dport {packet.destination_port}"
    table = f"{chain.family} {chain.table}"
    base = _base(ending.namespace, chain, verdict.hook)
    let = f"nft insert rule {table} {base.name} {match} accept"
    if verdict.rule is not None:
        listed = f"nft --handle list chain {table} {chain.name}"
        return let, f"{listed}; nft delete rule {table} {chain.name} handle HANDLE"
    return let, f"nft chain {table} {chain.name} '{{ policy accept; }}'"


def _iptables(ending: Filtered) -> tuple[str, str]:
    packet, verdict = ending.packet, ending.verdict
    chain = verdict.chain
    tool = "ip6tables" if packet.destination.version == 6 else "iptables"
    tool = f"{tool}-legacy" if chain.backend is Backend.LEGACY else tool
    table = "" if chain.table == "filter" else f" -t {chain.table}"
    match = f"-d {packet.destination} -p {packet.protocol} --dport {packet.destination_port}"
    if ending.back:
        match = "-m conntrack --ctstate ESTABLISHED,RELATED"
    let = f"{tool}{table} -I {str(verdict.hook).upper()} {match} -j ACCEPT"
    if verdict.rule is not None:
        return let, f"{tool}{table} {verdict.rule.text.replace('-A ', '-D ', 1)}"
    return let, f"{tool}{table} -P {chain.name} ACCEPT"


def _base(here: Namespace, chain: Chain, hook: Hook) -> Chain:
    """The base chain that leads to a chain: an accept there is not lost when the other one is written anew."""
    for base in here.firewall.chains:
        if base.hook is hook and any(chain == below for below in _below(here, base, set())):
            return base
    return chain


def _below(here: Namespace, chain: Chain, seen: set[str]) -> Iterator[Chain]:
    """A chain, and all that it jumps to."""
    if chain.name in seen:
        return
    seen.add(chain.name)
    yield chain
    for rule in chain.rules:
        for action in rule.actions:
            target = here.firewall.chain(chain, action.argument) if action.act in (Act.JUMP, Act.GOTO) else None
            if target is not None:
                yield from _below(here, target, seen)


def _warnings(ending: Filtered, case: Case) -> tuple[str, ...]:
    chain = ending.verdict.chain
    found = []
    if isinstance(ending, Rejected) and not ending.back:
        found.append(_whose_answer(ending, case))
    if case.prediction.listener is not None:
        found.append("The listener is there and was reached: only its answer does not come back.")
    elif behind := _behind(ending, case):
        found.append(behind)
    if chain.backend is Backend.NFTABLES:
        found.append(
            f"An accept in another table does not help: in nftables a drop or reject is final, whatever netavark's "
            f"table or another one accepts. It has to be let through in {chain.family} {chain.table}."
        )
    return tuple(found)


def _whose_answer(ending: Rejected, case: Case) -> str:
    """Which of the two an error is, a firewall's or the kernel's own, and how one knows."""
    number, chain, here = case.prediction.errno, ending.verdict.chain, ending.namespace
    how = f"that rule decides in {here.label} before any socket is looked for, and its counter rises with each try"
    if chain.backend is not Backend.NFTABLES:
        how += f" (iptables -t {chain.table} -vnL {chain.name})"
    if number == errno.ECONNREFUSED:
        return f"This 'connection refused' comes from a REJECT rule, not from a closed port: {how}."
    words = case.prediction.text if number is None else os.strerror(number)
    return f"'{words}' is the answer of this REJECT rule, not of a router: there is a route, and {how}."


def _behind(ending: Filtered, case: Case) -> str:
    """Whether somebody listens behind a rule: else taking it away does not help."""
    here, to = ending.namespace, ending.destination
    if ending.verdict.hook not in (Hook.INPUT, Hook.PREROUTING) or not is_local(here, to):
        return ""
    listener = listener_for(here, Protocol.TCP, to, case.port, 0)
    if listener is not None:
        return f"Behind the rule {holder(listener)} listens on {at(listener.address, listener.port)}."
    elsewhere = [at(other.address, other.port) for other in listeners(here, case.port)]
    only = f" (only {', '.join(elsewhere)})" if elsewhere else ""
    return f"Behind the rule nobody listens on {at(to, case.port)}{only}: without it the connection would be refused."


def _isolated(ending: Filtered, case: Case) -> Diagnosis:
    here = ending.namespace
    container = case.place.container
    own = case.networks_of(container) if container else ()
    to = case.networks_with(ending.destination, case.hosts_of(here.key))
    one, other = (own[0].name if own else "its network"), (to[0].name if to else "the other one")
    name = case.place.name
    return Diagnosis(
        Cause.NETWORKS_ISOLATED,
        f"{name} is on {one} and {case.said} is on {other}, and these networks are kept apart: Podman's isolation rule "
        f"drops what goes from one to the other.",
        (
            Row("rule", here.label, _words(ending.verdict)),
            *(Row("network", case.named(n.host), _isolation(n)) for n in (*own, *to)),
        ),
        (
            Cure(
                f"Connect {name} to {other}",
                f"podman network connect {other} {name}",
                f"the containers of {other} and {name} reach each other on every port",
            ),
            Cure("Or make the networks anew without isolation", "podman network create -o isolate=false NAME"),
        ),
        ("Networks that docker-compose or Portainer made are isolated by default (Podman's Docker API).",),
    )


def _isolation(network: Network) -> str:
    return f"{network.name} isolate={network.options.get('isolate', 'false')}"
