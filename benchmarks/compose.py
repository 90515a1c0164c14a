"""podman-compose on a host of the testbed's: this environment's own, since such a host's PATH knows no environment."""

from __future__ import annotations

import sys


def podman_compose(file: str, *options: str) -> list[str]:
    """The command that does something with a compose file; what it does is added to it.

    :param file: a path on that host
    :param options: those that stand before the command, such as ``--profile=NAME``
    """
    return [sys.executable, "-m", "podman_compose", "-f", file, *options]
