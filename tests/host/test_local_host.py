"""The machine itself as a host. Those that use its own Podman exist only for root of the machine."""

from __future__ import annotations

import dataclasses
import fcntl
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import pytest

from testbed import images, machine, tools
from testbed.containers import HostContainer
from testbed.containers.roles.portainer import PortainerContainer
from testbed.containers.roles.sshd import SshdContainer
from testbed.errors import HostError, UnfitError
from testbed.host import collisions, local_settings
from testbed.host.collisions import KernelState, PodmanNetwork, PodmanState, Route
from testbed.host.local import LocalHost, clean_local
from testbed.images import ImageStore
from testbed.janitor import firewall, footprint
from testbed.janitor import serve as janitor
from testbed.lab import Lab
from testbed.machine_facts import Machine
from testbed.model import Outcome
from testbed.scenarios.portainer.topology import AGENT, PORT, REMOTE, TOPOLOGY, URL, with_special
from testbed.topology import CableEndSpec, CableSpec, HostSpec, NetworkSpec, Topology
from testbed.tunnel import OpenSSHTunnel, ParamikoTunnel
from testbed.waiting import wait_for
from tests.privileges import ROOT_OF_THE_MACHINE

#: How long a process that was ended may take, in seconds.
PATIENCE = 60.0

REFUSED = 'Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused'


@pytest.mark.testbed
def test_root_of_a_user_namespace_is_refused() -> None:
    """Who is not root of the machine is told that its rootless Podman is not supported yet, and what to do."""
    code = (
        "from testbed.host.local import LocalHost\n"
        "from testbed.topology import Topology\n"
        "from testbed.errors import UnfitError\n"
        "try:\n    LocalHost('laptop', topology=Topology(()))\n"
        "except UnfitError as exc:\n    print(exc)\n"
    )
    command = [tools.need("unshare", "util-linux"), "--user", "--map-root-user", sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "rootless Podman is not supported as a host yet: run this as root" in said
    assert "private hosts need no root" in said


# Collisions: pure judgement over values.


def test_a_free_machine_has_no_collisions() -> None:
    """Where nothing is taken, nothing is said."""
    default = PodmanNetwork("podman", (ipaddress.ip_network("10.88.0.0/16"),), ("10.88.0.1",))
    assert not list(collisions.with_kernel(TOPOLOGY, "laptop", [PORT], KernelState(frozenset({"lo", "eth0"}))))
    assert not list(collisions.with_podman(TOPOLOGY, "laptop", PodmanState(networks=(default,))))


def routed(subnet: str, link: str) -> KernelState:
    """A machine that has a route."""
    return KernelState(routes=(Route(ipaddress.ip_network(subnet), link),))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (KernelState(links=frozenset({"lan0"})), "there is a link 'lan0'"),
        (KernelState(links=frozenset({"wan0"})), "there is a link 'wan0'"),
        (routed("198.51.100.0/25", "eth9"), "198.51.100.0/25 is routed through 'eth9'"),
        (routed("10.89.0.0/16", "br0"), "the lab's network 'second' needs 10.89.0.0/24"),
        (routed("10.89.1.0/24", "br0"), "the lab's network 'inner' needs 10.89.1.0/24"),
        (routed("10.0.0.0/8", "vpn0"), "Podman's default network needs 10.88.0.0/16"),
        (KernelState(ports=((PORT, "sshd (pid 7)"),)), "port 19001 is listened on by sshd (pid 7)"),
    ],
)
def test_what_the_kernel_has_taken_is_named(state: KernelState, words: str) -> None:
    """A link, a subnet or a port that the lab needs and that is taken is named, with who has it."""
    assert any(words in reason for reason in collisions.with_kernel(TOPOLOGY, "laptop", [PORT], state))


