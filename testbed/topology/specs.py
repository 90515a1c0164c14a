"""Specifications: the parts of a topology. Each field says its form, its unit and where its meaning is defined.

Addresses, subnets and MAC addresses are text, as ip(8) and podman(1) take and print them: IPv4 in dotted decimal
(``10.88.0.10``), IPv6 as RFC 5952 writes it (``2001:db8::10``), MAC addresses as six octets in hexadecimal with colons
(``02:42:0a:58:00:0a``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

#: The resolver of every private host (TEST-NET-3, RFC 5737). Never loopback: Podman then writes public servers into
#: containers.
RESOLVER_ADDRESS: Final = "203.0.113.253"
#: The name of Podman's default network, which every host with an engine has (podman-network(1)).
DEFAULT_NETWORK: Final = "podman"


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A host: network, mount, PID, UTS, IPC and cgroup namespaces (namespaces(7)) under one first process."""

    name: str
    """Its hostname: letters, digits, ``-``, ``_`` and ``.``, at most 64 bytes (sethostname(2))."""
    with_engine: bool = True
    """True where Podman runs. Without it a host has no containers, no networks and no secrets."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Further lines of its hosts file (hosts(5)): name to IPv4 or IPv6 address."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """Routes (ip-route(8)): destination to gateway. A destination is a prefix such as ``203.0.113.0/27`` or ``::/0``,
    or ``default``, which is the default route of the gateway's family. A gateway is on the link of one of the host's
    cables, that is, within the prefix of its address there."""
    secrets: tuple[str, ...] = ()
    """Names of secrets that only those of its containers may read that name them; made up anew for every lab."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Kernel parameters of its network namespace (sysctl(8)), such as ``net.ipv6.conf.all.forwarding`` to ``1``; only
    ``net.``. Those of a cable's interface (``net.ipv4.conf.LINK.…``) are set before that interface is up."""


@dataclass(frozen=True, slots=True)
class CableEndSpec:
    """One end of a cable: an interface of a host, or of a container with a network namespace of its own."""

    place: str
    """The name of a host or of a container."""
    link: str
    """The interface's name: at most 15 bytes without ``/``, ``:`` and white space (net/core/dev.c, dev_valid_name)."""
    address: str | None = None
    """IPv4 address and prefix length, such as ``198.51.100.1/24`` (ip-address(8)); by default it has none."""
    ipv6_address: str | None = None
    """IPv6 address and prefix length, such as ``2001:db8::1/64``; by default only the kernel's own link-local one."""
    mac: str | None = None
    """MAC address (ip-link(8), ``address``); by default the kernel makes one up."""


@dataclass(frozen=True, slots=True)
class CableSpec:
    """A cable: a veth pair (veth(4)) with an end in each of two network namespaces, up at both."""

    one: CableEndSpec
    other: CableEndSpec


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """One of Podman's bridge networks with DNS, beside the default one (podman-network-create(1))."""

    host: str
    """The name of the host whose Podman has it."""
    name: str
    """Its name, unlike any other network's of that host."""
    subnet: str
    """IPv4 prefix, such as ``10.89.0.0/24`` (``--subnet``)."""
    gateway: str
    """The host's own IPv4 address in it, at the bridge (``--gateway``)."""
    internal: bool = False
    """True for a network without a way out of the host (``--internal``)."""
    ipv6_subnet: str | None = None
    """IPv6 prefix, such as ``2001:db8:1::/64``, for a network of both families (``--ipv6``)."""
    ipv6_gateway: str | None = None
    """The host's own IPv6 address in it; given where ``ipv6_subnet`` is."""


@dataclass(frozen=True, slots=True)
class Publish:
    """A published TCP port (podman-run(1), ``--publish``)."""

    port: int
    """The container's port, 1 to 65535."""
    host_address: str
    """The address of its host that it is published on; ``0.0.0.0`` is all of them."""
    host_port: int
    """The host's port, 1 to 65535."""


@dataclass(frozen=True, slots=True)
class AttachmentSpec:
    """A container's attachment to one of its host's networks (podman-run(1), ``--network``)."""

    network: str
    """``podman``, the default network, or the name of a :class:`NetworkSpec` of the same host."""
    address: str | None = None
    """IPv4 address there (``ip=``); by default the network's next free one."""
    ipv6_address: str | None = None
    """IPv6 address there (``ip6=``), where the network has an IPv6 subnet; by default the next free one."""
    mac: str | None = None
    """MAC address there (``mac=``); by default one that Podman makes up at every start."""


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file mounted into a container, read-only (podman-run(1), ``--volume SOURCE:PATH:ro``). It belongs to root."""

    path: str
    """Where it is in the container: an absolute path. Podman makes the folders above that are missing."""
    text: str
    """All that stands in it, written as UTF-8."""
    mode: int = 0o444
    """Its permission bits (chmod(1)), 0 to 0o777. A process that is not root reads it by the last three."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container. It has networks or a mode, one of the two."""

    host: str
    """The name of the host whose Podman runs it."""
    name: str
    """Its name (podman-run(1), ``--name``) and, in a namespace of its own, its hostname; as a host's."""
    role: str
    """The name of its image, such as ``frontend``; ``base`` for one that only is there. Some roles have a class, and
    need more of a specification (docs/adding/role.md)."""
    networks: tuple[AttachmentSpec, ...] = ()
    """The networks it is attached to: ``eth0`` at the first of them, ``eth1`` at the next, and so on."""
    mode: str | None = None
    """``host``, ``none`` or ``container:NAME`` (podman-run(1), ``--network``); NAME is of the same host and has a
    network namespace of its own."""
    publish: tuple[Publish, ...] = ()
    """The ports it publishes, where it is on a network."""
    command: tuple[str, ...] = ()
    """The command (Containerfile(5), CMD), word by word, in place of the image's."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Further lines of its hosts file: name to address (``--add-host``)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of its environment beside the image's (``--env``)."""
    secrets: tuple[str, ...] = ()
    """Those of its host that it may read, at /run/secrets/NAME."""
    files: tuple[FileSpec, ...] = ()
    """Files mounted into it."""
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Volumes, which outlive it: name to the absolute path it is mounted at (``--volume``)."""
    sealed: bool = False
    """True for one that has no capability (``--cap-drop=all``, ``no-new-privileges``), and a read-only file system but
    for its volumes and what is in memory (``--read-only``, ``--tmpfs /tmp``)."""
    add_capabilities: tuple[str, ...] = ()
    """Capabilities beside Podman's default ones (``--cap-add``): names of capabilities(7) without ``CAP_``, or
    ``ALL``."""
    drop_capabilities: tuple[str, ...] = ()
    """Capabilities that it shall not have (``--cap-drop``)."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Kernel parameters of its own namespaces (``--sysctl``): ``net.…`` where it has a network namespace of its own,
    and the IPC namespace's. Those of a cable's interface are set before that interface is up."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """Routes of its network namespace, as a host's, set before its first process runs. A gateway is on the link of one
    of its cables or networks. The default route that Podman makes has metric 100, and one from here none, so that this
    one is taken."""
    restart: str = "no"
    """The policy by which Podman starts it again when its first process ends (``--restart``): ``no``, ``on-failure``,
    ``on-failure:N`` (at most N times), ``always`` or ``unless-stopped``."""
