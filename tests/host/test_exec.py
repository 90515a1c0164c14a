"""Labs in the background, and commands in them, as a user types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.images import ImageStore
from testbed.topology import RESOLVER_ADDRESS
from tests.host.leftovers import TESTBED
from tests.typed import typed_here

Image = Callable[[str], str]
#: Other runs on this machine have labs too, and there may be several of ours: pytest-xdist has a process for each.
NAME: Final = f"exec-{os.getpid()}"
OTHER: Final = f"other-{os.getpid()}"
TWIN: Final = f"twin-{os.getpid()}"


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, for what needs one: to go on after it, or to be what it becomes."""
    return subprocess.run([TESTBED, *words], capture_output=True, text=True, check=False, timeout=100)


def listed(name: str) -> dict[str, Any] | None:
    """What ``testbed list --json`` says of a lab, None where it does not list it."""
    found = json.loads(typed_here("list", "--json").stdout)["labs"]
    return next((dict(lab) for lab in found if lab["name"] == name), None)


def up(name: str, *words: str) -> None:
    """Start a lab that must come up."""
    done = typed("up", "portainer", "--name", name, *words)
    assert done.returncode == 0, done.stderr


def remove(name: str) -> None:
    """End a lab if there is one, by its keeper where it does not listen."""
    lab = listed(name)
    if lab is not None and typed_here("down", name).returncode != 0:
        with suppress(ProcessLookupError):
            os.kill(lab["keeper"], signal.SIGKILL)


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and is only not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture(scope="module")
def lab(testbed_session: None) -> Iterator[str]:
    """The name of a lab that runs in the background, its tunnel on 127.0.0.1."""
    try:
        up(NAME)
        yield NAME
    finally:
        remove(NAME)


def test_a_container_is_entered_with_its_own_names(lab: str) -> None:
    """A command in Portainer's container sees that container's hosts file, though its image holds no program."""
    done = typed_here("exec", "--lab", lab, "portainer", "--", "cat", "/etc/hosts")
    assert done.returncode == 0, done.stderr
    # Podman from 4.7 on puts host.docker.internal behind it.
    assert re.search(r"^10\.88\.0\.1\thost\.containers\.internal( |$)", done.stdout, re.MULTILINE)
    assert "10.88.0.10\tportainer portainer\n" in done.stdout


def test_a_container_is_entered_with_its_own_resolver(lab: str) -> None:
    """A command in a container of the second network asks that network's resolver first."""
    done = typed_here("exec", "--lab", lab, "second", "--", "cat", "/etc/resolv.conf")
    first = "search dns.podman\nnameserver 10.89.0.1\n"
    # Podman 4 has the host's own as a second one; from 5 on the network's asks it (netavark 1.10).
    assert done.stdout in (f"{first}nameserver {RESOLVER_ADDRESS}\n", first)


@pytest.mark.parametrize("name", ["portainer", "agent"])
def test_a_container_from_scratch_is_entered_with_the_hosts_programs(lab: str, name: str) -> None:
    """A container whose image has neither a shell nor any other program is entered with this machine's."""
    done = typed_here("exec", "--lab", lab, name, "--", "sh", "-c", "ip -json -4 address show eth0")
    assert done.returncode == 0, done.stderr
    (link,) = json.loads(done.stdout)
    assert link["addr_info"][0]["local"].startswith("10.88.0.")


def test_a_container_without_a_network_is_entered(lab: str) -> None:
    """A command in a container without a network has loopback, and no resolver."""
    links = typed_here("exec", "--lab", lab, "nonet", "--", "ip", "-json", "link")
    assert [link["ifname"] for link in json.loads(links.stdout)] == ["lo"]
    assert typed_here("exec", "--lab", lab, "nonet", "--", "cat", "/etc/resolv.conf").stdout == ""


@pytest.mark.parametrize("name", ["laptop", "portainer"])
def test_a_command_starts_in_the_callers_folder(lab: str, tmp_path: Path, name: str) -> None:
    """A command on a host, and one with a container's network, has the folder that it was called in."""
    assert typed_here("exec", "--lab", lab, name, "--", "pwd", cwd=tmp_path).stdout == f"{tmp_path}\n"


def test_a_host_is_entered(lab: str) -> None:
    """On the laptop a command sees the tunnel's listener, on 127.0.0.1 and nowhere else."""
    done = typed_here("exec", "--lab", lab, "laptop", "--", "ss", "-Hltn")
    listeners = [line.split()[3] for line in done.stdout.splitlines()]
    assert [address for address in listeners if address.endswith(":19001")] == ["127.0.0.1:19001"]


