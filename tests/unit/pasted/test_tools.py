"""Texts of message brokers' clients, proxies, browsers, package managers, and the tools of a terminal."""

from __future__ import annotations

import pytest

from testbed.explain.client_texts.said import Client
from testbed.model import Outcome
from tests.unit.pasted.texts import (
    CLOSED,
    NO_HOST,
    NO_NAME,
    NO_NETWORK,
    NO_RESOLVER,
    REFUSED,
    RESET,
    TIMED_OUT,
    TLS,
    UNCONNECTED,
    UNREACHED,
    UNRESOLVED,
    Said,
    found,
    name,
)

AMQP_, KAFKA_, ENVOY, HAPROXY, APACHE_, WEB, APT, WGET, BUSY, NC = (
    Client.AMQP,
    Client.KAFKA,
    Client.ENVOY,
    Client.HAPROXY,
    Client.APACHE,
    Client.BROWSER,
    Client.APT,
    Client.WGET,
    Client.BUSYBOX,
    Client.NETCAT,
)
STATUS = {Outcome.HTTP_STATUS}

#: pika's connection_workflow.py, Celery's consumer.py, Bunny's transport.rb, rabbit_nodes_common.erl.
AMQP = [
    Said(
        "TCP Connection attempt failed: ConnectionRefusedError(111, 'Connection refused');"
        " dest=(<AddressFamily.AF_INET: 2>,"
        " <SocketKind.SOCK_STREAM: 1>, 6, '', ('10.89.0.5', 5672))",
        AMQP_,
        REFUSED,
        None,
        5672,
        "10.89.0.5",
    ),
    Said(
        "Socket failed to connect: <socket.socket fd=6, family=AddressFamily.AF_INET,"
        " type=SocketKind.SOCK_STREAM, proto=6, "
        "laddr=('10.89.0.9', 40000)>; error=111 (Connection refused)",
        AMQP_,
        REFUSED,
    ),
    Said("Address resolution failed: gaierror(-2, 'Name or service not known')", AMQP_, NO_NAME),
    Said("pika.exceptions.StreamLostError: ('Transport indicated EOF',)", AMQP_, CLOSED),
    Said(
        "[ERROR/MainProcess] consumer: Cannot connect to amqp://guest:**@mq:5672//: [Errno 111] Connection refused.",
        AMQP_,
        REFUSED,
        "mq",
        5672,
    ),
    Said(
        "consumer: Cannot connect to redis://redis:6379/0: Error 111 connecting to redis:6379. Connection refused..",
        Client.REDIS,
        REFUSED,
        "redis",
        6379,
    ),
    Said(
        "Could not establish TCP connection to mq:5672: Connection refused - connect(2) for 10.89.0.5:5672",
        Client.RUBY,
        REFUSED,
        "mq",
        5672,
        "10.89.0.5",
    ),
    Said("Error: Socket closed abruptly during opening handshake", AMQP_, CLOSED),
    Said("ERROR: epmd error for host mq: nxdomain (non-existing domain)", Client.ERLANG, NO_NAME, "mq", 4369),
    Said("ERROR: epmd error for host mq: timeout (timed out)", Client.ERLANG, TIMED_OUT, "mq", 4369),
    Said(
        "unable to connect to epmd (port 4369) on mq: nxdomain (non-existing domain)",
        Client.ERLANG,
        NO_NAME,
        "mq",
        4369,
    ),
]

