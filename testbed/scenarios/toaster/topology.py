"""Jack at home, the couriers between, and the shop: an nginx, its backend and a database on podman0.

::

    jack 198.51.100.20 ── .1 courier1 .129 ── .130 courier2 203.0.113.1 ── 203.0.113.10 shop, port 80
                                                                                         │
                                    podman0 10.88.0.1 ─┬ frontend 10.88.0.10  nginx, port 8080, published as 80
                                                       ├ orders   10.88.0.11  Flask, port 8000
                                                       ├ ledger   10.88.0.12  PostgreSQL, port 5432
                                                       └ visitor  10.88.0.20  somebody else's container

Orders and ledger are not Podman's to name: its default network has no DNS, so that each has a line in the hosts file of
whoever asks. And whom another container speaks to keeps his MAC address: one that is made up anew at a start leaves the
others with the old one, and what they send with nobody, until they believe in it no more (arp(7), base_reachable_time;
netavark 1.4 does not announce the new one).
"""

from __future__ import annotations

from typing import Final

from testbed.topology import AttachmentSpec, CableEndSpec, CableSpec, ContainerSpec, HostSpec, Publish, Topology

JACK: Final = "198.51.100.20"
HOME_GATEWAY: Final = "198.51.100.1"
SEA_WEST: Final = "198.51.100.129"
SEA_EAST: Final = "198.51.100.130"
SHOP_GATEWAY: Final = "203.0.113.1"
SHOP: Final = "203.0.113.10"
PODMAN0: Final = "10.88.0.1"
FRONTEND: Final = "10.88.0.10"
ORDERS: Final = "10.88.0.11"
LEDGER: Final = "10.88.0.12"
VISITOR: Final = "10.88.0.20"
#: Made of the address, as Docker makes them.
MACS: Final = {FRONTEND: "02:42:0a:58:00:0a", ORDERS: "02:42:0a:58:00:0b", LEDGER: "02:42:0a:58:00:0c"}
PUBLISHED_PORT: Final = 80
FRONTEND_PORT: Final = 8080
ORDERS_PORT: Final = 8000
LEDGER_PORT: Final = 5432
URL: Final = "http://shop"

_HOME: Final = "198.51.100.0/25"
_STREET: Final = "203.0.113.0/27"

TOPOLOGY: Final = Topology(
    hosts=(
        HostSpec("jack", with_engine=False, names={"shop": SHOP}, routes={"default": HOME_GATEWAY}),
        HostSpec("courier1", with_engine=False, routes={_STREET: SEA_EAST}),
        HostSpec("courier2", with_engine=False, routes={_HOME: SEA_WEST}),
        HostSpec("shop", routes={"default": SHOP_GATEWAY}, secrets=("orders-token", "ledger-password")),
    ),
    cables=(
        CableSpec(CableEndSpec("jack", "wan0", f"{JACK}/25"), CableEndSpec("courier1", "home0", f"{HOME_GATEWAY}/25")),
        CableSpec(
            CableEndSpec("courier1", "sea0", f"{SEA_WEST}/30"), CableEndSpec("courier2", "sea0", f"{SEA_EAST}/30")
        ),
        CableSpec(CableEndSpec("courier2", "shop0", f"{SHOP_GATEWAY}/27"), CableEndSpec("shop", "wan0", f"{SHOP}/27")),
    ),
    containers=(
        ContainerSpec(
            "shop",
            "ledger",
            "ledger",
            networks=(AttachmentSpec("podman", LEDGER, mac=MACS[LEDGER]),),
            environment={"LEDGER_CLIENT": ORDERS},
            secrets=("ledger-password",),
            sealed=True,
            volumes={"ledger": "/var/lib/postgresql/data"},
        ),
        ContainerSpec(
            "shop",
            "orders",
            "orders",
            networks=(AttachmentSpec("podman", ORDERS, mac=MACS[ORDERS]),),
            names={"ledger": LEDGER},
            environment={"ORDERS_FRONTEND": FRONTEND},
            secrets=("orders-token", "ledger-password"),
            sealed=True,
        ),
        ContainerSpec(
            "shop",
            "frontend",
            "frontend",
            networks=(AttachmentSpec("podman", FRONTEND, mac=MACS[FRONTEND]),),
            publish=(Publish(FRONTEND_PORT, "0.0.0.0", PUBLISHED_PORT),),
            names={"orders": ORDERS},
            secrets=("orders-token",),
            sealed=True,
        ),
        ContainerSpec("shop", "visitor", "base", (AttachmentSpec("podman", VISITOR),), command=("sleep", "infinity")),
    ),
)
