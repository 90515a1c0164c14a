"""Commands that enter the namespaces of a host, or of a container on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from testbed import tools

#: Everything of a host but its network namespace, which a container's may take the place of.
_KINDS: Final = ("--mount", "--cgroup", "--pid", "--uts", "--ipc")
#: Puts a container's naming files over the host's, in a mount namespace of the command's own. They are copied: a file
#: of another mount namespace cannot be bound (mount(2), EINVAL).
_WITH_NAMES: Final = """
mkdir -p /run/testbed/names
mount -t tmpfs tmpfs /run/testbed/names
for file in hosts resolv.conf; do
    cat "/proc/$1/root/etc/$file" >/run/testbed/names/$file 2>/dev/null
    mount --bind /run/testbed/names/$file /etc/$file
done
shift
exec "$@"
"""


def environment() -> dict[str, str]:
    """The environment of a command on a private host: nothing of the caller's but terminal and language.

    SSL_CERT_FILE stays, for machines whose certificates are elsewhere.
    """
    return {
        "PATH": f"/run/testbed/bin:{tools.SEARCH_PATH}",
        "HOME": "/run/testbed/home",
        "CONTAINERS_CONF": "/run/testbed/containers.conf",
        "CONTAINERS_STORAGE_CONF": "/run/testbed/storage.conf",
        **{key: os.environ[key] for key in ("LANG", "TERM", "SSL_CERT_FILE") if key in os.environ},
    }


def host_command(init: int, argv: Sequence[str], *, private_network: bool = True) -> list[str]:
    """The command that runs ``argv`` on a host.

    :param init: the host's first process
    """
    net = ("--net",) if private_network else ()
    return [tools.need("nsenter", "util-linux"), "-t", str(init), *_KINDS, *net, "--", *argv]


def container_command(init: int, pid: int, argv: Sequence[str]) -> list[str]:
    """The command that runs ``argv`` with a container's network and naming, and its host's programs.

    :param init: the first process of the container's host
    :param pid: the container's main process, by that host's count
    """
    net = f"--net=/proc/{init}/root/proc/{pid}/ns/net"
    unshare = [tools.need("unshare", "util-linux"), "--mount", "sh", "-c", _WITH_NAMES, "sh", str(pid)]
    return [tools.need("nsenter", "util-linux"), "-t", str(init), *_KINDS, net, "--", *unshare, *argv]
