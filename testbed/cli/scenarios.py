"""Shared by the commands that start a scenario: the table in their help, and the options that scenarios declare."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import click

from testbed.scenarios import table
from testbed.scenarios.scenario import Option, Options, Scenario


class ScenarioCommand(click.Command):
    """A command whose help lists the scenarios, and which has the options that any of them declares."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """As :class:`click.Command`, with the options of the scenarios behind its own."""
        own = super().get_params(ctx)  # whose last one is --help
        return [*own[:-1], *_offered(), *own[-1:]]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As :class:`click.Command`, with the scenarios in front of the options."""
        with formatter.section("Scenarios"):
            formatter.write_dl([(scenario.name, scenario.summary) for scenario in table.every()])
        super().format_options(ctx, formatter)


def chosen(scenario: Scenario, given: Mapping[str, str | None]) -> Options:
    """Read the options of a scenario that were given on the command line.

    :param given: by click's name, None for what was not given
    :raises UsageError: the scenario has no such option, or the text is no value of it
    """
    return scenario.read({name.replace("_", "-"): text for name, text in given.items() if text is not None})


@cache
def _offered() -> tuple[click.Option, ...]:
    """Each option that a scenario declares; one that several declare stands once, with the help of each."""
    declared: dict[str, list[tuple[str, Option[Any]]]] = {}
    for scenario in table.every():
        for option in scenario.options:
            declared.setdefault(option.name, []).append((scenario.name, option))
    return tuple(
        click.Option(
            [f"--{name}"], metavar=by[0][1].metavar, help=" ".join(f"{owner}: {_help(one)}" for owner, one in by)
        )
        for name, by in declared.items()
    )


def _help(option: Option[Any]) -> str:
    return f"{option.help} [default of a lab that stays: {option.text(option.default)}]"
