"""aardvark-dns on another port than 53, and the rules that lead questions there. Pure.

The rules go before those of published ports, or a container that publishes port 53 would get the questions (netavark,
src/firewall/varktables/types.rs, get_port_forwarding_chains).
"""

from __future__ import annotations

from dataclasses import replace

from testbed.change.podman import iptables, nftables
from testbed.change.podman.helpers import check
from testbed.change.podman.plan import laid
from testbed.change.podman.rules import backend_of
from testbed.evidence import Backend, HostFacts, Listener, Namespace, Network, Process, Protocol
from testbed.evidence.programs import AARDVARK


def with_redirection(here: Namespace, host: HostFacts, network: Network, port: int) -> Namespace:
    """A namespace in which aardvark-dns answers for a network on a port, to which questions are led.

    :raises ImpossibleChangeError: the port is taken on a gateway
    """
    backend = backend_of(here.firewall, host)
    ruleset = here.firewall
    for gateway in network.gateways:
        wanted = Listener(Protocol.UDP, gateway, port, process=Process(0, AARDVARK))
        check(here, wanted)
        here = replace(here, listeners=(*here.listeners, wanted))
        if backend is Backend.NFTABLES:
            ruleset = laid(ruleset, nftables.redirection(gateway, port))
        else:
            ruleset = laid(ruleset, iptables.redirection(gateway, port, backend))
    return replace(here, firewall=ruleset)