def test_a_host_is_entered_under_its_own_name(lab: str) -> None:
    """A command on the remote machine runs on the remote machine."""
    assert typed_here("exec", "--lab", lab, "remote", "--", "hostname").stdout == "remote\n"


def test_podman_on_a_host_is_that_hosts(lab: str) -> None:
    """Podman on a host of a lab lists the containers of that host."""
    done = typed_here("exec", "--lab", lab, "remote", "--", "podman", "ps", "--format", "{{.Names}}")
    assert sorted(done.stdout.split()) == ["agent", "sshd"]


@pytest.mark.parametrize("name", ["laptop", "portainer"])
@pytest.mark.parametrize("status", [0, 7, 255])
def test_the_exit_code_is_the_commands(lab: str, name: str, status: int) -> None:
    """The command ends with the status of what it ran."""
    assert typed("exec", "--lab", lab, name, "--", "sh", "-c", f"exit {status}").returncode == status


def test_words_after_the_dashes_are_the_commands_own(lab: str) -> None:
    """Options and dashes behind -- go to the command, as they are."""
    done = typed_here("exec", "--lab", lab, "laptop", "--", "printf", "%s|", "--lab", "--", "a b")
    assert done.stdout == "--lab|--|a b|"


def test_an_unknown_name_lists_the_known_ones(lab: str) -> None:
    """A name that no lab has is an error that says which there are."""
    done = typed_here("exec", "--lab", lab, "nosuch", "--", "true")
    assert done.returncode == 2
    assert done.stderr == (
        "testbed: no running lab has a host or container 'nosuch': there are laptop, remote, neighbour, "
        "agent, sshd, portainer, second, inner, hostnet, nonet, sidecar\n"
    )


def test_an_unknown_lab_is_named(testbed_session: None) -> None:
    """A lab that does not run is an error that says so and how to start one."""
    done = typed_here("exec", "--lab", "no-such-lab", "laptop", "--", "true")
    assert done.returncode == 2
    assert "no lab called 'no-such-lab' is running: start one with 'testbed up portainer'" in done.stderr


def test_no_command_is_a_usage_error() -> None:
    """Without a command nothing is run, and an example says how."""
    done = typed_here("exec", "laptop")
    assert done.returncode == 2
    assert "give a command after --, for example: testbed exec laptop -- ip route" in done.stderr


def test_without_a_name_there_is_a_fresh_host(testbed_session: None) -> None:
    """A command without a name runs on a host of its own, with nothing on it and no way out."""
    done = typed("exec", "--", "sh", "-c", "hostname; ip -json link; exit 9")
    name, links = done.stdout.split("\n", 1)
    assert name == "host"
    assert {link["ifname"] for link in json.loads(links)} == {"lo", "resolver0"}
    assert done.returncode == 9


def test_a_fresh_host_runs_containers(testbed_image: Image, testbed_image_store: ImageStore) -> None:
    """On a host without a name Podman runs the store's images, on a podman0 that is there at once."""
    del testbed_image_store  # is the one that the command takes too
    done = typed("exec", "--", "podman", "run", "--rm", testbed_image("base"), "cat", "/etc/hosts")
    assert done.returncode == 0, done.stderr
    # Podman from 4.7 on puts host.docker.internal behind it.
    assert re.search(r"^10\.88\.0\.1\thost\.containers\.internal( |$)", done.stdout, re.MULTILINE)


def test_a_lab_is_listed(lab: str) -> None:
    """The list has the lab with its scenario, its tunnel's address, its keeper, hosts and containers."""
    found = listed(lab)
    assert found is not None
    assert (found["scenario"], found["options"]) == ("portainer", {"bind": "127.0.0.1"})
    assert list(found["hosts"]) == ["laptop", "remote", "neighbour"]
    assert found["containers"]["portainer"]["host"] == "laptop"
    assert runs(found["keeper"])


def test_a_name_that_is_taken_is_refused(lab: str) -> None:
    """A second lab of the same name is refused, with the command that ends the first."""
    done = typed_here("up", "portainer", "--name", lab)
    assert done.returncode == 2
    said = f"testbed: a lab called {lab!r} is running already: 'testbed down {lab}' ends it"
    assert done.stderr.splitlines()[-1] == said


@pytest.mark.testbed
@pytest.mark.parametrize("name", ["a/b", " ", "-", "x" * 41, ""])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    """What cannot be a lab's name is refused before anything is started."""
    done = typed_here("up", "portainer", "--name", name)
    assert done.returncode == 2
    assert "is no name for a lab: letters, digits, - and _, at most 40 of them" in done.stderr


