"""Faults of SSH tunnels: a real sshd on a remote machine, and a real ssh on the host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from testbed import images
from testbed.bind import BindAddress, Unspecified
from testbed.containers.roles.sshd import SshdContainer
from testbed.explain.codes import Cause
from testbed.host import PrivateHost
from testbed.host.links import CableEnd, join
from testbed.host.listeners import listeners
from testbed.images import ImageStore
from testbed.processes import end
from testbed.readers.sources import of_host
from testbed.tunnel import Forward, OpenSSHTunnel
from testbed.waiting import wait_for
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, Stage

#: The one port that the far side's sshd lets through (images/sshd/sshd_config, PermitOpen).
PERMITTED: Final = 19001
_FORBIDDEN: Final = 19002
_NAME: Final = f"http://host.containers.internal:{PERMITTED}/"
_REMOTE: Final = "198.51.100.2"


@dataclass(frozen=True, slots=True)
class FarSide:
    """A remote machine that runs sshd, and the tunnels of the stage's host to it."""

    stage: Stage
    remote: PrivateHost
    tunnel: OpenSSHTunnel
    _closing: ExitStack = field(default_factory=ExitStack)

    def forward(self, bind: BindAddress | str, *, to: int = PERMITTED, exit_on_failure: bool = True) -> Forward:
        """``ssh -N -L bind:19001:127.0.0.1:to``, run on the stage's host."""
        return self.tunnel.forward(bind, PERMITTED, "127.0.0.1", to, exit_on_failure=exit_on_failure)

    def listen(self, port: int = PERMITTED) -> None:
        """Start a server on the remote machine's loopback."""
        process = self.remote.popen(["python3", "-m", "http.server", "--bind", "127.0.0.1", str(port)])
        self._closing.callback(end, process)
        wait_for(lambda: any(x.port == port for x in listeners(self.remote.net)), f"remote to listen on {port}")


@contextmanager
def far_side(stage: Stage) -> Iterator[FarSide]:
    """A remote machine of the stage's host, ended with the block; it is in the picture too."""
    # The store's folder is the one above what hosts read (ImageStore.storage).
    tag = images.ensure(["sshd"], store=ImageStore(stage.image_store.parent))["sshd"]
    with ExitStack() as closing:
        remote = closing.enter_context(PrivateHost("remote", image_store=stage.image_store))
        join(CableEnd(stage.host, "wan0", "198.51.100.1/24"), CableEnd(remote, "wan0", f"{_REMOTE}/24"))
        sshd = SshdContainer(remote, tag).in_mode("host")
        closing.callback(sshd.close)
        sshd.start().await_ready()
        stage.add(of_host(remote))
        tunnel = closing.enter_context(OpenSSHTunnel(stage.host, sshd.server(_REMOTE)))
        yield FarSide(stage, remote, tunnel, closing)


@fault(Cause.LOOPBACK_ONLY)
def a_tunnel_on_the_hosts_loopback(stage: Stage) -> Iterator[Broken]:
    """The seed's own, with ssh as the listener: without a bind address it takes the loopback."""
    stage.container("client")
    with far_side(stage) as far:
        far.listen()
        forward = far.forward(Unspecified())
        yield Broken("client", _NAME, cure=lambda: _again(forward, lambda: far.forward(GATEWAY)))


@fault(Cause.TUNNEL_WITHOUT_LISTENER)
def a_tunnel_that_could_not_bind_before_the_bridge_was_there(stage: Stage) -> Iterator[Broken]:
    """podman0 comes with the first container, and ssh was faster."""
    with far_side(stage) as far:
        far.listen()
        forward = far.forward(GATEWAY, exit_on_failure=False)
        stage.container("client")
        yield Broken("client", _NAME, cure=lambda: _again(forward, lambda: far.forward(GATEWAY)))


@fault(Cause.TUNNEL_FAR_END_DOWN)
def a_tunnel_to_nobody(stage: Stage) -> Iterator[Broken]:
    """The tunnel stands, and what it leads to does not run."""
    stage.container("client")
    with far_side(stage) as far:
        far.forward(GATEWAY)
        yield Broken("client", _NAME, cure=far.listen)


@fault(Cause.TUNNEL_FORBIDDEN)
def a_tunnel_that_sshd_forbids(stage: Stage) -> Iterator[Broken]:
    """PermitOpen does not name that port; here the cure is the port that it does name."""
    stage.container("client")
    with far_side(stage) as far:
        far.listen(_FORBIDDEN)
        far.listen()
        forward = far.forward(GATEWAY, to=_FORBIDDEN)
        yield Broken("client", _NAME, cure=lambda: _again(forward, lambda: far.forward(GATEWAY)))


@fault(Cause.NO_SUCH_BIND_ADDRESS)
def a_tunnel_before_the_bridge_is_there(stage: Stage) -> Iterator[Broken]:
    """What ssh itself says of it: the address of podman0 is not there without a container."""
    with far_side(stage) as far:
        far.listen()
        said = "\n".join(far.forward(GATEWAY, exit_on_failure=False).trouble)

        def cure() -> None:
            stage.container("client")
            far.forward(GATEWAY)

        yield Broken("client", _NAME, pasted=said, cure=cure)


@fault(Cause.PORT_TAKEN)
def a_tunnel_whose_port_is_taken(stage: Stage) -> Iterator[Broken]:
    """What ssh says where another program has the port."""
    stage.container("client")
    with far_side(stage) as far:
        far.listen()
        holding = stage.listen(HOST, GATEWAY, PERMITTED, deed="close")
        said = "\n".join(far.forward(GATEWAY, exit_on_failure=False).trouble)

        def cure() -> None:
            stage.stop(holding)
            far.forward(GATEWAY)

        yield Broken("client", _NAME, pasted=said, cure=cure)


def _again(forward: Forward, start: Callable[[], Forward]) -> None:
    forward.close()
    start()
