"""The distribution's programs that the testbed runs, and where they are found."""

from __future__ import annotations

import os
import shutil
from typing import Final

from testbed.errors import UnfitError

#: An ordinary user's PATH lacks the sbin folders, where ip, iptables and newuidmap's helpers live.
SEARCH_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path() -> str:
    """The caller's PATH with the system's folders behind it."""
    own = os.environ.get("PATH", "")
    return f"{own}:{SEARCH_PATH}" if own else SEARCH_PATH


def find(program: str) -> str | None:
    """The path of a program, or None; also looked for in the sbin folders."""
    return shutil.which(program, path=search_path())


def need(program: str, package: str) -> str:
    """The path of a program.

    :param package: the Debian and Ubuntu package that has it, named in the error
    :raises UnfitError: it is not installed
    """
    path = find(program)
    if path is None:
        raise UnfitError(f"{program} is not installed: run 'apt-get install {package}' (or see 'testbed doctor')")
    return path
