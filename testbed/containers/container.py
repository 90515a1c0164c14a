"""A testcontainers container on one host, with addresses, a namespace and a vantage."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Self

import docker.errors
import requests
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.transferable import Transferable, build_transfer_tar

from testbed.containers.client import Client
from testbed.engine import COMPAT_VERSION, Asking
from testbed.errors import EngineError
from testbed.host.protocol import Host
from testbed.host.supervisors import supervised
from testbed.names import Naming
from testbed.namespaces import NetworkNamespace
from testbed.probe import Vantage
from testbed.topology import AttachmentSpec
from testbed.waiting import wait_for

#: What marks a container as ours on a machine that has others; the value is the lab's name.
LABEL = "testbed.lab"

# The end of its host is a container's reaper; Ryuk would be an image more, and one that no registry may be there for.
testcontainers_config.ryuk_disabled = True


class HostContainer(DockerContainer):
    """A container on a host. Configure it with testcontainers' own ``with_...`` methods or these, then ``start()``.

    :param host: whose Podman runs it
    :param image: an image of the host's store
    :param name: its name and hostname
    :param by_hand: the command that stands before another one to run it in this container's network
    """

    def __init__(self, host: Host, image: str, name: str, *, by_hand: str = "") -> None:
        host.engine.ready()
        speaking = {"environment": {"DOCKER_HOST": host.engine.url}, "version": COMPAT_VERSION}
        super().__init__(image, docker_client_kw=speaking)
        self._client = Client(**speaking)
        self.host = host
        self.name = name
        self.by_hand = by_hand
        #: The networks it is attached to, eth0's first.
        self.attachments: tuple[AttachmentSpec, ...] = ()
        self._net: tuple[int, NetworkNamespace] | None = None
        self.with_name(name)
        self._options: dict[str, Any] = {"hostname": name, "labels": dict(host.labels)}

    def get_docker_client(self) -> Client:
        """The connection to its host's Podman."""
        return self._client

    def on(
        self, network: str, address: str | None = None, *, ipv6_address: str | None = None, mac: str | None = None
    ) -> Self:
        """Attach it to a bridge network: as ``eth0`` to the first, as ``eth1`` to the next.

        :param address: the IPv4 address it shall have there; the network's next free one by default
        :param ipv6_address: the IPv6 address it shall have there, where the network has an IPv6 subnet
        :param mac: the MAC address it shall have there; one that Podman makes up by default
        """
        attachment = AttachmentSpec(network, address, ipv6_address, mac)
        self.attachments += (attachment,)
        if len(self.attachments) == 1:
            config = self.get_docker_client().client.api.create_endpoint_config(**_endpoint(attachment))
            self._options |= {"network": network, "networking_config": {network: config}}
        return self

    def in_mode(self, mode: str) -> Self:
        """Give it a network mode: ``host``, ``none`` or ``container:NAME``."""
        self._options |= {"network_mode": mode}
        if mode == "host" or mode.startswith("container:"):
            self._options.pop("hostname", None)  # the name goes with the namespace (podman-run(1))
        return self

    def knows(self, names: Mapping[str, str]) -> Self:
        """Give it further lines of its hosts file: name to address (podman-run(1), --add-host)."""
        self._options |= {"extra_hosts": dict(names)}
        return self

    def seal(self) -> Self:
        """Make its file system read-only but for /tmp, which is in memory, and leave it no capability."""
        self._options |= {"read_only": True, "security_opt": ["no-new-privileges"]}
        return self.with_capabilities(drop=["all"]).with_tmpfs_mount("/tmp")

    def with_capabilities(self, *, add: Iterable[str] = (), drop: Iterable[str] = ()) -> Self:
        """Add capabilities to Podman's default ones, or take some of those away (podman-run(1), --cap-add, --cap-drop).

        :param add: names of capabilities(7) without ``CAP_``, or ``all``
        :param drop: the same
        """
        for option, names in (("cap_add", list(add)), ("cap_drop", list(drop))):
            if names:
                self._options[option] = [*self._options.get(option, []), *names]
        return self

    def with_sysctls(self, sysctls: Mapping[str, str]) -> Self:
        """Set kernel parameters of its namespaces before its first process runs (podman-run(1), --sysctl)."""
        if sysctls:
            self._options["sysctls"] = {**self._options.get("sysctls", {}), **sysctls}
        return self

    def with_restart_policy(self, policy: str) -> Self:
        """Say what Podman does when its first process ends.

        :param policy: ``no``, ``on-failure``, ``on-failure:N``, ``always`` or ``unless-stopped`` (podman-run(1),
            --restart)
        """
        name, _, most = policy.partition(":")
        if name != "no":
            self._options["restart_policy"] = {"Name": name, **({"MaximumRetryCount": int(most)} if most else {})}
        return self

    def publish(self, port: int, *, host_address: str, host_port: int) -> Self:
        """Publish one of its TCP ports on an address of its host; ``0.0.0.0`` is all of them, as for ``podman run -p``.

        The command line leaves that address out of the request. Podman's API takes it literally, and netavark's rule is
        then for packets to 0.0.0.0, which there are none of: the connection hangs in the socket that only holds the
        port.
        """
        where = host_port if host_address == "0.0.0.0" else (host_address, host_port)
        self._options.setdefault("published", {})[f"{port}/tcp"] = where
        return self

    def create(self) -> None:
        """Create it, with its network namespace and interfaces in place and its first process not begun.

        What else that namespace needs can be added now, before anything runs there; :meth:`start` begins the process
        (podman-create(1), podman-init(1)).

        :raises EngineError: Podman refused
        """
        strategy, self._wait_strategy = self._wait_strategy, None
        self._client.starts = False
        try:
            self._call(super().start)
            self.init()
        finally:
            self._client.starts = True
            self._wait_strategy = strategy

    def init(self) -> None:
        """Make its namespaces and interfaces, where it does not run; its first process waits for :meth:`start`.

        :raises EngineError: Podman refused
        """
        try:
            self.host.engine.init_container(self.name)
        except EngineError as exc:
            raise self._refusal(exc) from exc

    def start(self) -> Self:
        """Create it if it is not there yet, and begin its first process.

        :raises EngineError: Podman refused
        """
        if self._container is None:
            self._call(super().start)
            return self
        self._call(self._container.start)
        if self._wait_strategy is not None:
            self._wait_strategy.wait_until_ready(self)
        return self

    def halt(self, *, seconds: int = 10) -> None:
        """End its processes without removing it; one that has ended already is left as it is (podman-stop(1)).

        :param seconds: between its stop signal and SIGKILL
        :raises EngineError: Podman refused
        :raises DeadlineError: Podman does not come to an end of cleaning up after it
        """
        wrapped = self.get_wrapped_container()
        self._call(lambda: wrapped.stop(timeout=seconds))
        wait_for(lambda: not supervised(self.host, str(wrapped.id)), f"Podman to have cleaned up after {self.name!r}")
        if self._net is not None:
            self._net[1].close()  # else it would be kept, with its ends of cables
            self._net = None

    def _call(self, call: Callable[[], object]) -> None:
        """Have Podman do something to this container.

        :raises EngineError: it refused
        """
        if self._container is None:
            options = dict(self._options)
            self.ports.update(options.pop("published", {}))
            further = {one.network: _endpoint(one) for one in self.attachments[1:]}
            self.with_kwargs(**{**self._kwargs, **options, "further_networks": further})
        try:
            call()
        except (docker.errors.DockerException, requests.ConnectionError) as exc:
            raise self._refusal(exc) from exc

    def _refusal(self, exc: Exception) -> EngineError:
        why = self.host.engine.reason(exc)
        what = f"container {self.name!r} of the image {self.image!r}"
        return EngineError(f"{what} on {self.host.name!r} did not start: {why}")

    def adopt(self) -> None:
        """Take the container that runs there by this one's name for this one, whoever started it.

        :raises EngineError: there is none
        """
        try:
            self._container = self.get_docker_client().client.containers.get(self.name)
        except (docker.errors.DockerException, requests.ConnectionError) as exc:
            why = self.host.engine.reason(exc)
            raise EngineError(f"container {self.name!r} is not on {self.host.name!r}: {why}") from exc

    def await_ready(self) -> None:
        """Wait until its image's health check passes; a container without one is ready at once.

        :raises DeadlineError: it does not pass
        """
        # What was read when it was created: an image's health check does not change.
        created = self.get_wrapped_container().attrs
        if not (created["Config"].get("Healthcheck") or {}).get("Test"):
            return
        with self.host.engine.asking() as engine:
            wait_for(
                lambda: _is_healthy(engine, self.name), f"{self.name!r} to be healthy", seconds=20.0, state=self._said
            )

    def _said(self) -> str:
        """The last that it printed."""
        said: bytes = self.get_wrapped_container().logs(tail=3)
        return said.decode(errors="replace").strip()

    def _transfer_into_container(self, transferable: Transferable, destination_in_container: str, mode: int) -> None:
        """As testcontainers does it, but for the padding, which makes Podman fail now and then."""
        data = build_transfer_tar(transferable, destination_in_container, mode)
        self.get_wrapped_container().put_archive("/", _without_padding(data))

    @property
    def pid(self) -> int:
        """Its main process, by the host's own count.

        :raises EngineError: it does not run
        """
        pid = self._current_pid()
        if pid == 0:
            raise EngineError(
                f"container {self.name!r} does not run ({self.get_wrapped_container().status}): {self._said()}"
            )
        return pid

    def _current_pid(self) -> int:
        wrapped = self.get_wrapped_container()
        wrapped.reload()
        return int(wrapped.attrs["State"]["Pid"])

    @property
    def net(self) -> NetworkNamespace:
        """Its network namespace; another one after a restart."""
        return self._net_of(self.pid)

    def find_net(self) -> NetworkNamespace | None:
        """Its network namespace; None where it does not run and none was made for it to start in."""
        pid = self._current_pid()
        return self._net_of(pid) if pid else None

    def vantage(self) -> Vantage:
        """A place to try from: this container's namespace, with its own hosts file and resolver."""
        pid = self.pid
        root = self.host.process(pid) / "root"
        naming = Naming.read(root / "etc/hosts", root / "etc/resolv.conf")
        return Vantage(self.name, self._net_of(pid), naming, self.by_hand)

    def _net_of(self, pid: int) -> NetworkNamespace:
        if self._net is None or self._net[0] != pid:
            self._net = (pid, self.host.namespace(self.host.process(pid) / "ns/net", self.name))
        return self._net[1]

    def close(self) -> None:
        """Let go of the connection to Podman; the container goes with its host."""
        self.get_docker_client().client.close()


