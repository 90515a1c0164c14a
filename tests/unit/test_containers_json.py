"""Podman's own JSON as values: recorded from Podman 4.3.1, and the shapes in which Podman 5 differs."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any, Final

import pytest

from testbed.evidence import Attachment, Names, Published
from testbed.readers.containers import container, network, proxies, without_credentials

RECORDED: Final = Path(__file__).parent / "recorded"


def recorded(name: str) -> Any:
    """What ``podman container inspect`` said of a container."""
    found = json.loads((RECORDED / "podman-4.3.1-containers.json").read_text())
    return next(one for one in found if one["Name"] == name)


def test_a_running_container() -> None:
    """Host, state, mode, process and image are there, and its addresses of both families with their gateways."""
    web = container(recorded("web"), "laptop")
    assert (web.name, web.host, web.state, web.mode, web.pid) == ("web", "laptop", "running", "bridge", 463)
    assert web.image == "localhost/testbed/base:d97cc69b5738"
    assert web.attachments == (
        Attachment(
            "recnet",
            (ipaddress.ip_address("10.89.7.2"), ipaddress.ip_address("fd00:7::2")),
            (ipaddress.ip_address("10.89.7.1"), ipaddress.ip_address("fd00:7::1")),
            ("www", "52b5cd245f0b"),
            "5a:13:f6:dc:fa:d3",
        ),
    )


def test_published_ports() -> None:
    """Each with its protocol and the address of the host, empty where every one is meant."""
    assert container(recorded("web"), "laptop").published == (
        Published("tcp", 80, 8080, ""),
        Published("tcp", 90, 9090, "::1"),
        Published("udp", 53, 5353, "127.0.0.1"),
    )


def test_podman_5_says_0_0_0_0_for_every_address() -> None:
    """It is written as Podman 4's empty word is, and a port that is only exposed is not published."""
    inspect = recorded("gone")
    inspect["NetworkSettings"]["Ports"] = {"81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8081"}], "443/tcp": None}
    assert container(inspect, "laptop").published == (Published("tcp", 81, 8081, ""),)


def test_a_stopped_container() -> None:
    """It has no process and no address, but its exit code, its network, and the ports that it asked for."""
    gone = container(recorded("gone"), "laptop")
    assert (gone.state, gone.pid, gone.exit_code) == ("exited", 0, 3)
    assert [one.network for one in gone.attachments] == ["podman"]
    assert gone.attachments[0].addresses == ()
    assert gone.published == (Published("tcp", 81, 8081, ""),)


def test_a_stopped_container_of_podman_5_has_its_ports_in_its_settings_only() -> None:
    """Where no port is in use, those that were asked for are told."""
    inspect = recorded("gone")
    inspect["NetworkSettings"]["Ports"] = {}
    assert container(inspect, "laptop").published == (Published("tcp", 81, 8081, ""),)


def test_a_container_in_its_hosts_network() -> None:
    """It is attached to nothing; Podman 5 lists its mode as if it were a network, which it is not."""
    inspect = recorded("onhost")
    assert container(inspect, "laptop").mode == "host"
    assert container(inspect, "laptop").attachments == ()
    inspect["NetworkSettings"]["Networks"] = {"host": {"IPAddress": "", "Aliases": None}}
    assert container(inspect, "laptop").attachments == ()


def test_a_member_of_a_pod() -> None:
    """The list knows the pod's name, the inspection only its id; the network is the infra container's."""
    inspect = recorded("member")
    assert container(inspect, "laptop").pod.startswith("6876df1bf489")
    assert container({**inspect, "PodName": "apod"}, "laptop").pod == "apod"
    assert container(inspect, "laptop").mode.startswith("container:ccebc7da445f")
    assert container(inspect, "laptop").published == (Published("tcp", 70, 7070, ""),)


