"""Faults of published ports: published elsewhere, to the wrong port, not at all, or without its rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from testbed import machine
from testbed.explain.codes import Cause
from truth.faults.fault import PODMAN_5, Broken, fault
from truth.faults.stage import GATEWAY, HOST, HOST_LAN, NEIGHBOUR, PORT, Stage

_OUTSIDE = 8080
_NAME = f"http://host.containers.internal:{_OUTSIDE}/"
_WEB = "10.88.0.80"
#: Empties netavark's chain of published ports, by what it writes its rules with.
FLUSH = {
    "iptables": "iptables -t nat -F NETAVARK-HOSTPORT-DNAT",
    "nft": "nft flush chain inet netavark NETAVARK-HOSTPORT-DNAT",
}


def _published(stage: Stage, where: str, *, to: int = PORT, address: str = _WEB) -> None:
    """A container with a published port, and a program in it."""
    stage.container("web", "-p", f"{where}:{to}", "--ip", address)
    stage.listen("web")


def _published_anew(stage: Stage, where: str) -> None:
    """The same container again, published in another way: that cannot be changed later.

    It gets another address, as it would by itself: the host still has the old one's MAC.
    """
    stage.podman("rm", "-f", "-t", "0", "web")
    _published(stage, where, address="10.88.0.81")


@fault(Cause.LOOPBACK_IN_CONTAINER)
def a_program_on_its_containers_loopback(stage: Stage) -> Iterator[Broken]:
    """Development servers bind to 127.0.0.1, which in a container is the container's own."""
    stage.container("client")
    stage.container("web", "--ip", _WEB)
    listening = stage.listen("web", "127.0.0.1")

    def cure() -> None:
        stage.stop(listening)
        stage.listen("web")

    yield Broken("client", f"http://{_WEB}:{PORT}/", cure=cure)


@fault(Cause.LOOPBACK_IN_CONTAINER)
def a_program_on_its_containers_loopback_behind_a_published_port(stage: Stage) -> Iterator[Broken]:
    """Publishing leads into the container, and not to its loopback."""
    stage.container("web", "-p", f"{_OUTSIDE}:{PORT}")
    listening = stage.listen("web", "127.0.0.1")

    def cure() -> None:
        stage.stop(listening)
        stage.listen("web")

    yield Broken(HOST, f"http://127.0.0.1:{_OUTSIDE}/", cure=cure)


@fault(Cause.PUBLISHED_ON_LOOPBACK)
def a_port_on_the_hosts_loopback_called_by_a_container(stage: Stage) -> Iterator[Broken]:
    """``-p 127.0.0.1:...`` is for the host's own processes; the other container calls it directly."""
    stage.container("client")
    _published(stage, f"127.0.0.1:{_OUTSIDE}")
    yield Broken("client", _NAME, cure=lambda: None, cured_target=f"http://{_WEB}:{PORT}/")


@fault(Cause.PUBLISHED_ON_LOOPBACK)
def a_port_on_the_hosts_loopback_called_by_the_lan(stage: Stage) -> Iterator[Broken]:
    """A neighbour calls it, and it has to be published for him."""
    _published(stage, f"127.0.0.1:{_OUTSIDE}")
    target = f"http://{HOST_LAN}:{_OUTSIDE}/"
    yield Broken(NEIGHBOUR, target, cure=lambda: _published_anew(stage, f"{HOST_LAN}:{_OUTSIDE}"))


@fault(Cause.NOT_PUBLISHED)
def a_port_that_is_not_published_called_by_a_container(stage: Stage) -> Iterator[Broken]:
    """The container has the port, and the host has not."""
    stage.container("client")
    stage.container("web", "--ip", _WEB)
    stage.listen("web")
    target = f"http://host.containers.internal:{PORT}/"
    yield Broken("client", target, cure=lambda: None, cured_target=f"http://{_WEB}:{PORT}/")


@fault(Cause.NOT_PUBLISHED)
def a_port_that_is_not_published_called_by_the_host(stage: Stage) -> Iterator[Broken]:
    """As after ``podman run`` without ``-p``."""
    stage.container("web")
    stage.listen("web")
    yield Broken(HOST, f"http://127.0.0.1:{PORT}/", cure=lambda: _published_anew(stage, f"127.0.0.1:{PORT}"))


@fault(Cause.WRONG_CONTAINER_PORT, meant=True)
def a_port_published_to_one_that_nobody_has(stage: Stage) -> Iterator[Broken]:
    """The image's program listens on another port than everybody thinks."""
    stage.container("client")
    _published(stage, str(_OUTSIDE), to=80)
    yield Broken("client", _NAME, cure=lambda: _published_anew(stage, str(_OUTSIDE)))


