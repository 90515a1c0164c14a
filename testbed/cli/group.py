"""The group of commands, each imported when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Final

import click


@dataclass(frozen=True, slots=True)
class _Command:
    """A command that is imported when it is asked for: what one needs is not waited for by the others."""

    module: str
    function: str
    short: str
    """What stands in the list of commands: the first sentence of its help."""

    def load(self) -> click.Command:
        found = getattr(import_module(f"testbed.cli.{self.module}"), self.function)
        assert isinstance(found, click.Command)
        return found


COMMANDS: Final = {
    "build": _Command("maintain", "build", "Build the images that are not built yet; says what they are made from."),
    "clean": _Command("maintain", "clean", "End every background lab of yours and remove what a killed run left."),
    "doctor": _Command("doctor", "doctor", "Look at everything the testbed needs of this machine."),
    "down": _Command("labs", "down", "End a lab that runs in the background."),
    "evidence": _Command("evidence", "evidence", "Write what the network looks like now as JSON."),
    "exec": _Command("enter", "exec_command", "Run a command on a host, or in a container's network."),
    "explain": _Command("explain", "explain", "Say why a container or host cannot connect, and what cures it."),
    "list": _Command("labs", "list_labs", "Show the labs that run in the background."),
    "run": _Command("run", "run", "Run a scenario on private hosts: the story, the matrix, the verdict."),
    "shell": _Command("enter", "shell", "Open a prompt on a host or in a container's network."),
    "trace": _Command("trace", "trace", "Follow one real request hop by hop, and its answer back."),
    "up": _Command("labs", "up", "Leave a scenario running in the background."),
}


class _Group(click.Group):
    """The commands of :data:`COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        found = COMMANDS.get(cmd_name)
        return None if found is None else found.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.short) for name, command in COMMANDS.items()])


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="""
\b
Examples:
  testbed run portainer              the whole story, then 504 cells
  testbed run portainer --bind ::    what one bind address of the tunnel does
  testbed run switch                 what podman0 does with a frame, port by port
  testbed run namespaces             how one kernel has many 127.0.0.1
  testbed up portainer               leave it running, then:
  testbed exec portainer -- curl -k https://host.containers.internal:19001/ping
  testbed explain --from portainer https://host.containers.internal:19001/ping
  testbed trace --from portainer https://host.containers.internal:19001/ping
  testbed doctor                     what is missing here, and how to get it
Exit codes: 0 all as expected, 1 something differs, 2 cannot run here.
exec, explain and trace have others: see their --help.
""",
)
@click.version_option(package_name="testbed", prog_name="testbed")
def group() -> None:
    """Why a container cannot connect: real Podman containers show it, and what cures it."""
