"""What goes wrong with a tunnel: each fault said in one clear line, nothing left listening, and the next one works."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import paramiko
import pytest

from testbed.containers import HostContainer
from testbed.containers.roles.agent import AgentContainer
from testbed.errors import BindError, Error, HostKeyError, TunnelError
from testbed.evidence import Listener, Protocol
from testbed.host import Host
from testbed.host.listeners import owner
from testbed.images import ImageStore
from testbed.model import Address, Outcome, Phase
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import URL
from testbed.tunnel import Forward, KeyPair, Server, ssh_paramiko
from testbed.waiting import wait_for
from tests.scenarios.two_machines import (
    FAR_END,
    PORT,
    REMOTE,
    TUNNELS,
    VIAS,
    TwoMachines,
    heard,
    occupied,
    pid_of_listener,
)

TAKEN = f"bind [127.0.0.1]:{PORT}: Address already in use"
LOCAL_URL = f"https://127.0.0.1:{PORT}/ping"
both_kinds = pytest.mark.parametrize("via", VIAS)


@pytest.fixture(scope="module")
def two_machines(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[TwoMachines]:
    """A laptop with no container, and a remote machine with sshd: for faults that leave both as they were."""
    with TwoMachines(testbed_image_store, testbed_image) as lab:
        yield lab


@pytest.fixture
def breakable(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[TwoMachines]:
    """The same two machines, fresh: for tests that break them."""
    with TwoMachines(testbed_image_store, testbed_image) as lab:
        yield lab


@pytest.fixture
def breakable_scenario(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[PortainerLab]:
    """The whole scenario, fresh and always on private hosts: the machine's own Podman serves one lab at a time."""
    with PortainerLab(store=testbed_image_store, say=testbed_say) as lab:
        yield lab


# The address cannot be bound.


@both_kinds
def test_a_taken_port_is_an_error_that_names_who_holds_it(two_machines: TwoMachines, via: str) -> None:
    """The error is OpenSSH's own words, then the process, and what to do; who holds another port is not named."""
    laptop = two_machines.laptop
    with ExitStack() as others, occupied(laptop, "127.0.0.1") as pid:
        for port in range(PORT + 1, PORT + 16):
            other = others.enter_context(laptop.net.socket())
            other.bind(("127.0.0.1", port))
            other.listen()
        error = _bind_error(two_machines, via, "127.0.0.1")
    assert error == (
        f"{TAKEN}: python3 (pid {pid}) listens on [127.0.0.1]:{PORT} of laptop; end it or take another port"
    )


@both_kinds
def test_a_wildcard_is_taken_by_whoever_holds_one_address(two_machines: TwoMachines, via: str) -> None:
    """Binding 0.0.0.0 fails where one address's port is taken, and the error names that listener."""
    with occupied(two_machines.laptop, "127.0.0.1") as pid:
        error = _bind_error(two_machines, via, "0.0.0.0")
    assert error == (
        f"bind [0.0.0.0]:{PORT}: Address already in use: "
        f"python3 (pid {pid}) listens on [127.0.0.1]:{PORT} of laptop; end it or take another port"
    )


@both_kinds
@pytest.mark.parametrize("first", VIAS)
def test_a_second_forward_on_a_port_names_the_first(two_machines: TwoMachines, first: str, via: str) -> None:
    """The one who holds the port may be a tunnel of our own: ssh on the laptop, or this very process."""
    with two_machines.forward(first):
        holder = pid_of_listener(two_machines.laptop) if first == "openssh" else os.getpid()
        error = _bind_error(two_machines, via, "127.0.0.1")
        assert heard(two_machines.laptop) == {"127.0.0.1"}
    found = re.fullmatch(rf"{re.escape(TAKEN)}: (\S+) \(pid (\d+)\) listens on .*", error)
    assert found
    assert int(found[2]) == holder
    assert found[1] == "ssh" or first == "paramiko"


@both_kinds
def test_localhost_with_one_address_taken_listens_on_the_other(two_machines: TwoMachines, via: str) -> None:
    """As ssh does, a forward on localhost succeeds with ::1 alone where 127.0.0.1 is taken, and says so."""
    with occupied(two_machines.laptop, "127.0.0.1"), two_machines.forward(via, "localhost") as forward:
        assert {str(address) for address in forward.bound} == {"::1"}
        assert heard(two_machines.laptop) == {"127.0.0.1", "::1"}
        assert [line for line in forward.trouble if line.startswith(TAKEN)] == list(forward.trouble)
        assert forward.trouble


