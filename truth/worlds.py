"""A random world: networks, containers, listeners, rules, routes and sysctls as people have them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

#: Ports that somebody may listen on, publish or forbid; the last one nobody ever listens on.
PORTS: Final = (8000, 8001, 8002)
CLOSED_PORT: Final = 8009
#: Ports of the host that may be published.
HOST_PORTS: Final = (9000, 9001)
BINDS: Final = ("any", "any of IPv6", "any of both", "loopback", "loopback of IPv6", "own")
HOST: Final = "box"
NEIGHBOUR: Final = "neighbour"
HOST_LAN: Final = "203.0.113.10"
NEIGHBOUR_LAN: Final = "203.0.113.20"
#: An address on the LAN that nobody has.
ABSENT_LAN: Final = "203.0.113.30"
MOST_CONTAINERS: Final = 4
_PAST_HOST: Final = 2
#: What wg-quick(8) does where a peer is allowed every address, here by the LAN in the place of a tunnel.
_WG_QUICK: Final = (
    "ip route add default dev lan0 table 51820; ip rule add not fwmark 51820 table 51820; "
    "ip rule add table main suppress_prefixlength 0"
)
#: A domain of the resolver's in which every name is the neighbour's.
WILDCARD_DOMAIN: Final = "lab.example"
#: A name of two addresses, the second one the host's own.
TWIN: Final = "twin.example"
#: All that the resolver knows.
ZONE: Final = {f"*.{WILDCARD_DOMAIN}": [NEIGHBOUR_LAN], TWIN: [NEIGHBOUR_LAN, HOST_LAN]}
REJECTS: Final = (
    "REJECT",
    "REJECT --reject-with tcp-reset",
    "REJECT --reject-with icmp-host-prohibited",
    "REJECT --reject-with icmp-admin-prohibited",
    "REJECT --reject-with icmp-net-unreachable",
    "REJECT --reject-with icmp-host-unreachable",
)


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that listens somewhere."""

    port: int
    bind: str
    """One of :data:`BINDS`."""
    udp: bool = False
    """True for one of UDP, which never answers."""


@dataclass(frozen=True, slots=True)
class Net:
    """A bridge network of Podman's; number 0 is the default one."""

    number: int
    internal: bool = False
    isolated: bool = False
    ipv6: bool = False
    macvlan: bool = False
    """True for one whose containers are on the host's LAN; then the above do not hold."""

    @property
    def name(self) -> str:
        """What Podman calls it."""
        return f"net{self.number}" if self.number else "podman"

    @property
    def prefix(self) -> str:
        """The first three bytes of its IPv4 subnet."""
        if self.macvlan:
            return HOST_LAN.rpartition(".")[0]
        return f"10.89.{self.number}" if self.number else "10.88.0"

    def address_of(self, box: Box) -> str:
        """A container's IPv4 address there; those of a macvlan network begin behind the host's own."""
        return f"{self.prefix}.{box.last_byte + (_PAST_HOST if self.macvlan else 0)}"

    @property
    def bridge(self) -> str:
        """Its interface on the host."""
        return f"br{self.number}" if self.number else "podman0"


@dataclass(frozen=True, slots=True)
class Published:
    """A published port."""

    host_address: str
    host_port: int
    port: int


@dataclass(frozen=True, slots=True)
class Box:
    """A container; ``nets`` empty means no network."""

    number: int
    nets: tuple[int, ...]
    listens: tuple[Listening, ...]
    published: tuple[Published, ...] = ()
    link_down: bool = False
    pod: bool = False
    """True for the only member of a pod, which has its networks and ports."""
    options: tuple[str, ...] = ()
    """Further ones of podman-run(1), of its names."""

    @property
    def name(self) -> str:
        """What Podman calls it."""
        return f"c{self.number}"

    @property
    def pod_name(self) -> str:
        """What Podman calls its pod; other places know it by that name."""
        return f"p{self.number}"

    @property
    def last_byte(self) -> int:
        """Of its IPv4 address on each of its networks."""
        return 10 + self.number


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is built, and everything that is tried in it."""

    nets: tuple[Net, ...]
    boxes: tuple[Box, ...]
    listens: tuple[Listening, ...]
    """On the host."""
    neighbour_listens: tuple[Listening, ...]
    host_commands: tuple[str, ...]
    """Shell commands of somebody's: firewall rules, routes, sysctls."""
    box_commands: tuple[tuple[int, str], ...]
    """The same in a container's network namespace, by its number."""


