"""Both kinds of tunnel: where a forward listens, what goes through it, and what does not."""

from __future__ import annotations

import io
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import paramiko
import pytest

from testbed.hosts_file import HostsFile
from testbed.images import ImageStore
from testbed.model import Outcome, Phase, bracketed
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.waiting import wait_for
from tests.scenarios.two_machines import (
    FAR_END,
    PORT,
    REMOTE,
    VIAS,
    TwoMachines,
    heard,
    read_to_end,
    sending,
)

LOOPBACKS = ("127.0.0.1", "::1")
WILDCARDS = ("0.0.0.0", "::")

#: (bind address, GatewayPorts, the listeners it gives), from ssh(1), -L, and channels.c, channel_fwd_bind_addr.
BINDS = (
    # An address is exactly itself, a wildcard one of its own family only (IPV6_V6ONLY is set).
    ("127.0.0.1", False, ("127.0.0.1",)),
    ("::1", False, ("::1",)),
    ("10.88.0.1", False, ("10.88.0.1",)),
    ("203.0.113.10", False, ("203.0.113.10",)),
    ("0.0.0.0", False, ("0.0.0.0",)),
    ("::", False, ("::",)),
    # localhost is loopback of both families, one socket each.
    ("localhost", False, LOOPBACKS),
    # Words for every interface of both families, whatever GatewayPorts says.
    ("*", False, WILDCARDS),
    ("", False, WILDCARDS),
    # None given: GatewayPorts decides, and decides nothing else.
    ("default", False, LOOPBACKS),
    ("default", True, WILDCARDS),
    ("127.0.0.1", True, ("127.0.0.1",)),
    ("localhost", True, LOOPBACKS),
)
BIND_IDS = [f"{b or 'empty'}{'-GatewayPorts' if g else ''}" for b, g, _ in BINDS]
#: What reaches a listener on the laptop itself.
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}

both_kinds = pytest.mark.parametrize("via", VIAS)