@both_kinds
def test_localhost_taken_on_both_addresses_is_an_error(two_machines: TwoMachines, via: str) -> None:
    """Where no address is left to listen on, the forward fails, and each address is named."""
    laptop = two_machines.laptop
    with occupied(laptop, "127.0.0.1") as first, occupied(laptop, "::1") as second:
        error = _bind_error(two_machines, via, "localhost")
    assert f"{TAKEN}: python3 (pid {first}) listens on [127.0.0.1]:{PORT}" in error
    assert f"bind [::1]:{PORT}: Address already in use: python3 (pid {second}) listens on [::1]:{PORT}" in error


@both_kinds
def test_an_address_of_somebody_else_is_an_error(two_machines: TwoMachines, via: str) -> None:
    """An address that the laptop does not have gives OpenSSH's words and where to look."""
    assert _bind_error(two_machines, via, "192.0.2.99") == (
        f"bind [192.0.2.99]:{PORT}: Cannot assign requested address: laptop has no such address; see 'ip address' there"
    )


@both_kinds
def test_the_bridges_address_before_any_container_is_an_error_that_says_why(
    two_machines: TwoMachines, via: str
) -> None:
    """Without a container on it podman0 does not exist: the error says whose address it is and what to do first."""
    assert _bind_error(two_machines, via, "10.88.0.1") == (
        f"bind [10.88.0.1]:{PORT}: Cannot assign requested address: laptop has no such address yet. It is the gateway "
        "of the network 'podman', whose bridge exists only while a container is on it: start one first"
    )


@both_kinds
def test_the_bridges_address_can_be_bound_once_a_container_is_on_it(
    breakable: TwoMachines, testbed_image: Callable[[str], str], via: str
) -> None:
    """After doing what the error says, the same forward works."""
    with breakable.tunnel(via) as tunnel:
        with pytest.raises(BindError):
            tunnel.forward("10.88.0.1", PORT, *FAR_END)
        container = HostContainer(breakable.laptop, testbed_image("base"), "first").on("podman")
        container.with_command(["sleep", "infinity"]).start()
        breakable.containers["first"] = container
        with tunnel.forward("10.88.0.1", PORT, *FAR_END):
            assert heard(breakable.laptop) == {"10.88.0.1"}


@both_kinds
@pytest.mark.parametrize(
    ("bind", "words"),
    [("127.0.0.1", TAKEN), ("192.0.2.99", f"bind [192.0.2.99]:{PORT}: Cannot assign requested address")],
    ids=["taken", "no such address"],
)
def test_without_exit_on_failure_only_trouble_says_what_happened(
    two_machines: TwoMachines, via: str, bind: str, words: str
) -> None:
    """With ExitOnForwardFailure=no the connection lives, nothing listens, and the words are there to be read."""
    with occupied(two_machines.laptop, "127.0.0.1"), two_machines.forward(via, bind, exit_on_failure=False) as forward:
        assert forward.bound == ()
        assert heard(two_machines.laptop) == {"127.0.0.1"}
        assert any(line.startswith(words) for line in forward.trouble)


@both_kinds
def test_a_forward_that_is_none_leaves_the_port_refused(portainer_lab: PortainerLab, via: str) -> None:
    """Beside a healthy tunnel whose forward could not be bound, the port is refused; once it can be, it answers."""
    laptop = portainer_lab.vantage("laptop")
    with portainer_lab.forward("192.0.2.99", via=via, exit_on_failure=False):
        refused = laptop.connect(LOCAL_URL)
        with portainer_lab.forward("127.0.0.1", via=via):
            control = laptop.connect(LOCAL_URL)
    assert refused.outcome is Outcome.REFUSED
    assert control.outcome is Outcome.CONNECTED


# The connection cannot be made.


@both_kinds
def test_another_host_key_is_refused(two_machines: TwoMachines, via: str) -> None:
    """A server that shows another key than the known one is an error in one line, and nothing is bound."""
    server = dataclasses.replace(two_machines.server, host_key=KeyPair.make().public)
    error = _failure(two_machines, via, server)
    assert type(error) is HostKeyError
    assert "Host key verification failed: it shows " in str(error)
    assert str(error).endswith("is not the known one: this is another machine, or its keys were made anew")
    assert "\n" not in str(error)
    assert "@@@" not in str(error)