def test_a_prefix_of_ipv6_that_is_taken_is_named() -> None:
    """IPv6 prefixes of a lab's network and cable are compared with the machine's routes as well."""
    topology = Topology(
        (HostSpec("laptop"), HostSpec("remote")),
        (CableSpec(CableEndSpec("laptop", "wan0", None, "2001:db8:1::1/64"), CableEndSpec("remote", "wan0")),),
        (NetworkSpec("laptop", "dual", "10.89.5.0/24", "10.89.5.1", False, "2001:db8:5::/64", "2001:db8:5::1"),),
    )
    assert list(collisions.with_kernel(topology, "laptop", [], routed("2001:db8::/32", "eth9"))) == [
        "2001:db8::/32 is routed through 'eth9' already, and the lab's cable 'wan0' needs 2001:db8:1::/64",
        "2001:db8::/32 is routed through 'eth9' already, and the lab's network 'dual' needs 2001:db8:5::/64",
    ]


def test_podman0_itself_is_no_collision() -> None:
    """The default network's own route is there whenever somebody's container runs, and is no hindrance."""
    assert not list(collisions.with_kernel(TOPOLOGY, "laptop", [], routed("10.88.0.0/16", "podman0")))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PodmanState(containers=frozenset({"portainer"})), "there is a container 'portainer'"),
        (PodmanState(networks=(PodmanNetwork("second"),)), "there is a network 'second'"),
        (
            PodmanState(networks=(PodmanNetwork("theirs", (ipaddress.ip_network("10.89.0.0/24"),)),)),
            "the network 'theirs' has 10.89.0.0/24",
        ),
        (
            PodmanState(networks=(PodmanNetwork("podman", (ipaddress.ip_network("10.99.0.0/16"),), ("10.99.0.1",)),)),
            "the gateway of the network 'podman' is 10.99.0.1, and the lab needs 10.88.0.1",
        ),
        (
            PodmanState(addresses=(("10.88.0.10", "theirs"),)),
            "the container 'theirs' has 10.88.0.10, and the lab's 'portainer' needs it",
        ),
        (PodmanState(driver="vfs"), "driver 'vfs'"),
        (PodmanState(network_backend="cni"), "network backend is 'cni'"),
    ],
)
def test_what_podman_has_taken_is_named(state: PodmanState, words: str) -> None:
    """A name, a subnet or a setting of Podman's that is in the lab's way is named."""
    assert any(words in reason for reason in collisions.with_podman(TOPOLOGY, "laptop", state))


# Settings: the machine's, with ours beneath.


def a_machine(**programs: str | None) -> Machine:
    """This machine, with both runtimes and small limits."""
    found = {"crun": "/usr/bin/crun", "runc": "/usr/bin/runc", **programs}
    return dataclasses.replace(
        machine.read(), programs=MappingProxyType({**machine.read().programs, **found}), open_files=4096, processes=2048
    )


def test_runc_where_the_hierarchy_is_hybrid() -> None:
    """As crun refuses a hybrid cgroup hierarchy, so runc is taken there and crun elsewhere."""
    for pure, runtime in ((False, "runc"), (True, "crun")):
        chosen = local_settings.combine({}, {}, a_machine(), None, pure_cgroup2=pure)
        assert tomllib.loads(chosen.containers_conf)["engine"]["runtime"] == runtime


def test_the_machines_own_settings_win() -> None:
    """What the machine's containers.conf says stays in force, beside and over ours."""
    theirs = {"engine": {"runtime": "youki", "env": ['A="b"']}, "network": {"network_config_dir": "/srv/net"}}
    chosen = local_settings.combine(theirs, {}, a_machine(), None, pure_cgroup2=True)
    conf = tomllib.loads(chosen.containers_conf)
    assert conf["engine"] == theirs["engine"]
    assert conf["containers"]["default_ulimits"] == ["nofile=4096:4096", "nproc=2048:2048"]
    assert chosen.network_config_dir == "/srv/net"


def test_the_image_store_is_added_to_the_machines_storage() -> None:
    """Graph root, run root and image stores of the machine's storage.conf stay; ours is one image store more."""
    theirs = {"storage": {"driver": "overlay", "graphroot": "/srv/c", "options": {"additionalimagestores": ["/srv/i"]}}}
    chosen = local_settings.combine({}, theirs, a_machine(), Path("/images"), pure_cgroup2=True)
    storage = tomllib.loads(chosen.storage_conf)["storage"]
    assert storage["graphroot"] == "/srv/c"
    assert storage["options"]["additionalimagestores"] == ["/srv/i", "/images"]


