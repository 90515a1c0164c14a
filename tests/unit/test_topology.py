"""Topologies, and the contradictions in them that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from testbed.errors import UsageError
from testbed.topology import (
    RESOLVER_ADDRESS,
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

LAPTOP, REMOTE = HostSpec("laptop"), HostSpec("remote")


def _box(host: str, name: str, role: str = "base") -> ContainerSpec:
    return ContainerSpec(host, name, role, mode="none")


@pytest.mark.parametrize(
    ("hosts", "containers", "named"),
    [
        ((LAPTOP, LAPTOP), (), "laptop"),
        ((LAPTOP,), (_box("laptop", "a"), _box("laptop", "a", "agent")), "a"),
        ((LAPTOP, REMOTE), (_box("laptop", "a"), _box("remote", "a")), "a"),
        ((LAPTOP,), (_box("laptop", "laptop"),), "laptop"),
        ((REMOTE, LAPTOP, REMOTE, LAPTOP), (), "laptop, remote"),
    ],
    ids=["two hosts", "two containers", "on two hosts", "a host and a container", "more than one name"],
)
def test_name_given_twice_is_refused(
    hosts: tuple[HostSpec, ...], containers: tuple[ContainerSpec, ...], named: str
) -> None:
    """Hosts and containers are found by name, so that a topology with one name for two is a UsageError naming it."""
    with pytest.raises(UsageError) as caught:
        Topology(hosts, containers=containers)
    assert str(caught.value) == f"hosts and containers share names in one lab; given twice: {named}"


def test_roles_are_those_of_its_containers_once_each() -> None:
    """The images that a topology needs are listed once each, in a fixed order."""
    topology = Topology(
        (LAPTOP,),
        containers=tuple(
            _box("laptop", name, role) for name, role in [("a", "sshd"), ("b", "base"), ("c", "sshd"), ("d", "agent")]
        ),
    )
    assert topology.roles == ("agent", "base", "sshd")


def _topology(
    *containers: ContainerSpec,
    hosts: tuple[HostSpec, ...] = (LAPTOP, REMOTE),
    cables: tuple[CableSpec, ...] = (),
    networks: tuple[NetworkSpec, ...] = (),
) -> Topology:
    return Topology(hosts, cables, networks, containers)


def _on(*attachments: AttachmentSpec, name: str = "a", **fields: Any) -> ContainerSpec:
    """A container of the laptop on networks; on Podman's default one unless others are given."""
    return ContainerSpec("laptop", name, "base", attachments or (AttachmentSpec("podman"),), **fields)


def _with(**fields: Any) -> ContainerSpec:
    return ContainerSpec("laptop", "a", "base", **fields)


def _cable(one: CableEndSpec, other: CableEndSpec | None = None) -> tuple[CableSpec, ...]:
    return (CableSpec(one, other or CableEndSpec("remote", "wan0")),)


_DUAL: Final = NetworkSpec("laptop", "dual", "10.89.5.0/24", "10.89.5.1", False, "2001:db8:5::/64", "2001:db8:5::1")
_END: Final = CableEndSpec("laptop", "wan0", "198.51.100.1/24")

