"""The compose files against the topologies: as they are written, as Podman has them, and in what can be seen there."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner

from benchmarks.compose import podman_compose
from testbed import images
from testbed.cli.group import group
from testbed.images import ImageStore
from testbed.lab import Lab
from testbed.scenarios.portainer.topology import TOPOLOGY as PORTAINER
from testbed.scenarios.toaster.deeds import ask, order, write
from testbed.scenarios.toaster.story import scenes
from testbed.scenarios.toaster.topology import ORDERS, ORDERS_PORT
from testbed.scenarios.toaster.topology import TOPOLOGY as TOASTER
from testbed.topology import Topology
from tests.scenarios import test_portainer
from tests.scenarios.composed import FOLDER, Composed, ComposedPortainer, ComposedToaster, read
from tests.scenarios.declared import (
    difference,
    like,
    networks_of_compose,
    of_compose,
    of_topology,
)

TOPOLOGIES: Final[Mapping[str, Topology]] = {"portainer": PORTAINER, "toaster": TOASTER}
#: Whose the services are that name no profile: a file for one machine has none.
HOSTS: Final = {"portainer": "laptop", "toaster": "shop"}
TAGS: Final = {role: f"localhost/testbed/{role}:0" for topology in TOPOLOGIES.values() for role in topology.roles}
each_file = pytest.mark.parametrize("name", TOPOLOGIES)


# As they are written


@each_file
def test_a_file_says_of_each_container_what_the_topology_says(name: str) -> None:
    """Host, image, network, addresses, ports, command, names, environment, secrets, seal and volumes: all the same."""
    lines = difference(of_topology(TOPOLOGIES[name]), of_compose(read(name), HOSTS[name]))
    assert not lines, "\n".join(lines)


@each_file
def test_a_file_makes_the_networks_of_the_topology(name: str) -> None:
    """Subnet, gateway and whether it is internal; Podman's own network is not made."""
    assert networks_of_compose(read(name), HOSTS[name]) == set(TOPOLOGIES[name].networks)


def _changed(name: str, service: str, key: str, value: object) -> dict[str, Any]:
    file = copy.deepcopy(read(name))
    file["services"][service][key] = value
    return file


def test_a_drift_is_told_value_by_value() -> None:
    """Another address in the file makes one line that names the container, the value and both sides."""
    file = _changed("toaster", "orders", "networks", {"podman": {"ipv4_address": "10.88.0.99"}})
    assert difference(of_topology(TOASTER), of_compose(file, "shop")) == [
        "orders.networks.podman.address: '10.88.0.11' in the topology, '10.88.0.99' here"
    ]


def test_a_container_more_or_less_is_told() -> None:
    """A service that no topology has, and one that is gone, are a line each."""
    file = read("toaster")
    file["services"]["guest"] = {**file["services"].pop("visitor"), "container_name": "guest", "hostname": "guest"}
    assert difference(of_topology(TOASTER), of_compose(file, "shop")) == [
        "visitor: missing",
        "guest: is too many",
    ]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("privileged", True, "orders has what no topology says: {'privileged': True}"),
        ("cap_drop", ["chown"], "orders is half sealed: read-only, /tmp in memory, no new privileges"),
        ("hostname", "backend", "orders has another name"),
    ],
)
def test_what_no_topology_can_say_is_not_passed_over(key: str, value: object, told: str) -> None:
    """A key without a word in the topology, half a seal, another name: refused, so that no value escapes comparison."""
    with pytest.raises(AssertionError, match=told):
        of_compose(_changed("toaster", "orders", key, value), "shop")