@pytest.fixture(scope="module")
def two_machines(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[TwoMachines]:
    """A laptop, a remote machine with sshd, and nobody in the agent's place yet."""
    with TwoMachines(testbed_image_store, testbed_image) as lab:
        yield lab


def url(address: str) -> str:
    """The agent's ping at one of the laptop's addresses."""
    return f"https://{bracketed(address)}:{PORT}/ping"


# Where it listens.


@both_kinds
@pytest.mark.parametrize(("bind", "gateway_ports", "addresses"), BINDS, ids=BIND_IDS)
def test_a_forward_listens_where_ssh_says(
    portainer_lab: PortainerLab, via: str, bind: str, gateway_ports: bool, addresses: tuple[str, ...]
) -> None:
    """A bind address gives exactly the listeners that ssh(1) gives for it, and none before or after."""
    laptop = portainer_lab.hosts["laptop"]
    before = heard(laptop)
    with portainer_lab.tunnel(via).forward(bind, PORT, *FAR_END, gateway_ports=gateway_ports) as forward:
        during, said = heard(laptop), {str(address) for address in forward.bound}
    assert (before, during, heard(laptop)) == (set(), set(addresses), set())
    assert said == set(addresses)
    assert forward.trouble == ()


@both_kinds
@pytest.mark.parametrize("bind", ["0.0.0.0", "::"])
def test_a_wildcard_is_of_one_family(portainer_lab: PortainerLab, via: str, bind: str) -> None:
    """A forward on one family's wildcard answers that family's loopback and refuses the other's."""
    own, other = LOOPBACKS if bind == "0.0.0.0" else LOOPBACKS[::-1]
    laptop = portainer_lab.vantage("laptop")
    with portainer_lab.forward(bind, via=via):
        refused, control = laptop.connect(url(other)), laptop.connect(url(own))
    assert refused.outcome is Outcome.REFUSED
    assert control.outcome is Outcome.CONNECTED


@both_kinds
def test_a_name_is_looked_up_in_the_hosts_file(portainer_lab: PortainerLab, via: str) -> None:
    """A bind address that is a name is the address that the laptop's own hosts file gives it."""
    laptop = portainer_lab.hosts["laptop"]
    names = HostsFile.parse(laptop.path("/etc/hosts").read_text(encoding="utf-8")).addresses
    # With --testbed-host=local the file is the machine's. localhost is the one name that is no lookup.
    name = "laptop" if "laptop" in names else next(n for n, a in names.items() if n != "localhost" and a[0].is_loopback)
    with portainer_lab.forward(name, via=via):
        assert heard(laptop) == {str(address) for address in names[name]}


def test_a_private_laptops_own_name_is_not_127_0_0_1(two_machines: TwoMachines) -> None:
    """The name ``laptop`` is 127.0.1.1 there, as Debian writes it, so that a bind to it proves the lookup."""
    for via in VIAS:
        with two_machines.forward(via, "laptop"):
            assert heard(two_machines.laptop) == {"127.0.1.1"}


def test_both_kinds_bind_the_same(portainer_lab: PortainerLab) -> None:
    """For every bind address paramiko and OpenSSH leave the kernel with the same listeners."""
    found: dict[str, list[set[str]]] = {via: [] for via in VIAS}
    for via in VIAS:
        for bind, gateway_ports, _ in BINDS:
            with portainer_lab.tunnel(via).forward(bind, PORT, *FAR_END, gateway_ports=gateway_ports):
                found[via].append(heard(portainer_lab.hosts["laptop"]))
    assert found["paramiko"] == found["openssh"]


# What goes through.


@both_kinds
@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "localhost", "10.88.0.1", "0.0.0.0", "::", "*", "default"])
def test_the_agent_answers_on_every_address_that_is_listened_on(
    portainer_lab: PortainerLab, via: str, bind: str
) -> None:
    """Each listener of a forward leads to the agent, which says its name."""
    laptop = portainer_lab.vantage("laptop")
    with portainer_lab.forward(bind, via=via) as forward:
        seen = [laptop.connect(url(REACHED_AT.get(str(a), str(a)))) for a in forward.bound]
    answers = [(s.outcome, s.phase, s.answer and (s.answer.status, s.answer.server)) for s in seen]
    assert answers
    assert set(answers) == {(Outcome.CONNECTED, Phase.HTTP, (204, "Portainer-Agent 2.23.0"))}


@both_kinds
def test_data_passes_both_ways(two_machines: TwoMachines, via: str) -> None:
    """Either end may speak, in any order, and the other one reads just that."""
    with two_machines.through(via) as (near, far):
        far.sendall(b"banner")
        assert near.recv(100) == b"banner"
        near.sendall(b"question")
        assert far.recv(100) == b"question"
        far.sendall(b"answer")
        assert near.recv(100) == b"answer"


@both_kinds
def test_a_question_ended_by_a_half_close_gets_its_answer(two_machines: TwoMachines, via: str) -> None:
    """The far end sees that no more is asked while the connection still carries its answer back."""
    with two_machines.through(via) as (near, far):
        near.sendall(b"question")
        near.shutdown(socket.SHUT_WR)
        assert read_to_end(far) == b"question"
        far.sendall(b"answer")
        far.shutdown(socket.SHUT_WR)
        assert read_to_end(near) == b"answer"


@both_kinds
def test_a_half_close_of_the_far_end_leaves_the_way_there_open(two_machines: TwoMachines, via: str) -> None:
    """The near end sees that no more comes, and what it then sends still arrives."""
    with two_machines.through(via) as (near, far):
        far.sendall(b"goodbye")
        far.shutdown(socket.SHUT_WR)
        assert read_to_end(near) == b"goodbye"
        near.sendall(b"one thing more")
        near.shutdown(socket.SHUT_WR)
        assert read_to_end(far) == b"one thing more"