def test_another_storage_driver_is_refused() -> None:
    """A machine whose Podman stores in another way than overlay cannot read the images."""
    with pytest.raises(UnfitError, match="driver 'vfs'"):
        local_settings.combine({}, {"storage": {"driver": "vfs"}}, a_machine(), None, pure_cgroup2=True)


# The firewall: pure functions over what the tools print.

SAVED = """*filter
:FORWARD DROP [0:0]
:NETAVARK_FORWARD - [0:0]
:THEIRS - [0:0]
-A FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD
-A FORWARD -j THEIRS
COMMIT
*nat
:NETAVARK-DN-1C2E87E2006ED - [0:0]
:NETAVARK-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A NETAVARK-HOSTPORT-DNAT -p tcp -j NETAVARK-DN-1C2E87E2006ED
COMMIT
"""


def test_netavarks_chains_are_undone() -> None:
    """New chains of netavark's and the rules that jump there go; those of others stay."""
    assert firewall.undo_iptables("", SAVED).splitlines() == [
        "*filter",
        '-D FORWARD -m comment --comment "netavark firewall plugin rules" -j NETAVARK_FORWARD',
        "-F NETAVARK_FORWARD",
        "-X NETAVARK_FORWARD",
        "COMMIT",
        "*nat",
        "-D PREROUTING -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT",
        "-F NETAVARK-DN-1C2E87E2006ED",
        "-F NETAVARK-HOSTPORT-DNAT",
        "-X NETAVARK-DN-1C2E87E2006ED",
        "-X NETAVARK-HOSTPORT-DNAT",
        "COMMIT",
    ]


def test_chains_from_before_stay() -> None:
    """Where netavark's chains were there before, nothing is undone."""
    assert firewall.undo_iptables(SAVED, SAVED) == ""


@pytest.mark.parametrize(
    ("table", "bare"),
    [
        ("table ip nat {\n\tchain OUTPUT {\n\t\ttype nat hook output priority -100; policy accept;\n\t}\n}\n", True),
        ("table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n}\n", False),
        ("table ip filter {\n\tchain X {\n\t\tcounter packets 0 bytes 0 drop\n\t}\n}\n", False),
    ],
)
def test_only_a_table_without_effect_is_bare(table: str, bare: bool) -> None:
    """A table with a rule, or a policy other than accept, is not removed."""
    assert firewall.is_bare(table) is bare


# The real thing.


def picture() -> dict[str, object]:
    """All of the machine that a lab on it could leave changed."""

    def said(*argv: str) -> list[str]:
        program = tools.find(argv[0])
        lines = (
            subprocess.run([program, *argv[1:]], capture_output=True, text=True, check=False).stdout if program else ""
        )
        return [line for line in lines.splitlines() if not line.startswith("#")]

    def names(*folders: str) -> list[str]:
        return sorted(str(path) for folder in folders if Path(folder).is_dir() for path in Path(folder).iterdir())

    sysctls = {}
    for name in ("forwarding", "accept_redirects", "route_localnet", "rp_filter", "accept_ra"):
        for path in Path("/proc/sys/net").glob(f"ipv[46]/conf/*/{name}"):
            with suppress(OSError):  # an interface may be going
                sysctls[str(path)] = path.read_text(encoding="ascii").strip()
    processes = []
    own = Path("/proc/self/ns/mnt").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if own != (process / "ns/mnt").readlink():
                continue  # a private host's, or of another machine in namespaces
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            marked = b"testbed-local" in (process / "environ").read_bytes()
            program = (process / "exe").readlink().name
        except OSError:
            continue
        if marked or "testbed.janitor" in command or program in ("conmon", "aardvark-dns", "netavark"):
            processes.append(f"{process.name} {command}")
    return {
        "links": [name for _, name in socket.if_nameindex()],
        "addresses": [line.split()[3] for line in said("ip", "-oneline", "address") if "fe80:" not in line],
        "routes": said("ip", "route"),
        "iptables": [line.partition(" [")[0] for line in said("iptables-save") + said("ip6tables-save")],
        "nft": said("nft", "list", "tables"),
        "mounts": Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines(),
        "files": names(
            *("/run", "/run/netns", "/run/containers", "/run/libpod", "/etc/containers", "/etc/containers/networks"),
            *("/etc/cni/net.d", "/var/lib/containers", "/var/lib/containers/storage/overlay-containers"),
        ),
        "locks": Path("/dev/shm/libpod_lock").exists(),
        "temporary": [name for name in names(tempfile.gettempdir()) if "testbed" in name or "podman" in name],
        # Private hosts have theirs in the cgroup2 hierarchy, and may be running beside.
        "cgroups": names(*map(str, Path("/sys/fs/cgroup").glob("[!u]*/libpod_parent"))),
        "sysctls": sysctls,
        "processes": processes,
        "listeners": [
            line for line in said("ss", "-ltunHO") if f":{PORT}" in line or " 10.8" in line or "testbed-local" in line
        ],
    }


