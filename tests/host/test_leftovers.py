"""Whatever ends it and whenever, nothing is left behind, and the next run works."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from testbed import tools
from testbed.waiting import wait_for
from tests.host.leftovers import CHECKOUT, TESTBED, Run, Snapshot, Stage


@pytest.fixture
def before(stage: Stage, testbed_image: Callable[[str], str]) -> Snapshot:
    """What stands on the stage before anything ran there; the images are built by then."""
    for role in ("portainer", "agent", "sshd", "base"):
        testbed_image(role)
    stage.take()  # the tools that list rules leave files of their own when they run first
    return stage.take()


def await_start(stage: Stage, before: Snapshot, run: Run) -> None:
    """Until the first host comes up. A mount of the machine's may hold a namespace that was there before."""
    wait_for(
        lambda: stage.networks() - before.networks,
        "a host to come up",
        seconds=60,
        state=lambda: run.stdout + run.stderr,
    )


def await_middle(stage: Stage, before: Snapshot, run: Run) -> None:
    """Until the first step of the story is told."""
    run.await_output("✓ 1. The agent answers on the remote machine")


def await_matrix(stage: Stage, before: Snapshot, run: Run) -> None:
    """Until the last step of the story is told, and the matrix runs."""
    run.await_output("8. The price of 0.0.0.0")


MOMENTS: Final = pytest.mark.parametrize("moment", [await_start, await_middle, await_matrix])
Moment = Callable[[Stage, Snapshot, Run], None]


def run_portainer(stage: Stage, *words: str) -> Run:
    """Start ``testbed run portainer``."""
    return stage.start(TESTBED, "run", "portainer", *words)


def assert_the_next_run_works(stage: Stage, before: Snapshot) -> None:
    """A run with one bind address has the outcome it should have, and leaves nothing either."""
    following = run_portainer(stage, "--bind", "127.0.0.1")
    assert following.wait() == 0, following.stdout + following.stderr
    stage.await_nothing_since(before)


def test_a_run_leaves_nothing(stage: Stage, before: Snapshot) -> None:
    """A run that ends by itself has left nothing, in that very moment."""
    run = run_portainer(stage)
    assert run.wait() == 0, run.stdout + run.stderr
    assert stage.take().since(before) == {}


def test_a_running_lab_touches_nothing_of_its_machine(stage: Stage, before: Snapshot) -> None:
    """While all containers run, the machine has the links, mounts, rules and files that it had before."""
    run = run_portainer(stage)
    await_middle(stage, before, run)
    new = stage.take().since(before)
    assert len(new.pop("networks")) >= 3, "the hosts were not there to be looked at"
    assert len(new.pop("processes")) >= 3
    # What connects to a socket inside a host is seen here as well; a name or a port here would be the machine's.
    assert [socket for socket in new.pop("sockets") if not socket.startswith("unix") or "@" in socket] == []
    assert new == {}


@MOMENTS
@pytest.mark.parametrize(
    ("number", "word", "expected"), [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)]
)
def test_an_interrupted_run_leaves_nothing(
    stage: Stage, before: Snapshot, moment: Moment, number: signal.Signals, word: str, expected: int
) -> None:
    """After Ctrl-C or SIGTERM a run says one line and ends with its code; nothing is left then, and the next works."""
    run = run_portainer(stage)
    moment(stage, before, run)
    status = run.kill(number)
    left = stage.take().since(before)
    assert (run.stderr.strip(), status) == (f"testbed: {word}; nothing is left behind", expected), run.stdout
    assert left == {}
    assert_the_next_run_works(stage, before)


@MOMENTS
def test_a_killed_run_leaves_nothing(stage: Stage, before: Snapshot, moment: Moment) -> None:
    """A run that is killed at any moment takes everything along, and the next run works."""
    run = run_portainer(stage)
    moment(stage, before, run)
    assert run.kill(signal.SIGKILL) != 0
    stage.await_nothing_since(before)
    assert_the_next_run_works(stage, before)


