"""Scenarios as values: the table, their options, and that nothing else knows one by its name."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from testbed import bind
from testbed.bind import NoTunnel
from testbed.cli import scenarios as offering
from testbed.cli.group import group
from testbed.errors import UsageError
from testbed.scenarios import table
from testbed.scenarios.portainer import BIND
from testbed.scenarios.scenario import NO_OPTIONS, Option, Options, Reference, Scenario
from testbed.topology import Topology

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ROOT / "testbed" / "scenarios"
EVERY: Final = table.every()
PORTAINER: Final = table.find("portainer")

each: Final = pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.name)


# The table


def test_every_folder_of_the_package_is_in_the_table_by_its_name() -> None:
    """A package that lacks its ``__init__.py`` or ``SCENARIO``, or is called otherwise in it, would be missed."""
    folders = {path.name for path in PACKAGES.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(table.NAMES) == {scenario.name for scenario in EVERY}


def test_a_name_that_no_scenario_has_is_one_clear_line() -> None:
    """The error has the name, and those that there are."""
    with pytest.raises(UsageError) as caught:
        table.find("nope")
    assert str(caught.value) == f"no scenario is called 'nope': there are {', '.join(table.NAMES)}"


#: What a fresh interpreter has loaded of the package once a scenario was found, or all were.
_LOADED: Final = "from testbed.scenarios import table; {}; import sys; print(*sys.modules)"


def _loaded(statement: str) -> set[str]:
    said = subprocess.run([sys.executable, "-c", _LOADED.format(statement)], capture_output=True, text=True, check=True)
    return {name for name in said.stdout.split() if name.startswith("testbed.")}


@each
def test_finding_one_scenario_loads_no_other(scenario: Scenario) -> None:
    """Nor does it load the module of its lab or of its story."""
    loaded = _loaded(f"table.find({scenario.name!r})")
    others = tuple(f"testbed.scenarios.{name}" for name in table.NAMES if name != scenario.name)
    assert f"testbed.scenarios.{scenario.name}" in loaded
    assert [name for name in loaded if name.startswith(others)] == []
    assert not loaded & {scenario.story.module, scenario.lab.module if scenario.lab else ""}


def test_the_whole_table_loads_nothing_that_makes_a_host() -> None:
    """The help of ``run`` and ``up`` has all of them, and is not to be waited for."""
    heavy = {"testbed.host", "testbed.lab", "testbed.containers", "testbed.images", "testbed.tunnel", "testbed.engine"}
    assert heavy & _loaded("table.every()") == set()


# The parts of each (docs/adding/scenario.md)


@each
def test_every_reference_leads_to_an_object(scenario: Scenario) -> None:
    """The topology is one, the story and the class of the lab can be called, and the fixtures are a module."""
    assert isinstance(scenario.topology.load(), Topology)
    assert callable(scenario.story.load())
    assert scenario.lab is None or callable(scenario.lab.load())
    if scenario.fixtures:
        assert (ROOT / f"{scenario.fixtures.replace('.', '/')}.py").is_file()


@each
def test_a_scenario_says_in_a_few_words_what_it_shows(scenario: Scenario) -> None:
    """The help puts them behind its name, so that they begin small and end without a full stop."""
    assert re.fullmatch(r"[a-z].{10,89}[^.]", scenario.summary)


@each
def test_a_scenario_has_tests_of_its_own_name(scenario: Scenario) -> None:
    """They run its story on real hosts."""
    assert (ROOT / "tests" / "scenarios" / f"test_{scenario.name}.py").is_file()


@each
def test_a_scenario_has_a_page_with_its_command_and_each_option(scenario: Scenario) -> None:
    """docs/scenarios/NAME.md starts with its name and says how it is run."""
    page = (ROOT / "docs" / "scenarios" / f"{scenario.name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {scenario.name}: {scenario.summary}\n")
    for words in (f"testbed run {scenario.name}", f"testbed up {scenario.name}"):
        assert words in page
    assert [option.name for option in scenario.options if f"--{option.name}" not in page] == []


def test_no_page_is_left_of_a_scenario_that_is_gone() -> None:
    """docs/scenarios has a page for each scenario, and no other."""
    assert {path.stem for path in (ROOT / "docs" / "scenarios").glob("*.md")} == set(table.NAMES)


@each
def test_the_host_that_may_be_this_machine_is_one_of_the_topology(scenario: Scenario) -> None:
    """Otherwise ``--testbed-host=local`` would change nothing."""
    if scenario.local is not None:
        assert scenario.local.host in {host.name for host in scenario.topology.load().hosts}


@each
def test_continuous_integration_runs_it_on_this_machine_where_it_can(scenario: Scenario) -> None:
    """.ci/run names the tests of a scenario of which a host may be this machine, and README says so of them."""
    if scenario.local is None:
        return
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "--testbed-host=local" in ci
    assert re.search(rf"\b{scenario.name}\b", ci)
    assert f"test_{scenario.name}" in (ROOT / "README.md").read_text(encoding="utf-8")


#: Where a scenario is named in a command to be typed, or run by a script.
MENTIONING: Final = (
    *("README.md", "Makefile", ".ci/run", ".github/workflows/ci.yml", "compose/README.md"),
    *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
)


def test_no_command_names_a_scenario_that_is_none() -> None:
    """What stands behind ``testbed run`` and ``testbed up`` is a scenario; docs/adding/scenario.md adds airport."""
    known = {*table.NAMES, "airport"}
    commands = re.compile(r"\btestbed (?:run|up) ([a-z][a-z0-9_-]*)")
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in MENTIONING}
    assert [(file, name) for file, text in texts.items() for name in commands.findall(text) if name not in known] == []


def test_each_compose_file_is_of_a_scenario_and_is_described() -> None:
    """compose/NAME.yaml is the containers of the scenario of that name, by compose/README.md."""
    files = {path.stem for path in (ROOT / "compose").glob("*.yaml")}
    described = (ROOT / "compose" / "README.md").read_text(encoding="utf-8")
    assert files <= set(table.NAMES)
    assert [name for name in files if f"`{name}.yaml`" not in described] == []


def _words_of(path: Path) -> Iterator[str]:
    """The modules that a module imports, and its constants that are text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Constant(value=str(text)):
                yield text


