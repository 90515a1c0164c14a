"""``testbed trace``: one real request, followed hop by hop to where it ends, and the answer back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from testbed.cli.looking import NOTATION, UNUSABLE, LookingCommand, needed, sources_for
from testbed.cli.progress import status
from testbed.errors import Error, UsageError
from testbed.model import Scheme, Target
from testbed.probe import Ask
from testbed.readers.vantages import PATIENCE
from testbed.report import journey as report
from testbed.report.console import make, plain
from testbed.trace import Journey, follow, pcapng

_ANSWERED, _ENDED, _UNSEEN = 0, 1, 2
_JSON: Final = ("Content-Type", "application/json")


@click.command(
    cls=LookingCommand,
    epilog="""
\b
Examples:
  testbed trace --from jack http://shop/api/stock
  testbed trace --from jack --data '{"item": "toaster", "customer": "Jack"}' -H 'Idempotency-Key: click-0001' http://shop/api/orders
  testbed trace --from portainer https://host.containers.internal:19001/ping
  testbed trace --from web --pcapng web.pcapng db:5432; tshark -r web.pcapng -V
Exit codes: 0 it was answered, 1 followed to where it ended, 2 none of its packets seen, 3 not usable here.
""",
)
@click.option("--from", "place", metavar="NAME", help=f"Where it starts. {NOTATION}")
@click.option(
    "--lab", metavar="NAME", help="Look in this lab; by default in the labs that are up, then on this machine."
)
@click.option("--host", is_flag=True, help="Look on this machine and its own Podman, even while a lab is up.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
@click.option(
    "-o",
    "--pcapng",
    "file",
    metavar="FILE",
    help="Write its packets, an interface for each place where they were seen.",
)
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=PATIENCE, show_default=True, help="For the request.")
@click.option("--method", metavar="WORD", help="Ask by this method; by default GET, and POST where there is data.")
@click.option("--data", metavar="TEXT", help="The body of the request, taken for JSON unless a header says otherwise.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header; may be repeated.")
@click.argument("url", metavar="URL")
def trace(
    url: str,
    *,
    place: str | None,
    lab: str | None,
    host: bool,
    json_: bool,
    file: str | None,
    seconds: float,
    method: str | None,
    data: str | None,
    headers: tuple[str, ...],
) -> None:
    """Follow one real request hop by hop: frame, packet, and the row or rule that rewrote or decided.

    It looks at every interface of every namespace while the request is made. On hosts of a lab the firewall itself
    tells which rules looked at it; on your own machine nothing is changed, and the rules' counters are compared.
    """
    try:
        target = Target.parse(url)
        if target.scheme is Scheme.UDP:
            raise UsageError(f"{target} is UDP, and only TCP is followed: see 'testbed explain --walk' for its way")
        ask = _ask(target, method, data, headers)
        # An ordinary user's process joins a user namespace here, which it may while it has no thread that shows status.
        found = sources_for(place, lab=lab, host=host)
        with status("looking") as say:
            journey = follow(found, needed(place), target, ask=ask, seconds=seconds, say=say)
        if file is not None:
            pcapng.write(Path(file), journey)
    except Error as exc:
        make(stderr=True).print(plain(f"testbed: {exc}", "red"))
        sys.exit(UNUSABLE)
    if json_:
        click.echo(report.as_json(journey))
    else:
        report.show(make(), journey)
    sys.exit(_code(journey))


def _code(journey: Journey) -> int:
    if journey.answered:
        return _ANSWERED
    return _ENDED if journey.legs else _UNSEEN


def _ask(target: Target, method: str | None, data: str | None, headers: tuple[str, ...]) -> Ask:
    pairs = tuple(_header(text) for text in headers)
    if (method or data is not None or pairs) and not target.scheme.is_http:
        raise UsageError(
            f"{target} asks for nothing but a connection: method, data and headers need http:// or https://"
        )
    if data is not None and not any(name.lower() == _JSON[0].lower() for name, _ in pairs):
        pairs = (*pairs, _JSON)
    return Ask(method or ("GET" if data is None else "POST"), pairs, (data or "").encode())


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or any(not character.isprintable() for character in text):
        raise UsageError(f"{text!r} is no header: write it as 'NAME: VALUE'")
    return name.strip(), value.strip()