#: NetworkClient.java, ClientUtils.java, rdkafka_broker.c, kafka-python's conn.py, aiokafka, Sarama.
KAFKA = [
    Said(
        "[Producer clientId=p] Connection to node 1 (localhost/127.0.0.1:9092) could not be established."
        " Node may not be "
        "available.",
        KAFKA_,
        UNCONNECTED,
        "localhost",
        9092,
        "127.0.0.1",
    ),
    Said("Bootstrap broker kafka:9092 (id: -1 rack: null) disconnected", KAFKA_, UNREACHED, "kafka", 9092),
    Said(
        "Couldn't resolve server kafka:9092 from bootstrap.servers as DNS resolution failed for kafka",
        KAFKA_,
        UNRESOLVED,
        "kafka",
        9092,
    ),
    Said(
        "%3|1698837177.570|FAIL|rdkafka#producer-1| [thrd:kafka:9092/bootstrap]: kafka:9092/bootstrap: Connect to "
        "ipv4#10.89.0.6:9092 failed: Connection refused (after 0ms in state CONNECT)",
        KAFKA_,
        REFUSED,
        "kafka",
        9092,
        "10.89.0.6",
    ),
    Said(
        "kafka:9092/bootstrap: Failed to resolve 'kafka:9092': Name or service not known (after 5ms in state CONNECT)",
        KAFKA_,
        NO_NAME,
        "kafka",
        9092,
    ),
    Said(
        "kafka:9092/bootstrap: Connection setup timed out in state CONNECT (after 30029ms in state CONNECT)",
        KAFKA_,
        TIMED_OUT,
        "kafka",
        9092,
    ),
    Said("pika.exceptions.AMQPConnectionError", AMQP_, UNREACHED),
    Said("kafka.errors.NoBrokersAvailable: NoBrokersAvailable", KAFKA_, UNREACHED),
    Said(
        "Connect attempt to <BrokerConnection node_id=bootstrap-0 host=kafka:9092 <connecting> [IPv4"
        " ('10.89.0.6', 9092)]> "
        "returned error 111. Disconnecting.",
        KAFKA_,
        REFUSED,
        "kafka",
        9092,
        "10.89.0.6",
    ),
    Said("DNS lookup failed for kafka:9092 (AddressFamily.AF_UNSPEC)", KAFKA_, UNRESOLVED, "kafka", 9092),
    Said(
        "Unable connect to \"kafka:9092\": [Errno 111] Connect call failed ('10.89.0.6', 9092)",
        Client.PYTHON,
        REFUSED,
        "kafka",
        9092,
        "10.89.0.6",
    ),
    Said("kafka: client has run out of available brokers to talk to (Is your cluster reachable?)", KAFKA_, UNREACHED),
    Said(
        "kafka: client has run out of available brokers to talk to: dial tcp 10.89.0.6:9092: connect:"
        " connection refused",
        Client.GO,
        REFUSED,
        None,
        9092,
        "10.89.0.6",
    ),
]

