"""Every field of a container's specification, for every role, as Podman and the kernel have it on a real host."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from testbed.containers import HostContainer, roles
from testbed.errors import UsageError
from testbed.images import ImageStore
from testbed.lab import Lab
from testbed.topology import (
    AttachmentSpec,
    CableEndSpec,
    CableSpec,
    ContainerSpec,
    FileSpec,
    HostSpec,
    NetworkSpec,
    Publish,
    Topology,
)
from testbed.waiting import wait_for

_HOST: Final = HostSpec("host", secrets=("sample-secret", "ledger-password"))
#: The place of each container on the network, the end of its addresses.
_PLACES: Final = {name: 20 + number for number, name in enumerate([*roles.names(), "base"])}


def _everything(role: str) -> ContainerSpec:
    """A container of a role with a value in each field that the role can have one in."""
    place = _PLACES[role]
    example = roles.role(role).example
    spec = dataclasses.replace(
        example,
        name=f"full-{role}",
        networks=(
            AttachmentSpec("podman", f"10.88.0.{place}", mac=f"02:00:00:00:00:{place}"),
            AttachmentSpec("dual", f"10.89.5.{place}", f"2001:db8:5::{place}", f"02:00:00:00:01:{place}"),
        ),
        mode=None,
        publish=(Publish(9001, "127.0.0.1", 17000 + place),),
        command=("sleep", "infinity") if role == "base" else (),
        names={"sample-name": "192.0.2.77"},
        environment={**example.environment, "SAMPLE": "a value"},
        secrets=(*example.secrets, "sample-secret"),
        files=(FileSpec("/sample/file", "a text\nof two lines\n", 0o440), FileSpec("/sample/other", "ünicode", 0o444)),
        volumes={f"volume-{place}": "/volume"},
        drop_capabilities=("MKNOD",),
        sysctls={"net.ipv4.ip_default_ttl": "77", "kernel.msgmax": "7777", "net.ipv4.conf.cable0.rp_filter": "2"},
        routes={"203.0.113.0/24": "10.89.5.1", "198.18.0.0/24": f"192.0.2.{4 * place + 1}"},
        restart="on-failure:7",
    )
    if role == "sshd":  # it needs the host's network: nothing of a network of its own can be said
        left = {"networks": (), "publish": (), "sysctls": {"kernel.msgmax": "7777"}, "routes": {}}
        return dataclasses.replace(spec, **left, mode="host", add_capabilities=("SYS_TIME",))  # type: ignore[arg-type]
    if role == "base":
        return dataclasses.replace(spec, add_capabilities=("SYS_TIME",))
    return dataclasses.replace(spec, sealed=True)


SPECS: Final = {role: _everything(role) for role in _PLACES}
CABLED: Final = [spec for spec in SPECS.values() if spec.mode is None]
TOPOLOGY: Final = Topology(
    hosts=(_HOST,),
    cables=tuple(
        CableSpec(
            CableEndSpec(spec.name, "cable0", f"192.0.2.{4 * _PLACES[spec.role] + 2}/30"),
            CableEndSpec("host", f"c-{spec.role}", f"192.0.2.{4 * _PLACES[spec.role] + 1}/30"),
        )
        for spec in CABLED
    ),
    networks=(NetworkSpec("host", "dual", "10.89.5.0/24", "10.89.5.1", False, "2001:db8:5::/64", "2001:db8:5::1"),),
    containers=tuple(SPECS.values()),
)


@pytest.fixture(scope="module")
def lab(testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]) -> Iterator[Lab]:
    """A host with a container of every role that has everything."""
    images = {role: testbed_image(role) for role in TOPOLOGY.roles}
    with Lab(TOPOLOGY, images=images, image_store=testbed_image_store.storage) as made:
        yield made


@pytest.fixture(scope="module")
def seen(lab: Lab) -> Mapping[str, Seen]:
    """Each role's container, looked at once."""
    return {role: Seen(lab, spec) for role, spec in SPECS.items()}


