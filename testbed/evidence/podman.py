"""Podman's containers and networks at one moment, and the hosts that they are on. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from testbed.evidence.kernel import Subnet
from testbed.hosts_file import HostsFile
from testbed.model import Address
from testbed.resolver_files import DEFAULT_SOURCES, GaiRow, ResolvConf, gai_rows, host_sources


@dataclass(frozen=True, slots=True)
class Names:
    """How names are resolved at one place: hosts file, resolv.conf, nsswitch.conf and gai.conf."""

    hosts: HostsFile
    nameservers: tuple[Address, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    rotate: bool = False
    sources: tuple[str, ...] = DEFAULT_SOURCES
    """The services of nsswitch.conf for host names, and actions between them; musl has none and asks the default."""
    musl: bool = False
    """True where the C library there is musl; else it is taken for glibc."""
    gai: tuple[GaiRow, ...] = ()

    @classmethod
    def parse(
        cls, hosts: str = "", resolv_conf: str = "", nsswitch: str = "", gai: str = "", *, musl: bool = False
    ) -> Names:
        """Read the texts of these files; one that is not there is an empty one."""
        conf = ResolvConf.parse(resolv_conf)
        return cls(
            HostsFile.parse(hosts),
            conf.nameservers,
            conf.search,
            conf.ndots,
            conf.rotate,
            DEFAULT_SOURCES if musl else host_sources(nsswitch),
            musl,
            () if musl else gai_rows(gai),
        )


@dataclass(frozen=True, slots=True)
class Published:
    """A published port (podman-run(1), --publish)."""

    protocol: str
    container_port: int
    host_port: int
    host_address: str
    """Empty where every address is meant."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A container's place on one network."""

    network: str
    addresses: tuple[Address, ...] = ()
    gateways: tuple[Address, ...] = ()
    aliases: tuple[str, ...] = ()
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container, running or not."""

    id: str
    name: str
    host: str
    """The key of the host that it is on."""
    state: str
    """Podman's word: ``running``, ``exited``, ``created``, ``paused``, ..."""
    mode: str
    """Its network mode: ``bridge``, ``host``, ``none``, ``container:ID``, ``pasta``, ``slirp4netns``, ``ns:PATH``."""
    pid: int = 0
    """Its main process as its host counts; 0 where it does not run."""
    namespace: str | None = None
    """The key of its network namespace; None where it does not run, or is not visible."""
    exit_code: int = 0
    image: str = ""
    pod: str = ""
    """The pod that it is in, by name; empty for none."""
    infra: bool = False
    """True where it only keeps its pod's namespaces: the pod's addresses and published ports are its, and those of all
    members (podman-pod-create(1), --infra)."""
    attachments: tuple[Attachment, ...] = ()
    static: tuple[Address, ...] = ()
    """Addresses that it is to have whenever it runs, as far as the command line says that it was made with
    (podman-run(1), --ip, --ip6 and --network NETWORK:ip=)."""
    published: tuple[Published, ...] = ()
    names: Names = field(default_factory=lambda: Names(HostsFile({})))
    dns_servers: tuple[Address, ...] = ()
    """The resolvers that it was given (podman-run(1), --dns): aardvark-dns asks them for it."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """Proxy variables of its main process, lower-case names; credentials in them are struck out."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network of Podman's."""

    name: str
    host: str
    """The key of the host that it is on."""
    driver: str
    bridge: str
    """The interface's name on the host; it exists only while a container is on the network."""
    subnets: tuple[Subnet, ...] = ()
    gateways: tuple[Address, ...] = ()
    internal: bool = False
    dns_enabled: bool = False
    ipv6: bool = False
    dns_servers: tuple[Address, ...] = ()
    """The resolvers that aardvark-dns asks for its containers (podman-network-create(1), --dns)."""
    options: Mapping[str, str] = field(default_factory=dict)
    """``isolate``, ``mtu``, ..."""


@dataclass(frozen=True, slots=True)
class HostFacts:
    """A host: the machine itself, or one that the testbed made.

    It is a network namespace and the user whose Podman runs there. Names do not tell hosts apart: two labs of one
    scenario have hosts of the same names. Nor do network namespaces: a machine's rootful and rootless Podman share one.
    """

    key: str
    """Its identity in the picture, such as ``net:[4026531840]/uid:0``."""
    name: str
    """Its name among people."""
    namespace: str
    """The key of its network namespace."""
    names: Names
    podman: str = ""
    """Podman's version; empty where the host has none, or it was not asked."""
    zone: Mapping[str, tuple[Address, ...]] | None = None
    """What its resolver knows, where that is one of the testbed's own; None where nobody can say."""
    rootless: bool = False
    rootless_namespace: str | None = None
    """The key of rootless Podman's own network namespace (rootless-netns), where there is one."""
    lab: str = ""
    """The lab in the background that it is part of; empty for the machine, and for a host that this process made."""
    proxies: Mapping[str, str] = field(default_factory=dict)
    """Proxy variables of the terminal on the machine that the picture was taken in, as those of containers are; empty
    for any other host."""
    stands_for: tuple[Subnet, ...] = ()
    """The senders that a host stands for which was added to the picture, as one of them; empty for a host that was
    seen."""
