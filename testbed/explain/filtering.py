"""Causes where a firewall decides. Pure."""

from __future__ import annotations

from testbed.evidence import Backend, Hook
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.predict import End

#: netavark's chains that keep networks apart (netavark, src/firewall/varktables/types.rs and nft.rs).
_ISOLATION = "NETAVARK_ISOLATION"
_DROPPED = {
    Hook.PREROUTING: Cause.INPUT_DROPPED,
    Hook.INPUT: Cause.INPUT_DROPPED,
    Hook.FORWARD: Cause.FORWARD_DROPPED,
    Hook.POSTROUTING: Cause.FORWARD_DROPPED,
    Hook.OUTPUT: Cause.OUTPUT_BLOCKED,
}
_REJECTED = {**_DROPPED, Hook.PREROUTING: Cause.INPUT_REJECTED, Hook.INPUT: Cause.INPUT_REJECTED}
_REJECTED[Hook.FORWARD] = _REJECTED[Hook.POSTROUTING] = Cause.FORWARD_REJECTED


def stopped(case: Case) -> Diagnosis:
    """A rule, or a chain's policy, drops or rejects the packet or its answer."""
    prediction, here = case.prediction, case.end
    chain, hook = prediction.chain, prediction.hook
    if here is None or chain is None or hook is None:
        return _without_rule(case)
    if _ISOLATION in chain.name.replace("-", "_"):
        return _isolated(case)
    rejected = prediction.end is End.REJECTED
    cause = Cause.ANSWER_BLOCKED if prediction.back else (_REJECTED if rejected else _DROPPED)[hook]
    words = prediction.rule.text if prediction.rule else f"policy {chain.policy} of {chain.table} {chain.name}"
    verb = "rejects" if rejected else "drops"
    what = "the answer to the connection" if prediction.back else f"the connection to {case.said}"
    count = prediction.rule.packets if prediction.rule else chain.packets
    seen = f", which has matched {count} packets so far" if count else ""
    return Diagnosis(
        cause,
        f"A firewall rule of {here.label} {verb} {what}, in {str(hook).upper()}: {words}{seen}.",
        (Row("rule", here.label, f"{chain.backend} {chain.family} {chain.table} {chain.name}: {words}"),),
        _cures(case, words),
        _warnings(case),
    )


def _cures(case: Case, words: str) -> tuple[Cure, ...]:
    prediction = case.prediction
    chain, hook = prediction.chain, prediction.hook
    assert chain is not None and hook is not None and prediction.destination is not None
    if prediction.back:
        opening = "-m conntrack --ctstate ESTABLISHED,RELATED"
        who = "answers to connections that were let through"
    else:
        opening = f"-d {prediction.destination} -p tcp --dport {prediction.port}"
        who = f"port {prediction.port} of {prediction.destination}, to whoever reaches it; narrow it with -s SUBNET"
    name = str(hook).upper()
    if chain.backend is Backend.NFTABLES:
        match = (
            "ct state established,related"
            if prediction.back
            else f"{'ip' if prediction.destination.version == 4 else 'ip6'} daddr {prediction.destination} "
            f"tcp dport {prediction.port}"
        )
        let = f"nft insert rule {chain.family} {chain.table} {_base(case)} {match} accept"
        remove = f"nft --handle list chain {chain.family} {chain.table} {chain.name}"
    else:
        tool = "ip6tables" if prediction.destination.version == 6 else "iptables"
        tool = tool if chain.backend is Backend.IPTABLES else f"{tool}-legacy"
        table = "" if chain.table == "filter" else f" -t {chain.table}"
        let = f"{tool}{table} -I {name if chain.hook else chain.name} {opening} -j ACCEPT"
        remove = (
            f"{tool}{table} {words.replace('-A ', '-D ', 1)}"
            if prediction.rule
            else f"{tool}{table} -P {chain.name} ACCEPT"
        )
    return (
        Cure("Let this through before that rule (or with your firewall's own tool: ufw, firewall-cmd)", let, who),
        Cure("Or take the rule out, if it is not meant", remove, "whatever it kept out"),
    )


def _base(case: Case) -> str:
    """The base chain to insert into: an accept in a jumped-to chain ends there too, but is lost when that is "
    "rebuilt.
    """
    chain = case.prediction.chain
    assert chain is not None
    if chain.hook is not None or case.end is None:
        return chain.name
    same = [c for c in case.end.firewall.chains if (c.family, c.table) == (chain.family, chain.table)]
    return next((c.name for c in same if c.hook is case.prediction.hook and c.kind != "nat"), chain.name)


def _warnings(case: Case) -> tuple[str, ...]:
    prediction = case.prediction
    found = []
    if prediction.end is End.REJECTED and prediction.errno is not None:
        if prediction.text.endswith("refused"):
            found.append(
                "This 'connection refused' comes from a firewall rule, not from a closed port: the rule above matches "
                "the packet before any socket is looked for."
            )
        elif "No route" in prediction.text:
            found.append("'No route to host' is this rule's answer: there is a route.")
    if prediction.listener is not None:
        found.append("The listener is there and was reached: only its answer does not come back.")
    if prediction.chain is not None and prediction.chain.backend is Backend.NFTABLES:
        found.append(
            "An accept in another table does not help: in nftables each table's drop is final (netavark's accept too)."
        )
    return tuple(found)


def _isolated(case: Case) -> Diagnosis:
    prediction, here = case.prediction, case.end
    assert here is not None and prediction.chain is not None
    container = case.place.container
    own = case.networks_of(container) if container else ()
    to = case.networks_with(prediction.destination, here.label) if prediction.destination else ()
    one, other = (own[0].name if own else "its network"), (to[0].name if to else "the other one")
    words = prediction.rule.text if prediction.rule else prediction.chain.name
    name = case.place.name
    return Diagnosis(
        Cause.NETWORKS_ISOLATED,
        f"{name} is on {one} and {case.said} is on {other}, and these networks are kept apart: Podman's isolation rule "
        f"drops what goes from one to the other.",
        (
            Row("rule", here.label, words),
            *(Row("network", n.host, f"{n.name} isolate={n.options.get('isolate', 'false')}") for n in (*own, *to)),
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


def _without_rule(case: Case) -> Diagnosis:
    label = case.end.label if case.end else ""
    return Diagnosis(Cause.FORWARD_DROPPED, f"{case.prediction.why}.", (Row("firewall", label, case.prediction.why),))