#: What contradicts itself, by what is then said. The parts of a topology are made when the test runs.
CONTRADICTIONS: Final[dict[str, Callable[[], Topology]]] = {
    # Hosts
    "host 'a b': its name cannot be that: it needs a letter or digit first, then letters, digits, '-', '_' and '.'": (
        lambda: _topology(hosts=(HostSpec("a b"),))
    ),
    f"host '{'x' * 65}': its name cannot be that: it has 65 bytes: at most 64": (
        lambda: _topology(hosts=(HostSpec("x" * 65),))
    ),
    "host 'laptop': names: 'shop' leads to '10.0.0', which is no IPv4 or IPv6 address": (
        lambda: _topology(hosts=(HostSpec("laptop", names={"shop": "10.0.0"}),))
    ),
    "host 'laptop': names: 'the shop' cannot stand in a hosts file: a name has no white space, '#' or ':'": (
        lambda: _topology(hosts=(HostSpec("laptop", names={"the shop": "10.0.0.1"}),))
    ),
    "host 'laptop': routes: the gateway '192.0.2.1' of 'default' is on none of its cables (no prefix)": (
        lambda: _topology(hosts=(HostSpec("laptop", routes={"default": "192.0.2.1"}),))
    ),
    "host 'laptop': routes: '2001:db8::/32' and its gateway '198.51.100.2' are of different families": (
        lambda: _topology(
            hosts=(HostSpec("laptop", routes={"2001:db8::/32": "198.51.100.2"}), REMOTE), cables=_cable(_END)
        )
    ),
    "host 'laptop': routes: the destination '203.0.113.1/24' is no prefix (203.0.113.1/24 has host bits set) "
    "and not 'default'": (
        lambda: _topology(
            hosts=(HostSpec("laptop", routes={"203.0.113.1/24": "198.51.100.2"}), REMOTE), cables=_cable(_END)
        )
    ),
    "host 'laptop': routes: 'default' has the gateway 'remote', which is no IPv4 or IPv6 address": (
        lambda: _topology(hosts=(HostSpec("laptop", routes={"default": "remote"}),))
    ),
    "host 'laptop': secrets ('key',) are for containers, and it has no engine: leave them out": (
        lambda: _topology(hosts=(HostSpec("laptop", with_engine=False, secrets=("key",)),))
    ),
    "host 'laptop': no secret can be called '../key': it needs a letter or digit first, then letters, digits, "
    "'-', '_' and '.'": (lambda: _topology(hosts=(HostSpec("laptop", secrets=("../key",)),))),
    "host 'laptop': the secret 'key' is given twice": (
        lambda: _topology(hosts=(HostSpec("laptop", secrets=("key", "key")),))
    ),
    "host 'laptop': sysctls: 'net.ipv4 forward' = '1' is none: write for example 'net.ipv4.ip_forward' to '1'": (
        lambda: _topology(hosts=(HostSpec("laptop", sysctls={"net.ipv4 forward": "1"}),))
    ),
    "host 'laptop': sysctls: 'vm.swappiness' is the machine's: only those of 'net.' are a host's own": (
        lambda: _topology(hosts=(HostSpec("laptop", sysctls={"vm.swappiness": "1"}),))
    ),
    "host 'laptop': sysctls: 'net.ipv4.conf.wan9.rp_filter' is of an interface 'wan9': there are none": (
        lambda: _topology(hosts=(HostSpec("laptop", sysctls={"net.ipv4.conf.wan9.rp_filter": "0"}),))
    ),
    # Cables
    "the cable's end 'wan0' at 'moon': there is no host and no container 'moon': there are laptop, remote": (
        lambda: _topology(cables=_cable(CableEndSpec("moon", "wan0")))
    ),
    "the cable's end 'sixteen-bytes-xx' at 'laptop': it cannot be called that: it has 16 bytes, and an interface's "
    "name at most 15": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "sixteen-bytes-xx")))),
    "the cable's end 'a/b' at 'laptop': it cannot be called that: an interface's name is not empty, not '.' or '..', "
    "and has no '/', ':' or white space": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "a/b")))),
    "two cables have an end called 'wan0' at 'laptop': call one of them otherwise": (
        lambda: _topology(cables=(*_cable(_END), *_cable(CableEndSpec("laptop", "wan0"), CableEndSpec("remote", "b"))))
    ),
    "the cable's end 'podman0' at 'laptop': a host's own interface has that name, or may come to have it: call the "
    "end otherwise": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "podman0")))),
    "the cable's end 'eth0' at 'a': the container's own interface has that name: call the end otherwise": (
        lambda: _topology(_on(), cables=_cable(CableEndSpec("a", "eth0")))
    ),
    "the cable's end 'up' at 'a': its mode is 'host', and the interface would be the host's: give the end to "
    "'laptop'": (lambda: _topology(_with(mode="host"), cables=_cable(CableEndSpec("a", "up")))),
    "the cable's end 'up' at 'b': its mode is 'container:a': give the end to 'a', whose network namespace it is in": (
        lambda: _topology(
            _on(), ContainerSpec("laptop", "b", "base", mode="container:a"), cables=_cable(CableEndSpec("b", "up"))
        )
    ),
    "the cable's end 'up' at 'a': restart 'always' with mode 'none': Podman would start the container again in another "
    "network namespace, without its cables: put it on a network, or use Lab.restart": (
        lambda: _topology(_with(mode="none", restart="always"), cables=_cable(CableEndSpec("a", "up")))
    ),
    "the cable's end 'wan0' at 'laptop': address '198.51.100.1' is no IPv4 address with a prefix length, such as "
    "'198.51.100.1/24'": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "wan0", "198.51.100.1")))),
    "the cable's end 'wan0' at 'laptop': ipv6_address '198.51.100.1/24' is no IPv6 address with a prefix length, such "
    "as '2001:db8::1/64'": (
        lambda: _topology(cables=_cable(CableEndSpec("laptop", "wan0", ipv6_address="198.51.100.1/24")))
    ),
    "the cable's end 'wan0' at 'laptop': address '198.51.100.0/24' is the prefix itself, and no address of an "
    "interface": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "wan0", "198.51.100.0/24")))),
    "the cable's end 'wan0' at 'laptop': address '203.0.113.253/24' is the resolver's of every private host: take "
    "another": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "wan0", f"{RESOLVER_ADDRESS}/24")))),
    "the cable's end 'wan0' at 'laptop': mac 'bb:11:22:33:44:55': its group bit is set, and no interface may have such "
    "an address": (lambda: _topology(cables=_cable(CableEndSpec("laptop", "wan0", mac="bb:11:22:33:44:55")))),
    "the address 198.51.100.1 is given twice on one cable: to 'wan0' at 'laptop' and 'wan0' at 'remote'": (
        lambda: _topology(cables=_cable(_END, CableEndSpec("remote", "wan0", "198.51.100.1/30")))
    ),
    "the MAC address 02:00:00:00:00:01 is given twice at 'laptop': to 'one' and 'two'": (
        lambda: _topology(
            cables=(
                *_cable(CableEndSpec("laptop", "one", mac="02:00:00:00:00:01"), CableEndSpec("remote", "one")),
                *_cable(CableEndSpec("laptop", "two", mac="02:00:00:00:00:01"), CableEndSpec("remote", "two")),
            )
        )
    ),
    # Networks
    "network 'n' on 'moon': there is no host 'moon': there are laptop, remote": (
        lambda: _topology(networks=(NetworkSpec("moon", "n", "10.89.0.0/24", "10.89.0.1"),))
    ),
    "network 'n' on 'laptop': the host has no engine: leave with_engine=False out": (
        lambda: _topology(
            hosts=(HostSpec("laptop", with_engine=False),),
            networks=(NetworkSpec("laptop", "n", "10.89.0.0/24", "10.89.0.1"),),
        )
    ),
    "network 'podman' on 'laptop': Podman makes its default network itself: leave it out, or call this one otherwise": (
        lambda: _topology(networks=(NetworkSpec("laptop", "podman", "10.89.0.0/24", "10.89.0.1"),))
    ),
    "network 'n' on 'laptop': its name cannot be that: it has 70 bytes: at most 64".replace("'n'", f"'{'n' * 70}'"): (
        lambda: _topology(networks=(NetworkSpec("laptop", "n" * 70, "10.89.0.0/24", "10.89.0.1"),))
    ),
    "network 'n' is given twice on 'laptop': call one of them otherwise": (
        lambda: _topology(
            networks=(
                NetworkSpec("laptop", "n", "10.89.0.0/24", "10.89.0.1"),
                NetworkSpec("laptop", "n", "10.89.1.0/24", "10.89.1.1"),
            )
        )
    ),
    "network 'n' on 'laptop': subnet '10.89.0.1/24' is no prefix: 10.89.0.1/24 has host bits set": (
        lambda: _topology(networks=(NetworkSpec("laptop", "n", "10.89.0.1/24", "10.89.0.1"),))
    ),
    "network 'n' on 'laptop': subnet '2001:db8::/64' is not of IPv4": (
        lambda: _topology(networks=(NetworkSpec("laptop", "n", "2001:db8::/64", "2001:db8::1"),))
    ),
    "network 'n' on 'laptop': gateway '10.89.1.1' is no address of 10.89.0.0/24": (
        lambda: _topology(networks=(NetworkSpec("laptop", "n", "10.89.0.0/24", "10.89.1.1"),))
    ),
    "network 'n' on 'laptop': gateway '10.89.0.255' is the first or the last address of 10.89.0.0/24, which no host "
    "may have": (lambda: _topology(networks=(NetworkSpec("laptop", "n", "10.89.0.0/24", "10.89.0.255"),))),
    "network 'n' on 'laptop': ipv6_subnet '2001:db8::/64' and ipv6_gateway None: give both or neither": (
        lambda: _topology(
            networks=(NetworkSpec("laptop", "n", "10.89.0.0/24", "10.89.0.1", ipv6_subnet="2001:db8::/64"),)
        )
    ),
    "the networks 'podman' (10.88.0.0/16) and 'n' (10.88.7.0/24) of 'laptop' overlap": (
        lambda: _topology(networks=(NetworkSpec("laptop", "n", "10.88.7.0/24", "10.88.7.1"),))
    ),
    # Containers: where they are
    "container 'a/b': its name cannot be that: it needs a letter or digit first, then letters, digits, '-', '_' and "
    "'.'": (lambda: _topology(_on(name="a/b"))),
    "container 'a': there is no host 'moon': there are laptop, remote": (
        lambda: _topology(ContainerSpec("moon", "a", "base", mode="none"))
    ),
    "container 'a': its host 'laptop' has no engine: leave with_engine=False out": (
        lambda: _topology(_with(mode="none"), hosts=(HostSpec("laptop", with_engine=False),))
    ),
    "container 'a': it has neither a network nor a mode: give it networks=(AttachmentSpec('podman'),) for Podman's "
    "default one, or mode='none'": (lambda: _topology(_with())),
    "container 'a': mode 'host' and the networks 'podman': it has one or the other": lambda: _topology(
        _on(mode="host")
    ),
    "container 'a': mode 'bridge' is none of 'host', 'none' and 'container:NAME'": (
        lambda: _topology(_with(mode="bridge"))
    ),
    "container 'a': mode 'container:b': 'laptop' has no container 'b': there are no others": (
        lambda: _topology(_with(mode="container:b"), ContainerSpec("remote", "b", "base", mode="none"))
    ),
    "container 'a': mode 'container:b': 'b' has no network namespace of its own (mode 'host'): name whose it is": (
        lambda: _topology(_with(mode="container:b"), ContainerSpec("laptop", "b", "base", mode="host"))
    ),
    "container 'a': names {'shop': '10.0.0.1'} with mode 'container:b' are those of 'b': give them to it": (
        lambda: _topology(_with(mode="container:b", names={"shop": "10.0.0.1"}), _on(name="b"))
    ),
    "container 'a': routes {'default': '10.88.0.9'} with mode 'host' are its host's: give them to 'laptop'": (
        lambda: _topology(_with(mode="host", routes={"default": "10.88.0.9"}))
    ),
    "container 'a': 'laptop' has no network 'n': there are 'podman'": lambda: _topology(_on(AttachmentSpec("n"))),
    "container 'a': it is attached to the network 'podman' twice": (
        lambda: _topology(_on(AttachmentSpec("podman"), AttachmentSpec("podman")))
    ),
    "container 'a': address '10.89.0.5' is outside of 10.88.0.0/16, the subnet of the network 'podman'": (
        lambda: _topology(_on(AttachmentSpec("podman", "10.89.0.5")))
    ),
    "container 'a': address '10.88.0' on the network 'podman' is no IPv4 address": (
        lambda: _topology(_on(AttachmentSpec("podman", "10.88.0")))
    ),
    "container 'a': ipv6_address '2001:db8::5' on the network 'podman', which has no IPv6 subnet": (
        lambda: _topology(_on(AttachmentSpec("podman", ipv6_address="2001:db8::5")))
    ),
    "container 'a': ipv6_address '2001:db8:6::5' is outside of 2001:db8:5::/64, the subnet of the network 'dual'": (
        lambda: _topology(_on(AttachmentSpec("dual", ipv6_address="2001:db8:6::5")), networks=(_DUAL,))
    ),
    "container 'a': address '10.88.255.255' is the first or the last of 10.88.0.0/16, which no host may have": (
        lambda: _topology(_on(AttachmentSpec("podman", "10.88.255.255")))
    ),
    "container 'a': mac '02-00' on the network 'podman': a MAC address is six octets in hexadecimal with ':' between": (
        lambda: _topology(_on(AttachmentSpec("podman", mac="02-00")))
    ),
    "the address 10.88.0.5 is given twice on the network 'podman' of 'laptop': to 'a' and 'b'": (
        lambda: _topology(
            _on(AttachmentSpec("podman", "10.88.0.5")), _on(AttachmentSpec("podman", "10.88.0.5"), name="b")
        )
    ),
    "the address 10.88.0.1 is given twice on the network 'podman' of 'laptop': to its gateway and 'a'": (
        lambda: _topology(_on(AttachmentSpec("podman", "10.88.0.1")))
    ),
    "the MAC address 02:00:00:00:00:0a is given twice on the network 'podman' of 'laptop': to 'a' and 'b'": (
        lambda: _topology(
            _on(AttachmentSpec("podman", mac="02:00:00:00:00:0a")),
            _on(AttachmentSpec("podman", mac="02:00:00:00:00:0A"), name="b"),
        )
    ),
    # Containers: ports
    "container 'a': publish (host port 80) with mode 'host': only a container on a network can publish": (
        lambda: _topology(_with(mode="host", publish=(Publish(80, "0.0.0.0", 80),)))
    ),
    "container 'a': publish: host_address 'laptop' is no IPv4 or IPv6 address": (
        lambda: _topology(_on(publish=(Publish(80, "laptop", 80),)))
    ),
    "container 'a': publish: host_port 0 is no port: it is 1 to 65535": (
        lambda: _topology(_on(publish=(Publish(80, "0.0.0.0", 0),)))
    ),
    "port 80 of 'laptop' is published twice on one address, by 'a' and 'b'": (
        lambda: _topology(
            _on(publish=(Publish(80, "0.0.0.0", 80),)), _on(name="b", publish=(Publish(8080, "127.0.0.1", 80),))
        )
    ),
    "port 81 of 'laptop' is published twice on one address, by 'a'": (
        lambda: _topology(_on(publish=(Publish(80, "127.0.0.1", 81), Publish(8080, "127.0.0.1", 81))))
    ),
    # Containers: what is in them
    "container 'a': environment: 'A=B' cannot be a variable's name (environ(7))": (
        lambda: _topology(_on(environment={"A=B": "1"}))
    ),
    "container 'a': names: 'shop' leads to 'here', which is no IPv4 or IPv6 address": (
        lambda: _topology(_on(names={"shop": "here"}))
    ),
    "container 'a': 'laptop' has no secret 'key': there are none": lambda: _topology(_on(secrets=("key",))),
    "container 'a': no volume can be called '/data': it needs a letter or digit first, then letters, digits, '-', '_' "
    "and '.'": (lambda: _topology(_on(volumes={"/data": "/data"}))),
    "container 'a': nothing can be mounted at 'data': it needs an absolute path without ':', '.' and '..'": (
        lambda: _topology(_on(volumes={"data": "data"}))
    ),
    "container 'a': two things are to be mounted at '/data'": (
        lambda: _topology(_on(volumes={"data": "/data"}, files=(FileSpec("/data", ""),)))
    ),
    "container 'a': the file '/x' has the mode 0o1777: it is 0 to 0o777": (
        lambda: _topology(_on(files=(FileSpec("/x", "", 0o1777),)))
    ),
    "container 'a': the file '/etc/hosts' is one that Podman makes itself: use names, or another path": (
        lambda: _topology(_on(files=(FileSpec("/etc/hosts", ""),)))
    ),
    "container 'a': sealed, and add_capabilities ('NET_ADMIN',): a sealed container has none": (
        lambda: _topology(_on(sealed=True, add_capabilities=("NET_ADMIN",)))
    ),
    "container 'a': add_capabilities: 'NET_ADMN' is no capability: write for example 'NET_ADMIN' (capabilities(7))": (
        lambda: _topology(_on(add_capabilities=("NET_ADMN",)))
    ),
    "container 'a': the capability 'CHOWN' is both added and dropped": (
        lambda: _topology(_on(add_capabilities=("CHOWN",), drop_capabilities=("CHOWN",)))
    ),
    "container 'a': sysctls: 'net.ipv4.ip_forward' with mode 'host' is one of 'laptop': give it to that one": (
        lambda: _topology(_with(mode="host", sysctls={"net.ipv4.ip_forward": "1"}))
    ),
    "container 'a': sysctls: 'vm.swappiness' is the machine's: only those of 'net.' and of IPC are a container's own": (
        lambda: _topology(_on(sysctls={"vm.swappiness": "1"}))
    ),
    "container 'a': sysctls: 'net.ipv4.conf.up.rp_filter' is of an interface 'up': there are eth0": (
        lambda: _topology(_on(sysctls={"net.ipv4.conf.up.rp_filter": "0"}))
    ),
    "container 'a': routes: the gateway '192.0.2.1' of 'default' is on none of its cables and networks "
    "(10.88.0.0/16)": (lambda: _topology(_on(routes={"default": "192.0.2.1"}))),
    "container 'a': restart 'sometimes' is no policy: it is 'no', 'on-failure', 'on-failure:N', 'always' or "
    "'unless-stopped'": (lambda: _topology(_on(restart="sometimes"))),
}


