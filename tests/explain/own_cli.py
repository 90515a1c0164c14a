"""The command line inside a private host, where that host is "this machine": for its root, and for an ordinary user."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import testbed
from testbed.host import PrivateHost
from testbed.host.rootless import RootlessUser

#: Where it is put on the host.
FOLDER: Final = "/run/testbed/cli"
_MAIN: Final = "from testbed.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Said:
    """What the command said."""

    status: int
    out: str
    err: str

    @property
    def cause(self) -> str | None:
        """Of an answer in JSON."""
        found: Any = json.loads(self.out)["cause"]
        return found if found is None else str(found)


class OwnCli:
    """``testbed`` on a private host, by Python and packages that any user there can read.

    They may be in a home folder that is closed to others, so they are bound to a place that is not.
    """

    def __init__(self, host: PrivateHost) -> None:
        self._host = host
        own = {
            "python": sys.base_prefix,
            "packages": sysconfig.get_path("purelib"),
            "tree/testbed": str(Path(testbed.__file__).parent),
        }
        for name, source in own.items():
            script = 'mkdir -p "$2" && mount --rbind "$1" "$2"'
            host.run(["sh", "-ec", script, "sh", source, f"{FOLDER}/{name}"])
        python = Path(sys.executable).resolve().relative_to(Path(sys.base_prefix).resolve())
        self._command = [
            "env",
            f"PYTHONPATH={FOLDER}/tree:{FOLDER}/packages",
            f"LD_LIBRARY_PATH={FOLDER}/python/lib",
            "PYTHONDONTWRITEBYTECODE=1",
            "COLUMNS=200",
            f"{FOLDER}/python/{python}",
            "-c",
            _MAIN,
        ]

    def __call__(self, *words: str, user: RootlessUser | None = None, terminal: bool = False) -> Said:
        """Run it as root of the host, or as a user there; it must not end in a traceback.

        :param terminal: on a terminal of its own (script(1)), where it shows what takes long with a thread
        """
        argv = [*self._command, *words]
        command = argv if user is None else user.command(argv)
        if terminal:
            command = ["script", "--quiet", "--return", "--command", shlex.join(command), "/dev/null"]
        with self._host.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            out, err = (text.decode() for text in process.communicate(timeout=60))
        assert "Traceback" not in out + err, out + err
        return Said(process.returncode, out, err)
