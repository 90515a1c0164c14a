"""Causes where a firewall decides. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from testbed.evidence import Act, Backend, Chain, Hook, Namespace, Network, Protocol
from testbed.explain.case import Case, at, holder, listeners
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.predict import Disposition
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


def stopped(case: Case) -> Diagnosis:
    """A rule, or a chain's policy, drops or rejects the packet or its answer."""
    prediction, here = case.prediction, case.end
    chain, hook = prediction.chain, prediction.hook
    if here is None or chain is None or hook is None:
        return _without_rule(case)
    if _ISOLATION in chain.name.replace("-", "_"):
        return _isolated(case, here)
    rejects = prediction.end is Disposition.REJECTED
    cause = Cause.ANSWER_BLOCKED if prediction.back else _CAUSES[_role(case, here, hook)][rejects]
    what = "the answer to the connection" if prediction.back else f"the connection to {_target(case)}"
    verb = "rejects" if rejects else "drops"
    return Diagnosis(
        cause,
        f"The firewall of {here.label} {verb} {what} in {str(hook).upper()}: {decided(case, chain)}.",
        (Row("rule", here.label, f"{chain.backend} {chain.family} {chain.table} {chain.name}: {_words(case, chain)}"),),
        cures(case, here, chain, hook),
        _warnings(case, here, chain),
    )


def decided(case: Case, chain: Chain) -> str:
    """What in a firewall decided, and how many packets it had decided before the attempt."""
    rule = case.prediction.rule
    count = chain.packets if rule is None else rule.packets
    words = f"by the rule {rule.text}" if rule else f"no rule lets it pass, and the {_words(case, chain)}"
    if count is None:
        return f"{words} (which does not count)" if rule else words
    return f"{words} ({count} packet{'' if count == 1 else 's'} before this attempt)"


def _words(case: Case, chain: Chain) -> str:
    rule = case.prediction.rule
    return rule.text if rule else f"policy of the chain {chain.name} is {chain.policy}"


def _target(case: Case) -> str:
    """What was called, and where that leads in the end."""
    to = case.prediction.destination
    if to is None or (to, case.port) == (case.prediction.address, case.attempt.target.port):
        return case.said
    return f"{case.said}, rewritten to {at(to, case.port)},"


def _role(case: Case, here: Namespace, hook: Hook) -> str:
    """Whether the packet was for the namespace, passed through it, or came from its own programs."""
    to = case.prediction.destination
    if hook is Hook.OUTPUT or (hook is Hook.POSTROUTING and here.key == case.place.namespace):
        return "sent"
    if hook is Hook.INPUT or (hook is Hook.PREROUTING and to is not None and is_local(here, to)):
        return "own"
    return "passing"


def cures(case: Case, here: Namespace, chain: Chain, hook: Hook) -> tuple[Cure, ...]:
    """Letting it through before the rule; taking the rule out. Both are commands for the host of the namespace."""
    to = case.prediction.destination
    assert to is not None
    if case.prediction.back:
        who = "only answers to connections that were let through"
    elif _role(case, here, hook) == "sent":
        who = ""
    else:
        who = f"port {case.port} of {to}, to whoever reaches it; narrow it with the address of {case.place.name}"
    if chain.backend is Backend.NFTABLES:
        let, remove = _nft(case, here, chain, hook)
    else:
        let, remove = _iptables(case, chain, hook)
    return (
        Cure(
            "Let this through before that rule is asked (or with your firewall's own tool: ufw, firewall-cmd)",
            case.command_in(here, let),
            who,
        ),
        Cure("Or take out what stops it, if it is not meant", case.command_in(here, remove), "whatever it kept out"),
    )


def _protocol(case: Case) -> Protocol:
    """What was stopped: the connection, or before it the question to a resolver."""
    return Protocol.TCP if case.prediction.resolver is None else Protocol.UDP


def _nft(case: Case, here: Namespace, chain: Chain, hook: Hook) -> tuple[str, str]:
    to = case.prediction.destination
    assert to is not None
    family = "ip" if to.version == 4 else "ip6"
    match = "ct state established,related"
    if not case.prediction.back:
        match = f"{family} daddr {to} {_protocol(case)} dport {case.port}"
    table = f"{chain.family} {chain.table}"
    base = _base(here, chain, hook)
    let = f"nft insert rule {table} {base.name} {match} accept"
    if case.prediction.rule is not None:
        listed = f"nft --handle list chain {table} {chain.name}"
        return let, f"{listed}; nft delete rule {table} {chain.name} handle HANDLE"
    return let, f"nft chain {table} {chain.name} '{{ policy accept; }}'"