@pytest.mark.parametrize("sentence", CONTRADICTIONS)
def test_contradiction_is_refused(sentence: str) -> None:
    """A topology that contradicts itself is a UsageError that names the thing, the field, its value, and why."""
    with pytest.raises(UsageError) as caught:
        CONTRADICTIONS[sentence]()
    assert str(caught.value) == sentence


def test_all_contradictions_are_in_one_message() -> None:
    """Contradictions in several places are one UsageError with a line for each, in the order of the topology."""
    with pytest.raises(UsageError) as caught:
        _topology(_with(mode="bridge"), _on(name="b", secrets=("key",)), cables=_cable(CableEndSpec("moon", "wan0")))
    assert str(caught.value).splitlines() == [
        "3 things cannot be as they are specified:",
        "the cable's end 'wan0' at 'moon': there is no host and no container 'moon': there are laptop, remote, a, b",
        "container 'a': mode 'bridge' is none of 'host', 'none' and 'container:NAME'",
        "container 'b': 'laptop' has no secret 'key': there are none",
    ]


def test_same_addresses_on_two_hosts_are_no_contradiction() -> None:
    """Each host has a podman0 of its own, so that addresses, MAC addresses and ports are free on the next host."""
    there = (AttachmentSpec("podman", "10.88.0.5", mac="02:00:00:00:00:05"),)
    ports = (Publish(80, "0.0.0.0", 80),)
    _topology(*(ContainerSpec(host, f"on-{host}", "base", there, publish=ports) for host in ("laptop", "remote")))


def test_one_port_on_two_addresses_is_no_contradiction() -> None:
    """A port can be published on one address by one container and on another address by the next."""
    _topology(
        _on(publish=(Publish(80, "127.0.0.1", 80),)),
        _on(name="b", publish=(Publish(80, "127.0.0.2", 80), Publish(80, "::1", 80))),
    )


def test_point_to_point_prefixes_are_addresses() -> None:
    """Both addresses of a /31 are its ends' (RFC 3021), and both of a /127 (RFC 6164)."""
    _topology(
        cables=_cable(
            CableEndSpec("laptop", "wan0", "198.51.100.0/31", "2001:db8::/127"),
            CableEndSpec("remote", "wan0", "198.51.100.1/31", "2001:db8::1/127"),
        )
    )