#: Envoy's utility.cc, HAProxy's check.c, Apache's proxy_util.c (2.2 without AH numbers).
PROXIES = [
    Said(
        "upstream connect error or disconnect/reset before headers. reset reason: connection timeout",
        ENVOY,
        TIMED_OUT,
    ),
    Said(
        "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        ENVOY,
        CLOSED,
    ),
    Said(
        "upstream connect error or disconnect/reset before headers. retried and the latest reset reason:"
        " remote connection "
        "failure, transport failure reason: delayed connect error: 113",
        ENVOY,
        NO_HOST,
    ),
    Said(
        "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
        ENVOY,
        UNCONNECTED,
    ),
    Said(
        "upstream_reset_before_response_started{remote_connection_failure,delayed_connect_error:_111}", ENVOY, REFUSED
    ),
    Said("no healthy upstream", ENVOY, UNREACHED),
    Said("remote_connection_failure|delayed_connect_error:_Connection_refused", ENVOY, REFUSED),
    Said(
        'Server be/orders is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms.',
        HAPROXY,
        REFUSED,
    ),
    Said(
        'Layer4 connection problem, info: "General socket error (Network is unreachable)", check duration: 0ms',
        HAPROXY,
        NO_NETWORK,
    ),
    Said('reason: Layer4 connection problem, info: "No route to host"', HAPROXY, NO_HOST),
    Said(
        "parsing [/usr/local/etc/haproxy/haproxy.cfg:12] : 'server orders' : could not resolve address 'orders'.",
        HAPROXY,
        UNRESOLVED,
        "orders",
    ),
    Said('reason: Layer7 wrong status, code: 503, info: "Service Unavailable"', HAPROXY, STATUS),
    Said(
        "[Tue Oct 26 17:27:20.477742 2021] [proxy:error] [pid 29484:tid 140230740928256] (111)Connection"
        " refused: AH00957: "
        "HTTP: attempt to connect to 10.89.0.3:8000 (orders) failed",
        APACHE_,
        REFUSED,
        "orders",
        8000,
        "10.89.0.3",
    ),
    Said(
        "(111)Connection refused: AH00957: HTTP: attempt to connect to 127.0.0.1:8082 (localhost:8082) failed",
        APACHE_,
        REFUSED,
        "localhost",
        8082,
        "127.0.0.1",
    ),
    Said(
        "(111)Connection refused: AH00957: HTTP: attempt to connect to [::1]:8009 (*) failed",
        APACHE_,
        REFUSED,
        None,
        8009,
        "::1",
    ),
    Said(
        "(113)No route to host: proxy: HTTP: attempt to connect to 10.89.0.3:8000 (orders) failed",
        APACHE_,
        NO_HOST,
        "orders",
        8000,
        "10.89.0.3",
    ),
    Said(
        "[client 192.168.178.52:1037] AH01114: HTTP: failed to make connection to backend: orders",
        APACHE_,
        UNCONNECTED,
        "orders",
    ),
    Said("AH00898: DNS lookup failure for: orders returned by /api", APACHE_, UNRESOLVED, "orders"),
    Said(
        "[client 10.0.0.9:43036] (104)Connection reset by peer: AH01102: error reading status line from remote server "
        "orders:8000",
        APACHE_,
        RESET,
        "orders",
        8000,
    ),
]

#: net_error_list.h and Chromium's error pages, Firefox's neterror, NSURLError.h.
BROWSERS = [
    Said("GET http://localhost:3000/api net::ERR_CONNECTION_REFUSED", WEB, REFUSED, "localhost", 3000),
    Said("net::ERR_NAME_NOT_RESOLVED at https://orders/", WEB, UNRESOLVED, "orders", 443),
    Said(
        "This site can't be reached\nlocalhost refused to connect.\nERR_CONNECTION_REFUSED", WEB, REFUSED, "localhost"
    ),
    Said(
        "This site can\N{RIGHT SINGLE QUOTATION MARK}t be reached\n10.0.0.9 took too long to respond.",
        WEB,
        TIMED_OUT,
        None,
        None,
        "10.0.0.9",
    ),
    Said("ERR_ADDRESS_UNREACHABLE", WEB, NO_HOST),
    Said("DNS_PROBE_FINISHED_NXDOMAIN", WEB, NO_NAME),
    Said("ERR_CONNECTION_RESET", WEB, RESET),
    Said("ERR_SSL_PROTOCOL_ERROR", WEB, TLS),
    Said("WebSocket connection to 'ws://localhost:8080/ws' failed: ", WEB, UNREACHED, "localhost", 8080),
    Said(
        "Firefox can\N{RIGHT SINGLE QUOTATION MARK}t establish a connection to the server at localhost:8080.",
        WEB,
        UNCONNECTED,
        "localhost",
        8080,
    ),
    Said(
        "Reached error page: about:neterror?e=connectionFailure&u=http%3A//orders%3A4444/&c=UTF-8",
        WEB,
        UNCONNECTED,
        "orders",
        4444,
    ),
    Said("NS_ERROR_CONNECTION_REFUSED", WEB, REFUSED),
    Said("PR_END_OF_FILE_ERROR", WEB, CLOSED),
]

