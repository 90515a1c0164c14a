"""The group of commands, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import signal
import sys
from importlib import metadata
from typing import Final

import click

from testbed.cli import doctor, enter, evidence, explain, labs, maintain, run
from testbed.errors import Error
from testbed.report.console import make, plain

#: What a shell adds to the number of the signal that ended a command.
_BY_SIGNAL: Final = 128


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 all as expected, 1 something differs, 2 cannot run here.",
)
@click.version_option(metadata.version("testbed"), prog_name="testbed")
def group() -> None:
    r"""Why a container cannot connect: real Podman containers show it, and what cures it.

    \b
    Examples:
      testbed run portainer              the whole story, then 504 cells
      testbed run portainer --bind ::    what one bind address of the tunnel does
      testbed up portainer               leave it running, then:
      testbed exec portainer -- curl -k https://host.containers.internal:19001/ping
      testbed doctor                     what is missing here, and how to get it
    """


group.add_command(run.run)
group.add_command(labs.up)
group.add_command(labs.down)
group.add_command(labs.list_labs)
group.add_command(enter.exec_command)
group.add_command(enter.shell)
group.add_command(explain.explain)
group.add_command(evidence.evidence)
group.add_command(doctor.doctor)
group.add_command(maintain.build)
group.add_command(maintain.clean)


class _Terminated(KeyboardInterrupt):
    """A SIGTERM: it ends a command as a Ctrl-C does, in good order and with a line that says so."""


def _terminate(*_: object) -> None:
    raise _Terminated


def main() -> None:
    """Run the command line and end the process."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        group(standalone_mode=False)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt) as exc:
        terminated = isinstance(exc, _Terminated) or isinstance(exc.__cause__, _Terminated)
        word, number = ("terminated", signal.SIGTERM) if terminated else ("interrupted", signal.SIGINT)
        make(stderr=True).print(plain(f"testbed: {word}; nothing is left behind"))
        sys.exit(_BY_SIGNAL + number)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; Python would say so once more at exit
        sys.exit(_BY_SIGNAL + signal.SIGPIPE)
    except Error as exc:
        make(stderr=True).print(plain(f"testbed: {exc}", "red"))
        sys.exit(exc.exit_code)