@pytest.mark.parametrize("inspect", [{}, {"State": None, "NetworkSettings": None, "HostConfig": []}])
def test_missing_parts_are_nothing(inspect: dict[str, Any]) -> None:
    """A version that leaves a part out makes an empty value, not an error."""
    found = container(inspect, "laptop")
    assert (found.pid, found.attachments, found.published) == (0, (), ())


def test_nothing_of_the_environment_that_podman_tells_is_kept() -> None:
    """``Config.Env`` has passwords in it; no word of it is anywhere in the value."""
    inspect = recorded("web")
    assert any("secret" in word for word in inspect["Config"]["Env"])
    assert "secret" not in repr(container(inspect, "laptop"))


def test_networks() -> None:
    """The default network without names, and one with two subnets and options."""
    default, other = json.loads((RECORDED / "podman-4.3.1-networks.json").read_text())
    plain, made = network(default, "laptop"), network(other, "laptop")
    assert (plain.name, plain.bridge, plain.dns_enabled, plain.ipv6) == ("podman", "podman0", False, False)
    assert (made.bridge, made.dns_enabled, made.ipv6, made.internal) == ("podman1", True, True, False)
    assert [str(subnet) for subnet in made.subnets] == ["10.89.7.0/24", "fd00:7::/64"]
    assert [str(gateway) for gateway in made.gateways] == ["10.89.7.1", "fd00:7::1"]
    assert made.options == {"isolate": "true", "mtu": "1400"}


def test_a_network_without_a_gateway() -> None:
    """An internal one may have none."""
    found = network({"name": "inner", "internal": True, "subnets": [{"subnet": "10.9.0.0/24"}]}, "laptop")
    assert found.internal
    assert found.gateways == ()


def test_a_resolver_is_read_as_the_c_library_reads_it() -> None:
    """Three servers count, an interface behind an address does not, and the last search or domain wins."""
    found = Names.parse(
        "10.88.0.1 host.containers.internal",
        "search a.example\nnameserver fe80::1%eth0\nnameserver 10.0.0.1\n# nameserver 10.0.0.2\nnameserver nonsense\n"
        "nameserver 10.0.0.3\nnameserver 10.0.0.4\nsearch b.example c.example\n",
    )
    assert [str(server) for server in found.nameservers] == ["fe80::1", "10.0.0.1", "10.0.0.3"]
    assert found.search == ("b.example", "c.example")
    assert found.hosts.lookup("host.containers.internal") == (ipaddress.ip_address("10.88.0.1"),)


def test_only_proxy_variables_are_taken_from_an_environment() -> None:
    """Whatever case they are in, the lower one first; nothing else passes, however alike its name."""
    environment = (
        "PASSWORD=secret\0http_proxy=http://lower.example:3128\0HTTP_PROXY=http://upper.example:3128\0"
        "NO_PROXY=localhost,10.0.0.0/8\0MY_HTTP_PROXY=secret\0http_proxy_password=secret\0ftp_proxy=secret\0"
    )
    assert proxies(environment) == {"http_proxy": "http://lower.example:3128", "no_proxy": "localhost,10.0.0.0/8"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("http://user:secret@proxy.example:3128", "http://***@proxy.example:3128"),
        ("user:secret@proxy.example:3128", "***@proxy.example:3128"),
        ("socks5h://secret@proxy.example", "socks5h://***@proxy.example"),
        # A password with the signs in it that end an authority.
        ("http://user:se/cr@e://t@proxy.example:3128/", "http://***@proxy.example:3128"),
        ("http://proxy.example:3128/?token=secret", "http://proxy.example:3128"),
        ("http://proxy.example:3128#secret", "http://proxy.example:3128"),
        ("localhost,10.0.0.0/8,::1", "localhost,10.0.0.0/8,::1"),
        ("", ""),
    ],
)
def test_credentials_are_struck_out(value: str, kept: str) -> None:
    """What remains is where the proxy is."""
    assert without_credentials(value) == kept