def _seldom() -> st.SearchStrategy[bool]:
    """Once in six times."""
    return st.sampled_from((False,) * 5 + (True,))


def _names() -> st.SearchStrategy[tuple[str, ...]]:
    """What is said of names as a container is made."""
    given = (
        (),
        (),
        (),
        (f"--dns-search={WILDCARD_DOMAIN}",),
        (f"--add-host=c0:{ABSENT_LAN}",),
        (f"--add-host=c0:{NEIGHBOUR_LAN}", f"--add-host=c0:{HOST_LAN}"),
        (f"--dns={NEIGHBOUR_LAN}",),
    )
    return st.sampled_from(given)


def _listens(most: int) -> st.SearchStrategy[tuple[Listening, ...]]:
    one = st.builds(Listening, st.sampled_from(PORTS), st.sampled_from(BINDS), _seldom())
    return st.lists(one, max_size=most, unique_by=lambda x: x.port).map(tuple)


def _net(number: int, internal: bool, isolated: bool, ipv6: bool, macvlan: bool) -> Net:
    return Net(number, macvlan=True) if macvlan else Net(number, internal, isolated, ipv6)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds, simple ones first."""
    extra = draw(st.integers(0, 2))
    flags = st.booleans()
    nets = (Net(0), *(_net(n, draw(flags), draw(flags), draw(flags), draw(_seldom())) for n in range(1, extra + 1)))
    published = st.builds(
        Published,
        st.sampled_from(("", "127.0.0.1", HOST_LAN, "10.88.0.1")),
        st.sampled_from(HOST_PORTS),
        st.sampled_from((*PORTS, CLOSED_PORT)),
    )
    count = draw(st.integers(1, MOST_CONTAINERS))
    taken: set[int] = set()
    boxes = []
    for number in range(count):
        on = draw(st.lists(st.integers(0, extra), max_size=2, unique=True))
        wanted = draw(st.lists(published, max_size=1)) if on else []
        free = tuple(p for p in wanted if p.host_port not in taken)
        taken |= {p.host_port for p in free}
        down = bool(on) and draw(st.sampled_from((False,) * 9 + (True,)))
        pod = bool(on) and draw(_seldom())
        # Podman refuses them for a container without a network, and for a pod's member.
        options = draw(_names()) if on and not pod else ()
        boxes.append(Box(number, tuple(sorted(on)), draw(_listens(3)), free, down, pod, options))
    return World(
        nets,
        tuple(boxes),
        draw(_listens(3)),
        draw(_listens(2)),
        tuple(draw(st.lists(_host_command(nets), max_size=4))),
        tuple(draw(st.lists(st.tuples(st.integers(0, count - 1), _box_command()), max_size=2))),
    )


def _matches(nets: tuple[Net, ...], chain: str) -> st.SearchStrategy[str]:
    """What people match on, none of it at once."""
    ways = [
        *(f"-s {net.prefix}.0/24" for net in nets),
        *(f"-d {net.prefix}.0/24" for net in nets),
        f"-d {HOST_LAN}",
        f"-s {NEIGHBOUR_LAN}",
        f"! -s {nets[-1].prefix}.0/24",
        "-m conntrack --ctstate NEW",
        "-m conntrack --ctstate RELATED,ESTABLISHED",
        "-m conntrack --ctstate INVALID",
        "-m addrtype --dst-type LOCAL",
        "",
    ]
    if chain != "OUTPUT":
        ways += [f"-i {net.bridge}" for net in nets] + ["-i lan0", "-i lo", "! -i lo"]
    if chain != "INPUT":
        ways += [f"-o {net.bridge}" for net in nets] + ["-o lan0", "! -o podman+"]
    ports = [f"-p tcp --dport {port}" for port in (*PORTS, *HOST_PORTS)]
    ports += [
        f"-p tcp -m multiport --dports {PORTS[0]},{PORTS[2]}",
        "-p tcp --dport 8000:8001",
        "-p udp",
        "-p tcp --syn",
    ]
    return st.tuples(st.sampled_from(ways), st.sampled_from(("", *ports))).map(" ".join)


@st.composite
def _host_command(draw: st.DrawFn, nets: tuple[Net, ...]) -> str:
    kinds = {
        "rule": _rule(nets),
        "policy": _policy(),
        "nft": _nft(nets),
        "nat": _nat(nets),
        "sysctl": _sysctl().map("sysctl -qw {}".format),
        "route": _route(),
        "policy rule": _policy_rule(nets),
        "stale": _stale(),
        "helper": _ended_helper(),
    }
    return draw(kinds[draw(st.sampled_from(("rule", "rule", *kinds)))])


@st.composite
def _rule(draw: st.DrawFn, nets: tuple[Net, ...]) -> str:
    chain = draw(st.sampled_from(("INPUT", "FORWARD", "OUTPUT")))
    target = draw(st.sampled_from(("DROP", "ACCEPT", *REJECTS)))
    matches = draw(_matches(nets, chain))
    if "tcp-reset" in target and "-p tcp" not in matches:
        matches = f"{matches.split(' -p ')[0]} -p tcp"
    return f"iptables -{draw(st.sampled_from('IA'))} {chain} {matches} -j {target}"


@st.composite
def _policy(draw: st.DrawFn) -> str:
    chain = draw(st.sampled_from(("INPUT", "FORWARD", "OUTPUT")))
    keep = f"iptables -A {chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; "
    return f"{keep if draw(st.booleans()) else ''}iptables -P {chain} DROP"


@st.composite
def _route(draw: st.DrawFn) -> str:
    how = draw(st.sampled_from(("unreachable", "prohibit", "blackhole")))
    return f"ip route add {how} {draw(st.sampled_from((NEIGHBOUR_LAN, '10.88.0.10', '10.89.1.11')))}/32"


def _policy_rule(nets: tuple[Net, ...]) -> st.SearchStrategy[str]:
    """Policy rules, as of a VPN (wg-quick(8)), of marks, and of who forbids something (ip-rule(8))."""
    last = nets[-1]
    rules = [
        _WG_QUICK,
        f"ip rule add from {last.prefix}.0/24 prohibit",
        f"ip rule add to {NEIGHBOUR_LAN} unreachable",
        f"ip rule add iif {nets[0].bridge} blackhole",
        f"ip rule add from {last.prefix}.0/24 to {NEIGHBOUR_LAN} lookup 77; ip route add prohibit default table 77",
        "iptables -t mangle -A PREROUTING -p tcp --dport 8000 -j MARK --set-mark 1; ip rule add fwmark 1 prohibit",
        "iptables -t mangle -A OUTPUT -p tcp --dport 8001 -j MARK --set-mark 2; ip rule add fwmark 2/0xff unreachable",
        "ip rule add priority 100 to 10.88.0.0/16 lookup main; ip rule add priority 200 prohibit",
        "ip rule add oif lan0 prohibit",
    ]
    return st.sampled_from(rules)


def _stale() -> st.SearchStrategy[str]:
    """What was right once: a translation, a neighbour's hardware address, a line of the hosts file."""
    gone, mac = "10.88.0.99", "02:00:00:00:00:99"
    left = [
        f"iptables -t nat -I PREROUTING -p tcp --dport {HOST_PORTS[0]} -j DNAT --to-destination {gone}:8000",
        f"iptables -t nat -I OUTPUT -p tcp --dport {HOST_PORTS[0]} -j DNAT --to-destination 10.88.0.11:8000",
        f"ip neighbour replace 10.88.0.10 lladdr {mac} dev podman0 nud permanent",
        f"ip neighbour replace {NEIGHBOUR_LAN} lladdr {mac} dev lan0 nud permanent",
        f"sed -i '1i {gone} c0' /etc/hosts",
        f"sed -i '1i {NEIGHBOUR_LAN} c1' /etc/hosts; sed -i '1i {HOST_LAN} c1' /etc/hosts",
        f"sed -i '1i search {WILDCARD_DOMAIN}' /etc/resolv.conf",
    ]
    return st.sampled_from(left)


