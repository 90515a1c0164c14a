"""``testbed doctor``: every prerequisite, found or not, with the cure."""

from __future__ import annotations

import json
import sys

import click
from rich.table import Column, Table

from testbed import machine, prerequisites
from testbed.errors import UnfitError
from testbed.namespaces import become_root
from testbed.prerequisites import Prerequisite
from testbed.report.console import make, plain

UNFIT = 2
#: Of what ``--json`` prints: raised whenever a key goes, or means something else.
VERSION = 1


@click.command(epilog="\b\nExample:\n  testbed doctor --json | jq '.checks[] | select(.ok | not)'")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object: version, ok, and checks.")
def doctor(json_: bool) -> None:
    """Look at everything the testbed needs of this machine, and say how to get what is missing.

    Exit 0 when nothing is missing, 2 otherwise.
    """
    checks = _checks()
    ok = all(check.ok for check in checks)
    if json_:
        rows = [{"name": c.name, "ok": c.ok, "found": c.found, "cure": "" if c.ok else c.cure} for c in checks]
        click.echo(json.dumps({"version": VERSION, "ok": ok, "checks": rows}, indent=1))
    else:
        _show(checks)
    if not ok:
        sys.exit(UNFIT)


def _checks() -> list[Prerequisite]:
    facts = machine.read()
    try:
        become_root()
    except UnfitError as exc:
        # Without root even asking Podman for its version leaves folders behind.
        asked = prerequisites.every(facts, None)
        unknown = [c for c in asked if c.name != "podman version"]
        if all(c.ok for c in prerequisites.user_namespace(facts)):
            unknown.insert(0, Prerequisite("becoming root", False, str(exc), "see the message"))
        return unknown
    return prerequisites.every(facts, machine.podman_version())


def _show(checks: list[Prerequisite]) -> None:
    facts = machine.read()
    console = make()
    console.print(plain(f"{facts.distribution} {facts.codename}, as {facts.user}"))
    # Column's own default is to crop with an ellipsis.
    table = Table(*(Column(overflow="fold") for _ in range(3)), pad_edge=False, show_header=False, box=None)
    for check in checks:
        table.add_row(*(plain(word) for word in ("✓" if check.ok else "✗", check.name, check.found)))
    console.print(table)
    bad = [check for check in checks if not check.ok]
    console.print(plain(f"{len(bad)} missing, and what to do:" if bad else "all is there"))
    for check in bad:
        # Not in the table: a command is to be copied from one line, however long.
        console.print(plain(f"   {check.name}: {check.cure}"), soft_wrap=True)
