"""Explaining changes nothing: no rule, route, file or process is there afterwards that was not there before."""

from __future__ import annotations

import time
from dataclasses import replace

from testbed.evidence import Evidence, Namespace, Rule
from testbed.host import PrivateHost
from testbed.readers.take import take
from testbed.waiting import wait_for
from tests.explain.own_cli import FOLDER, OwnCli
from truth.faults.rootless import rootless
from truth.faults.stage import HOST, PORT, Stage

_BY_NAME = f"http://host.containers.internal:{PORT}/"
#: The host's own; what is written to its /etc and /var/lib is in layers that are in /run too.
_FOLDERS = ("/run", "/tmp", "/var/tmp", "/dev/shm")


def lasting(evidence: Evidence) -> Evidence:
    """A picture without what any packet changes: counters, neighbours, bridges' memory, conntrack; and the time."""
    return replace(
        evidence,
        taken="",
        namespaces={key: _settled(namespace) for key, namespace in evidence.namespaces.items()},
    )


def all_link_local(evidence: Evidence) -> bool:
    """Whether every interface that can carry traffic has an IPv6 address that may be used (RFC 4862, 5.3 and 5.4)."""
    return all(
        any(row.link == link.index and row.address.version == 6 and row.usable for row in namespace.addresses)
        for namespace in evidence.namespaces.values()
        for link in namespace.links
        if link.up and link.carrier and link.master is None
    )


def _settled(namespace: Namespace) -> Namespace:
    chains = tuple(
        replace(chain, packets=None, rules=tuple(map(_uncounted, chain.rules))) for chain in namespace.firewall.chains
    )
    firewall = replace(namespace.firewall, chains=chains)
    return replace(namespace, neighbours=(), fdb=(), conntrack=(), firewall=firewall)


def _uncounted(rule: Rule) -> Rule:
    return replace(rule, packets=None)


def test_an_explanation_leaves_the_network_as_it_was(stage: Stage) -> None:
    """Attempts from a container, the host and a neighbour's side leave what is lasting in the kernel as it was."""
    stage.container("client", f"--publish=8080:{PORT}")
    stage.listen(HOST, "127.0.0.1")
    # A new interface gets its link-local address, and the route that goes with it, a moment after it is up.
    wait_for(lambda: all_link_local(take(stage.sources)), "the interfaces to have their link-local addresses")
    before = take(stage.sources)
    stage.why("client", _BY_NAME)
    stage.why("client", "http://nowhere.example/", seconds=0.5)
    stage.why(HOST, "http://127.0.0.1:8080/", seconds=0.5)
    stage.why("neighbour", f"203.0.113.10:{PORT}")
    after = take(stage.sources)
    assert lasting(after) == lasting(before)
    assert any(chain.rules for found in before.namespaces.values() for chain in found.firewall.chains)


def standing(host: PrivateHost) -> set[str]:
    """Every process of a host, by number and name, and every entry of the folders that programs write to."""
    find = f"find {' '.join(_FOLDERS)} -xdev -path {FOLDER} -prune -o -print"
    processes = host.run(["ps", "-eo", "pid,ppid,comm", "--no-headers"]).splitlines()
    # What lists them is on the list itself, under the host's outside (ppid 0).
    lasting = {line for line in processes if not line.endswith((" ps", " nsenter"))}
    return lasting | set(host.run(["sh", "-c", find]).splitlines())


def settled(host: PrivateHost) -> set[str]:
    """What stands on a host once it has stood for half a second: what was started before is under way, or has ended."""
    seen = [standing(host)]
    since = time.monotonic()

    def still() -> bool:
        nonlocal since
        if seen[-1] != (found := standing(host)):
            seen.append(found)
            since = time.monotonic()
        return time.monotonic() - since > 0.5

    wait_for(still, f"{host.name} to settle")
    return seen[-1]


def test_the_command_leaves_nothing_on_the_machine(stage: Stage) -> None:
    """As root: no file and no process more than before, whether it explains, cannot tell, or is not usable."""
    cli = OwnCli(stage.host)  # first: the checkout may be below /tmp
    stage.run("mount -t tmpfs tmpfs /tmp")
    stage.container("client")
    stage.listen(HOST, "127.0.0.1")
    before = settled(stage.host)
    assert cli("explain", "--host", "--from", "client", _BY_NAME).status == 1
    assert cli("explain", "--host", "--from", "client", "203.0.113.20:9").status == 2
    assert cli("explain", "--host", "--from", "nobody", _BY_NAME).status == 3
    assert standing(stage.host) ^ before == set()


def test_the_command_leaves_nothing_of_a_user(stage: Stage) -> None:
    """As an ordinary user, with and without a Podman that has run: not even the process that would keep it."""
    cli = OwnCli(stage.host)  # first: the checkout may be below /tmp
    stage.run("mount -t tmpfs tmpfs /tmp")
    with rootless(stage) as mine:
        before = settled(stage.host)
        assert cli("explain", "--from", "host", f"127.0.0.1:{PORT}", user=mine.user).status == 1
        assert standing(stage.host) ^ before == set()
        mine.container("client", "--network=podman")
        stage.listen(HOST, "127.0.0.1")
        before = settled(stage.host)
        assert cli("explain", "--from", "client", _BY_NAME, user=mine.user).status == 1
        assert standing(stage.host) ^ before == set()