def test_no_code_knows_a_scenario_by_its_name() -> None:
    """Outside of its package a scenario is neither imported nor asked for by a word; a help may have examples of it."""
    testbed = ROOT / "testbed"
    files = [path for path in testbed.rglob("*.py") if not any(path.is_relative_to(PACKAGES / n) for n in table.NAMES)]
    roles = testbed / "containers", testbed / "images"  # a role may be called as a scenario is
    packages = tuple(f"testbed.scenarios.{name}" for name in table.NAMES)
    found = [
        (str(path.relative_to(ROOT)), word)
        for path in files
        if not any(path.is_relative_to(folder) for folder in roles)
        for word in _words_of(path)
        if word in table.NAMES or word.startswith(packages)
    ]
    assert found == []


# Options


def test_an_option_is_read_once_and_has_its_own_type() -> None:
    """What was given is a value of the option's; what was not is None."""
    assert PORTAINER.read({"bind": "none"}).get(BIND) == NoTunnel()
    assert PORTAINER.read({}).get(BIND) is None


def test_a_lab_that_stays_has_the_defaults_of_what_was_not_given() -> None:
    """What was given stays as it is."""
    assert PORTAINER.with_defaults(NO_OPTIONS).get(BIND) == bind.parse("127.0.0.1")
    assert PORTAINER.with_defaults(PORTAINER.read({"bind": "*"})).get(BIND) == bind.parse("*")


@pytest.mark.parametrize("given", [{}, {"bind": "none"}, {"bind": "*"}, {"bind": "10.88.0.1"}], ids=str)
def test_options_are_written_as_they_are_read(given: dict[str, str]) -> None:
    """Between the command and the keeper, and in JSON, each is its text."""
    assert PORTAINER.written(PORTAINER.read(given)) == given


@each
def test_the_default_of_an_option_is_read_as_it_is_written(scenario: Scenario) -> None:
    """The help shows the text, and a keeper reads it."""
    assert [one.parse(one.text(one.default)) for one in scenario.options] == [one.default for one in scenario.options]


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("portainer", "the scenario portainer has no option --size: leave it out (its options are --bind)"),
        ("switch", "the scenario switch has no option --size: leave it out (it has none)"),
    ],
)
def test_an_option_that_a_scenario_does_not_have_is_one_clear_line(scenario: str, said: str) -> None:
    """The error has the scenario, the option and those that it has."""
    with pytest.raises(UsageError) as caught:
        table.find(scenario).read({"size": "3"})
    assert str(caught.value) == said


def test_a_value_that_is_none_is_refused_before_anything_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """``run`` and ``up`` read it first: they become no root and start no keeper for it."""
    for name in ("testbed.cli.run.become_root", "testbed.background.spawn.subprocess.Popen"):
        monkeypatch.setattr(name, lambda *_, **__: pytest.fail("something was started"))
    for command in ("run", "up"):
        shown = CliRunner().invoke(group, [command, "portainer", "--bind", "300.1.1.1"])
        assert isinstance(shown.exception, UsageError)
        assert str(shown.exception).startswith("bind address '300.1.1.1' is neither an IP address nor a host name")


@pytest.mark.parametrize("command", ["run", "up"])
def test_help_lists_the_scenarios_and_their_options(command: str) -> None:
    """Each stands there with its summary, and each option with its scenario, its help and its default."""
    words = " ".join(CliRunner().invoke(group, [command, "--help"]).output.split())
    for scenario in EVERY:
        assert f"{scenario.name} {scenario.summary}" in words
        for option in scenario.options:
            assert f"--{option.name} {option.metavar} {scenario.name}: {' '.join(option.help.split())}" in words
            assert f"[default of a lab that stays: {option.text(option.default)}]" in words


def test_an_option_that_two_scenarios_have_is_offered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its help says of each what it is; each reads it its own way."""
    nowhere: Reference[Topology] = Reference("nowhere", "nothing")

    def sized(name: str, option: Option[int] | Option[str]) -> Scenario:
        return Scenario(name, "as this test has it", nowhere, Reference("nowhere", "nothing"), options=(option,))

    number = Option("how-big", "N", "How many.", parse=int, text=str, default=3)
    word = Option("how-big", "WORD", "How big.", parse=str.upper, text=str, default="S")
    monkeypatch.setattr("testbed.cli.scenarios.table.every", lambda: (sized("one", number), sized("two", word)))
    (offered,) = offering._offered.__wrapped__()
    assert (offered.name, offered.help) == (
        "how_big",
        "one: How many. [default of a lab that stays: 3] two: How big. [default of a lab that stays: S]",
    )
    assert offering.chosen(sized("one", number), {"how_big": "5"}) == Options({"how-big": 5})
    assert offering.chosen(sized("two", word), {"how_big": "l"}) == Options({"how-big": "L"})


def test_a_scenario_cannot_be_changed() -> None:
    """It is a value, and so are its options."""
    for value in (PORTAINER, BIND, NO_OPTIONS):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, None)