@both_kinds
def test_a_large_body_arrives_whole_in_both_directions_at_once(two_machines: TwoMachines, via: str) -> None:
    """Four MiB each way at the same time, more than any buffer or SSH window holds, arrive byte for byte."""
    there, back = os.urandom(4 << 20), os.urandom(4 << 20)
    arrived: list[bytes] = []
    with two_machines.through(via) as (near, far):
        threads = [sending(near, there), sending(far, back), _reading(far, arrived)]
        came_back = read_to_end(near)
        for thread in threads:
            thread.join()
    assert came_back == back
    assert arrived == [there]


@both_kinds
def test_connections_at_once_do_not_mix(two_machines: TwoMachines, via: str) -> None:
    """Ten open connections each carry their own words, answered in the opposite order of their making."""
    with two_machines.far_end() as server, two_machines.forward(via), ExitStack() as stack:
        pairs = []
        for number in range(10):
            near = stack.enter_context(two_machines.connect())
            near.sendall(b"connection %d" % number)
            pairs.append((near, stack.enter_context(server.accept())))
        for near, far in reversed(pairs):
            words = far.recv(100)
            far.sendall(b"answer to " + words)
            near.shutdown(socket.SHUT_WR)
        answers = [near.recv(100) for near, _ in pairs]
    assert answers == [b"answer to connection %d" % number for number in range(10)]


@both_kinds
def test_a_closed_forward_refuses_at_once(portainer_lab: PortainerLab, via: str) -> None:
    """A port that answered a moment ago is refused as soon as close() returns, and ``bound`` is empty."""
    laptop = portainer_lab.vantage("laptop")
    forward = portainer_lab.forward("127.0.0.1", via=via)
    before = laptop.connect(url("127.0.0.1"))
    forward.close()
    after = laptop.connect(url("127.0.0.1"))
    assert before.outcome is Outcome.CONNECTED
    assert (after.outcome, after.text) == (Outcome.REFUSED, "[Errno 111] Connection refused")
    assert forward.bound == ()


@both_kinds
def test_a_closed_tunnel_ends_all_its_forwards(two_machines: TwoMachines, via: str) -> None:
    """Closing the tunnel closes each forward over it before close() returns."""
    with two_machines.tunnel(via) as tunnel:
        forwards = [tunnel.forward("127.0.0.1", port, *FAR_END) for port in (PORT, PORT + 1)]
        assert [heard(two_machines.laptop, port) for port in (PORT, PORT + 1)] == [{"127.0.0.1"}] * 2
    assert [heard(two_machines.laptop, port) for port in (PORT, PORT + 1)] == [set(), set()]
    assert [forward.bound for forward in forwards] == [(), ()]


@both_kinds
def test_closing_a_forward_ends_the_connections_through_it(two_machines: TwoMachines, via: str) -> None:
    """A connection that is open when its forward is closed ends at both ends."""
    with two_machines.far_end() as server, two_machines.tunnel(via) as tunnel:
        forward = tunnel.forward("127.0.0.1", PORT, *FAR_END)
        with two_machines.connect() as near, server.accept() as far:
            near.sendall(b"in use")
            assert far.recv(100) == b"in use"
            forward.close()
            assert _end_of(near) == b""
            assert _end_of(far) == b""


# What does not.


@both_kinds
@pytest.mark.parametrize("target", [("127.0.0.1", 22), (REMOTE, 22), (REMOTE, PORT)])
def test_sshd_lets_no_other_target_through(portainer_lab: PortainerLab, via: str, target: tuple[str, int]) -> None:
    """A forward to anything but the agent listens, accepts, and then ends the connection: it never refuses."""
    laptop = portainer_lab.vantage("laptop")
    with portainer_lab.tunnel(via).forward("127.0.0.1", PORT, *target) as forward:
        accepted, seen = laptop.connect(f"tcp://127.0.0.1:{PORT}"), laptop.connect(url("127.0.0.1"))
        said = {"paramiko": "Administratively prohibited", "openssh": "administratively prohibited: open failed"}[via]
        wait_for(lambda: any(said in line for line in forward.trouble), f"{said!r}", state=lambda: str(forward.trouble))
    with portainer_lab.forward("127.0.0.1", via=via):
        control = laptop.connect(url("127.0.0.1"))
    assert (accepted.outcome, accepted.phase) == (Outcome.CONNECTED, Phase.CONNECT)
    assert seen.outcome in (Outcome.CLOSED, Outcome.RESET)
    assert seen.phase is Phase.TLS
    assert control.outcome is Outcome.CONNECTED