@fault(Cause.PUBLISHED_IPV6_LOOPBACK)
def a_published_port_called_by_the_ipv6_loopback(stage: Stage) -> Iterator[Broken]:
    """``localhost`` may be ``::1`` first."""
    _published(stage, str(_OUTSIDE))
    yield Broken(HOST, f"http://[::1]:{_OUTSIDE}/", cure=lambda: None, cured_target=f"http://127.0.0.1:{_OUTSIDE}/")


@fault(Cause.PUBLISHED_NO_RULE)
def rules_that_were_flushed(stage: Stage) -> Iterator[Broken]:
    """As a firewall does that loads its own rules."""
    stage.container("client")
    _published(stage, str(_OUTSIDE))
    stage.run(FLUSH[machine.read().firewall])
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.PUBLISHED_NO_RULE, shown=not PODMAN_5)
def a_rule_for_the_address_that_is_none(stage: Stage) -> Iterator[Broken]:
    """Podman 4's API takes 0.0.0.0 literally; the command line leaves it out."""
    stage.container("client")
    port = {"host_ip": "0.0.0.0", "host_port": _OUTSIDE, "container_port": PORT, "protocol": "tcp"}
    made = {"name": "web", "image": stage.image, "command": ["sleep", "infinity"], "portmappings": [port]}
    api = stage.host.engine.client.api
    headers = {"Content-Type": "application/json"}
    api.post("/containers/create", data=json.dumps(made), headers=headers).raise_for_status()
    stage.podman("start", "web")
    stage.listen("web")
    yield Broken("client", _NAME, cure=lambda: _published_anew(stage, str(_OUTSIDE)))


@fault(Cause.STALE_TRANSLATION)
def a_rule_that_leads_to_an_address_of_before(stage: Stage) -> Iterator[Broken]:
    """As one that was restored with the rules of a day on which the container had another address."""
    stage.container("client")
    _published(stage, str(_OUTSIDE))
    before = f"10.88.0.99:{PORT}"
    stage.run(f"iptables -t nat -I PREROUTING -p tcp --dport {_OUTSIDE} -j DNAT --to-destination {before}")
    yield Broken("client", _NAME, cure_runs_on=HOST)


@fault(Cause.HAIRPIN)
def a_container_that_calls_itself_by_its_published_port(stage: Stage) -> Iterator[Broken]:
    """As a program does that was told its own public URL."""
    _published(stage, str(_OUTSIDE))
    yield Broken("web", _NAME, cure=lambda: None, cured_target=f"http://127.0.0.1:{PORT}/")


@fault(Cause.HAIRPIN)
def a_container_that_calls_itself_and_must(stage: Stage) -> Iterator[Broken]:
    """The second cure: its URL is not to be changed, so the bridge is."""
    _published(stage, str(_OUTSIDE))
    (veth,) = re.findall(r"^\d+: (veth[^@:]+)", stage.run("ip -o link show master podman0"), re.MULTILINE)
    yield Broken("web", _NAME, cure=lambda: _run(stage, f"bridge link set dev {veth} hairpin on"))


@fault(Cause.NOT_RUNNING)
def a_stopped_container_that_is_called_by_its_published_port(stage: Stage) -> Iterator[Broken]:
    """The port is gone with the container."""
    stage.container("client")
    stage.container("web", "-p", f"{_OUTSIDE}:{PORT}")
    stage.podman("stop", "-t", "0", "web")

    def cure() -> None:
        stage.podman("start", "web")
        stage.listen("web")

    yield Broken("client", _NAME, cure=cure)


@fault(Cause.NOT_RUNNING)
def a_stopped_container_that_is_called_by_its_name(stage: Stage) -> Iterator[Broken]:
    """Podman's resolver forgets who does not run."""
    stage.podman("network", "create", "named")
    stage.container("client", network="named")
    stage.container("web", network="named")
    stage.podman("stop", "-t", "0", "web")

    def cure() -> None:
        stage.podman("start", "web")
        stage.listen("web")

    yield Broken("client", f"http://web:{PORT}/", cure=cure)


@fault(Cause.NOT_RUNNING)
def a_stopped_container_that_is_to_call(stage: Stage) -> Iterator[Broken]:
    """From a container that does not run nothing can be tried."""
    stage.container("client")
    stage.listen(HOST)
    stage.podman("stop", "-t", "0", "client")
    yield Broken("client", f"http://{GATEWAY}:{PORT}/", cure_runs_on=HOST)


def _run(stage: Stage, command: str) -> None:
    stage.run(command)
