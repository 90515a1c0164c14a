"""conmon(8), the process that holds a container and has Podman clean up after it."""

from __future__ import annotations

from itertools import pairwise

from testbed.host.protocol import Host


def supervised(host: Host, container_id: str) -> bool:
    """Tell whether a container's conmon still runs on its host.

    It ends after ``podman container cleanup``, which it starts when the container has ended and waits for (conmon,
    src/ctr_exit.c, do_exit_command). Until then Podman may undo a namespace that was made for the next start: it cleans
    up whatever container does not run, initialized ones too (libpod/container_api.go, Cleanup). The conmon of an exec
    session has the session's id behind ``-u`` (libpod/oci_conmon_common.go, sharedConmonArgs).

    :param container_id: all 64 digits
    """
    for path in host.path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if (b"-u", container_id.encode()) in pairwise(words):
            return True
    return False