@pytest.fixture
def logged_in(two_machines: TwoMachines) -> Iterator[paramiko.Transport]:
    """An SSH connection with the tunnel's own key, to ask for what a tunnel does not."""
    transport = _transport(two_machines)
    try:
        transport.auth_publickey("tunnel", _key(two_machines))
        yield transport
    finally:
        transport.close()


@pytest.mark.parametrize("request_", ["exec", "shell"])
def test_the_key_runs_no_command_and_no_shell(logged_in: paramiko.Transport, request_: str) -> None:
    """Whatever is asked to run, /bin/false runs: status 1 and not a word."""
    session = logged_in.open_session(timeout=10)
    session.settimeout(10)
    if request_ == "exec":
        session.exec_command("echo escaped")
    else:
        session.invoke_shell()
        session.shutdown_write()
    assert (session.recv(100), session.recv_stderr(100), session.recv_exit_status()) == (b"", b"", 1)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda session: session.get_pty(), id="terminal"),
        pytest.param(lambda session: session.request_x11(), id="X11"),
        pytest.param(lambda session: session.invoke_subsystem("sftp"), id="sftp"),
    ],
)
def test_the_key_gets_no_terminal_and_no_files(
    logged_in: paramiko.Transport, ask: Callable[[paramiko.Channel], object]
) -> None:
    """Requests for a terminal, X11 and file transfer are turned down by closing the session."""
    session = logged_in.open_session(timeout=10)
    with pytest.raises(paramiko.SSHException, match=r"^Channel closed\.$"):
        ask(session)


def test_the_key_gets_no_listener_on_the_remote_machine(
    two_machines: TwoMachines, logged_in: paramiko.Transport
) -> None:
    """A remote forward (ssh -R) is denied, and nothing listens there."""
    with pytest.raises(paramiko.SSHException, match=r"^TCP forwarding request denied$"):
        logged_in.request_port_forward("127.0.0.1", 8000)
    assert heard(two_machines.remote, 8000) == set()
    assert "0.0.0.0" in heard(two_machines.remote, 22)


def test_there_is_no_other_user_for_the_key(two_machines: TwoMachines) -> None:
    """The key that the tunnel's user gets in with does not let root in."""
    transport = _transport(two_machines)
    try:
        with pytest.raises(paramiko.AuthenticationException, match="Authentication failed"):
            transport.auth_publickey("root", _key(two_machines))
    finally:
        transport.close()


def test_passwords_are_not_asked_for(two_machines: TwoMachines) -> None:
    """The server takes keys and nothing else."""
    transport = _transport(two_machines)
    try:
        with pytest.raises(paramiko.BadAuthenticationType) as caught:
            transport.auth_password("tunnel", "secret")
    finally:
        transport.close()
    assert caught.value.allowed_types == ["publickey"]


def _transport(lab: TwoMachines) -> paramiko.Transport:
    connection = lab.laptop.net.socket()
    connection.settimeout(10)
    connection.connect((REMOTE, 22))
    transport = paramiko.Transport(connection)
    transport.start_client(timeout=10)
    return transport


def _key(lab: TwoMachines) -> paramiko.Ed25519Key:
    return paramiko.Ed25519Key.from_private_key(io.StringIO(lab.sshd.server(REMOTE).key.private))


def _reading(connection: socket.socket, into: list[bytes]) -> threading.Thread:
    thread = threading.Thread(target=lambda: into.append(read_to_end(connection)), daemon=True)
    thread.start()
    return thread


def _end_of(connection: socket.socket) -> bytes:
    """What is read from a connection that ends; a reset is an end too."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""