def _config(file: Path, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """``podman-compose config``, with all profiles."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TESTBED_")}
    command = podman_compose(str(file), "--profile=laptop", "--profile=remote")
    return subprocess.run(
        [*command, "config"], capture_output=True, check=False, text=True, env={**environment, **settings}
    )


@each_file
def test_podman_compose_reads_a_file_without_a_warning(name: str) -> None:
    """It knows every key, and with all profiles it has every container of the topology."""
    done = _config(FOLDER / f"{name}.yaml", images.environment(TAGS))
    assert (done.returncode, done.stderr) == (0, "")
    found = yaml.safe_load(done.stdout)["services"]
    assert {service["container_name"]: service["image"] for service in found.values()} == {
        spec.name: TAGS[spec.role] for spec in TOPOLOGIES[name].containers
    }


@each_file
def test_without_the_tags_it_says_how_to_get_them(name: str, tmp_path: Path) -> None:
    """podman-compose refuses, and the file's own words are in its message."""
    shutil.copy(FOLDER / f"{name}.yaml", tmp_path)
    done = _config(tmp_path / f"{name}.yaml", {})
    assert done.returncode != 0
    assert "run 'testbed build --env >compose/.env' first" in done.stderr


def test_build_prints_what_the_files_ask_for(testbed_session: None, testbed_image_store: ImageStore) -> None:
    """``testbed build --env`` has a line for the image of every role, with the tag that the labs use."""
    done = CliRunner().invoke(group, ["build", "--env"], catch_exceptions=False)
    printed = dict(line.split("=", 1) for line in done.stdout.splitlines())
    roles = sorted({role for topology in TOPOLOGIES.values() for role in topology.roles})
    tags = images.ensure(roles, store=testbed_image_store)
    assert {key: printed.get(key) for key in images.environment(tags)} == images.environment(tags)


# Brought up


@pytest.fixture(scope="module")
def composed_portainer(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[ComposedPortainer]:
    """compose/portainer.yaml, each profile on its host."""
    with ComposedPortainer(store=testbed_image_store, say=testbed_say) as lab:
        yield lab


@pytest.fixture(scope="module")
def composed_toaster(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[ComposedToaster]:
    """compose/toaster.yaml, in the shop."""
    with ComposedToaster(store=testbed_image_store, say=testbed_say) as lab:
        yield lab


@pytest.fixture(params=list(TOPOLOGIES))
def composed(request: pytest.FixtureRequest) -> Lab:
    """Each of the two."""
    found = request.getfixturevalue(f"composed_{request.param}")
    assert isinstance(found, Lab)
    return found


def test_podman_says_of_each_container_what_the_topology_says(testbed_session: None, composed: Composed) -> None:
    """What was really made has the topology's values, and there is no container beside them."""
    said = of_topology(composed.topology)
    lines = difference(said, like(said, composed.declared()))
    assert not lines, "\n".join(lines)


def test_podman_has_the_networks_of_the_topology(testbed_session: None, composed: Composed) -> None:
    """Those, and Podman's own."""
    assert composed.networks() == set(composed.topology.networks)


@pytest.mark.parametrize(
    "claim",
    [
        test_portainer.test_a_loopback_forward_is_out_of_reach_of_a_container,
        test_portainer.test_the_refusal_is_the_same_through_openssh,
        test_portainer.test_the_story_is_as_told,
    ],
    ids=lambda claim: claim.__name__.removeprefix("test_"),
)
def test_the_portainer_lab_does_what_the_scenarios_own_does(
    composed_portainer: ComposedPortainer, claim: Callable[[ComposedPortainer], None]
) -> None:
    """The very tests of the scenario: the exact words of the refusal, the cures, the story with its 504 cells."""
    try:
        claim(composed_portainer)
    finally:
        composed_portainer.close_tunnels()


def test_the_toaster_lab_does_what_the_scenarios_own_does(composed_toaster: ComposedToaster) -> None:
    """Everything that ``testbed run toaster`` claims is borne out."""
    told = list(scenes(composed_toaster))
    assert [(scene.title, check.text, check.seen) for scene in told for check in scene.checks if not check.ok] == []
    assert told != []


def test_an_order_of_jacks_goes_through(composed_toaster: ComposedToaster) -> None:
    """From his own machine, through both couriers and the shop's published port: 201, and confirmed."""
    answer = ask(composed_toaster.jack.net, order())
    assert (answer.status, answer.body["item"]) == (201, "toaster")


def test_orders_answers_nobody_but_the_frontend(composed_toaster: ComposedToaster) -> None:
    """Another container on the bridge is told 403, and the address that it is seen with."""
    visitor = composed_toaster.containers["visitor"]
    answer = ask(visitor.net, write("GET", "/api/stock"), (ORDERS, ORDERS_PORT))
    assert (answer.status, answer.body) == (
        403,
        {"error": "orders are taken from the frontend only, and 10.88.0.20 is not it"},
    )
