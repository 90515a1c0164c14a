"""Cells of the Portainer matrix written out by hand, each with its reason: ``predict`` cannot drift with the code.

Written from the seed and from what the kernel's documentation says, not from what any run printed.
"""

from __future__ import annotations

from typing import Final

from testbed.model import Outcome

OK: Final = Outcome.CONNECTED
REFUSED: Final = Outcome.REFUSED
NO_ROUTE: Final = Outcome.NETWORK_UNREACHABLE
NO_NAME: Final = Outcome.NAME_NOT_FOUND
HCI: Final = "host.containers.internal"
LAN: Final = "203.0.113.10"

#: (bind, vantage, target, outcome, reason)
BY_HAND: Final = (
    # The seed: "curl from the laptop to the tunnel worked", the container "got connection refused".
    ("127.0.0.1", "laptop", "127.0.0.1", OK, "the laptop's terminal is in the same room as the listener"),
    ("127.0.0.1", "portainer", HCI, REFUSED, "the name is 10.88.0.1, and nobody listens in that room"),
    ("127.0.0.1", "portainer", "10.88.0.1", REFUSED, "the same address, typed"),
    ("127.0.0.1", "portainer", "127.0.0.1", REFUSED, "that is the container's own loopback: one kernel, many rooms"),
    ("127.0.0.1", "laptop", "10.88.0.1", REFUSED, "even the host itself finds nobody at its seat on podman0"),
    # The seed's cure: "Bind the SSH tunnel's listener to 10.88.0.1 instead."
    ("10.88.0.1", "portainer", HCI, OK, "the listener now stands where the container knocks"),
    ("10.88.0.1", "portainer", "10.88.0.1", OK, "the same address, typed"),
    ("10.88.0.1", "laptop", "10.88.0.1", OK, "the host has a seat in that room too"),
    ("10.88.0.1", "laptop", "127.0.0.1", REFUSED, "the listener has left the loopback room"),
    ("10.88.0.1", "laptop", "localhost", REFUSED, "localhost is loopback, and nobody is left there"),
    # "Or 0.0.0.0. Anything that put the doorman in the room where the container's knock would land."
    ("0.0.0.0", "portainer", HCI, OK, "every room of the host, podman0 among them"),
    ("0.0.0.0", "laptop", "127.0.0.1", OK, "and loopback"),
    ("0.0.0.0", "neighbour", LAN, OK, "and the LAN: the price of it"),
    ("0.0.0.0", "portainer", "127.0.0.1", REFUSED, "every room of the host is not the container's own loopback"),
    # No tunnel: nobody is anywhere.
    ("none", "laptop", "127.0.0.1", REFUSED, "no listener at all"),
    ("none", "portainer", HCI, REFUSED, "refused too: the text cannot tell why"),
    ("none", "neighbour", LAN, REFUSED, "the host is there and says no"),
    # Two families: an IPv6 listener is no IPv4 one, OpenSSH sets IPV6_V6ONLY.
    ("::1", "laptop", "::1", OK, "the listener's own address"),
    ("::1", "laptop", "127.0.0.1", REFUSED, "the other loopback"),
    ("::1", "laptop", "localhost", OK, "localhost is both, and ::1 is tried"),
    ("::1", "portainer", "::1", REFUSED, "the container's own ::1"),
    ("::1", "portainer", HCI, REFUSED, "an IPv4 address, and only IPv6 loopback is listened on"),
    ("::", "laptop", "::1", OK, "the IPv6 wildcard includes ::1"),
    ("::", "laptop", "127.0.0.1", REFUSED, "and no IPv4: one socket for each family, IPV6_V6ONLY"),
    ("::", "portainer", HCI, REFUSED, "podman0 has only an IPv4 address for the host"),
    ("0.0.0.0", "laptop", "::1", REFUSED, "the IPv4 wildcard has no IPv6"),
    ("localhost", "laptop", "127.0.0.1", OK, "ssh listens on both loopback addresses"),
    ("localhost", "laptop", "::1", OK, "ssh listens on both loopback addresses"),
    ("localhost", "portainer", HCI, REFUSED, "both are loopback"),
    # The LAN address.
    (LAN, "neighbour", LAN, OK, "the LAN's room"),
    (
        LAN,
        "portainer",
        LAN,
        OK,
        "routed to the host through podman0: any address of the host is its own (weak host model)",
    ),
    (LAN, "portainer", HCI, REFUSED, "the name is podman0's address, not the LAN's"),
    (LAN, "hostnet", HCI, OK, "without a bridge of its own, Podman names the host's first address: the LAN's"),
    (LAN, "laptop", "127.0.0.1", REFUSED, "not loopback"),
    # A second bridge: another room with another seat of the host.
    ("10.89.0.1", "second", HCI, OK, "there the name is that bridge's gateway"),
    ("10.89.0.1", "portainer", HCI, REFUSED, "on podman0 the same name is another address"),
    ("10.89.0.1", "portainer", "10.89.0.1", OK, "the host's own address, reached over podman0"),
    ("10.88.0.1", "second", HCI, REFUSED, "the name is 10.89.0.1 there"),
    ("10.88.0.1", "second", "10.88.0.1", OK, "the host's own address, reached over the second bridge"),
    # An internal network has no default route, but its gateway is on-link.
    ("0.0.0.0", "inner", HCI, OK, "its gateway is the host"),
    ("0.0.0.0", "inner", "10.88.0.1", NO_ROUTE, "no default route, and another subnet"),
    ("0.0.0.0", "inner", LAN, NO_ROUTE, "no default route, and another subnet"),
    ("10.88.0.1", "inner", HCI, REFUSED, "its gateway is the host, which listens elsewhere"),
    # Host networking has no room of its own.
    ("127.0.0.1", "hostnet", "127.0.0.1", OK, "the host's loopback is its own"),
    ("127.0.0.1", "hostnet", "localhost", OK, "the host's loopback is its own"),
    ("127.0.0.1", "hostnet", HCI, REFUSED, "the name is the LAN address, not loopback"),
    # No network: loopback of its own and nothing else.
    ("0.0.0.0", "nonet", "127.0.0.1", REFUSED, "a loopback of its own, with nobody in it"),
    ("0.0.0.0", "nonet", "10.88.0.1", NO_ROUTE, "no interface, no route"),
    ("0.0.0.0", "nonet", HCI, NO_ROUTE, "the hosts file names an address that there is no way to"),
    # Sharing a namespace is sitting in the same room.
    ("10.88.0.1", "sidecar", HCI, OK, "Portainer's namespace and hosts file are its own"),
    ("127.0.0.1", "sidecar", "127.0.0.1", REFUSED, "Portainer's loopback, not the laptop's"),
    # The LAN machine knows no container network and no container name.
    ("10.88.0.1", "neighbour", "10.88.0.1", NO_ROUTE, "no route to the laptop's inner networks"),
    ("0.0.0.0", "neighbour", "10.89.0.1", NO_ROUTE, "no route to the laptop's inner networks"),
    ("0.0.0.0", "neighbour", HCI, NO_NAME, "only containers have that name"),
    ("127.0.0.1", "neighbour", LAN, REFUSED, "loopback is not on the LAN"),
    ("0.0.0.0", "neighbour", "127.0.0.1", REFUSED, "its own loopback"),
    # The laptop itself has no such name either.
    ("0.0.0.0", "laptop", HCI, NO_NAME, "Podman writes the name into containers, not into the host's own hosts file"),
)
