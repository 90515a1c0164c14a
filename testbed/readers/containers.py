"""Podman's own JSON about containers and networks, as values. Its environment (``Config.Env``) is never looked at."""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

from testbed.engine import Asking, Engine
from testbed.errors import EngineError
from testbed.evidence import Attachment, Container, Network, Published, Subnet
from testbed.model import Address

_SECONDS: Final = 60.0
#: The oldest version of the API that is asked for; every later Podman answers to it too.
_API: Final = "/v4.0.0/libpod"
_AT_ONCE: Final = 4
_QUESTIONS: Final = 3
_PROXIES: Final = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_HIGHEST_PORT: Final = 65535


class Podman(Protocol):
    """Where Podman's JSON comes from."""

    def containers(self) -> list[dict[str, Any]]:
        """What ``podman container inspect`` says of each container, running or not.

        ``PodName`` is added. A container that is removed meanwhile is left out.

        :raises EngineError: Podman refused, or does not answer
        """

    def networks(self) -> list[dict[str, Any]]:
        """What ``podman network inspect`` says of each network.

        :raises EngineError: Podman refused, or does not answer
        """

    def version(self) -> str:
        """Such as ``4.3.1``.

        :raises EngineError: Podman does not answer
        """


@dataclass(frozen=True, slots=True)
class Listed:
    """A container as ``podman ps`` lists it."""

    id: str
    name: str
    pid: int
    """Its main process, as its host counts; 0 where it does not run."""
    pod: str = ""
    """The pod whose infra container it is, by name; empty for anything else."""


