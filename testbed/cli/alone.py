"""Running one command of its own, outside the ``testbed`` group: errors become a line and an exit code here too."""

from __future__ import annotations

import sys
from typing import Final

import click

from testbed.errors import Error
from testbed.report.console import make, plain

_INTERRUPTED: Final = 130


def run(command: click.Command, prog: str) -> None:
    """Run a command and end the process.

    :param prog: what it is called by, such as ``python -m benchmarks``
    """
    name = prog.rsplit(maxsplit=1)[-1]
    try:
        command(standalone_mode=False, prog_name=prog)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        make(stderr=True).print(plain(f"{name}: interrupted; nothing is left behind"))
        sys.exit(_INTERRUPTED)
    except Error as exc:
        make(stderr=True).print(plain(f"{name}: {exc}", "red"))
        sys.exit(exc.exit_code)