#: apt's connect.cc, apk's print.c, Wget's connect.c, git, rsync, Postfix.
DOWNLOADS = [
    Said(
        "W: Failed to fetch http://deb.example.org/debian/dists/x/InRelease  Could not connect to deb.example.org:80 "
        "(198.51.100.7). - connect (111: Connection refused)",
        APT,
        REFUSED,
        "deb.example.org",
        80,
        "198.51.100.7",
    ),
    Said(
        "Err:1 http://deb.example.org/debian bookworm InRelease\n  Temporary failure resolving 'deb.example.org'",
        APT,
        NO_RESOLVER,
        "deb.example.org",
        80,
    ),
    Said("Could not resolve 'deb.example.org'", APT, UNRESOLVED, "deb.example.org", 80),
    Said(
        "Cannot initiate the connection to deb.example.org:80 (2001:db8::7). - connect (101: Network is unreachable)",
        APT,
        NO_NETWORK,
        "deb.example.org",
        80,
        "2001:db8::7",
    ),
    Said(
        "WARNING: fetching https://dl.example.org/alpine/v3.20/main: temporary error (try again later)",
        APT,
        NO_RESOLVER,
        "dl.example.org",
        443,
    ),
    Said(
        "Connecting to orders (orders)|10.89.0.3|:8000... failed: No route to host.",
        WGET,
        NO_HOST,
        "orders",
        8000,
        "10.89.0.3",
    ),
    Said("Connecting to 10.89.0.3:8000... failed: Connection timed out.", WGET, TIMED_OUT, None, 8000, "10.89.0.3"),
    Said(
        "Verbindungsaufbau zu orders (orders)|10.89.0.3|:80 … fehlgeschlagen: Verbindungsaufbau abgelehnt.",
        WGET,
        REFUSED,
        "orders",
        80,
        "10.89.0.3",
    ),
    Said("wget: unable to resolve host address 'orders'", WGET, UNRESOLVED, "orders"),
    Said("HTTP request sent, awaiting response... No data received.", WGET, CLOSED),
    Said(
        "fatal: unable to access 'http://git:3000/x.git/': Failed to connect to git port 3000 after 0 ms:"
        " Connection refused",
        Client.CURL,
        REFUSED,
        "git",
        3000,
    ),
    Said(
        "rsync: failed to connect to backup (10.89.0.8): Connection refused (111)",
        Client.UNKNOWN,
        REFUSED,
        "backup",
        873,
        "10.89.0.8",
    ),
    Said(
        "connect to mail.example.org[10.0.0.9]:25: Connection timed out",
        Client.UNKNOWN,
        TIMED_OUT,
        "mail.example.org",
        25,
        "10.0.0.9",
    ),
]

