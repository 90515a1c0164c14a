"""testcontainers classes on a host's own Podman; those of single roles are in :mod:`testbed.containers.roles`."""

from testbed.containers.configure import configured, secret_file
from testbed.containers.container import HostContainer

__all__ = ["HostContainer", "configured", "secret_file"]
