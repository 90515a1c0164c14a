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
#: The network of rootless containers of Podman 4, which Podman 5 can still use.
SLIRP: Final = "slirp4netns"
#: The network of rootless containers from Podman 5 on; it runs as the build for the machine's processor, pasta.avx2.
PASTA: Final = "pasta"
#: Where resolvers listen (RFC 1035, 4.2).
DNS_PORT: Final = 53


def is_pasta(name: str) -> bool:
    """Whether a program is pasta, in any of its builds."""
    return name == PASTA or name.startswith(f"{PASTA}.")


def takes_published_ports(listener: Listener) -> bool:
    """Whether a listener is that of a helper which takes a published port of a rootless container.

    Where it listens is what the container publishes: no setting of its own changes that.
    """
    name = listener.process.name if listener.process else ""
    return name.startswith(ROOTLESSPORT) or name == SLIRP or is_pasta(name)


def only_holds(listener: Listener) -> bool:
    """Whether a listener only keeps a published port, and never accepts."""
    return listener.process is not None and listener.process.name == CONMON