def _ended_helper() -> st.SearchStrategy[str]:
    """A program of Podman's that has ended."""
    aardvark = "kill -9 $(cat /run/containers/networks/aardvark-dns/aardvark.pid)"
    conmon = "kill -9 $(podman container inspect --format '{{.State.ConmonPid}}' c0)"
    return st.sampled_from((aardvark, conmon))


@st.composite
def _nft(draw: st.DrawFn, nets: tuple[Net, ...]) -> str:
    hook = draw(st.sampled_from(("input", "forward", "output")))
    policy = draw(st.sampled_from(("accept", "drop")))
    rules = [
        "ct state established,related accept",
        "iifname lo accept" if hook == "input" else "oifname lo accept",
        f"tcp dport {{ {PORTS[0]}, {PORTS[1]} }} accept",
        f"tcp dport {PORTS[2]} reject with tcp reset",
        f"ip saddr {nets[-1].prefix}.0/24 drop",
        f"ip daddr {HOST_LAN} reject",
        "ct state invalid drop",
        "meta l4proto tcp reject with icmpx admin-prohibited",
        "fib daddr type local accept",
        "meta l4proto { icmp, ipv6-icmp } accept",
    ]
    chosen = draw(st.lists(st.sampled_from(rules), max_size=4, unique=True))
    name = draw(st.sampled_from(("a", "b")))
    body = " ".join(f"{rule};" for rule in chosen)
    priority = draw(st.sampled_from((-10, 0, 10)))
    chain = f"type filter hook {hook} priority {priority}; policy {policy}; {body}"
    return f"nft 'table inet {name}{hook} {{ chain c {{ {chain} }} }}'"


