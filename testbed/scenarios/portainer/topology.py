"""The seed's scenario: Portainer in a container, an SSH tunnel on the laptop, the agent on a remote machine.

::

    neighbour 203.0.113.20 ──LAN── 203.0.113.10 laptop 198.51.100.1 ──── 198.51.100.2 remote
                                             │                                      │
          podman0 10.88.0.1 ─ portainer .10 (and sidecar in its namespace)          ├ sshd (host network)
          second  10.89.0.1 ─ second    .10                                         └ agent, published on
          inner   10.89.1.1 ─ inner     .10 (internal network)                        127.0.0.1:19001
          hostnet (host network), nonet (no network)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from testbed.bind import Bind, parse
from testbed.topology import (
    AttachmentSpec,
    CableEndSpec,
    CableSpec,
    ContainerSpec,
    HostSpec,
    NetworkSpec,
    Publish,
    Topology,
)

PORT: Final = 19001
URL: Final = f"https://host.containers.internal:{PORT}/ping"

PODMAN0: Final = "10.88.0.1"
SECOND_GATEWAY: Final = "10.89.0.1"
INNER_GATEWAY: Final = "10.89.1.1"
#: A small part of TEST-NET-3 (RFC 5737): where the laptop is this machine, whatever it reaches at the rest of those
#: addresses stays within its reach. The resolvers of private hosts are in the rest too.
LAN_PREFIX: Final = 27
LAN_ADDRESS: Final = "203.0.113.10"
NEIGHBOUR: Final = "203.0.113.20"
LAPTOP: Final = "198.51.100.1"
REMOTE: Final = "198.51.100.2"
#: Where the tunnel comes out: the agent as the remote machine's own processes reach it.
AGENT: Final = ("127.0.0.1", PORT)

_IDLE: Final = ("sleep", "infinity")

TOPOLOGY: Final = Topology(
    hosts=(
        HostSpec("laptop", names={"remote": REMOTE, "neighbour": NEIGHBOUR}),
        HostSpec("remote", names={"laptop": LAPTOP}),
        HostSpec("neighbour", with_engine=False, names={"laptop": LAN_ADDRESS}),
    ),
    # The LAN first: Podman takes a host's first address for what it calls host.containers.internal without a bridge.
    cables=(
        CableSpec(
            CableEndSpec("laptop", "lan0", f"{LAN_ADDRESS}/{LAN_PREFIX}"),
            CableEndSpec("neighbour", "lan0", f"{NEIGHBOUR}/{LAN_PREFIX}"),
        ),
        CableSpec(CableEndSpec("laptop", "wan0", f"{LAPTOP}/24"), CableEndSpec("remote", "wan0", f"{REMOTE}/24")),
    ),
    networks=(
        NetworkSpec("laptop", "second", "10.89.0.0/24", SECOND_GATEWAY),
        NetworkSpec("laptop", "inner", "10.89.1.0/24", INNER_GATEWAY, internal=True),
    ),
    containers=(
        ContainerSpec(
            "remote", "agent", "agent", (AttachmentSpec("podman"),), publish=(Publish(9001, "127.0.0.1", PORT),)
        ),
        ContainerSpec("remote", "sshd", "sshd", mode="host"),
        ContainerSpec("laptop", "portainer", "portainer", (AttachmentSpec("podman", "10.88.0.10"),)),
        ContainerSpec("laptop", "second", "base", (AttachmentSpec("second", "10.89.0.10"),), command=_IDLE),
        ContainerSpec("laptop", "inner", "base", (AttachmentSpec("inner", "10.89.1.10"),), command=_IDLE),
        ContainerSpec("laptop", "hostnet", "base", mode="host", command=_IDLE),
        ContainerSpec("laptop", "nonet", "base", mode="none", command=_IDLE),
        ContainerSpec("laptop", "sidecar", "base", mode="container:portainer", command=_IDLE),
    ),
)

#: What the tunnel is bound to, one after the other.
BINDS: Final[tuple[Bind, ...]] = tuple(
    map(parse, ("none", "127.0.0.1", "::1", "localhost", PODMAN0, "0.0.0.0", "::", LAN_ADDRESS, SECOND_GATEWAY))
)
VANTAGES: Final = ("laptop", "portainer", "second", "inner", "hostnet", "nonet", "sidecar", "neighbour")
TARGETS: Final = ("127.0.0.1", "::1", "localhost", PODMAN0, "host.containers.internal", LAN_ADDRESS, SECOND_GATEWAY)


def with_special(hosts: Iterable[str]) -> Topology:
    """The topology for a lab in which some hosts are not private ones.

    :param hosts: their names; the lines for their hosts files are left out, which are theirs
    """
    kept = (replace(host, names={}) if host.name in set(hosts) else host for host in TOPOLOGY.hosts)
    return replace(TOPOLOGY, hosts=tuple(kept))
