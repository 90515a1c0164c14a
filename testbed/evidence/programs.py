"""Podman's helper programs, by what /proc/PID/comm calls them, and what their listeners are. Values only."""

from __future__ import annotations

from typing import Final

from testbed.evidence.kernel import Listener

#: Listens on a published port to keep it from others, and never accepts (libpod/oci_util.go, bindPort).
CONMON: Final = "conmon"
#: The resolver of Podman's networks with DNS, which knows the containers on them.
AARDVARK: Final = "aardvark-dns"
#: Takes connections for the published ports of a rootless container; a child of it is ``rootlessport-ch``.
ROOTLESSPORT: Final = "rootlessport"
#: Where resolvers listen (RFC 1035, 4.2).
DNS_PORT: Final = 53


def only_holds(listener: Listener) -> bool:
    """Whether a listener only keeps a published port, and never accepts."""
    return listener.process is not None and listener.process.name == CONMON