def test_the_key_that_is_shown_is_named(two_machines: TwoMachines) -> None:
    """Both kinds name the same fingerprint, the one that ``ssh-keygen -l`` gives."""
    server = two_machines.server
    line = two_machines.laptop.run(["ssh-keygen", "-lf", "-"], stdin=server.host_key.encode())
    fingerprint = line.split()[1]
    wrong = dataclasses.replace(server, host_key=KeyPair.make().public)
    assert [fingerprint in str(_failure(two_machines, via, wrong)) for via in VIAS] == [True, True]


def test_openssh_does_not_learn_the_key_it_refused(two_machines: TwoMachines) -> None:
    """The next attempt is refused too: the key that was shown is added nowhere."""
    wrong = dataclasses.replace(two_machines.server, host_key=KeyPair.make().public)
    tunnel = TUNNELS["openssh"](two_machines.laptop, wrong)
    for _ in range(2):
        with pytest.raises(HostKeyError):
            tunnel.forward("127.0.0.1", PORT, *FAR_END)


@both_kinds
def test_another_users_key_is_refused(two_machines: TwoMachines, via: str) -> None:
    """A key that the server does not know is an error that says so, and nothing is bound."""
    server = dataclasses.replace(two_machines.server, key=KeyPair.make())
    error = _failure(two_machines, via, server)
    assert type(error) is TunnelError
    assert "Permission denied (publickey)" in str(error)


@both_kinds
@pytest.mark.parametrize(
    ("changes", "words"),
    [({"port": 2222}, "Connection refused"), ({"address": "192.0.2.7"}, "Network is unreachable")],
    ids=["nobody there", "no way there"],
)
def test_no_server_is_an_error(two_machines: TwoMachines, via: str, changes: dict[str, str | int], words: str) -> None:
    """Where nobody listens, or where no route leads, the error has the system's words and the address."""
    server = dataclasses.replace(two_machines.server, **changes)  # type: ignore[arg-type]
    error = _failure(two_machines, via, server)
    assert type(error) is TunnelError
    assert words in str(error)
    assert server.address in str(error)


@both_kinds
def test_a_server_that_is_no_ssh_server_is_an_error(two_machines: TwoMachines, via: str) -> None:
    """Somebody else on the port, who hangs up, is a TunnelError and no traceback of a library."""
    server = dataclasses.replace(two_machines.server, port=2222)
    with two_machines.remote.net.socket() as listener:
        listener.bind(("0.0.0.0", 2222))
        listener.listen()
        thread = threading.Thread(target=lambda: _greet_and_hang_up(listener), daemon=True)
        thread.start()
        error = _failure(two_machines, via, server)
        thread.join()
    assert type(error) is TunnelError


# The agent is down behind a living tunnel.


@both_kinds
def test_an_agent_that_is_down_behind_a_living_tunnel_is_not_a_refusal(
    breakable_scenario: PortainerLab, via: str
) -> None:
    """Whoever connects is accepted and then cut off, in exactly the words that this has; back up, it answers."""
    lab = breakable_scenario
    laptop, remote = lab.vantage("laptop"), lab.vantage("remote")
    with lab.forward("0.0.0.0", via=via) as forward:
        before = lab.portainer.connect(URL)
        agent = _killed(lab.hosts["remote"], "agent")
        # Podman removes the rules of its published port a moment after it ended; until then packets go to nobody.
        wait_for(
            lambda: remote.connect(LOCAL_URL, seconds=0.5).outcome is Outcome.REFUSED,
            "the agent's port to be refused on its own machine",
            state=lambda: remote.connect(LOCAL_URL).text,
        )
        accepted, local, container = (
            laptop.connect(f"tcp://127.0.0.1:{PORT}"),
            laptop.connect(LOCAL_URL),
            lab.portainer.connect(URL),
        )
        alive = heard(lab.hosts["laptop"])
        trouble = _trouble(forward, "onnect failed")
        agent.start()
        returned = lab.containers["agent"]
        assert isinstance(returned, AgentContainer)
        returned.await_ready()
        after = lab.portainer.connect(URL)
    assert (before.outcome, after.outcome) == (Outcome.CONNECTED, Outcome.CONNECTED)
    assert alive == {"0.0.0.0"}
    assert (accepted.outcome, accepted.phase) == (Outcome.CONNECTED, Phase.CONNECT)
    assert local.outcome in (Outcome.CLOSED, Outcome.RESET)
    assert local.phase is Phase.TLS
    assert container.outcome in (Outcome.CLOSED, Outcome.RESET)
    assert re.fullmatch(
        rf'Get "{re.escape(URL)}": '
        rf"(EOF|read tcp 10\.88\.0\.10:\d+->10\.88\.0\.1:{PORT}: read: connection reset by peer)",
        container.text,
    )
    assert trouble