def changed(before: dict[str, object]) -> dict[str, tuple[object, object]]:
    """What differs from a picture now: before and after."""
    after = picture()
    return {key: (before[key], after[key]) for key in before if before[key] != after[key]}


IDLE = """
import sys, time
from tests.host.test_local_host import local_lab
lab = local_lab()
lab.hosts["laptop"].popen(["sleep", "1000"])
print("up", flush=True)
time.sleep(1000)
"""


def local_lab() -> Lab:
    """The Portainer scenario with this machine as its laptop."""
    store = ImageStore()
    return Lab(
        with_special(["laptop"]),
        images=images.ensure(TOPOLOGY.roles, store=store, say=lambda _: None),
        image_store=store.storage,
        special={"laptop": lambda: LocalHost("laptop", image_store=store.storage, topology=TOPOLOGY, ports=[PORT])},
    )


@contextmanager
def owner() -> Iterator[subprocess.Popen[str]]:
    """A process that makes a lab on this machine, says so and idles; ended with the block at the latest."""
    root = str(Path(__file__).parents[2])
    # Whoever started us may have SIGINT ignored, as a background command of a shell has.
    argv = ["env", "--default-signal=INT", sys.executable, "-c", IDLE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=root, start_new_session=True) as process:
        try:
            yield process
            process.wait(PATIENCE)
        finally:
            process.kill()


