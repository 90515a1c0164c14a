"""Roles: each registers itself, and no field of a specification is passed over for any of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest

from testbed.containers import HostContainer, configured, roles
from testbed.containers.client import Client
from testbed.containers.role import Role
from testbed.containers.roles.sshd import SshdContainer
from testbed.errors import UsageError
from testbed.host import Host
from testbed.images import own_recipes
from testbed.images.recipe import BASE
from testbed.scenarios import table
from testbed.topology import AttachmentSpec, ContainerSpec, FileSpec, HostSpec, Publish, Topology

HOST: Final = HostSpec("host", secrets=("ledger-password", "sample-secret"))
TOPOLOGIES: Final = tuple(scenario.topology.load() for scenario in table.every())
REGISTERED: Final = {name: roles.role(name) for name in roles.names()}
#: The smallest container of every role, and one of an image alone with and without a network.
EXAMPLES: Final[Mapping[str, ContainerSpec]] = {
    **{name: role.example for name, role in REGISTERED.items()},
    "an image alone": ContainerSpec("host", "box", "base", (AttachmentSpec("podman"),)),
    "an image alone, without a network": roles.role("base").example,
}
#: The fields that say where a container is, and not how: the lab looks up the host and the image by them, and the
#: container is called so.
_IDENTITY: Final = frozenset({"host", "name", "role"})
#: The fields that the lab itself honours, once the network namespace is there (tests/host/test_cables.py).
_BY_THE_LAB: Final = frozenset({"routes"})
#: For each other field: a value of it that a specification can be given, and what of that has to be in the request to
#: Podman for a container that has it.
SAMPLES: Final[Mapping[str, tuple[Callable[[ContainerSpec], object], tuple[str, ...]]]] = {
    "networks": (
        lambda spec: (AttachmentSpec("podman", "10.88.0.77", mac="02:00:00:00:00:77"),),
        ("'podman'", "10.88.0.77", "02:00:00:00:00:77"),
    ),
    "mode": (lambda spec: "host", ("'network_mode': 'host'",)),
    "publish": (lambda spec: (Publish(9001, "127.0.0.7", 17777),), ("'9001/tcp'", "127.0.0.7", "17777")),
    "command": (lambda spec: ("sample-command",), ("sample-command",)),
    "names": (lambda spec: {"sample-name": "192.0.2.77"}, ("sample-name", "192.0.2.77")),
    "environment": (lambda spec: {**spec.environment, "SAMPLE": "sample-value"}, ("'SAMPLE': 'sample-value'",)),
    "secrets": (lambda spec: (*spec.secrets, "sample-secret"), ("/run/secrets/sample-secret",)),
    "files": (lambda spec: (FileSpec("/sample-file", "sample-text", 0o440),), ("/sample-file",)),
    "volumes": (lambda spec: {"sample-volume": "/sample"}, ("sample-volume", "'/sample'")),
    "sealed": (lambda spec: True, ("'read_only': True", "'cap_drop': ['all']", "no-new-privileges", "'/tmp'")),
    "add_capabilities": (lambda spec: ("SYS_TIME",), ("'cap_add': ['SYS_TIME']",)),
    "drop_capabilities": (lambda spec: ("CHOWN",), ("'cap_drop': ['CHOWN']",)),
    "sysctls": (lambda spec: {"net.ipv4.ip_default_ttl": "77"}, ("'net.ipv4.ip_default_ttl': '77'",)),
    "restart": (lambda spec: "on-failure:7", ("'Name': 'on-failure'", "'MaximumRetryCount': 7")),
}


#: A specification that does not meet a need, for each need of each role, and what is said then.
NEEDS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("agent", {"publish": ()}, "container 'agent': publish (): the role 'agent' needs its port published, "),
    ("agent", {"environment": {"AGENT_PORT": "9"}}, "container 'agent': environment {'AGENT_PORT': '9'}: the role"),
    ("agent", {"command": ("-v",)}, "container 'agent': command ('-v',): the role 'agent' takes none: "),
    ("ledger", {"secrets": ()}, "container 'ledger': secrets (): the role 'ledger' needs 'ledger-password' among"),
    ("ledger", {"environment": {}}, "container 'ledger': environment {}: the role 'ledger' needs LEDGER_CLIENT in"),
    (
        "portainer",
        {"networks": (AttachmentSpec("podman"),)},
        "the role 'portainer' needs an address on the first, ",
    ),
    ("sshd", {"mode": "none"}, "container 'sshd': mode 'none': the role 'sshd' needs mode='host': "),
    ("sshd", {"sealed": True}, "container 'sshd': sealed True: the role 'sshd' cannot be: "),
    ("sshd", {"files": (FileSpec("/etc/ssh/testbed/host_key", ""),)}, "the role 'sshd' has its keys in /etc/ssh/"),
    (
        "sshd",
        {"volumes": {"etc": "/etc"}},
        "volumes {'etc': '/etc'}: the role 'sshd' has its keys in /etc/ssh/testb",
    ),
]


class Request(Exception):  # noqa: N818 - it carries what was seen to the test
    """The request that a container's start came to."""


