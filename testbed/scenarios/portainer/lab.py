"""The scenario's lab, and the forward that everything in it turns on."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, Unpack

from testbed.bind import BindAddress, NoTunnel
from testbed.containers.roles.portainer import PortainerContainer
from testbed.containers.roles.sshd import SshdContainer
from testbed.errors import UsageError
from testbed.evidence import Evidence
from testbed.model import Address
from testbed.scenarios.portainer import BIND, expectation
from testbed.scenarios.portainer.topology import (
    AGENT,
    INNER_GATEWAY,
    LAN_ADDRESS,
    LAPTOP,
    PODMAN0,
    PORT,
    REMOTE,
    SECOND_GATEWAY,
    VANTAGES,
    with_special,
)
from testbed.scenarios.scenario import Options
from testbed.scenarios.scenario_lab import LabSettings, ScenarioLab
from testbed.tunnel import Forward, OpenSSHTunnel, ParamikoTunnel, Tunnel

_TUNNELS: Final[Mapping[str, Callable[..., Tunnel]]] = {"paramiko": ParamikoTunnel, "openssh": OpenSSHTunnel}


class PortainerLab(ScenarioLab):
    """Portainer on the laptop, the agent on the remote machine, and whatever tunnel a test puts between.

    :param settings: those of :class:`testbed.scenarios.scenario_lab.LabSettings`
    """

    def __init__(self, **settings: Unpack[LabSettings]) -> None:
        self._tunnels: dict[str, Tunnel] = {}
        super().__init__(with_special(settings.get("special", {})), **settings)

    def stay(self, options: Options) -> None:
        """Let the tunnel listen on the bind address that was chosen; it does so until the lab ends."""
        bind = options.get(BIND)
        if bind is not None and not isinstance(bind, NoTunnel):
            self.forward(bind)

    @property
    def portainer(self) -> PortainerContainer:
        """The server, which is the real client of the story."""
        container = self.containers["portainer"]
        assert isinstance(container, PortainerContainer)
        return container

    @property
    def sshd(self) -> SshdContainer:
        """The far end of the tunnel."""
        container = self.containers["sshd"]
        assert isinstance(container, SshdContainer)
        return container

    def tunnel(self, via: str = "paramiko") -> Tunnel:
        """The laptop's SSH connection to the remote machine; one of each kind, made when first asked for.

        :param via: ``paramiko`` or ``openssh``
        :raises UsageError: another word
        :raises TunnelError: no connection
        """
        if via not in _TUNNELS:
            raise UsageError(f"no tunnel is called {via!r}: there are {' and '.join(_TUNNELS)}")
        if via not in self._tunnels:
            self._tunnels[via] = _TUNNELS[via](self.hosts["laptop"], self.sshd.server(REMOTE))
        return self._tunnels[via]

    def forward(
        self,
        bind: BindAddress | str = "127.0.0.1",
        *,
        via: str = "paramiko",
        port: int = PORT,
        exit_on_failure: bool = True,
    ) -> Forward:
        """The tunnel's forward to the agent, listening on the laptop: ``ssh -L bind:port:127.0.0.1:19001 remote``.

        :param bind: as for :meth:`testbed.tunnel.Tunnel.forward`
        :param via: as for :meth:`tunnel`
        :raises UsageError: the bind address is none, or ``via`` another word
        :raises BindError: no address could be bound
        :raises TunnelError: no connection
        """
        return self.tunnel(via).forward(bind, port, *AGENT, exit_on_failure=exit_on_failure)

    def evidence(self, bound: Iterable[Address]) -> Evidence:
        """What a prediction about this lab is made from, with the forward listening on some addresses of the laptop."""
        vantages = {name: self.vantage(name) for name in VANTAGES}
        links = json.loads(self.hosts["laptop"].run(["ip", "-json", "address", "show", "scope", "global"]))
        addresses = {ipaddress.ip_address(found["local"]) for link in links for found in link["addr_info"] if found}
        declared = {ipaddress.ip_address(a) for a in (PODMAN0, SECOND_GATEWAY, INNER_GATEWAY, LAN_ADDRESS, LAPTOP)}
        return expectation.evidence(
            bound,
            {name: vantage.naming.names.hosts for name, vantage in vantages.items()},
            others=addresses - declared,
            laptop_resolves=bool(vantages["laptop"].naming.names.nameservers),
        )

    def close_tunnels(self) -> None:
        """End every tunnel and its forwards; the next one is made anew."""
        for tunnel in self._tunnels.values():
            with suppress(OSError):
                tunnel.close()
        self._tunnels.clear()

    def close(self) -> None:
        """End the tunnels, then everything else."""
        self.close_tunnels()
        super().close()
