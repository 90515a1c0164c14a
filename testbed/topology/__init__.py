"""A lab as values: hosts, cables, Podman's networks, containers. Pure; nothing runs here.

Making a :class:`Topology` checks it: what contradicts itself is one UsageError with everything that was found.
"""

from testbed.topology.specs import (
    DEFAULT_NETWORK,
    RESOLVER_ADDRESS,
    AttachmentSpec,
    CableEndSpec,
    CableSpec,
    ContainerSpec,
    FileSpec,
    HostSpec,
    NetworkSpec,
    Publish,
)
from testbed.topology.topology import Topology

__all__ = [
    "DEFAULT_NETWORK",
    "RESOLVER_ADDRESS",
    "AttachmentSpec",
    "CableEndSpec",
    "CableSpec",
    "ContainerSpec",
    "FileSpec",
    "HostSpec",
    "NetworkSpec",
    "Publish",
    "Topology",
]
