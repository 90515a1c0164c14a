"""``python -m tests.reports``: build reports, and keep the picture of each and what is said of it now, as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from testbed import images
from testbed.errors import Error
from testbed.evidence import codec
from testbed.explain.explanation import Explanation
from testbed.images import ImageStore
from tests.reports.collected import reports
from tests.reports.report import Report
from tests.reports.site import Site
from tests.reports.told import ask

_CURED: Final = "cured"


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder of the files.")
@click.option("--cures/--no-cures", default=True, help="Do what each report's first cure does, and try again.")
@click.argument("names", nargs=-1)
def main(output: Path, names: tuple[str, ...], *, cures: bool) -> None:
    """Write NAME.json, a picture, and NAME.txt, for reports with one of some words in their names; for all without."""
    store = ImageStore()
    image = images.ensure(["base"], store=store)["base"]
    output.mkdir(parents=True, exist_ok=True)
    for name, report in reports().items():
        if names and not any(word in name for word in names):
            continue
        try:
            with Site(image=image, image_store=store.storage) as site:
                text = _kept(site, report, output / f"{name.replace('/', '-')}.json", cures=cures)
        except (Error, AssertionError, LookupError) as exc:
            text = f"NOT BUILT: {type(exc).__name__} {exc}"
        (output / f"{name.replace('/', '-')}.txt").write_text(f"{name}\n{text}\n", encoding="utf-8")
        click.echo(f"=== {name}\n{text}")
        sys.stdout.flush()


def _kept(site: Site, report: Report, picture: Path, *, cures: bool) -> str:
    for step in report.steps:
        step.do(site)
    codec.write(picture, site.picture())
    try:
        told = _said(ask(site, report))
    except Error as exc:
        told = [f"today     {type(exc).__name__}: {exc}"]
    lines = [
        f"report    {report.reference or 'a reproduction'}: {report.title}",
        f"truth     {report.truth}",
        f"from      {report.attempt.place}",
        f"target    {report.attempt.target}",
        *([f"pasted    {report.pasted}"] if report.pasted else []),
        f"must say  {report.causes or ('connects' if report.connects else 'cannot tell')}",
        f"  words   {report.says}; never {report.never}",
        f"cures     {[cure.says for cure in report.cures]}",
        *told,
    ]
    for alive in report.alive:
        seen = site.connect(alive.place, alive.target, seconds=2.0)
        lines.append(f"alive     {alive.place} {alive.target}: {seen.outcome} {seen.text}")
    if cures and report.cures and report.cures[0].by:
        cure = report.cures[0]
        for step in cure.by:
            step.do(site)
        again = cure.again or report.attempt
        seen = site.connect(again.place, again.target, seconds=4.0)
        lines.append(f"{_CURED}     by {cure.by}: {again.place} {again.target}: {seen.outcome} {seen.text}")
        for closed in report.closed:
            seen = site.connect(closed.place, closed.target, seconds=1.0)
            lines.append(f"closed    {closed.place} {closed.target}: {seen.outcome} {seen.text}")
    return "\n".join(lines)


def _said(told: Explanation) -> list[str]:
    seen, predicted = told.observation, told.prediction
    lines = [
        f"seen      {seen.outcome} in {seen.phase}: {seen.text}" if seen else "seen      nothing tried",
        f"predicted {predicted.outcome}: {predicted.why}" if predicted else "predicted nothing",
        f"today     {told.verdict} {told.cause or ''}: {told.sentence}",
    ]
    if told.decide:
        lines.append(f"  decide  {told.decide}")
    if told.diagnosis is not None:
        lines += [f"  row     {row.what} {row.where}: {row.text}" for row in told.diagnosis.rows]
        lines += [
            f"  cure    {cure.text} | {cure.command!r}{f' | exposes {cure.exposes}' if cure.exposes else ''}"
            for cure in told.diagnosis.cures
        ]
        lines += [f"  warning {warning}" for warning in told.diagnosis.warnings]
    return [*lines, *(f"  warning {warning}" for warning in told.warnings)]


if __name__ == "__main__":
    main()