@pytest.fixture(scope="module")
def two(lab: str) -> Iterator[dict[str, str]]:
    """Two labs of one scenario: the address that the tunnel of each is bound to, by its name."""
    try:
        up(TWIN, "--bind", "10.88.0.1")
        yield {lab: "127.0.0.1", TWIN: "10.88.0.1"}
    finally:
        remove(TWIN)


def test_names_in_two_labs_need_the_lab(two: dict[str, str]) -> None:
    """Where two labs have a host of that name, one line says what to type, and with that, or --lab, each is found."""
    unclear = typed_here("exec", "laptop", "--", "true")
    assert unclear.returncode == 2
    (line,) = unclear.stderr.splitlines()
    assert line.startswith("testbed: 'laptop' may be any of ")
    assert line.endswith(": give one of these")
    for name, address in two.items():
        assert f"{name}/laptop" in line
        for words in (("--lab", name, "laptop"), (f"{name}/laptop",)):
            done = typed_here("exec", *words, "--", "ss", "-Hltn", "sport", "=", ":19001")
            assert done.stdout.split()[3] == f"{address}:19001"


@pytest.mark.parametrize("command", ["explain", "trace", "picture"])
def test_of_two_labs_each_is_looked_at_for_itself(two: dict[str, str], command: str, tmp_path: Path) -> None:
    """A name of both is refused with those that are one's; by these each connects to its own tunnel alone."""
    words = [command]
    if command == "picture":
        words = ["explain", "--evidence", str(tmp_path / "both.json")]
        assert typed("evidence", "-o", words[-1]).returncode == 0
    said = typed(*words, "--from", "laptop", "127.0.0.1:19001")
    assert said.returncode == 3, said
    last = said.stderr.splitlines()[-1]
    assert [name for name in two if f"{name}/laptop" not in last] == []
    # The other one listens on podman0's address, which each laptop has, and not on its loopback.
    ended = [typed(*words, "--from", f"{name}/laptop", "127.0.0.1:19001").returncode for name in two]
    assert ended == [0, 1]


def test_a_container_is_found_by_name_id_and_first_letters(lab: str) -> None:
    """What explain finds exec finds: also one that somebody ran by hand, which the keeper does not know."""
    on_laptop = ("exec", "--lab", lab, "laptop", "--", "podman")
    image = typed_here(*on_laptop, "inspect", "--format={{.ImageName}}", "hostnet").stdout.strip()
    made = typed_here(*on_laptop, "run", "-d", "--name=byhand", "--network=none", image, "sleep", "infinity")
    assert made.returncode == 0, made.stderr
    try:
        for text in ("byh", made.stdout[:12], f"{lab}/byhand"):
            links = typed_here("exec", "--lab", lab, text, "--", "ip", "-json", "link")
            assert [link["ifname"] for link in json.loads(links.stdout)] == ["lo"], links.stderr
            said = typed("explain", "--lab", lab, "--no-attempt", "--from", text, "--json", "127.0.0.1:1")
            assert json.loads(said.stdout)["cause"] == "nobody-listens"
    finally:
        typed_here(*on_laptop, "rm", "--force", "--time=0", "byhand")


def test_an_id_is_enough_to_find_its_lab(lab: str) -> None:
    """As podman ps prints it, and without --lab: it is nobody else's."""
    listed_id = typed_here(
        "exec", "--lab", lab, "laptop", "--", "podman", "ps", "-q", "--filter=name=portainer"
    ).stdout.strip()
    assert typed_here("exec", listed_id, "--", "true").returncode == 0
    assert typed("explain", "--no-attempt", "--from", listed_id, "127.0.0.1:1").returncode == 1


def test_a_lab_that_is_ended_is_gone(testbed_session: None) -> None:
    """Down ends the lab with its keeper, which is neither listed nor running when it returns."""
    try:
        up(OTHER, "--bind", "none")
        before = listed(OTHER)
        assert before is not None
        assert before["options"] == {"bind": "none"}
        done = typed_here("down", OTHER)
        assert (done.returncode, done.stdout) == (0, f"{OTHER} is gone, with all that was on it\n")
        assert listed(OTHER) is None
        assert [pid for pid in (before["keeper"], *before["hosts"].values()) if runs(pid)] == []
    finally:
        remove(OTHER)


@pytest.mark.testbed
def test_ending_a_lab_that_does_not_run_is_an_error() -> None:
    """Down with a name that no lab has says so."""
    done = typed_here("down", "no-such-lab")
    assert done.returncode == 2
    assert done.stderr == "testbed: no lab called 'no-such-lab' is running; see 'testbed list'\n"
