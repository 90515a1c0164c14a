"""The program that runs on a host and makes a host there: ``python -m`` this module, image store, image, address.

It prints the pids of the inner host's first process and of its container's, as each one's own host counts, in JSON,
and waits. The inner host's lifeline is in this process: it ends with it.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

from testbed.host.private import PrivateHost
from testbed.scenarios.namespaces.topology import DOLL, DOLLHOUSE


def main(image_store: str, image: str, address: str) -> None:
    """Start the host and a container that idles at an address of its podman0, say where they are, and stay."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with PrivateHost(DOLLHOUSE, image_store=Path(image_store)) as host:
        started = ["podman", "run", "-d", "--name", DOLL, "--hostname", DOLL, "--network", "podman", "--ip", address]
        host.run([*started, image, "sleep", "infinity"])
        container = int(host.run(["podman", "inspect", "--format", "{{.State.Pid}}", DOLL]))
        sys.stdout.write(json.dumps({"host": host.pid, "container": container}) + "\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
