"""Keeping a lab whose process is about to end: its lifelines are handed to one that goes on.

What lived in the old process is lost with it: tunnels by paramiko, and the resolvers of the hosts.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from testbed.background.naming import listen, need_free
from testbed.background.serve import describe, serve
from testbed.containers import HostContainer
from testbed.errors import HostError
from testbed.host import Host, PrivateHost

_END_SECONDS: Final = 10.0


def hand_over(
    hosts: Mapping[str, Host], containers: Mapping[str, HostContainer], *, scenario: str, name: str, uid: int
) -> None:
    """Let a process in the background keep private hosts when this one ends. They are not to be used here any more.

    :param name: what 'testbed exec --lab' and 'testbed down' shall know them by
    :raises UsageError: it is no name for a lab, or another lab has it
    :raises HostError: that process did not start
    """
    need_free(uid, name)
    private = [host for host in hosts.values() if isinstance(host, PrivateHost)]
    lifelines = [host.init.lifeline for host in private]
    request = {
        "name": name,
        "uid": uid,
        "lifelines": lifelines,
        "description": describe(hosts, containers, scenario, {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "testbed.background.holder"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=lifelines,
        start_new_session=True,
    )
    assert process.stdin and process.stdout
    with process.stdin as stdin, process.stdout as stdout:
        stdin.write(json.dumps(request).encode())
        stdin.close()
        if stdout.readline() != b"ready\n":
            process.kill()
            process.wait()
            raise HostError(f"the lab could not be kept as {name!r}: its keeper did not start")
    process.returncode = 0  # it outlives us, on purpose: nothing is to be warned about
    for host in private:
        host.let_go()


def main() -> int:
    """Hold the lifelines that this process was started with until told to stop."""
    request = json.load(sys.stdin)
    started = time.monotonic()
    with ExitStack() as held:
        listener = held.enter_context(listen(request["uid"], request["name"]))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        with open(os.devnull, "r+b") as null:
            for fd in (0, 1, 2):
                os.dup2(null.fileno(), fd)
        description = request["description"]
        ends = [os.pidfd_open(pid) for pid in description["hosts"].values()]
        stopper = serve(listener, request["uid"], lambda: {**description, "seconds": time.monotonic() - started})
        for lifeline in request["lifelines"]:
            os.close(lifeline)
        for end in ends:
            select.select([end], [], [], _END_SECONDS)
    stopper.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