def _iptables(case: Case, chain: Chain, hook: Hook) -> tuple[str, str]:
    prediction = case.prediction
    assert prediction.destination is not None
    tool = "ip6tables" if prediction.destination.version == 6 else "iptables"
    tool = f"{tool}-legacy" if chain.backend is Backend.LEGACY else tool
    table = "" if chain.table == "filter" else f" -t {chain.table}"
    match = f"-d {prediction.destination} -p {_protocol(case)} --dport {prediction.port}"
    if prediction.back:
        match = "-m conntrack --ctstate ESTABLISHED,RELATED"
    let = f"{tool}{table} -I {str(hook).upper()} {match} -j ACCEPT"
    if prediction.rule is not None:
        return let, f"{tool}{table} {prediction.rule.text.replace('-A ', '-D ', 1)}"
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


def _warnings(case: Case, here: Namespace, chain: Chain) -> tuple[str, ...]:
    prediction = case.prediction
    found = []
    if prediction.end is Disposition.REJECTED and not prediction.back:
        found.append(_whose_answer(case, here))
    if prediction.listener is not None:
        found.append("The listener is there and was reached: only its answer does not come back.")
    elif behind := _behind(case, here):
        found.append(behind)
    if chain.backend is Backend.NFTABLES:
        found.append(
            f"An accept in another table does not help: in nftables a drop or reject is final, whatever netavark's "
            f"table or another one accepts. It has to be let through in {chain.family} {chain.table}."
        )
    return tuple(found)


def _whose_answer(case: Case, here: Namespace) -> str:
    """Which of the two an error is, a firewall's or the kernel's own, and how one knows."""
    text, chain = case.prediction.text, case.prediction.chain
    how = f"that rule decides in {here.label} before any socket is looked for, and its counter rises with each try"
    if chain is not None and chain.backend is not Backend.NFTABLES:
        how += f" (iptables -t {chain.table} -vnL {chain.name})"
    if text.endswith("refused"):
        return f"This 'connection refused' comes from a REJECT rule, not from a closed port: {how}."
    words = text.split("] ", 1)[-1]
    return f"'{words}' is the answer of this REJECT rule, not of a router: there is a route, and {how}."


def _behind(case: Case, here: Namespace) -> str:
    """Whether somebody listens behind a rule: else taking it away does not help."""
    to, hook = case.prediction.destination, case.prediction.hook
    if to is None or hook not in (Hook.INPUT, Hook.PREROUTING) or not is_local(here, to):
        return ""
    listener = listener_for(here, Protocol.TCP, to, case.port, 0)
    if listener is not None:
        return f"Behind the rule {holder(listener)} listens on {at(listener.address, listener.port)}."
    elsewhere = [at(other.address, other.port) for other in listeners(here, case.port)]
    only = f" (only {', '.join(elsewhere)})" if elsewhere else ""
    return f"Behind the rule nobody listens on {at(to, case.port)}{only}: without it the connection would be refused."


def _isolated(case: Case, here: Namespace) -> Diagnosis:
    prediction = case.prediction
    assert prediction.chain is not None
    container = case.place.container
    own = case.networks_of(container) if container else ()
    to = case.networks_with(prediction.destination, case.hosts_of(here.key)) if prediction.destination else ()
    one, other = (own[0].name if own else "its network"), (to[0].name if to else "the other one")
    name = case.place.name
    return Diagnosis(
        Cause.NETWORKS_ISOLATED,
        f"{name} is on {one} and {case.said} is on {other}, and these networks are kept apart: Podman's isolation rule "
        f"drops what goes from one to the other.",
        (
            Row("rule", here.label, _words(case, prediction.chain)),
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


def _without_rule(case: Case) -> Diagnosis:
    label = case.end.label if case.end else ""
    return Diagnosis(Cause.FORWARD_DROPPED, f"{case.prediction.why}.", (Row("firewall", label, case.prediction.why),))