class Seen:
    """A container as Podman and the kernel have it."""

    def __init__(self, lab: Lab, spec: ContainerSpec) -> None:
        self.lab, self.spec = lab, spec
        self.container: HostContainer = lab.containers[spec.name]
        host = lab.hosts[spec.host]
        (self.inspected,) = json.loads(host.run(["podman", "container", "inspect", spec.name]))
        self.config: Mapping[str, Any] = self.inspected["Config"]
        self.how: Mapping[str, Any] = self.inspected["HostConfig"]
        self.process = host.process(self.container.pid)

    def ip(self, *words: str) -> Any:
        """Read JSON of iproute2 in the container's network namespace."""
        return json.loads(self.lab.command(self.spec.name, ["ip", "-json", *words]))

    def mount(self, at: str) -> tuple[str, ...]:
        """The options of what is mounted at a path (proc(5), mountinfo)."""
        lines = (self.process / "mountinfo").read_text(encoding="utf-8").splitlines()
        (options,) = [line.split()[5] for line in lines if line.split()[4] == at]
        return tuple(options.split(","))

    def capabilities(self) -> int:
        """The bounding set of its first process (capabilities(7)): what it can ever have."""
        (found,) = re.findall(r"^CapBnd:\s*(\w+)$", (self.process / "status").read_text(encoding="ascii"), re.MULTILINE)
        return int(str(found), 16)

    def sysctl(self, name: str) -> str:
        """The value of a parameter of its namespaces."""
        shown = ["nsenter", f"--target={self.container.pid}", "--net", "--ipc", "sysctl", "-n", name]
        return self.container.host.run(shown).strip()


#: Numbers of capabilities (linux/capability.h).
_NUMBERS: Final = {"SYS_TIME": 25, "MKNOD": 27}


def _networks(seen: Seen) -> tuple[AttachmentSpec, ...]:
    found = []
    for number, attachment in enumerate(seen.spec.networks):
        (link,) = seen.ip("address", "show", "dev", f"eth{number}")
        there = {one["family"]: one["local"] for one in link["addr_info"] if one["scope"] == "global"}
        assert attachment.network in seen.inspected["NetworkSettings"]["Networks"]
        found.append(AttachmentSpec(attachment.network, there["inet"], there.get("inet6"), link["address"]))
    return tuple(found)


def _publish(seen: Seen) -> tuple[Publish, ...]:
    bound = seen.how["PortBindings"] or {}
    return tuple(
        Publish(int(port.removesuffix("/tcp")), where["HostIp"], int(where["HostPort"]))
        for port, wheres in bound.items()
        for where in wheres or []
    )


def _names(seen: Seen) -> dict[str, str]:
    lines = (seen.process / "root/etc/hosts").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines]
    return {name: line[0] for line in words for name in line[1:] if name in seen.spec.names}


def _environment(seen: Seen) -> dict[str, str]:
    pairs = dict(line.split("=", 1) for line in seen.config["Env"])
    return {name: value for name, value in pairs.items() if name in seen.spec.environment}


def _secrets(seen: Seen) -> tuple[str, ...]:
    folder = seen.process / "root/run/secrets"
    there = [name for name in seen.spec.secrets if len((folder / name).read_text(encoding="ascii")) > 20]
    assert all("ro" in seen.mount(f"/run/secrets/{name}") for name in there)
    return tuple(there)


def _files(seen: Seen) -> tuple[FileSpec, ...]:
    found = []
    for file in seen.spec.files:
        path = seen.process / "root" / file.path.lstrip("/")
        assert "ro" in seen.mount(file.path)
        found.append(FileSpec(file.path, path.read_text(encoding="utf-8"), path.stat().st_mode & 0o7777))
    return tuple(found)


def _volumes(seen: Seen) -> dict[str, str]:
    mounts = [mount for mount in seen.inspected["Mounts"] if mount["Type"] == "volume"]
    return {mount["Name"]: mount["Destination"] for mount in mounts if mount["Name"] in seen.spec.volumes}


def _sealed(seen: Seen) -> bool:
    parts = {
        "ro" in seen.mount("/"),
        seen.capabilities() == 0,
        "NoNewPrivs:\t1" in (seen.process / "status").read_text(encoding="ascii"),
    }
    assert len(parts) == 1, f"{seen.spec.name} is half sealed"
    return parts.pop()


def _routes(seen: Seen) -> dict[str, str]:
    return {row["dst"]: row["gateway"] for row in seen.ip("route") if row["dst"] in seen.spec.routes}


def _restart(seen: Seen) -> str:
    policy = seen.how["RestartPolicy"]
    return f"{policy['Name']}:{policy['MaximumRetryCount']}"


