"""Faults of firewalls: a rule or a policy drops or rejects the packet, or its answer."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.explain.codes import Cause
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, NEIGHBOUR, NEIGHBOUR_LAN, PORT, Stage

_NAME = f"http://host.containers.internal:{PORT}/"
_LAN = f"http://{NEIGHBOUR_LAN}:{PORT}/"
_IPTABLES = f"-p tcp --dport {PORT}"


def _to_host(stage: Stage, rule: str) -> Broken:
    """A container calls a listener of its host, which has a rule."""
    stage.container("client")
    stage.listen(HOST)
    stage.run(rule)
    return Broken("client", _NAME, cure_runs_on=HOST)


def _to_neighbour(stage: Stage, rule: str) -> Broken:
    """A container calls a listener on the LAN, by way of its host, which has a rule."""
    stage.container("client")
    stage.listen(NEIGHBOUR)
    stage.run(rule)
    return Broken("client", _LAN, cure_runs_on=HOST)


def _nft(table: str, *chains: str) -> str:
    """A command that adds a table of nftables; each chain is ``NAME: STATEMENT; STATEMENT``."""
    lines = [f"table {table} {{"]
    for chain in chains:
        name, _, statements = chain.partition(": ")
        lines += [f"chain {name} {{", *statements.split("; "), "}"]
    text = "\n".join([*lines, "}"])
    return f"nft '{text}'"


# --- to the host itself -----------------------------------------------------------------------------------------------


@fault(Cause.INPUT_DROPPED)
def a_drop_in_input(stage: Stage) -> Iterator[Broken]:
    """As many write it: one port, dropped."""
    yield _to_host(stage, f"iptables -A INPUT {_IPTABLES} -j DROP")


@fault(Cause.INPUT_DROPPED)
def a_policy_of_input(stage: Stage) -> Iterator[Broken]:
    """ufw's way: what is not allowed is dropped, by policy."""
    yield _to_host(stage, "iptables -A INPUT -i lo -j ACCEPT; iptables -P INPUT DROP")


@fault(Cause.INPUT_DROPPED)
def a_drop_in_a_chain_that_input_jumps_to(stage: Stage) -> Iterator[Broken]:
    """As firewall tools do it: the rule is in a chain of their own."""
    yield _to_host(stage, "iptables -N mine; iptables -A mine -i podman0 -j DROP; iptables -A INPUT -j mine")


@fault(Cause.INPUT_DROPPED)
def a_drop_before_the_route(stage: Stage) -> Iterator[Broken]:
    """In the raw table, before anything else."""
    yield _to_host(stage, f"iptables -t raw -A PREROUTING {_IPTABLES} -j DROP")


@fault(Cause.INPUT_DROPPED)
def a_table_of_nftables_beside_netavarks(stage: Stage) -> Iterator[Broken]:
    """nftables.service's example: a table of its own whose policy is drop, whatever netavark's rules accept."""
    rules = "ct state established,related accept; iif lo accept"
    yield _to_host(stage, _nft("inet filter", f"input: type filter hook input priority 0; policy drop; {rules}"))


@fault(Cause.INPUT_DROPPED)
def a_drop_of_nftables_in_a_chain_that_is_jumped_to(stage: Stage) -> Iterator[Broken]:
    """The cure has to go into the base chain that jumps there."""
    jumping = "input: type filter hook input priority 0; jump mine"
    yield _to_host(stage, _nft("inet filter", f"mine: tcp dport {PORT} counter drop", jumping))


@fault(Cause.INPUT_REJECTED)
def the_default_reject(stage: Stage) -> Iterator[Broken]:
    """``REJECT`` with nothing said: a port unreachable, which looks like a closed port."""
    yield _to_host(stage, f"iptables -A INPUT {_IPTABLES} -j REJECT")


@fault(Cause.INPUT_REJECTED)
def a_reject_by_reset(stage: Stage) -> Iterator[Broken]:
    """``tcp-reset``: what a closed port would say, byte for byte."""
    yield _to_host(stage, f"iptables -A INPUT {_IPTABLES} -j REJECT --reject-with tcp-reset")


@fault(Cause.INPUT_REJECTED)
def a_reject_as_firewalld_does(stage: Stage) -> Iterator[Broken]:
    """``icmp-host-prohibited``: no route to host."""
    yield _to_host(stage, f"iptables -A INPUT {_IPTABLES} -j REJECT --reject-with icmp-host-prohibited")


@fault(Cause.INPUT_REJECTED)
def a_reject_as_newer_firewalld_does(stage: Stage) -> Iterator[Broken]:
    """``icmp-admin-prohibited``: no route to host as well."""
    yield _to_host(stage, f"iptables -A INPUT {_IPTABLES} -j REJECT --reject-with icmp-admin-prohibited")


@fault(Cause.INPUT_REJECTED)
def a_reject_by_net_unreachable(stage: Stage) -> Iterator[Broken]:
    """``icmp-net-unreachable``: the same words as without a route."""
    yield _to_host(stage, f"iptables -A INPUT {_IPTABLES} -j REJECT --reject-with icmp-net-unreachable")


