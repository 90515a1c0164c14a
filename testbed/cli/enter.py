"""``testbed exec`` and ``testbed shell``: being on a host, or in a container's network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from testbed import tools
from testbed.background import running
from testbed.background.members import Member, find
from testbed.errors import UsageError
from testbed.host.private import PrivateHost
from testbed.images import ImageStore
from testbed.namespaces import become_root
from testbed.namespaces.enter import container_command, environment, host_command
from testbed.namespaces.user import is_root, join_user_namespace

_COMMAND = "testbed.command"
_OPTIONS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


class _WithCommand(click.Command):
    """Keeps what stands behind ``--`` apart: in front of it are options and a name only, in any order."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_COMMAND] = args[at + 1 :]
            args = args[:at]
            ctx.ignore_unknown_options, ctx.allow_interspersed_args = False, True
        return super().parse_args(ctx, args)


@click.command(
    name="exec",
    cls=_WithCommand,
    context_settings=_OPTIONS,
    epilog="""
\b
Examples:
  testbed exec portainer -- curl -k https://host.containers.internal:19001/ping
  testbed exec laptop -- ss -ltn
  testbed exec -- podman run --rm IMAGE    in a fresh private host, gone afterwards
""",
)
@click.option("--lab", metavar="NAME", help="Look in this lab; by default in all that are up.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[NAME] -- COMMAND")
@click.pass_context
def exec_command(ctx: click.Context, lab: str | None, words: tuple[str, ...]) -> None:
    """Run a command on a host, or with a container's network, hosts file and resolver.

    NAME is a host's name, or a container's name or id, as 'testbed explain --from' takes it; LAB/NAME where several
    labs have it. The programs are this machine's own, so it works for images without a shell too, and it starts in this
    folder. Without a NAME it runs on a fresh private host, which ends with it. The exit code is the command's.
    """
    name = words[0] if words else None
    if _COMMAND in ctx.meta and len(words) > 1:
        raise click.UsageError(f"one NAME goes before --, not {' '.join(words)}; the command goes behind it")
    command = ctx.meta.get(_COMMAND, list(words[1:]))
    if not command:
        raise click.UsageError("give a command after --, for example: testbed exec laptop -- ip route")
    _enter(name, command, lab)


@click.command(epilog="\b\nExamples:\n  testbed shell laptop\n  testbed shell portainer\n  testbed shell")
@click.option("--lab", metavar="NAME", help="Look in this lab; by default in all that are up.")
@click.argument("name", required=False)
def shell(name: str | None, lab: str | None) -> None:
    """Open a prompt on a host or in a container's network; without a name, on a fresh private host.

    NAME is as for 'testbed exec'.
    """
    bash = tools.find("bash")
    os.environ["PS1"] = f"[{name or 'private host'}] \\w \\$ "
    _enter(name, [bash, "--norc", "-i"] if bash else ["sh", "-i"], lab)


#: A host has this machine's own folders but for a few; where one is not there the command begins in another.
_WHERE_THE_CALLER_IS: Final = 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"'


def _enter(name: str | None, words: list[str], lab: str | None) -> None:
    if name is None and lab is not None:
        raise UsageError(f"say which host or container of {lab}; 'testbed list' shows them")
    command = ["sh", "-c", _WHERE_THE_CALLER_IS, "sh", _here(), *words]
    if name is None:
        _on_a_fresh_host(command)
    else:
        found = find(name, running(), lab=lab)
        if not found.pid:
            raise UsageError(f"{found.name} does not run, so that there is nothing to enter: start it first")
        if not is_root():
            join_user_namespace(found.lab.keeper)
        _replace(found, command)


def _here() -> str:
    """The caller's folder, or the root where that one is gone."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "/"


def _replace(member: Member, command: list[str]) -> None:
    """Become the command: nothing of ours stands between it and the terminal."""
    init = member.lab.hosts[member.host]
    argv = host_command(init, command) if member.container is None else container_command(init, member.pid, command)
    os.execvpe(argv[0], argv, {**environment(), **_prompt()})  # noqa: S606 - no shell is wanted


def _on_a_fresh_host(command: list[str]) -> None:
    become_root()
    storage = ImageStore().storage
    with PrivateHost("host", image_store=storage if storage.is_dir() else None) as host:
        host.engine.ready()
        with _interrupts_left_to_the_command():
            done = subprocess.run(host_command(host.pid, command), env={**environment(), **_prompt()}, check=False)
    sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


@contextmanager
def _interrupts_left_to_the_command() -> Iterator[None]:
    """A Ctrl-C is the command's. Not ignored but passed over here: what is ignored stays so at exec (execve(2))."""
    ours = signal.getsignal(signal.SIGINT)
    if ours is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ours)


def _prompt() -> dict[str, str]:
    return {"PS1": os.environ["PS1"]} if "PS1" in os.environ else {}