#: How each field is seen, to be what was specified.
SEEN: Final[Mapping[str, Callable[[Seen], object]]] = {
    "host": lambda seen: seen.container.host.name,
    "name": lambda seen: seen.inspected["Name"],
    "role": lambda seen: seen.inspected["ImageName"].partition(":")[0].rpartition("/")[2],
    "networks": _networks,
    "mode": lambda seen: "host" if seen.container.net.identity == seen.container.host.net.identity else None,
    "publish": _publish,
    "command": lambda seen: tuple(seen.config["Cmd"] or ()) if seen.spec.command else (),
    "names": _names,
    "environment": _environment,
    "secrets": _secrets,
    "files": _files,
    "volumes": lambda seen: {
        mount["Name"]: mount["Destination"]
        for mount in seen.inspected["Mounts"]
        if mount.get("Name") in seen.spec.volumes
    },
    "sealed": _sealed,
    "add_capabilities": lambda seen: tuple(
        name for name in seen.spec.add_capabilities if seen.capabilities() & 1 << _NUMBERS[name]
    ),
    "drop_capabilities": lambda seen: tuple(
        name for name in seen.spec.drop_capabilities if not seen.capabilities() & 1 << _NUMBERS[name]
    ),
    "sysctls": lambda seen: {name: seen.sysctl(name) for name in seen.spec.sysctls},
    "routes": _routes,
    "restart": _restart,
}


def test_every_field_is_seen() -> None:
    """A new field of a container's specification is looked at here too, and has a value for some role."""
    fields = {field.name: field for field in dataclasses.fields(ContainerSpec)}
    assert set(SEEN) == set(fields)
    unused = {name for name in fields if not any(getattr(spec, name) for spec in SPECS.values())}
    assert unused == set()


@pytest.mark.parametrize("field", SEEN)
@pytest.mark.parametrize("role", SPECS)
def test_a_field_is_what_was_specified(seen: Mapping[str, Seen], role: str, field: str) -> None:
    """For every role, Podman and the kernel have each field as it was specified."""
    assert SEEN[field](seen[role]) == getattr(SPECS[role], field)


def test_a_mounted_file_cannot_be_written(lab: Lab) -> None:
    """A mounted file is read-only to root as well, in the container's own mount namespace (EROFS)."""
    container = lab.containers["full-base"]
    file = container.host.process(container.pid) / "root/sample/file"
    assert file.is_file()
    with pytest.raises(OSError, match="Read-only file system"):
        file.write_text("no", encoding="ascii")


def test_what_a_restart_keeps(lab: Lab) -> None:
    """A container that is restarted by the lab has every field as it was specified, and what it wrote."""
    spec = SPECS["base"]
    container = lab.containers[spec.name]
    container.get_wrapped_container().exec_run(["touch", "/written", "/volume/written"])
    before = container.pid
    lab.restart(spec.name, seconds=0)
    seen = Seen(lab, spec)
    assert container.pid != before
    assert {field: see(seen) for field, see in SEEN.items()} == {field: getattr(spec, field) for field in SEEN}
    assert all((seen.process / "root" / path).exists() for path in ("written", "volume/written"))


def test_a_restart_policy_is_followed(lab: Lab) -> None:
    """A container whose first process is killed is started again by Podman, as its policy says."""
    spec = SPECS["ledger"]
    container = lab.containers[spec.name]
    before = container.pid
    container.host.run(["kill", "-KILL", str(before)])
    count = ["podman", "inspect", "--format", "{{.RestartCount}} {{.State.Running}}", spec.name]
    wait_for(lambda: container.host.run(count) == "1 true\n", "Podman to start it again")
    container.await_ready()
    assert container.pid != before


def test_what_a_role_needs_is_checked_before_anything_starts(
    testbed_session: None, testbed_image_store: ImageStore
) -> None:
    """A lab with a container that does not meet its role's needs is a UsageError, and makes no host."""
    topology = Topology((HostSpec("host"),), containers=(ContainerSpec("host", "sshd", "sshd", mode="none"),))
    with pytest.raises(UsageError, match="container 'sshd': mode 'none': the role 'sshd' needs mode='host'"):
        Lab(
            topology,
            images={"sshd": "sshd"},
            image_store=testbed_image_store.storage,
            special={"host": lambda: pytest.fail("a host was made")},
        )
