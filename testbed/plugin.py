"""The pytest plugin: thin fixtures over the classes, a marker, and becoming root when that is needed.

Fixtures to use: ``private_host`` and ``make_private_host`` (fresh for each test), ``testbed_image`` (the tag of an
image, built if it has to be), ``frames``, ``fdb`` and ``neighbours`` (what passes an interface, whom a bridge knows,
and whom a host or container), ``trace`` (one request, hop by hop), ``make_lab`` (fresh labs of a topology or a
scenario) and ``shared_lab`` (a scenario's, shared by the session); a scenario may bring fixtures of its own beside
these. Settings to override: ``testbed_image_store`` and ``testbed_recipes``.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from testbed import images
from testbed.background.holder import hand_over
from testbed.errors import Error
from testbed.evidence import Neighbour
from testbed.frames import Capture, FdbRow, Frame, Tap, every
from testbed.frames import tables as link_layer
from testbed.host import Host, PrivateHost, local
from testbed.images import ImageStore, Recipe
from testbed.lab import Lab
from testbed.namespaces import NetworkNamespace, become_root, is_root
from testbed.scenarios import table
from testbed.scenarios.scenario import Scenario
from testbed.scenarios.scenario_lab import ScenarioLab, start
from testbed.scenarios.shared_labs import SharedLabs
from testbed.topology import Topology

if TYPE_CHECKING:
    from testbed.trace import Journey

_MARKER: Final = "testbed"
_BECOME_ROOT: Final = "testbed_become_root"
#: Before becoming root: what the labs that are kept belong to.
_UID: Final = os.getuid()
_labs = pytest.StashKey[list[str]]()
_kept = pytest.StashKey[set[str]]()
_numbers = itertools.count(1)

#: The fixtures that scenarios bring themselves.
pytest_plugins = tuple(scenario.fixtures for scenario in table.every() if scenario.fixtures)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and the one ini setting."""
    group = parser.getgroup("testbed", "containers and hosts of their own")
    group.addoption(
        "--testbed-host",
        choices=["private", "local"],
        default="private",
        help="The host of a shared lab that its scenario names for it, as portainer does its laptop: a private host "
        "(default), or this machine with its own Podman (as root).",
    )
    group.addoption(
        "--testbed-keep",
        action="store_true",
        help="Leave up the hosts of the fixtures of a test that failed, and print how to enter them.",
    )
    parser.addini(
        _BECOME_ROOT,
        "Under pytest-xdist become root of a user namespace before the workers start, as -m testbed does.",
        type="bool",
        default=False,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker. With pytest-xdist, become root before workers (and their threads) exist."""
    config.addinivalue_line("markers", f"{_MARKER}: needs hosts: namespaces and Podman")
    selected = _MARKER in config.option.markexpr and f"not {_MARKER}" not in config.option.markexpr
    if getattr(config.option, "numprocesses", None) and (selected or config.getini(_BECOME_ROOT)):
        _or_exit(become_root)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever uses a host."""
    for item in items:
        if "testbed_session" in getattr(item, "fixturenames", ()):
            item.add_marker(_MARKER)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Become root once it is known that a selected test needs it, while this process has no threads yet."""
    chosen = any(item.get_closest_marker(_MARKER) for item in session.items)
    if not chosen or session.config.option.collectonly:
        return
    if session.config.getoption("--testbed-host") == "local":
        _or_exit(local.fit)
    if not is_root():
        _or_exit(become_root)


def _or_exit(call: Callable[[], None]) -> None:
    """What this machine lacks is said once, in one line, and not again for every test."""
    try:
        call()
    except Error as exc:
        pytest.exit(f"testbed: {exc}", returncode=exc.exit_code)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say in a failed test's report how to enter what is kept of it."""
    report = yield
    if report.failed and report.when == "call" and item.config.getoption("--testbed-keep"):
        for lab in item.stash.get(_labs, []):
            item.session.stash.setdefault(_kept, set()).add(lab)
            text = f"testbed exec --lab {lab} NAME -- COMMAND    testbed list    testbed down {lab}"
            report.sections.append(("its lab is kept", text))
    return report


def _name_lab(node: pytest.Item, name: str) -> str:
    """Note that a test uses a lab, by the name it will have if it is kept."""
    node.stash.setdefault(_labs, []).append(name)
    return name


def _next_name() -> str:
    """A name for a lab that no other test has: each process of pytest-xdist has a number of its own."""
    return f"pytest-{os.getpid()}-{next(_numbers)}"


def _shared_name(scenario: str) -> str:
    """The name of a scenario's shared lab."""
    return f"pytest-{os.getpid()}-{scenario}"


def _is_kept(session: pytest.Session, name: str) -> bool:
    return name in session.stash.get(_kept, set())


def _keep(lab: Lab, name: str, scenario: str) -> None:
    """Let a process in the background keep a lab when pytest ends.

    :param scenario: what 'testbed list' shows it to be of
    """
    hand_over(lab.hosts, lab.containers, scenario=scenario, name=name, uid=_UID)
    lab.let_go()


@pytest.fixture(scope="session")
def testbed_session() -> None:
    """What every fixture with a host depends on; tests that use one are marked ``testbed``."""


@pytest.fixture(scope="session")
def testbed_image_store() -> ImageStore:
    """Where images are kept; override it to keep them elsewhere."""
    return ImageStore()


@pytest.fixture(scope="session")
def testbed_recipes() -> Mapping[str, Recipe]:
    """Images of your own, by role; override it: ``{"app": Recipe("app", Path("app"), {"BASE": "base"})}``."""
    return {}


@pytest.fixture(scope="session")
def testbed_say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tells the person in front of the terminal what takes long, past pytest's capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    terminal = pytestconfig.pluginmanager.getplugin("terminalreporter")

    def say(line: str) -> None:
        if capture is None or terminal is None:
            return
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(f"testbed: {line}")

    return say


@pytest.fixture(scope="session")
def testbed_image(
    testbed_session: None,
    testbed_image_store: ImageStore,
    testbed_recipes: Mapping[str, Recipe],
    testbed_say: Callable[[str], None],
) -> Callable[[str], str]:
    """The tag of an image by its role, such as ``base`` or one of ``testbed_recipes``; built when first asked for."""
    recipes = {**images.own_recipes(), **testbed_recipes}

    def tag(role: str) -> str:
        return images.ensure([role], store=testbed_image_store, recipes=recipes, say=testbed_say)[role]

    return tag


@pytest.fixture
def make_private_host(
    request: pytest.FixtureRequest, testbed_session: None, testbed_image_store: ImageStore
) -> Iterator[Callable[..., PrivateHost]]:
    """Makes private hosts, ended with the test: ``make_private_host("web")``, with PrivateHost's own arguments."""
    kept_as = _name_lab(request.node, _next_name())
    hosts: dict[str, PrivateHost] = {}
    with ExitStack() as closing:

        def make(name: str = "host", **options: Any) -> PrivateHost:
            if testbed_image_store.storage.is_dir():
                options.setdefault("image_store", testbed_image_store.storage)
            hosts[name] = closing.enter_context(PrivateHost(name, **options))
            return hosts[name]

        yield make
        if _is_kept(request.session, kept_as):
            hand_over(hosts, {}, scenario=request.node.name, name=kept_as, uid=_UID)
            closing.pop_all()


@pytest.fixture
def private_host(make_private_host: Callable[..., PrivateHost]) -> PrivateHost:
    """A fresh private host for this test."""
    return make_private_host()


@pytest.fixture
def frames(testbed_session: None) -> Iterator[Callable[..., Capture]]:
    """Captures frames until the test ends: ``frames((private_host.net, "podman0"), wanted=lambda frame: frame.arp)``.

    Each place is a network namespace and an interface of it, or a Tap, which has a name of its own.
    """
    with ExitStack() as closing:

        def capture(*places: Tap | tuple[NetworkNamespace, str], wanted: Callable[[Frame], object] = every) -> Capture:
            taps = [place if isinstance(place, Tap) else Tap.on(*place) for place in places]
            return closing.enter_context(Capture(taps, wanted=wanted))

        yield capture


@pytest.fixture
def fdb(testbed_session: None) -> Callable[[NetworkNamespace, str], tuple[FdbRow, ...]]:
    """Reads whom a bridge knows, and by which port: ``fdb(private_host.net, "podman0")``."""
    return link_layer.fdb


@pytest.fixture
def neighbours(testbed_session: None) -> Callable[[NetworkNamespace], tuple[Neighbour, ...]]:
    """Reads whose MAC addresses a host or container knows: ``neighbours(container.net)``."""
    return link_layer.neighbours


@pytest.fixture
def trace(testbed_session: None) -> Callable[..., Journey]:
    """Follows one request through some hosts: ``trace(lab.hosts.values(), "jack", "http://shop/")``.

    What else it takes is that of :func:`testbed.trace.follow`.
    """
    from testbed.readers.sources import of_host  # noqa: PLC0415 - tests that trace nothing need not wait for these
    from testbed.trace import follow  # noqa: PLC0415

    def followed(hosts: Iterable[Host], place: str, target: str, **options: Any) -> Journey:
        return follow([of_host(host) for host in hosts], place, target, **options)

    return followed


@pytest.fixture(scope="session")
def shared_labs(
    request: pytest.FixtureRequest,
    testbed_session: None,
    testbed_image_store: ImageStore,
    testbed_say: Callable[[str], None],
) -> Iterator[SharedLabs]:
    """The labs of scenarios that the tests of a session share, one of each, started when first asked for."""
    local = request.config.getoption("--testbed-host") == "local"
    with SharedLabs(testbed_image_store, testbed_say, local=local) as labs:
        yield labs
        for scenario, lab in labs.started.items():
            if _is_kept(request.session, _shared_name(scenario)):
                _keep(lab, _shared_name(scenario), scenario)


@pytest.fixture
def shared_lab(request: pytest.FixtureRequest, shared_labs: SharedLabs) -> Callable[[Scenario | str], ScenarioLab]:
    """Returns the lab of a scenario that the tests of a session share: ``shared_lab("switch")``."""

    def shared(what: Scenario | str) -> ScenarioLab:
        scenario = table.find(what) if isinstance(what, str) else what
        _name_lab(request.node, _shared_name(scenario.name))
        return shared_labs.of(scenario)

    return shared


@pytest.fixture
def make_lab(
    request: pytest.FixtureRequest,
    testbed_session: None,
    testbed_image_store: ImageStore,
    testbed_recipes: Mapping[str, Recipe],
    testbed_say: Callable[[str], None],
) -> Iterator[Callable[[Topology | Scenario | str], ScenarioLab]]:
    """Makes fresh labs of private hosts, ended with the test: ``make_lab(topology)``, ``make_lab("switch")``.

    It takes a Topology, whose images may be of ``testbed_recipes``, or a Scenario, by value or by name.
    """
    labs: dict[str, tuple[ScenarioLab, str]] = {}
    recipes = {**images.own_recipes(), **testbed_recipes}
    with ExitStack() as closing:

        def make(what: Topology | Scenario | str) -> ScenarioLab:
            made_of = table.find(what) if isinstance(what, str) else what
            kept_as = _name_lab(request.node, _next_name())
            lab = closing.enter_context(start(made_of, store=testbed_image_store, recipes=recipes, say=testbed_say))
            labs[kept_as] = lab, request.node.name if isinstance(made_of, Topology) else made_of.name
            return lab

        yield make
        for name, (lab, scenario) in labs.items():
            if _is_kept(request.session, name):
                _keep(lab, name, scenario)