# The tunnel dies while in use.


def _sshd_is_killed(lab: TwoMachines, forward: Forward) -> None:
    _killed(lab.remote, "sshd")


def _ssh_is_killed(lab: TwoMachines, forward: Forward) -> None:
    lab.laptop.run(["kill", "-KILL", str(pid_of_listener(lab.laptop))])


def _link_is_closed_by_us(lab: TwoMachines, forward: Forward) -> None:
    (transport,) = [t for t in threading.enumerate() if isinstance(t, paramiko.Transport) and t.is_alive()]
    transport.close()


@pytest.mark.parametrize(
    ("via", "die"),
    [
        ("paramiko", _sshd_is_killed),
        ("openssh", _sshd_is_killed),
        ("openssh", _ssh_is_killed),
        ("paramiko", _link_is_closed_by_us),
    ],
    ids=["paramiko, sshd killed", "openssh, sshd killed", "openssh, ssh killed", "paramiko, transport closed"],
)
def test_a_tunnel_that_dies_takes_its_connections_and_its_listener_along(
    breakable: TwoMachines, via: str, die: Callable[[TwoMachines, Forward], None]
) -> None:
    """An open connection ends, then the port is refused since nobody listens, ``bound`` is empty; a new one works."""
    laptop = breakable.vantage("laptop")
    with breakable.far_end() as server:
        with breakable.forward(via) as forward:
            with breakable.connect() as near, server.accept() as far:
                near.sendall(b"in use")
                assert far.recv(100) == b"in use"
                die(breakable, forward)
                assert _end_of(near) == b""
            wait_for(lambda: not heard(breakable.laptop), "the listener to go")
            wait_for(lambda: forward.bound == (), "the forward to know it", state=lambda: str(forward.bound))
            refused = laptop.connect(f"tcp://127.0.0.1:{PORT}")
        _start_sshd(breakable)
        with breakable.forward(via) as again, breakable.connect() as near, server.accept() as far:
            far.sendall(b"alive")
            assert near.recv(100) == b"alive"
            assert {str(address) for address in again.bound} == {"127.0.0.1"}
    assert (refused.outcome, refused.text) == (Outcome.REFUSED, "[Errno 111] Connection refused")