def _endpoint(attachment: AttachmentSpec) -> dict[str, str]:
    """The options of an attachment, by docker-py's names."""
    wanted = {
        "ipv4_address": attachment.address,
        "ipv6_address": attachment.ipv6_address,
        "mac_address": attachment.mac,
    }
    return {key: value for key, value in wanted.items() if value}


def _is_healthy(engine: Asking, name: str) -> bool:
    """Run a container's health check now (podman-healthcheck-run(1)): by itself only systemd's timers would."""
    answer = engine.ask(f"/v4.0.0/libpod/containers/{name}/healthcheck")
    return answer.status == HTTPStatus.OK and json.loads(answer.body)["Status"] == "healthy"


def _without_padding(archive: bytes) -> bytes:
    """A tar archive without the zeros that tarfile adds behind its end to fill a record.

    Podman's unpacking process leaves at the end of the archive, and whoever still writes zeros to it fails with
    "passing bulk input to subprocess: broken pipe" (buildah's issue 6573; seen with Podman 5.4.2).
    """
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        last = tar.getmembers()[-1]
    blocks = -(-last.size // tarfile.BLOCKSIZE)
    return archive[: last.offset_data + (blocks + 2) * tarfile.BLOCKSIZE]  # two empty blocks are the end (tar(5))