def mentioned(word: str) -> bool:
    """Whether the command line of any process has a word in it."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def await_janitor(pid: int, *, seconds: float = 60.0) -> None:
    """Wait until the janitor of an owner has ended."""
    mine = f"testbed.janitor\0{pid}\0"
    wait_for(lambda: not mentioned(mine), f"the janitor of process {pid} to end", seconds=seconds)


if ROOT_OF_THE_MACHINE:

    @pytest.fixture
    def the_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
        """A picture of the machine from before, while no other worker of this run uses it."""
        images.ensure(TOPOLOGY.roles, store=ImageStore(), say=lambda _: None)
        with (tmp_path_factory.getbasetemp().parent / "machine.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield picture()

    @pytest.fixture
    def untouched(the_machine: dict[str, object]) -> Iterator[footprint.Footprint]:
        """The machine's footprint from before, and proof that the test and its fixtures left nothing."""
        yield footprint.read(("/run/containers/storage", "/var/lib/containers/storage"))
        assert changed(the_machine) == {}

    @pytest.fixture
    def address(request: pytest.FixtureRequest) -> str:
        """The address of somebody else's container: where a test says nothing, one that no lab wants."""
        return str(getattr(request, "param", "10.88.77.77"))

    @pytest.fixture
    def somebody_elses(untouched: footprint.Footprint, tmp_path: Path, address: str) -> Iterator[str]:
        """A container of somebody else's on the machine's podman0, made with Podman's command alone."""
        store = ImageStore()
        image = images.ensure(["base"], store=store, say=lambda _: None)["base"]
        chosen = local_settings.choose(machine.read(), store.storage)
        (tmp_path / "containers.conf").write_text(chosen.containers_conf)
        (tmp_path / "storage.conf").write_text(chosen.storage_conf)
        environment = {
            **os.environ,
            "CONTAINERS_CONF": str(tmp_path / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
        }

        def podman(*words: str) -> str:
            return subprocess.run(
                ["podman", *words], env=environment, capture_output=True, text=True, check=True
            ).stdout.strip()

        options = ("--detach", "--name=theirs", "--publish=127.0.0.1:19055:80", f"--ip={address}")
        identity = podman("run", *options, image, "sleep", "infinity")
        try:
            yield podman("inspect", "--format={{.State.Pid}}", "theirs")
        finally:
            podman("rm", "--force", "--time=0", "theirs")
            # conmon starts a Podman to clean up after the container, which makes folders when it comes late.
            wait_for(lambda: not mentioned(identity), "conmon and its clean-up to end")
            footprint.restore_network(untouched)
            footprint.unmount(untouched, ["/var/lib/containers/storage", "/run/containers"])
            footprint.remove_paths(untouched)
            footprint.remove_cgroups(untouched, [identity])

    @pytest.mark.testbed
    @pytest.mark.parametrize("tunnel", [ParamikoTunnel, OpenSSHTunnel])
    def test_the_failure_and_its_cure_on_the_machines_own_podman0(
        the_machine: dict[str, object], tunnel: type[ParamikoTunnel | OpenSSHTunnel]
    ) -> None:
        """On the machine itself a forward on 127.0.0.1 refuses Portainer byte for byte; one on podman0 serves it."""
        with local_lab() as lab:
            portainer, sshd = lab.containers["portainer"], lab.containers["sshd"]
            assert isinstance(portainer, PortainerContainer)
            assert isinstance(sshd, SshdContainer)
            with tunnel(lab.hosts["laptop"], sshd.server(REMOTE)) as ssh:
                with ssh.forward("127.0.0.1", PORT, *AGENT):
                    refused = portainer.connect(URL)
                with ssh.forward("10.88.0.1", PORT, *AGENT):
                    served = portainer.connect(URL)
        assert (refused.outcome, refused.text) == (Outcome.REFUSED, REFUSED)
        assert served.outcome is Outcome.CONNECTED
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_labs_one_after_the_other_leave_nothing(the_machine: dict[str, object]) -> None:
        """Two labs in a row start alike, and after them the machine is as it was before."""
        for _ in range(2):
            local_lab().close()
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_everything_of_ours_is_labelled(the_machine: dict[str, object]) -> None:
        """Each container and network on the machine carries the lab's label, so that it is told from others."""
        with local_lab() as lab:
            host = lab.hosts["laptop"]
            label = f"label={janitor.LABEL}={host.labels[janitor.LABEL]}"
            containers = host.run(["podman", "ps", "--filter", label, "--format", "{{.Names}}"]).split()
            networks = host.run(["podman", "network", "ls", "--filter", label, "--format", "{{.Name}}"]).split()
        assert set(containers) == {c.name for c in TOPOLOGY.containers if c.host == "laptop"}
        assert set(networks) == {n.name for n in TOPOLOGY.networks if n.host == "laptop"}

    @pytest.mark.testbed
    def test_images_are_not_copied_into_the_machines_storage(the_machine: dict[str, object]) -> None:
        """Every image that the machine's Podman sees meanwhile is one of the read-only store."""
        with local_lab() as lab:
            podman = ["podman", "images", "--quiet", "--filter"]
            assert lab.hosts["laptop"].run([*podman, "readonly=false"]) == ""
            assert lab.hosts["laptop"].run([*podman, "readonly=true"]) != ""

    @pytest.mark.testbed
    @pytest.mark.parametrize("seconds", [0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.8])
    def test_sigkill_while_it_starts_leaves_nothing(the_machine: dict[str, object], seconds: float) -> None:
        """Whenever its owner is killed while the lab starts, the janitor puts the machine back."""
        with owner() as process:
            time.sleep(seconds)  # any moment will do: which one it hits is the point
            process.kill()
        await_janitor(process.pid)
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_sigkill_of_a_running_lab_leaves_nothing(the_machine: dict[str, object]) -> None:
        """A killed owner's containers, helpers and rules go, and the next lab waits for that and runs."""
        with owner() as process:
            assert process.stdout
            assert process.stdout.readline() == "up\n"
            process.kill()
        local_lab().close()
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_to_the_whole_process_group_leaves_nothing(the_machine: dict[str, object], number: int) -> None:
        """The janitor is in a session of its own, so that a Ctrl-C does not reach it."""
        with owner() as process:
            assert process.stdout
            assert process.stdout.readline() == "up\n"
            os.killpg(process.pid, number)
        await_janitor(process.pid)
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_a_killed_janitors_leavings_are_cleaned(the_machine: dict[str, object]) -> None:
        """Where owner and janitor are both killed, clean_local removes what they left and says so."""
        with owner() as process:
            assert process.stdout
            assert process.stdout.readline() == "up\n"
            found = janitor.holder()
            assert found is not None
            assert found[1] == process.pid
            os.kill(found[0], signal.SIGKILL)
            process.kill()
        wait_for(lambda: janitor.holder() is None, "the janitor to end")
        assert changed(the_machine) != {}
        (line,) = clean_local()
        assert line.startswith("/run/testbed-local-")
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_only_one_lab_at_a_time(the_machine: dict[str, object]) -> None:
        """A second lab is told who has the machine's Podman, and the first one is not harmed."""
        empty = Topology(())
        with LocalHost("laptop", topology=empty) as first:
            with pytest.raises(HostError, match=rf"serves another lab \(process {os.getpid()}, its janitor is \d+\)"):
                LocalHost("laptop", topology=empty)
            assert clean_local() == []
            first.engine.ready()
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_a_taken_port_is_refused_before_anything_is_made(the_machine: dict[str, object]) -> None:
        """The process that listens on the tunnel's port is named, and nothing has been started."""
        with (
            socket.create_server(("127.0.0.1", PORT)),
            pytest.raises(UnfitError, match=rf"port {PORT} .*pid {os.getpid()}"),
        ):
            LocalHost("laptop", topology=TOPOLOGY, ports=[PORT])
        assert changed(the_machine) == {}

    @pytest.mark.testbed
    def test_somebody_elses_container_is_not_touched(somebody_elses: str) -> None:
        """With somebody else's container on podman0 the lab runs, and leaves that, its rules and its network alone."""
        before = picture()
        with local_lab() as lab:
            assert isinstance(lab.containers["second"], HostContainer)
        assert changed(before) == {}
        assert Path(f"/proc/{somebody_elses}").exists()

    @pytest.mark.testbed
    @pytest.mark.parametrize("address", ["10.88.0.10"], indirect=True)
    @pytest.mark.usefixtures("somebody_elses")
    def test_an_address_of_somebody_elses_container_is_refused_before_anything_is_made() -> None:
        """Where a running container has an address that the lab needs, it is named, and nothing has been made."""
        before = picture()
        with pytest.raises(UnfitError, match=r"the container 'theirs' has 10\.88\.0\.10, and the lab's 'portainer'"):
            LocalHost("laptop", image_store=ImageStore().storage, topology=TOPOLOGY, ports=[PORT])
        assert changed(before) == {}

    @pytest.mark.testbed
    def test_somebody_elses_container_from_meanwhile_stays(
        untouched: footprint.Footprint, request: pytest.FixtureRequest
    ) -> None:
        """A container that somebody starts while the lab runs keeps its bridge, its rules and its storage."""
        with LocalHost("laptop", topology=TOPOLOGY):
            pid = request.getfixturevalue("somebody_elses")
        assert Path(f"/proc/{pid}").exists()
        assert Path("/sys/class/net/podman0").exists()
        show = ["nft", "list", "ruleset"] if machine.read().firewall == "nft" else ["iptables-save"]
        rules = subprocess.run(show, capture_output=True, text=True, check=True).stdout
        assert "dport 19055" in rules
