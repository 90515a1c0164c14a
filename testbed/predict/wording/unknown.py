"""The sentences for what is not modelled, or not in the picture. Pure."""

from __future__ import annotations

from functools import singledispatch

from testbed.evidence import PolicyRule
from testbed.evidence.programs import PASTA, SLIRP
from testbed.predict.unknown import (
    AddressesDiffer,
    AttachedProgram,
    BeyondProgram,
    ContainerNotShown,
    Divergence,
    DoubtfulRule,
    DuplicateAddress,
    ForwarderFails,
    HostLoopbackOption,
    InsideFirewall,
    IpsecSelects,
    LaterPackets,
    NotHandedOn,
    PastaIpv6,
    Reason,
    RoutedInCircles,
    Unknown,
    UnmodelledAddress,
    UnmodelledLink,
    UnmodelledReject,
    UnmodelledRoute,
)
from testbed.predict.wording.rows import hook, policy_rule, rule
from testbed.predict.wording.why import sentence, why


@sentence.register
def unknown(ending: Unknown) -> str:
    """Say what is not modelled."""
    return said(ending.reason, ending)


@singledispatch
def said(reason: Reason, ending: Unknown) -> str:
    """Say why the end of a packet's way is not known.

    :raises NotImplementedError: no sentence is registered for a reason of that class
    """
    raise NotImplementedError(f"{type(reason).__name__} has no sentence in testbed.predict.wording")


@said.register
def _(reason: UnmodelledRoute, ending: Unknown) -> str:
    here = ending.namespace.label
    if isinstance(reason.by, PolicyRule):
        return f"it is not known whether a policy rule of {here} selects the packet: {policy_rule(reason.by)}"
    return f"the route to {reason.by.destination} of {here} has several next hops"


@said.register
def _(reason: UnmodelledAddress, _ending: Unknown) -> str:
    return f"{reason.address} is a {reason.kind} address"


@said.register
def _(_: RoutedInCircles, ending: Unknown) -> str:
    return f"{ending.destination} goes in circles"


@said.register
def _(reason: UnmodelledLink, ending: Unknown) -> str:
    return f"{reason.link.name} of {ending.namespace.label} is of the kind {reason.link.kind}, which is not modelled"


@said.register
def _(reason: AttachedProgram, ending: Unknown) -> str:
    attached = reason.attached
    passes = f"{attached.text} ({attached.direction}) of {reason.link.name} of {ending.namespace.label}"
    return f"the packet passes {passes}, and what that does with it is not modelled"


@said.register
def _(reason: IpsecSelects, ending: Unknown) -> str:
    policy = reason.policy
    words = f"dir {policy.direction} src {policy.source} dst {policy.destination}"
    return f"a policy of IPsec of {ending.namespace.label} is for it, which is not modelled: {words}"


@said.register
def _(reason: DuplicateAddress, ending: Unknown) -> str:
    names = " and ".join(there.label for there in reason.stations)
    return f"{names} both answer for {reason.hop} on {reason.link.name} of {ending.namespace.label}"


@said.register
def _(reason: Divergence, _ending: Unknown) -> str:
    return (
        f"the kernel may take any of {reason.choices} ways from {reason.start.label}, by several next hops, and they "
        f"do not end alike: {why(reason.one)}; or {why(reason.other)}"
    )


@said.register
def _(reason: DoubtfulRule, ending: Unknown) -> str:
    verdict = reason.verdict
    return f"whether {hook(verdict, ending.namespace)} lets it pass depends on what is not modelled: {rule(verdict)}"


@said.register
def _(reason: UnmodelledReject, ending: Unknown) -> str:
    return f"what {hook(reason.verdict, ending.namespace)} answers with {reason.answer!r} is not modelled"


@said.register
def _(reason: LaterPackets, ending: Unknown) -> str:
    what = reason.verdict.rule.text if reason.verdict.rule else "its policy"
    return f"whether {hook(reason.verdict, ending.namespace)} lets what follows the handshake pass is not known: {what}"


@said.register
def _(reason: BeyondProgram, ending: Unknown) -> str:
    link = f"{reason.link.name} of {ending.namespace.label}"
    return f"{ending.destination} is beyond {link}, and what {reason.program} does with it is not modelled"


@said.register
def _(_: HostLoopbackOption, ending: Unknown) -> str:
    here = ending.namespace.label
    return f"{ending.destination} is the host's loopback for {here}, and whether {SLIRP} lets it in is not known"


@said.register
def _(reason: ContainerNotShown, _ending: Unknown) -> str:
    return f"{why(reason.accepted)}, and the container that it does so for is not in the picture"


@said.register
def _(reason: AddressesDiffer, _ending: Unknown) -> str:
    return f"{why(reason.accepted)}, for one of several addresses of the container, which do not end alike"


@said.register
def _(reason: PastaIpv6, _ending: Unknown) -> str:
    return f"{why(reason.accepted)}, and what {PASTA} does with IPv6 is not modelled"


@said.register
def _(reason: InsideFirewall, _ending: Unknown) -> str:
    rules = f"the firewall rules of {reason.namespace.label} do with what {reason.program} sends in"
    return f"{why(reason.accepted)}, and what {rules} is not modelled"


@said.register
def _(reason: ForwarderFails, _ending: Unknown) -> str:
    return f"{why(reason.accepted)}, and what it does then is not modelled: {why(reason.onward)}"


@said.register
def _(reason: NotHandedOn, _ending: Unknown) -> str:
    return f"{why(reason.onward)}, and what {reason.program} makes of that is not modelled for {reason.protocol}"
