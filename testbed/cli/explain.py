"""``testbed explain``: why it cannot connect, in a sentence, with evidence and a cure."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from testbed.cli.given import TextCommand, target_of, text_of
from testbed.cli.looking import BEYOND, NOTATION, UNUSABLE, needed, sources_for
from testbed.cli.progress import status
from testbed.diagnose import Client, Told, offline, pasted_offline, why, why_pasted
from testbed.errors import Error, UsageError
from testbed.explain.explanation import Conclusion
from testbed.explain.pasted import read
from testbed.readers.vantages import PATIENCE
from testbed.report import explanation as report
from testbed.report.console import make, plain

_EXIT: Final = {Conclusion.CONNECTS: 0, Conclusion.EXPLAINED: 1, Conclusion.CANNOT_TELL: 2}


@click.command(
    cls=TextCommand,
    epilog="""
\b
Examples:
  testbed explain --from portainer https://host.containers.internal:19001/ping
  testbed explain --from host http://127.0.0.1:8080
  testbed explain --from lan http://192.0.2.10:8080
  testbed explain --from web udp://resolver.lan:53
  testbed explain 'dial tcp 10.88.0.1:19001: connect: connection refused'
  podman logs web 2>&1 | tail -20 | testbed explain --from web -
  testbed explain --file error.log
  testbed evidence -o picture.json; testbed explain --evidence picture.json --from web http://db:5432
Exit codes: 0 it connects, 1 explained, 2 cannot tell, 3 not usable here.
""",
)
@click.option("--from", "place", metavar="NAME", help=f"Where it starts. {NOTATION} {BEYOND}")
@click.option(
    "--lab", metavar="NAME", help="Look in this lab; by default in the labs that are up, then on this machine."
)
@click.option("--host", is_flag=True, help="Look on this machine and its own Podman, even while a lab is up.")
@click.option("--evidence", "file", metavar="FILE", help="Explain from a picture that 'testbed evidence' wrote.")
@click.option("--file", "text_file", metavar="FILE", help="Read the error text from a file.")
@click.option("--no-attempt", is_flag=True, help="Only predict; send nothing.")
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=PATIENCE, show_default=True, help="For the attempt.")
@click.option("--cacert", metavar="FILE", help="For the attempt: trust these certificates only, as curl --cacert does.")
@click.option("-k", "--insecure", is_flag=True, help="For the attempt: take any certificate, as curl --insecure does.")
@click.option("--walk", is_flag=True, help="Show the way of the packet too, step by step.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
@click.argument("what", nargs=-1, metavar="URL | 'PASTED ERROR' | -")
def explain(
    what: tuple[str, ...],
    *,
    place: str | None,
    lab: str | None,
    host: bool,
    file: str | None,
    text_file: str | None,
    no_attempt: bool,
    seconds: float,
    cacert: str | None,
    insecure: bool,
    walk: bool,
    json_: bool,
) -> None:
    """Say why a container or host cannot connect: the cause, what it rests on, and what cures it.

    It looks at every namespace, rule, route and listener, predicts what must happen, tries once, and puts both
    together. Nothing is changed on the machine, and nothing runs inside a container. Certificates are verified by the
    trust store of the place that it starts from: its files, and SSL_CERT_FILE and SSL_CERT_DIR of its main process.

    An error text is read as the client printed it, with whatever lines and log prefixes surround it. With - it comes
    from standard input, as it does through a pipe; it may begin with a dash.
    """
    try:
        text = text_of(what, text_file)
        target = target_of(text)
        client = Client.of_options(insecure=insecure, cacert=Path(cacert) if cacert else None)
        # An ordinary user's process joins a user namespace here, which it may while it has no thread that shows status.
        if file is not None and (host or lab is not None):
            raise UsageError("--evidence has what was seen already: leave out --lab and --host")
        found = sources_for(place, lab=lab, host=host) if file is None else ()
        with status("looking") as say:
            if file is not None:
                told = _offline(Path(file), text, place)
            else:
                attempt = not no_attempt
                if target is None:
                    told = why_pasted(found, text, place, attempt=attempt, seconds=seconds, client=client, say=say)
                else:
                    told = why(found, needed(place), target, attempt=attempt, seconds=seconds, client=client, say=say)
    except Error as exc:
        make(stderr=True).print(plain(f"testbed: {exc}", "red"))
        sys.exit(UNUSABLE)
    _print(told, walk=walk, json_=json_)
    sys.exit(_EXIT[told.explanation.verdict])


def _print(told: Told, *, walk: bool, json_: bool) -> None:
    if json_:
        click.echo(report.as_json(told.explanation, told.evidence.missing))
        return
    console = make()
    report.show(console, told.explanation, walk=walk)
    if told.explanation.verdict is not Conclusion.CONNECTS:
        for sentence in told.evidence.missing:
            console.print(plain(f"   not seen: {sentence}", "dim"))


def _offline(file: Path, text: str, place: str | None) -> Told:
    from testbed.evidence import codec  # noqa: PLC0415 - pydantic takes a tenth of a second, and only this needs it

    picture = codec.read(file)
    target = target_of(text)
    if target is None:
        return pasted_offline(picture, read(text), place)
    return offline(picture, needed(place), target)
