"""Changes of routes, policy rules and sysctls. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from testbed.change.change import Change, ImpossibleChangeError, apply
from testbed.change.edit import edited
from testbed.evidence import Evidence, Namespace, PolicyRule, Route


@dataclass(frozen=True, slots=True)
class AddRoute(Change):
    """A route is added."""

    effort = 1

    namespace: str
    """The key of the namespace whose route it is."""
    route: Route


@dataclass(frozen=True, slots=True)
class RemoveRoute(Change):
    """A route is removed."""

    effort = 1

    namespace: str
    """The key of the namespace whose route it is."""
    route: Route


@dataclass(frozen=True, slots=True)
class RemovePolicyRule(Change):
    """A routing policy rule is removed."""

    effort = 1

    namespace: str
    """The key of the namespace whose rule it is."""
    rule: PolicyRule


@dataclass(frozen=True, slots=True)
class SetSysctl(Change):
    """A kernel parameter of a network namespace is set, until the next start (sysctl(8))."""

    effort = 1

    namespace: str
    """The key of the namespace whose parameter it is."""
    name: str
    """Its path below /proc/sys/net, with slashes, such as ``ipv4/conf/podman0/route_localnet``."""
    value: str


@apply.register
def _add_route(change: AddRoute, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        gateway, route = change.route.gateway, change.route
        if gateway is not None and not any(gateway in row.address.network for row in here.addresses):
            # net/ipv4/fib_semantics.c, fib_check_nh: "Nexthop has invalid gateway".
            raise ImpossibleChangeError(f"the gateway {gateway} is on no subnet of {here.label}")
        if any(
            (one.table, one.destination, one.metric) == (route.table, route.destination, route.metric)
            for one in here.routes
        ):
            raise ImpossibleChangeError(f"{here.label} has a route to {route.destination} already")
        return replace(here, routes=(*here.routes, route))

    return edited(evidence, change.namespace, edit)


@apply.register
def _remove_route(change: RemoveRoute, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        if change.route not in here.routes:
            raise ImpossibleChangeError("that route is gone")
        return replace(here, routes=tuple(one for one in here.routes if one != change.route))

    return edited(evidence, change.namespace, edit)


@apply.register
def _remove_policy_rule(change: RemovePolicyRule, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        if change.rule not in here.policy_rules:
            raise ImpossibleChangeError("that policy rule is gone")
        return replace(here, policy_rules=tuple(one for one in here.policy_rules if one != change.rule))

    return edited(evidence, change.namespace, edit)


@apply.register
def _set_sysctl(change: SetSysctl, evidence: Evidence) -> Evidence:
    def edit(here: Namespace) -> Namespace:
        values = {**here.sysctls, change.name: change.value, **_followers(here, change)}
        return replace(here, sysctls=MappingProxyType(values))

    return edited(evidence, change.namespace, edit)


def _followers(here: Namespace, change: SetSysctl) -> dict[str, str]:
    """Those that the kernel sets with it (net/ipv4/devinet.c, inet_forward_change)."""
    if change.name in ("ipv4/ip_forward", "ipv4/conf/all/forwarding"):
        each = {f"ipv4/conf/{link.name}/forwarding": change.value for link in here.links}
        return {**each, "ipv4/ip_forward": change.value, "ipv4/conf/all/forwarding": change.value}
    if change.name == "ipv6/conf/all/forwarding":
        return {f"ipv6/conf/{link.name}/forwarding": change.value for link in here.links}
    return {}