OWNER: Final = """
import sys
from testbed.host.private import PrivateHost

host = PrivateHost("owned")
host.engine.ready()
host.popen(["sleep", "infinity"])
print("up", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_host_ends_with_its_owner(stage: Stage, before: Snapshot, number: signal.Signals) -> None:
    """A program that made a private host takes it along, however that program ends."""
    owner = stage.python(OWNER)
    owner.await_output("up")
    assert stage.take().since(before)["networks"]
    owner.kill(number)
    stage.await_nothing_since(before)


def test_a_killed_keeper_takes_its_lab_along(stage: Stage, before: Snapshot) -> None:
    """A lab in the background is gone when its keeper is killed, its name is free again, and it can be started anew."""
    assert stage.start(TESTBED, "up", "portainer", "--name", "kept").wait() == 0
    (lab,) = json.loads(stage.output(TESTBED, "list", "--json"))["labs"]
    stage.output("kill", "-KILL", str(lab["keeper"]))
    stage.await_nothing_since(before)
    assert json.loads(stage.output(TESTBED, "list", "--json"))["labs"] == []
    assert stage.start(TESTBED, "up", "portainer", "--name", "kept").wait() == 0
    stage.output(TESTBED, "down", "kept")
    stage.await_nothing_since(before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_lab_that_was_stopped_coming_up_leaves_nothing(
    stage: Stage, before: Snapshot, number: signal.Signals
) -> None:
    """Ending ``testbed up`` while the lab comes up leaves neither a lab nor a keeper."""
    run = stage.start(TESTBED, "up", "portainer", "--name", "early")
    await_start(stage, before, run)
    run.kill(number)
    stage.await_nothing_since(before, seconds=60)


PYTEST_FILE: Final = '''
import sys


def test_lab(portainer_lab):
    """Uses a lab and then waits."""
    assert portainer_lab.hosts
    print("the lab is up", flush=True)
    sys.__stdin__.buffer.raw.read(1)
'''


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_pytest_leaves_nothing(stage: Stage, before: Snapshot, number: signal.Signals) -> None:
    """A pytest that is ended in the middle of a test takes its lab along, and another beside it goes on."""
    stage.path("/tmp/test_lab.py").write_text(PYTEST_FILE, encoding="utf-8")
    before = stage.take()
    first, second = (stage.start("pytest", "-sq", "-p", "no:cacheprovider", "/tmp/test_lab.py") for _ in range(2))
    for run in (first, second):
        run.await_output("the lab is up")
    assert first.kill(number) != 0
    second.tell("go on")
    assert second.wait() == 0, second.stdout + second.stderr
    stage.await_nothing_since(before)


# Other commands

#: Where Podman keeps root's images: one of the machine's there would be taken for the base.
MACHINES_IMAGES: Final = Path("/var/lib/containers")
#: An image store on the stage whose files are not counted: what a build has made until then may stay in it.
EMPTY_STORE: Final = "/mnt/store"


@pytest.fixture
def cut_off(stage: Stage, before: Snapshot) -> Snapshot:
    """What stands on the stage once it has room for a store, and a network that swallows what is sent."""
    for folder in (Path(EMPTY_STORE).parent, MACHINES_IMAGES):
        if folder.is_dir():
            stage.output(tools.need("mount", "mount"), "-t", "tmpfs", "tmpfs", str(folder))
    for words in ("link add away type bridge", "link set away up", "route add default dev away"):
        stage.output(tools.need("ip", "iproute2"), *words.split())
    return stage.take()


def on_a_fresh_host(stage: Stage) -> Run:
    """A command on a private host of its own, which runs."""
    run = stage.start(TESTBED, "exec", "--", "sh", "-c", "echo up; exec sleep infinity")
    run.await_output("up")
    return run


def building(stage: Stage) -> Run:
    """A build into an empty store, while mmdebstrap waits for the mirror; what it has unpacked stands somewhere."""
    run = stage.start("env", f"TESTBED_CACHE={EMPTY_STORE}", TESTBED, "build")
    log = stage.path(f"{EMPTY_STORE}/logs/base.log")
    wait_for(
        lambda: log.exists() and "I: running apt-get update" in log.read_text(encoding="utf-8"),
        "mmdebstrap to look for packages",
        seconds=60,
        state=lambda: run.stdout + run.stderr,
    )
    return run


def measure(stage: Stage) -> Run:
    """Start the quick measurement of hosts."""
    words = ("-m", "benchmarks", "--quick", "--only", "host", "--json")
    return stage.start("env", f"--chdir={CHECKOUT}", sys.executable, *words)


def measuring(stage: Stage) -> Run:
    """A benchmark in its middle."""
    run = measure(stage)
    run.await_output("host: round 1 of 3, the scenario")
    return run


TERMINATED: Final = ("testbed: terminated; nothing is left behind", 143)
STAYS: Final = "the images that are done stay, and the next build removes what is half made"
KILLED: Final = ("", -signal.SIGKILL)


@pytest.mark.parametrize(
    ("start", "number", "expected"),
    [
        (on_a_fresh_host, signal.SIGINT, ("", 130)),  # a Ctrl-C is the command's, and it ended by it
        (on_a_fresh_host, signal.SIGTERM, TERMINATED),
        (on_a_fresh_host, signal.SIGKILL, KILLED),
        (building, signal.SIGINT, (f"testbed: interrupted; {STAYS}", 130)),
        (building, signal.SIGTERM, (f"testbed: terminated; {STAYS}", 143)),
        (building, signal.SIGKILL, KILLED),
        (measuring, signal.SIGINT, ("benchmarks: interrupted; nothing is left behind", 130)),
        (measuring, signal.SIGKILL, KILLED),
    ],
    ids=lambda value: getattr(value, "__name__", getattr(value, "name", "")),
)
def test_another_command_that_is_ended_leaves_nothing(
    stage: Stage,
    cut_off: Snapshot,
    start: Callable[[Stage], Run],
    number: signal.Signals,
    expected: tuple[str, int],
) -> None:
    """A command on a fresh host, a build and a benchmark say one line at most when ended, and leave no more."""
    run = start(stage)
    told = len(run.stderr)
    assert stage.take().since(cut_off)["processes"]
    status = run.kill(number)
    if number == signal.SIGKILL:
        stage.await_nothing_since(cut_off)
    left = stage.take().since(cut_off)
    assert (run.stderr[told:].strip(), status) == expected
    assert left == {}


def test_benchmarks_measure(stage: Stage, before: Snapshot) -> None:
    """A quick run has three samples, all of them above nothing, of each thing it measures, and leaves nothing."""
    run = measure(stage)
    assert run.wait() == 0, run.stderr
    series = json.loads(run.stdout)["series"]
    assert {one["name"]: len(one["samples"]) for one in series} == dict.fromkeys(
        ("up", "first", "down", "scenario_up", "scenario_down"), 3
    )
    assert all(sample > 0 for one in series for sample in one["samples"])
    assert stage.take().since(before) == {}
