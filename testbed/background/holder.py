"""Keeping a lab whose process is about to end: its lifelines are handed to one that goes on.

What lived in the old process is lost with it: tunnels by paramiko, and the resolvers of the hosts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack

from testbed.background.serve import describe, listen, serve
from testbed.errors import HostError
from testbed.host.private import PrivateHost
from testbed.lab import Lab


def hand_over(lab: Lab, *, scenario: str, name: str, uid: int) -> None:
    """Let a process in the background keep the lab's private hosts when this one ends.

    :raises HostError: that process did not start
    """
    lifelines = [host.init.lifeline for host in lab.hosts.values() if isinstance(host, PrivateHost)]
    request = {"name": name, "uid": uid, "description": describe(lab, scenario, None)}
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


def main() -> int:
    """Hold the lifelines that this process was started with until told to stop."""
    request = json.load(sys.stdin)
    started = time.monotonic()
    with ExitStack() as held:
        listener = held.enter_context(listen(request["uid"], request["name"]))
        print("ready", flush=True)
        with open(os.devnull, "r+b") as null:
            for fd in (0, 1, 2):
                os.dup2(null.fileno(), fd)
        describing = {**request["description"]}
        stopper = serve(listener, request["uid"], lambda: {**describing, "seconds": time.monotonic() - started})
    stopper.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