def test_a_remote_machine_that_falls_silent_ends_a_paramiko_tunnel(
    breakable: TwoMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its cable pulled and nobody to say so, the tunnel asks, hears nothing, and ends, as OpenSSH's does."""
    monkeypatch.setattr(ssh_paramiko, "_ALIVE_SECONDS", 1)
    monkeypatch.setattr(ssh_paramiko, "_DEAD_SECONDS", 1)
    with breakable.forward("paramiko") as forward:
        assert heard(breakable.laptop) == {"127.0.0.1"}
        breakable.remote.run(["ip", "link", "set", "wan0", "down"])
        wait_for(lambda: not heard(breakable.laptop), "the listener to go", seconds=30)
        assert _trouble(forward, f"Connection to {REMOTE} closed")


@both_kinds
def test_a_tunnel_that_died_says_so(breakable: TwoMachines, via: str) -> None:
    """What the forward was told, or what ssh said, names the connection that ended."""
    with breakable.forward(via) as forward:
        assert forward.trouble == ()
        _sshd_is_killed(breakable, forward)
        assert _trouble(forward, f"Connection to {REMOTE} closed")


def test_a_dead_paramiko_tunnel_makes_no_forward(breakable: TwoMachines) -> None:
    """Asking a tunnel whose connection ended for a forward is an error that says to make a new tunnel."""
    with breakable.tunnel("paramiko") as tunnel:
        first = tunnel.forward("127.0.0.1", PORT, *FAR_END)
        _sshd_is_killed(breakable, first)
        wait_for(lambda: first.bound == (), "the tunnel to know that it is dead")
        with pytest.raises(TunnelError) as caught:
            tunnel.forward("127.0.0.1", PORT, *FAR_END)
    assert str(caught.value) == "the ssh connection from laptop has ended: make a new tunnel"


def test_a_tunnel_that_dies_while_a_forward_is_made_leaves_no_listener(
    two_machines: TwoMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that ends between the bind and the end of the call is an error, and nobody listens."""
    listen = ssh_paramiko._listen

    def listen_and_die(host: Host, address: Address, port: int) -> socket.socket:
        sock = listen(host, address, port)
        tunnel._transport.close()
        watcher.join()  # it has seen the end, and no forward to close
        return sock

    tunnel = ssh_paramiko.ParamikoTunnel(two_machines.laptop, two_machines.server)
    (watcher,) = [t for t in threading.enumerate() if t.name == "ssh-laptop"]
    monkeypatch.setattr(ssh_paramiko, "_listen", listen_and_die)
    with tunnel, pytest.raises(TunnelError, match="has ended: make a new tunnel"):
        tunnel.forward("127.0.0.1", PORT, *FAR_END)
    assert heard(two_machines.laptop) == set()


class Held(socket.socket):
    """A listener that does not stop before it is let go."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(fileno=sock.detach())
        self.stopping, self.let_go = threading.Event(), threading.Event()

    def shutdown(self, how: int) -> None:
        """Stop, once it may."""
        self.stopping.set()
        assert self.let_go.wait(10)
        super().shutdown(how)


def test_who_closes_second_waits_for_the_first(two_machines: TwoMachines, monkeypatch: pytest.MonkeyPatch) -> None:
    """close() never returns while the port is still listened on, also where another thread is closing already."""
    listen, made = ssh_paramiko._listen, list[Held]()

    def listen_held(host: Host, address: Address, port: int) -> socket.socket:
        made.append(Held(listen(host, address, port)))
        return made[0]

    monkeypatch.setattr(ssh_paramiko, "_listen", listen_held)
    with two_machines.tunnel("paramiko") as tunnel:
        forward = tunnel.forward("127.0.0.1", PORT, *FAR_END)
        first, second = (threading.Thread(target=forward.close, daemon=True) for _ in range(2))
        first.start()
        assert made[0].stopping.wait(10)
        second.start()
        second.join(0.1)
        assert heard(two_machines.laptop) == {"127.0.0.1"}
        assert second.is_alive()
        made[0].let_go.set()
        second.join(10)
        assert heard(two_machines.laptop) == set()
        first.join(10)


def test_a_holder_is_found_among_files_that_come_and_go() -> None:
    """Looking through a process's open files survives one that is closed meanwhile, such as the list's own."""
    low = os.open(os.devnull, os.O_RDONLY)
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.close(low)  # the next file opened, the list, is before the socket in its own list
        listener = Listener(
            Protocol.TCP, ipaddress.ip_address("127.0.0.1"), PORT, inode=os.fstat(server.fileno()).st_ino
        )
        assert owner(listener).endswith(f"(pid {os.getpid()})")


def _bind_error(lab: TwoMachines, via: str, bind: str) -> str:
    """The message of a forward that cannot be bound."""
    with lab.tunnel(via) as tunnel, pytest.raises(BindError) as caught:
        tunnel.forward(bind, PORT, *FAR_END)
    return str(caught.value)


def _failure(lab: TwoMachines, via: str, server: Server) -> Error:
    """The error of a tunnel to a server, after which nothing listens and the right server still lets one in."""
    with pytest.raises(Error) as caught:
        TUNNELS[via](lab.laptop, server).forward("127.0.0.1", PORT, *FAR_END)
    assert heard(lab.laptop) == set()
    with lab.forward(via):
        assert heard(lab.laptop) == {"127.0.0.1"}
    return caught.value


def _trouble(forward: Forward, words: str) -> list[str]:
    """The lines of a forward's trouble that hold some words, once there are any."""
    return wait_for(
        lambda: [line for line in forward.trouble if words in line],
        f"{words!r} in the forward's trouble",
        state=lambda: str(forward.trouble),
    )


def _killed(host: Host, name: str) -> Any:
    """podman-py's container of that name, killed, once Podman knows that it ended."""
    container = host.engine.client.containers.get(name)
    container.kill()

    def ended() -> bool:
        container.reload()
        return bool(container.status == "exited")

    wait_for(ended, f"{name} to end", state=lambda: str(container.status))
    return container


def _start_sshd(lab: TwoMachines) -> None:
    """Start sshd again, unless it runs; it keeps its keys."""
    container = lab.remote.engine.client.containers.get("sshd")
    if container.status != "running":
        container.start()
    lab.sshd.await_ready()


def _greet_and_hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 mail.example.org ESMTP\r\n" * 3)


def _end_of(connection: socket.socket) -> bytes:
    """What is read from a connection that ends; a reset is an end too."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""
