"""What a lab is made of."""

from __future__ import annotations

import pytest

from testbed.errors import UsageError
from testbed.topology import ContainerSpec, HostSpec, Topology

LAPTOP, REMOTE = HostSpec("laptop"), HostSpec("remote")


@pytest.mark.parametrize(
    ("hosts", "containers", "named"),
    [
        ((LAPTOP, LAPTOP), (), "laptop"),
        ((LAPTOP,), (ContainerSpec("laptop", "a", "base"), ContainerSpec("laptop", "a", "agent")), "a"),
        ((LAPTOP, REMOTE), (ContainerSpec("laptop", "a", "base"), ContainerSpec("remote", "a", "base")), "a"),
        ((LAPTOP,), (ContainerSpec("laptop", "laptop", "base"),), "laptop"),
        ((REMOTE, LAPTOP, REMOTE, LAPTOP), (), "laptop, remote"),
    ],
    ids=["two hosts", "two containers", "on two hosts", "a host and a container", "more than one name"],
)
def test_name_given_twice_is_refused(
    hosts: tuple[HostSpec, ...], containers: tuple[ContainerSpec, ...], named: str
) -> None:
    """Hosts and containers are found by name, so that a topology with one name for two is a UsageError naming it."""
    with pytest.raises(UsageError) as caught:
        Topology(hosts, containers=containers)
    assert str(caught.value) == f"hosts and containers share names in one lab; given twice: {named}"


def test_roles_are_those_of_its_containers_once_each() -> None:
    """The images that a topology needs are listed once each, in a fixed order."""
    topology = Topology(
        (LAPTOP,),
        containers=tuple(
            ContainerSpec("laptop", name, role)
            for name, role in [("a", "sshd"), ("b", "base"), ("c", "sshd"), ("d", "agent")]
        ),
    )
    assert topology.roles == ("agent", "base", "sshd")