@fault(Cause.INPUT_REJECTED)
def a_reject_of_nftables(stage: Stage) -> Iterator[Broken]:
    """nft's own reject, in a table for both families."""
    yield _to_host(
        stage, _nft("inet filter", f"input: type filter hook input priority 0; tcp dport {PORT} counter reject")
    )


# --- on the way -------------------------------------------------------------------------------------------------------


@fault(Cause.FORWARD_DROPPED)
def a_drop_in_forward(stage: Stage) -> Iterator[Broken]:
    """The host does not pass on what a container sends; Docker's policy beside Podman does the same."""
    yield _to_neighbour(stage, f"iptables -I FORWARD {_IPTABLES} -j DROP")


@fault(Cause.FORWARD_DROPPED)
def a_drop_of_what_is_passed_on_before_its_route(stage: Stage) -> Iterator[Broken]:
    """In PREROUTING, but not for the host itself."""
    yield _to_neighbour(stage, f"iptables -t mangle -A PREROUTING {_IPTABLES} -j DROP")


@fault(Cause.FORWARD_DROPPED)
def a_forward_policy_of_nftables(stage: Stage) -> Iterator[Broken]:
    """A table beside netavark's: netavark accepts, and this one drops all the same."""
    rules = "policy drop; ct state established,related accept"
    yield _to_neighbour(stage, _nft("inet mine", f"forward: type filter hook forward priority 0; {rules}"))


@fault(Cause.FORWARD_REJECTED)
def a_reject_in_forward(stage: Stage) -> Iterator[Broken]:
    """A closed port by the look of it, and the neighbour never sees a packet."""
    yield _to_neighbour(stage, f"iptables -I FORWARD {_IPTABLES} -j REJECT")


@fault(Cause.FORWARD_REJECTED)
def a_reject_in_forward_as_firewalld_does(stage: Stage) -> Iterator[Broken]:
    """No route to host, and there is one."""
    yield _to_neighbour(stage, f"iptables -I FORWARD {_IPTABLES} -j REJECT --reject-with icmp-host-prohibited")


# --- from where it starts ---------------------------------------------------------------------------------------------


@fault(Cause.OUTPUT_BLOCKED)
def a_drop_in_output(stage: Stage) -> Iterator[Broken]:
    """The host itself may not send it."""
    stage.listen(NEIGHBOUR)
    stage.run(f"iptables -A OUTPUT {_IPTABLES} -j DROP")
    yield Broken(HOST, _LAN, cure_runs_on=HOST)


@fault(Cause.OUTPUT_BLOCKED)
def a_reject_in_a_containers_own_output(stage: Stage) -> Iterator[Broken]:
    """A container with rules of its own, as service meshes and VPN images set them."""
    stage.container("client")
    stage.listen(HOST)
    stage.run(f"iptables -A OUTPUT {_IPTABLES} -j REJECT", on="client")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.OUTPUT_BLOCKED)
def a_drop_as_it_leaves(stage: Stage) -> Iterator[Broken]:
    """After the route, in mangle POSTROUTING."""
    stage.listen(NEIGHBOUR)
    stage.run(f"iptables -t mangle -A POSTROUTING {_IPTABLES} -j DROP")
    yield Broken(HOST, _LAN, cure_runs_on=HOST)


# --- the answer -------------------------------------------------------------------------------------------------------


@fault(Cause.ANSWER_BLOCKED)
def a_drop_of_the_answer_as_the_host_sends_it(stage: Stage) -> Iterator[Broken]:
    """The question arrives, and OUTPUT keeps the answer."""
    stage.container("client")
    stage.listen(HOST)
    stage.run(f"iptables -A OUTPUT -p tcp --sport {PORT} -j DROP")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.ANSWER_BLOCKED)
def a_policy_of_a_containers_own_input(stage: Stage) -> Iterator[Broken]:
    """The container sends, and lets nothing in, not even answers."""
    stage.container("client")
    stage.listen(HOST)
    stage.run("iptables -P INPUT DROP", on="client")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.ANSWER_BLOCKED)
def a_forward_policy_that_lets_only_the_question_pass(stage: Stage) -> Iterator[Broken]:
    """One way is allowed, and nobody thought of the way back."""
    yield _to_neighbour(
        stage,
        f"iptables -I FORWARD {_IPTABLES} -j ACCEPT; iptables -I FORWARD 2 -s {NEIGHBOUR_LAN} -j DROP",
    )


@fault(Cause.ANSWER_BLOCKED)
def a_rule_of_nftables_that_keeps_the_answer(stage: Stage) -> Iterator[Broken]:
    """The same by nft, in a table of its own."""
    rule = f"ip saddr {GATEWAY} tcp sport {PORT} drop"
    yield _to_host(stage, _nft("ip mine", f"out: type filter hook output priority 0; {rule}"))