@dataclass(frozen=True, slots=True)
class ByService:
    """By an API service that is running already."""

    engine: Engine

    def listed(self) -> list[Listed]:
        """Every container, running or not, by its name, without inspecting any.

        :raises EngineError: Podman refused, or does not answer
        """
        with self.engine.asking() as asking:
            said = self._get(asking, "/containers/json", {"all": "true", "pod": "true"})
        found = (
            Listed(
                str(one.get("Id", "")),
                str(next(iter(_sequence(one.get("Names"))), "")),
                _pid_of(one),
                str(one.get("PodName") or "") if one.get("IsInfra") else "",
            )
            for one in map(_mapping, _sequence(said))
        )
        return sorted(found, key=lambda one: one.name)

    def containers(self) -> list[dict[str, Any]]:
        """See :class:`Podman`."""
        with self.engine.asking() as asking:
            listed = self._get(asking, "/containers/json", {"all": "true", "pod": "true"})
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            shares = [listed[number::_AT_ONCE] for number in range(min(_AT_ONCE, len(listed)))]
            return [one for found in pool.map(self._inspect, shares) for one in found]

    def _inspect(self, listed: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The inspections of some containers, over one connection."""
        with self.engine.asking() as asking:
            found = [(one, self._get(asking, f"/containers/{one['Id']}/json", may_be_gone=True)) for one in listed]
        return [{**said, "PodName": one.get("PodName", "")} for one, said in found if said is not None]

    def networks(self) -> list[dict[str, Any]]:
        """See :class:`Podman`."""
        with self.engine.asking() as asking:
            return list(self._get(asking, "/networks/json"))

    def version(self) -> str:
        """See :class:`Podman`. The service's /version takes Podman 4.3 half a second."""
        try:
            with self.engine.asking() as asking:
                return asking.ask("/_ping").headers.get("libpod-api-version", "")
        except (OSError, http.client.HTTPException) as exc:
            raise EngineError(f"Podman does not say its version: {self.engine.reason(exc)}") from exc

    def _get(
        self, asking: Asking, path: str, params: Mapping[str, str] | None = None, *, may_be_gone: bool = False
    ) -> Any:
        try:
            answer = asking.ask(f"{_API}{path}", params)
            said = json.loads(answer.body)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise EngineError(f"Podman's {path} cannot be read: {self.engine.reason(exc)}") from exc
        if may_be_gone and answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise EngineError(f"Podman's {path} cannot be read: {_mapping(said).get('message') or answer.status}")
        return said


@dataclass(frozen=True, slots=True)
class ByCommand:
    """By the command line.

    :param command: ``podman`` and its global options
    """

    command: Sequence[str]
    environment: Mapping[str, str] | None = None

    def containers(self) -> list[dict[str, Any]]:
        """See :class:`Podman`."""
        listed = self._json("ps", "--all", "--pod", "--format", "json")
        if not listed:
            return []
        pods = {one["Id"]: one.get("PodName", "") for one in listed}
        # It prints those that are still there even when others have gone, and then ends with 125.
        found = self._json("container", "inspect", *pods, may_fail=True)
        return [{**one, "PodName": pods.get(one.get("Id"), "")} for one in found]

    def networks(self) -> list[dict[str, Any]]:
        """See :class:`Podman`. The list in JSON is what inspecting prints (cmd/podman/networks/list.go)."""
        return self._json("network", "ls", "--format", "json")

    def version(self) -> str:
        """See :class:`Podman`."""
        found = re.search(r"\d+\.\d+\.\d+\S*", self._run("--version"))
        return found.group() if found else ""

    def _json(self, *words: str, may_fail: bool = False) -> list[dict[str, Any]]:
        text = self._run(*words, may_fail=may_fail)
        try:
            return list(json.loads(text or "[]") or [])
        except ValueError as exc:
            raise EngineError(f"'podman {words[0]}' printed no JSON: {text[:80]!r}") from exc

    def _run(self, *words: str, may_fail: bool = False) -> str:
        try:
            done = subprocess.run(
                [*self.command, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env=self.environment,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise EngineError(f"'podman {words[0]}' cannot be run: {exc}") from exc
        if done.returncode != 0 and not (may_fail and done.stdout):
            said = (done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise EngineError(f"'podman {words[0]}' ended with status {done.returncode}: {said}")
        return done.stdout.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was asked before."""

    all_containers: list[dict[str, Any]]
    all_networks: list[dict[str, Any]]
    number: str

    @classmethod
    def of(cls, source: Podman) -> Recorded:
        """Ask now.

        :raises EngineError: as :class:`Podman` says
        """
        with ThreadPoolExecutor(_QUESTIONS) as pool:
            containers, networks = pool.submit(source.containers), pool.submit(source.networks)
            version = pool.submit(source.version)
            return cls(containers.result(), networks.result(), version.result())

    def containers(self) -> list[dict[str, Any]]:
        """See :class:`Podman`."""
        return self.all_containers

    def networks(self) -> list[dict[str, Any]]:
        """See :class:`Podman`."""
        return self.all_networks

    def version(self) -> str:
        """See :class:`Podman`."""
        return self.number


def container(inspect: Mapping[str, Any], host: str) -> Container:
    """A container by its inspection; its namespace, names and proxies are not in that.

    :param host: the key of the host that it is on
    """
    state, settings, config = (_mapping(inspect.get(key)) for key in ("State", "NetworkSettings", "HostConfig"))
    config_of = _mapping(inspect.get("Config"))
    mode = str(config.get("NetworkMode") or "")
    # A container that is stopped has no ports in use, but it still has those that it asked for.
    ports = _mapping(settings.get("Ports")) or _mapping(config.get("PortBindings"))
    running = state.get("Running") or state.get("Status") in ("running", "paused")
    return Container(
        id=str(inspect.get("Id", "")),
        name=str(inspect.get("Name", "")).removeprefix("/"),
        host=host,
        state=str(state.get("Status", "")),
        mode=mode,
        pid=_number(state.get("Pid")) if running else 0,
        exit_code=_number(state.get("ExitCode")),
        image=str(inspect.get("ImageName", "")),
        pod=str(inspect.get("PodName") or inspect.get("Pod") or ""),
        dns_servers=tuple(_addresses(*_sequence(config.get("Dns")))),
        infra=bool(inspect.get("IsInfra")),
        attachments=tuple(
            _attachment(str(name), _mapping(one))
            for name, one in sorted(_mapping(settings.get("Networks")).items())
            if mode == "bridge" or name != mode  # Podman 5 has an entry "host" or "pasta" for that mode
        ),
        static=tuple(_static(_sequence(config_of.get("CreateCommand")))),
        published=tuple(sorted(_published(ports), key=lambda x: (x.protocol, x.container_port, x.host_port))),
    )


def network(inspect: Mapping[str, Any], host: str) -> Network:
    """A network by its inspection.

    :param host: the key of the host that it is on
    """
    subnets = [_mapping(one) for one in _sequence(inspect.get("subnets"))]
    return Network(
        name=str(inspect.get("name", "")),
        host=host,
        driver=str(inspect.get("driver", "")),
        bridge=str(inspect.get("network_interface") or ""),
        subnets=tuple(found for one in subnets for found in _subnets(one.get("subnet"))),
        gateways=tuple(found for one in subnets for found in _addresses(one.get("gateway"))),
        internal=bool(inspect.get("internal")),
        dns_enabled=bool(inspect.get("dns_enabled")),
        ipv6=bool(inspect.get("ipv6_enabled")),
        dns_servers=tuple(_addresses(*_sequence(inspect.get("network_dns_servers")))),
        options={str(key): str(value) for key, value in sorted(_mapping(inspect.get("options")).items())},
    )


def proxies(environment: str) -> dict[str, str]:
    """The proxy variables of an environment as /proc/PID/environ has it, and nothing else of it.

    Where a name stands there in both cases, the lower one is told, as for curl(1) and Python's urllib; Go takes the
    capitals first (golang.org/x/net/http/httpproxy, FromEnvironment), and curl no HTTP_PROXY at all.
    """
    found: dict[str, str] = {}
    for variable in sorted(environment.split("\0")):  # capitals first
        name, _, value = variable.partition("=")
        if name.lower() in _PROXIES:
            found[name.lower()] = without_credentials(value)
    return found


def without_credentials(value: str) -> str:
    """A proxy's URL without user, password, path and query.

    A password may have any character in it, so all in front of the last ``@`` is taken for credentials.
    """
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", value)
    head = scheme.group() if scheme else ""
    _, at, place = value[len(head) :].rpartition("@")
    if head or at:  # else it may be a list of subnets
        place = re.split(r"[/?#]", place, maxsplit=1)[0]
    return f"{head}{'***@' if at else ''}{place}"


def _attachment(name: str, found: Mapping[str, Any]) -> Attachment:
    further = [
        _mapping(one).get("Addr")
        for key in ("SecondaryIPAddresses", "SecondaryIPv6Addresses")
        for one in _sequence(found.get(key))
    ]
    return Attachment(
        network=name,
        addresses=tuple(_addresses(found.get("IPAddress"), found.get("GlobalIPv6Address"), *further)),
        gateways=tuple(_addresses(found.get("Gateway"), found.get("IPv6Gateway"))),
        aliases=tuple(str(alias) for alias in _sequence(found.get("Aliases"))),
        mac=str(found.get("MacAddress") or ""),
    )


def _static(words: Sequence[Any]) -> Iterator[Address]:
    """The addresses that a command line of podman-run(1) asks for. Nothing else of it is looked at."""
    for word, after in zip(words, [*words[1:], ""], strict=False):
        option, equals, value = str(word).partition("=")
        argument = value if equals else str(after)
        if option in ("--ip", "--ip6"):
            yield from _addresses(argument)
        elif option in ("--network", "--net"):
            asked = argument.partition(":")[2].split(",")
            yield from _addresses(*(one.partition("=")[2] for one in asked if one.startswith(("ip=", "ip6="))))


def _published(ports: Mapping[str, Any]) -> Iterator[Published]:
    for inner, bindings in ports.items():
        number, _, protocol = str(inner).partition("/")
        for binding in map(_mapping, _sequence(bindings)):
            port = _number(binding.get("HostPort"))
            address = str(binding.get("HostIp") or "")
            if number.isdecimal() and 0 < port <= _HIGHEST_PORT:
                # Podman 5 prints 0.0.0.0 where none was given (libpod/container_inspect.go).
                yield Published(protocol or "tcp", int(number), port, "" if address == "0.0.0.0" else address)


def _addresses(*texts: Any) -> Iterator[Address]:
    for text in texts:
        with suppress(ValueError):
            yield ipaddress.ip_address(str(text).partition("%")[0])


def _subnets(text: Any) -> Iterator[Subnet]:
    with suppress(ValueError):
        yield ipaddress.ip_network(str(text), strict=False)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _pid_of(listed: Mapping[str, Any]) -> int:
    """Podman 4 lists the process that a container had when it ran."""
    return _number(listed.get("Pid")) if listed.get("State") in ("running", "paused") else 0


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
