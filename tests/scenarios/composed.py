"""The labs of the scenarios, with their containers brought up by podman-compose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.compose import podman_compose
from testbed.at_once import AtOnce
from testbed.containers import secret_file
from testbed.containers.roles.sshd import SshdContainer
from testbed.images import environment
from testbed.lab import Lab
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.topology import ContainerSpec, NetworkSpec
from tests.scenarios.declared import networks_of_podman, of_podman

FOLDER: Final = Path(__file__).parents[2] / "compose"
_SECONDS: Final = 60.0


def read(name: str) -> dict[str, Any]:
    """A compose file as it stands, with its variables in it."""
    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


class Composed(Lab):
    """A lab whose hosts and cables are the testbed's, and whose networks and containers are podman-compose's.

    It stands before a scenario's own class among the bases of a class.
    """

    file: Path

    def _fill_hosts(self, at_once: AtOnce) -> None:
        for spec in self.topology.containers:
            self.containers[spec.name] = self._configured(spec)
        at_once.all(self.up, dict.fromkeys(spec.host for spec in self.topology.containers))
        for container in self.containers.values():
            container.adopt()

    def up(self, name: str) -> None:
        """Bring up what a host has."""
        host = self.hosts[name]
        for container in self.containers.values():
            if container.host is host and isinstance(container, SshdContainer):
                _give_keys(container)
        settings = {**environment(self._images), "TESTBED_SECRETS": f"{host.scratch}/secrets"}
        env_file = f"{host.scratch}/compose.env"
        host.path(env_file).write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
        command = podman_compose(str(self.file), f"--env-file={env_file}", f"--profile={name}")
        host.run([*command, "up", "-d"], seconds=_SECONDS)

    def declared(self) -> dict[str, ContainerSpec]:
        """What Podman says of every container there is."""
        roles = {tag: role for role, tag in self._images.items()}
        found: dict[str, ContainerSpec] = {}
        for name in dict.fromkeys(spec.host for spec in self.topology.containers):
            ids = self.hosts[name].run(["podman", "ps", "--all", "--quiet"]).split()
            containers = json.loads(self.hosts[name].run(["podman", "container", "inspect", *ids]))
            tags = sorted({container["ImageName"] for container in containers})
            images = json.loads(self.hosts[name].run(["podman", "image", "inspect", *tags]))
            found |= of_podman(name, containers, dict(zip(tags, images, strict=True)), roles)
        return found

    def networks(self) -> set[NetworkSpec]:
        """What Podman says of every network there is."""
        found: set[NetworkSpec] = set()
        for name in dict.fromkeys(spec.host for spec in self.topology.containers):
            names = self.hosts[name].run(["podman", "network", "ls", "--quiet"]).split()
            inspected = json.loads(self.hosts[name].run(["podman", "network", "inspect", *names]))
            found |= networks_of_podman(name, inspected)
        return found


def _give_keys(sshd: SshdContainer) -> None:
    for name, key in (("host-key", sshd._host_key.private), ("user-key.pub", sshd._user_key.public + "\n")):
        file = sshd.host.path(secret_file(sshd.host, name))
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.write_text(key, encoding="ascii")
        file.chmod(0o644 if name.endswith(".pub") else 0o600)  # sshd refuses a key that others can read


class ComposedPortainer(Composed, PortainerLab):
    """The portainer scenario's lab, from compose/portainer.yaml."""

    file = FOLDER / "portainer.yaml"


class ComposedToaster(Composed, ToasterLab):
    """The toaster scenario's lab, from compose/toaster.yaml."""

    file = FOLDER / "toaster.yaml"
