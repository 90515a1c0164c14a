"""A private host within a private host, made by a Python that runs on the outer one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import testbed
from testbed.errors import HostError
from testbed.host.protocol import Host
from testbed.names import Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe import Vantage
from testbed.scenarios.namespaces.doorman import Doorman
from testbed.scenarios.namespaces.inside import stop
from testbed.scenarios.namespaces.topology import DOLL, DOLLHOUSE, KITCHEN, OPEN_PORT, PODMAN0

_PROGRAM: Final = "testbed.scenarios.namespaces.inner"
#: Where the modules of this very Python are, for one that runs on the outer host and sees the same files.
_PATH: Final = str(Path(testbed.__file__).parent.parent)


class House:
    """The inner host ``dollhouse`` and its container ``doll``, with a doorman at the inner podman0.

    :param host: the outer host
    :param image: an image of the store whose containers only idle
    :raises HostError: the inner host did not start; the message has what its maker said
    """

    def __init__(self, host: Host, *, image_store: Path, image: str) -> None:
        python = ["env", f"PYTHONPATH={_PATH}", "PYTHONDONTWRITEBYTECODE=1", sys.executable]
        program = [*python, "-m", _PROGRAM, str(image_store), image, KITCHEN]
        self._process = host.popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._doorman: Doorman | None = None
        try:
            inner, container = self._await_ready()
            init = host.process(inner)
            doll = init / "root/proc" / str(container)
            self.vantages = {
                DOLLHOUSE: _vantage(host.namespace(init / "ns/net", DOLLHOUSE), init / "root/etc"),
                DOLL: _vantage(host.namespace(doll / "ns/net", DOLL), doll / "root/etc"),
            }
            self._doorman = Doorman(self.vantages[DOLLHOUSE].net, DOLLHOUSE, PODMAN0, OPEN_PORT)
        except BaseException:
            self.close()
            raise

    def _await_ready(self) -> tuple[int, int]:
        assert self._process.stdout and self._process.stderr
        line = self._process.stdout.readline()
        if not line:
            raise HostError(f"no host came up within a host: {self._process.stderr.read().decode(errors='replace')}")
        said = json.loads(line)
        return int(said["host"]), int(said["container"])

    def close(self) -> None:
        """End the inner host and all on it. Calling it twice does no harm."""
        if self._doorman is not None:
            self._doorman.close()
        stop(self._process)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def _vantage(net: NetworkNamespace, etc: Path) -> Vantage:
    return Vantage(net.what, net, Naming.read(etc / "hosts", etc / "resolv.conf"))
