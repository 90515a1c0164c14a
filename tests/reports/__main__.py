"""``python -m tests.reports``: build reports, and keep the picture of each and what is said of it now, as files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from testbed import images
from testbed.diagnose import Told
from testbed.errors import Error
from testbed.evidence import codec
from testbed.explain.explanation import Explanation
from testbed.images import ImageStore
from tests.reports.collected import reports
from tests.reports.report import Attempt, Report
from tests.reports.site import Site
from tests.reports.told import apply, ask, cures, diagnoses, matching, stated


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder of the files.")
@click.option("--cures", "all_cures", is_flag=True, help="Do what each cure says, on a fresh host each, and try again.")
@click.argument("names", nargs=-1)
def main(output: Path, names: tuple[str, ...], *, all_cures: bool) -> None:
    """Write NAME.json, a picture, and NAME.txt, for reports with one of some words in their names; for all without."""
    output.mkdir(parents=True, exist_ok=True)
    for name, report in reports().items():
        if report.shown and (not names or any(word in name for word in names)):
            file = output / name.replace("/", "-")
            text = "\n".join((name, *_lines(report, file.with_suffix(".json"), all_cures=all_cures)))
            file.with_suffix(".txt").write_text(f"{text}\n", encoding="utf-8")
            click.echo(f"=== {text}")
            sys.stdout.flush()


def _lines(report: Report, picture: Path, *, all_cures: bool) -> Iterator[str]:
    yield f"report    {report.reference or 'no public one'}: {report.title}"
    yield f"truth     {report.truth}"
    yield f"attempt   {report.attempt.place} {report.attempt.target}"
    if report.pasted:
        yield f"pasted    {report.pasted}"
    yield f"must say  {report.causes or report.either or ('connects' if report.connects else 'cannot tell')}"
    yield f"  words   {report.says}; never {report.never}"
    yield f"  cures   {[cure.says for cure in report.cures]}"
    with _site() as site:
        for step in report.steps:
            step.do(site)
        codec.write(picture, site.picture())
        try:
            told = ask(site, report)
        except Error as exc:
            yield f"now       {type(exc).__name__}: {exc}"
            return
        yield from _said(told.explanation)
        for alive in report.alive:
            yield f"alive     {_tried(site, alive)}"
    if all_cures:
        yield from _cured(report, len(cures(told.explanation)))


def _said(told: Explanation) -> Iterator[str]:
    seen, predicted = told.observation, told.prediction
    yield f"seen      {seen.outcome} in {seen.phase}: {seen.text}" if seen else "seen      nothing was tried"
    yield f"predicted {predicted.outcome}: {predicted.why}" if predicted else "predicted nothing"
    yield f"now       {told.verdict} {told.cause or ''}"
    for line in stated(told).splitlines():
        yield f"  said    {line}"
    for diagnosis in diagnoses(told):
        yield f"  cause   {diagnosis.cause}"
        for row in diagnosis.rows:
            yield f"  row     {row.what} {row.where}: {row.text}"
        for cure in diagnosis.cures:
            exposes = f" | exposes {cure.exposes}" if cure.exposes else ""
            yield f"  cure    {cure.text} | {cure.command!r}{exposes}"


def _cured(report: Report, printed: int) -> Iterator[str]:
    """What comes of the report's own cures, and of each that is printed."""
    for cured in report.cures:
        if cured.by or cured.again:
            with _site() as site:
                for step in (*report.steps, *cured.by):
                    step.do(site)
                yield f"cured     by {cured.says}: {_tried(site, cured.again or report.attempt)}"
    for number in range(printed):
        with _site() as site:
            for step in report.steps:
                step.do(site)
            yield f"printed   {number + 1}: {_applied(site, report, ask(site, report), number)}"


def _applied(site: Site, report: Report, told: Told, number: int) -> str:
    found = cures(told.explanation)[number : number + 1]
    if not found:
        return "not printed this time"
    cured = matching(found[0], report)
    if cured is None and not found[0].changes and found[0].target is None:
        return f"no right one, and nothing that can be done: {found[0].text}"
    try:
        return _tried(site, apply(site, report, told, found[0], cured))
    except (Error, LookupError, NotImplementedError, AssertionError) as exc:
        return f"{type(exc).__name__}: {exc}"


def _tried(site: Site, attempt: Attempt) -> str:
    seen = site.connect(attempt.place, attempt.target, seconds=4.0)
    return f"{attempt.place} {attempt.target}: {seen.outcome} {seen.text}".rstrip()


def _site() -> Site:
    store = ImageStore()
    return Site(image=images.ensure(["base"], store=store)["base"], image_store=store.storage)


if __name__ == "__main__":
    main()
