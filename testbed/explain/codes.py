"""The catalogue of causes: a stable code for each, printed by --json, with a page in docs/causes/. Values only."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a connection fails. The value is the code, and the name of its page in docs/causes/."""

    # Somebody listens, but not there.
    LOOPBACK_ONLY = "loopback-only"
    OTHER_ADDRESS = "other-address"
    OTHER_NAMESPACE = "other-namespace"
    OTHER_FAMILY = "other-family"
    UDP_NOT_TCP = "udp-not-tcp"
    NOBODY_LISTENS = "nobody-listens"
    QUEUE_FULL = "accept-queue-full"
    # Published ports.
    LOOPBACK_IN_CONTAINER = "loopback-in-container"
    PUBLISHED_ON_LOOPBACK = "published-on-loopback"
    NOT_PUBLISHED = "not-published"
    WRONG_CONTAINER_PORT = "wrong-container-port"
    PUBLISHED_IPV6_LOOPBACK = "published-ipv6-loopback"
    PUBLISHED_NO_RULE = "rules-lost"
    STALE_TRANSLATION = "stale-translation"
    HAIRPIN = "hairpin"
    NOT_RUNNING = "container-not-running"
    # Listeners that could not be.
    NO_SUCH_BIND_ADDRESS = "no-such-bind-address"
    PORT_TAKEN = "port-taken"
    PRIVILEGED_PORT = "privileged-port"
    # Tunnels.
    TUNNEL_WITHOUT_LISTENER = "tunnel-without-listener"
    TUNNEL_FAR_END_DOWN = "tunnel-far-end-down"
    TUNNEL_FORBIDDEN = "tunnel-forbidden"
    # Names.
    NAME_MISSING = "name-missing"
    NAME_OF_OTHER_GATEWAY = "name-of-other-gateway"
    STALE_HOSTS_LINE = "stale-hosts-line"
    SEARCH_DOMAIN = "search-domain"
    DNS_DISABLED = "dns-disabled"
    RESOLVER_BLOCKED = "resolver-blocked"
    RESOLVER_TAKEN = "resolver-port-taken"
    RESOLVER_DOWN = "resolver-down"
    # Networks and routes.
    NO_NETWORK = "no-network"
    INTERNAL_NETWORK = "internal-network"
    NETWORKS_NOT_SHARED = "networks-not-shared"
    NETWORKS_ISOLATED = "networks-isolated"
    NO_ROUTE = "no-route"
    ROUTE_FORBIDS = "route-forbids"
    SUBNET_SHADOWS = "subnet-shadows"
    ROUTE_ASTRAY = "route-astray"
    NOBODY_HAS_ADDRESS = "nobody-has-address"
    STALE_ADDRESS = "stale-address"
    STALE_NEIGHBOUR = "stale-neighbour"
    FORWARDING_OFF = "forwarding-off"
    REVERSE_PATH = "reverse-path-filter"
    LOOPBACK_FROM_OUTSIDE = "loopback-from-outside"
    LINK_DOWN = "link-down"
    BRIDGE_GONE = "bridge-gone"
    BRIDGE_WITHOUT_ADDRESS = "bridge-without-address"
    # Firewalls.
    INPUT_DROPPED = "input-dropped"
    INPUT_REJECTED = "input-rejected"
    FORWARD_DROPPED = "forward-dropped"
    FORWARD_REJECTED = "forward-rejected"
    OUTPUT_BLOCKED = "output-blocked"
    ANSWER_BLOCKED = "answer-blocked"
    MTU = "mtu-too-large"
    # What the client is told to do.
    PROXY = "proxy"
    # Rootless Podman.
    ROOTLESS_HOST_LOOPBACK = "rootless-host-loopback"
    ROOTLESS_ADDRESS = "rootless-address"
    ROOTLESS_PORT_LOOPBACK = "rootless-port-loopback"
    # Somebody accepts, and then it fails.
    TLS_TO_PLAIN = "tls-to-plain"
    PLAIN_TO_TLS = "plain-to-tls"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    CERTIFICATE_OTHER_NAME = "certificate-other-name"
    PEER_SILENT = "peer-silent"
    PEER_CLOSES = "peer-closes"
    PEER_RESETS = "peer-resets"
    HTTP_STATUS = "http-status"