#: BusyBox's xconnect.c and wget.c, OpenBSD's and the traditional nc, ncat, telnet, bash, socat, dig, Docker, kubectl,
#: gRPC.
TERMINALS = [
    Said(
        "Connecting to orders:8080 (10.89.0.3:8080)\nwget: can't connect to remote host (10.89.0.3):"
        " Connection refused",
        BUSY,
        REFUSED,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said("wget: can't connect to remote host (10.89.0.3): Host is unreachable", BUSY, NO_HOST, None, None, "10.89.0.3"),
    Said("wget: bad address 'orders:8080'", BUSY, UNRESOLVED, "orders", 8080),
    Said("nc: bad address 'orders'", BUSY, UNRESOLVED, "orders"),
    Said("wget: server returned error: HTTP/1.1 502 Bad Gateway", BUSY, STATUS),
    Said("wget: download timed out", BUSY, TIMED_OUT),
    Said(
        "nc: connect to db (10.89.0.3) port 5432 (tcp) failed: Connection refused", NC, REFUSED, "db", 5432, "10.89.0.3"
    ),
    Said("nc: connect to db port 5432 (tcp) timed out: Operation now in progress", NC, TIMED_OUT, "db", 5432),
    Said('nc: getaddrinfo for host "db" port 5432: Name or service not known', NC, NO_NAME, "db", 5432),
    Said("(UNKNOWN) [10.89.0.3] 5432 (postgresql) : Connection refused", NC, REFUSED, None, 5432, "10.89.0.3"),
    Said("db [10.89.0.3] 5432 (?) : No route to host", NC, NO_HOST, "db", 5432, "10.89.0.3"),
    Said("db: forward host lookup failed: Unknown host", NC, NO_NAME, "db"),
    Said("Ncat: Connection refused.", NC, REFUSED),
    Said("nc: db (172.18.0.2:5432): Connection refused", NC, REFUSED, "db", 5432, "172.18.0.2"),
    Said("nc: unable to connect to address db, service 5432", NC, UNREACHED, "db", 5432),
    Said('Ncat: Could not resolve hostname "db": Name or service not known. QUITTING.', NC, NO_NAME, "db"),
    Said("$ nc -zv db 5432\nNcat: Connection timed out.", NC, TIMED_OUT, "db", 5432),
    Said("telnet: connect to address 10.89.0.3: No route to host", Client.TELNET, NO_HOST, None, None, "10.89.0.3"),
    Said(
        "$ telnet db 5432\nTrying 10.89.0.3...\ntelnet: Unable to connect to remote host: Connection refused",
        Client.TELNET,
        REFUSED,
        "db",
        5432,
        "10.89.0.3",
    ),
    Said("telnet: could not resolve db/5432: Name or service not known", Client.TELNET, NO_NAME, "db", 5432),
    Said(
        "bash: connect: Connection refused\nbash: /dev/tcp/db/5432: Connection refused",
        Client.UNKNOWN,
        REFUSED,
        "db",
        5432,
    ),
    Said(
        "2024/01/01 00:00:00 socat[7] E connect(5, AF=2 10.89.0.3:5432, 16): Connection refused",
        Client.UNKNOWN,
        REFUSED,
        None,
        5432,
        "10.89.0.3",
    ),
    Said(
        "wait-for-it.sh: timeout occurred after waiting 15 seconds for db:5432", Client.UNKNOWN, UNREACHED, "db", 5432
    ),
    Said(";; communications error to 127.0.0.11#53: connection refused", Client.RESOLVER, NO_RESOLVER),
    Said(";; connection timed out; no servers could be reached", Client.RESOLVER, NO_RESOLVER),
    Said("** server can't find db: NXDOMAIN", Client.RESOLVER, NO_NAME, "db"),
    Said("ping: db: Name or service not known", Client.UNKNOWN, NO_NAME, "db"),
    Said(
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        Client.DOCKER,
        UNREACHED,
    ),
    Said(
        "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
        Client.KUBERNETES,
        REFUSED,
        None,
        6443,
        "10.0.0.1",
    ),
    Said(
        "E1128 10:00:00.000000       1 memcache.go:265] couldn't get current server API group list: Get "
        '"https://10.0.0.1:6443/api?timeout=32s": dial tcp 10.0.0.1:6443: connect: connection refused',
        Client.GO,
        REFUSED,
        None,
        6443,
        "10.0.0.1",
    ),
    Said(
        "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.89.0.3:50051: Failed to connect to"
        " remote host: "
        "Connection refused",
        Client.GRPC,
        REFUSED,
        None,
        50051,
        "10.89.0.3",
    ),
    Said(
        "DNS resolution failed for orders:50051: C-ares status is not ARES_SUCCESS qtype=A name=orders",
        Client.GRPC,
        UNRESOLVED,
        "orders",
        50051,
    ),
]


@pytest.mark.parametrize("row", [*AMQP, *KAFKA, *PROXIES, *BROWSERS, *DOWNLOADS, *TERMINALS], ids=name)
def test_text_of_a_tool_says_outcome_and_place(row: Said) -> None:
    """Each text of a broker's client, proxy, browser or tool says its outcomes and its place, and no other."""
    assert found(row.text) == row