@pytest.fixture
def requested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[ContainerSpec], str]:
    """Configures a container, and tells what Podman would be asked for; nothing is asked."""

    def create(self: Client, image: str, **options: object) -> object:
        raise Request(f"{image} {options}")

    monkeypatch.setattr(Client, "create", create)
    engine = SimpleNamespace(ready=lambda: None, url=f"unix://{tmp_path}/podman.sock")
    host = SimpleNamespace(
        name="host", engine=engine, labels={}, scratch="/run/testbed", path=lambda inside: tmp_path / inside.lstrip("/")
    )

    def request(spec: ContainerSpec) -> str:
        container = configured(cast("Host", host), "an-image", spec, by_hand="")
        try:
            with pytest.raises(Request) as caught:
                container.start()
            return str(caught.value)
        finally:
            container.close()

    return request


def checked(spec: ContainerSpec) -> None:
    """Check a container as a lab that has it does before it starts anything."""
    Topology((HOST,), containers=(spec,))
    roles.check([spec])


def refusal_of(spec: ContainerSpec) -> str:
    """The words in which a lab refuses a container before it starts anything; none where it takes it."""
    try:
        checked(spec)
    except UsageError as exc:
        return str(exc)
    return ""


def changed(kind: str, field: str) -> ContainerSpec:
    """An example with the sample of one field."""
    values: dict[str, Any] = {field: SAMPLES[field][0](EXAMPLES[kind])}
    return dataclasses.replace(EXAMPLES[kind], **values)


def test_every_field_is_looked_at() -> None:
    """A new field of a container's specification has a sample here, or is one that the lab itself honours."""
    fields = {field.name for field in dataclasses.fields(ContainerSpec)}
    assert set(SAMPLES) | _IDENTITY | _BY_THE_LAB == fields


@pytest.mark.parametrize("field", SAMPLES)
@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_field_is_honoured_or_refused(requested: Callable[[ContainerSpec], str], kind: str, field: str) -> None:
    """For every role and every field: Podman is asked for its value, or a UsageError names the container and it."""
    _, asked_for = SAMPLES[field]
    spec = changed(kind, field)
    refusal = refusal_of(spec)
    if refusal:
        assert f"container {spec.name!r}" in refusal
        assert field in refusal
    else:
        without, with_it = requested(EXAMPLES[kind]), requested(spec)
        assert [part for part in asked_for if part not in with_it] == []
        assert without != with_it or getattr(EXAMPLES[kind], field) == getattr(spec, field)


def test_no_sample_is_refused_for_every_role() -> None:
    """Each field's sample is honoured for some container, so that none is only ever refused."""
    always = {field for field in SAMPLES if all(refusal_of(changed(kind, field)) for kind in EXAMPLES)}
    assert always == set()


@pytest.mark.parametrize(("kind", "change", "sentence"), NEEDS)
def test_what_a_role_needs_is_said(kind: str, change: dict[str, Any], sentence: str) -> None:
    """A container without what its role needs is refused with the field, its value and what to write."""
    with pytest.raises(UsageError) as caught:
        roles.check([dataclasses.replace(EXAMPLES[kind], **change)])
    assert sentence in str(caught.value)


def test_every_need_is_tested() -> None:
    """No role has a need that the table above leaves out: as many rows as needs, field by field."""
    tested = sorted((kind, field) for kind, change, _ in NEEDS for field in change)
    assert tested == sorted((role.name, need.field) for role in REGISTERED.values() for need in role.needs)


@pytest.mark.parametrize("role", REGISTERED.values(), ids=lambda role: role.name)
def test_a_roles_example_is_complete(role: Role) -> None:
    """The example of a role is of that role, meets its needs, and contradicts nothing."""
    assert role.example.role == role.name
    checked(role.example)


def test_a_role_has_an_image() -> None:
    """Every role that has a module has its folder in images/, and so has every role that a scenario uses."""
    used = {role for topology in TOPOLOGIES for role in topology.roles}
    assert ({role.name for role in REGISTERED.values()} | used) - {BASE} <= set(own_recipes())


def test_an_image_has_a_role() -> None:
    """Every image of ours is what another one is built from, a role with a module, or the role of some scenario."""
    recipes = own_recipes()
    built_from = {needed for recipe in recipes.values() for needed in recipe.arguments.values()}
    used = {role for topology in TOPOLOGIES for role in topology.roles}
    assert set(recipes) - built_from - {role.name for role in REGISTERED.values()} - used == set()


def test_a_role_is_found_by_its_name() -> None:
    """A module's role has the module's name and its class; a name without a module is the role of an image alone."""
    assert roles.role("sshd").container is SshdContainer
    assert {name: role.name for name, role in REGISTERED.items()} == {name: name for name in REGISTERED}
    assert roles.role("frontend").container is HostContainer
    assert roles.role("frontend").needs == ()