@st.composite
def _nat(draw: st.DrawFn, nets: tuple[Net, ...]) -> str:
    port = draw(st.sampled_from(PORTS))
    to = draw(st.sampled_from(PORTS))
    chain = draw(st.sampled_from(("PREROUTING", "OUTPUT")))
    match = draw(st.sampled_from(("", f"-d {HOST_LAN}", *(f"-d {net.prefix}.1" for net in nets))))
    target = draw(
        st.sampled_from(
            (
                f"DNAT --to-destination 127.0.0.1:{to}",
                f"DNAT --to-destination 10.88.0.10:{to}",
                f"DNAT --to-destination {NEIGHBOUR_LAN}:{to}",
                f"REDIRECT --to-ports {to}",
            )
        )
    )
    if draw(st.sampled_from((False, False, True))):
        out = draw(st.sampled_from(("lan0", *(net.bridge for net in nets))))
        return f"iptables -t nat -A POSTROUTING -o {out} -j MASQUERADE"
    return f"iptables -t nat -A {chain} {match} -p tcp --dport {port} -j {target}"


def _sysctl() -> st.SearchStrategy[str]:
    names = ["net.ipv4.ip_forward=0", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.all.rp_filter=2"]
    names += ["net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.route_localnet=1"]
    names += [
        "net.ipv4.conf.lan0.forwarding=0",
        "net.bridge.bridge-nf-call-iptables=0",
        "net.ipv6.conf.all.forwarding=0",
    ]
    return st.sampled_from(names)


@st.composite
def _box_command(draw: st.DrawFn) -> str:
    commands = [
        "iptables -A INPUT -p tcp --dport 8000 -j DROP",
        "iptables -A INPUT -p tcp --dport 8001 -j REJECT",
        "iptables -A INPUT -p tcp --dport 8001 -j REJECT --reject-with tcp-reset",
        "iptables -P INPUT DROP",
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -P INPUT DROP",
        "iptables -A OUTPUT -p tcp --dport 8002 -j REJECT --reject-with icmp-host-prohibited",
        "iptables -A OUTPUT -p tcp --sport 8000 -j DROP",
        "iptables -t nat -A OUTPUT -p tcp --dport 8009 -j REDIRECT --to-ports 8000",
        "ip route del default",
        f"ip route add unreachable {NEIGHBOUR_LAN}/32",
        f"ip route add prohibit {HOST_LAN}/32",
        f"ip route add blackhole {NEIGHBOUR_LAN}/32",
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
        "sysctl -qw net.ipv4.conf.all.rp_filter=1",
        "ip rule add prohibit",
        f"ip rule add to {HOST_LAN} unreachable",
        "ip address add 10.88.0.11/16 dev eth0",
        "ip -6 address add fd00:1::2/64 dev eth0",
        "ip neighbour replace 10.88.0.1 lladdr 02:00:00:00:00:98 dev eth0 nud permanent",
    ]
    return draw(st.sampled_from(commands))
