"""How each client words each outcome, or why it never does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from testbed.explain.client_texts.said import CONNECT_OUTCOMES, Client
from testbed.model import Outcome


@dataclass(frozen=True, slots=True)
class Never:
    """The client has no words for the outcome."""

    why: str


#: No error text says that it was none, and none is read that stands for nothing of ours.
NO_ERROR: Final = frozenset({Outcome.CONNECTED, Outcome.INCONCLUSIVE, Outcome.NO_ANSWER})
#: connect(2) failed, late or at once.
CONNECTING: Final = (*CONNECT_OUTCOMES, Outcome.TIMED_OUT)
NO_STATUS: Final = Never("it speaks no HTTP")
NO_TLS: Final = Never("it speaks no TLS")
NGINX_TAIL: Final = 'upstream, client: 10.88.0.1, request: "GET / HTTP/1.1", upstream: "http://10.88.0.11:8000/"'

_ANSWER: Final = Never("an answer with a status is its caller's own affair")
_ENVOY: Final = "upstream connect error or disconnect/reset before headers. reset reason:"
#: strerror(3) of each outcome that has an errno.
_SYSTEM: Final = {
    Outcome.REFUSED: "Connection refused",
    Outcome.RESET: "Connection reset by peer",
    Outcome.TIMED_OUT: "Connection timed out",
    Outcome.HOST_UNREACHABLE: "No route to host",
    Outcome.NETWORK_UNREACHABLE: "Network is unreachable",
    Outcome.PROHIBITED: "Permission denied",
}


def _system(text: str) -> dict[Outcome, str | Never]:
    """A client's text with the system's words in it, for each outcome that has some."""
    return {outcome: text.format(words) for outcome, words in _SYSTEM.items()}


#: For each client how it words each outcome.
WORDS: Final[Mapping[Client, Mapping[Outcome, str | Never]]] = {
    Client.GO: {
        Outcome.REFUSED: "dial tcp 10.88.0.1:1: connect: connection refused",
        Outcome.RESET: 'Get "https://a:1/": read tcp 10.88.0.5:4->10.88.0.1:1: read: connection reset by peer',
        Outcome.CLOSED: 'Get "https://a:1/": EOF',
        Outcome.TIMED_OUT: "dial tcp 10.88.0.1:1: i/o timeout",
        Outcome.HOST_UNREACHABLE: "dial tcp 10.88.0.1:1: connect: no route to host",
        Outcome.NETWORK_UNREACHABLE: "dial tcp 10.88.0.1:1: connect: network is unreachable",
        Outcome.PROHIBITED: "dial tcp 10.88.0.1:1: connect: permission denied",
        Outcome.NAME_NOT_FOUND: 'Get "https://a:1/": dial tcp: lookup a on 10.89.0.1:53: no such host',
        Outcome.RESOLVER_FAILED: 'Get "https://a:1/": dial tcp: lookup a on 10.89.0.1:53: server misbehaving',
        Outcome.TLS_FAILED: 'Get "https://a:1/": x509: certificate signed by unknown authority',
        Outcome.HTTP_STATUS: "Failed request with status 502",
    },
    Client.CURL: {
        Outcome.REFUSED: "curl: (7) Failed to connect to a port 1: Connection refused",
        Outcome.RESET: "curl: (56) Recv failure: Connection reset by peer",
        Outcome.CLOSED: "curl: (52) Empty reply from server",
        Outcome.TIMED_OUT: "curl: (28) Connection timed out after 3000 milliseconds",
        Outcome.HOST_UNREACHABLE: "* connect to 10.88.0.1 port 9 failed: No route to host",
        Outcome.NETWORK_UNREACHABLE: "* connect to 10.88.0.1 port 9 failed: Network is unreachable",
        Outcome.PROHIBITED: "* connect to 10.88.0.1 port 9 failed: Permission denied",
        Outcome.NAME_NOT_FOUND: "curl: (6) Could not resolve host: nosuch.invalid",
        Outcome.RESOLVER_FAILED: "curl: (6) Could not resolve host: nosuch.invalid",
        Outcome.TLS_FAILED: "curl: (60) SSL certificate problem: self-signed certificate",
        Outcome.HTTP_STATUS: "curl: (22) The requested URL returned error: 502",
    },
    Client.PYTHON: {
        Outcome.REFUSED: "ConnectionRefusedError: [Errno 111] Connection refused",
        Outcome.RESET: "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
        Outcome.CLOSED: "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        Outcome.TIMED_OUT: "<urlopen error timed out>",
        Outcome.HOST_UNREACHABLE: "<urlopen error [Errno 113] No route to host>",
        Outcome.NETWORK_UNREACHABLE: "OSError: [Errno 101] Network is unreachable",
        Outcome.PROHIBITED: "PermissionError: [Errno 13] Permission denied",
        Outcome.NAME_NOT_FOUND: "socket.gaierror: [Errno -2] Name or service not known",
        Outcome.RESOLVER_FAILED: "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        Outcome.TLS_FAILED: "<urlopen error [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)>",
        Outcome.HTTP_STATUS: (
            "HTTPConnectionPool(host='a', port=1): Max retries exceeded with url: / (Caused by ResponseError('too many "
            "502 error responses'))"
        ),
    },
    Client.NODE: {
        Outcome.REFUSED: "Error: connect ECONNREFUSED 192.168.28.131:5432",
        Outcome.RESET: "Error: read ECONNRESET",
        Outcome.CLOSED: "Error: socket hang up",
        Outcome.TIMED_OUT: "connect ETIMEDOUT 10.0.0.1:80",
        Outcome.HOST_UNREACHABLE: "connect EHOSTUNREACH 10.0.0.1:80 - Local (192.168.1.2:5000)",
        Outcome.NETWORK_UNREACHABLE: "connect ENETUNREACH 10.0.0.1:80 - Local (0.0.0.0:0)",
        Outcome.PROHIBITED: "connect EACCES 10.0.0.1:80",
        Outcome.NAME_NOT_FOUND: "getaddrinfo ENOTFOUND agent",
        Outcome.RESOLVER_FAILED: "getaddrinfo EAI_AGAIN agent",
        Outcome.TLS_FAILED: "Error: self-signed certificate",
        Outcome.HTTP_STATUS: Never("its http module and fetch take any status for an answer"),
    },
    Client.OPENSSH: {
        Outcome.REFUSED: "ssh: connect to host gateway port 22: Connection refused",
        Outcome.RESET: "kex_exchange_identification: read: Connection reset by peer",
        Outcome.CLOSED: "kex_exchange_identification: Connection closed by remote host",
        Outcome.TIMED_OUT: "ssh: connect to host gateway port 22: Connection timed out",
        Outcome.HOST_UNREACHABLE: "ssh: connect to host gateway port 22: No route to host",
        Outcome.NETWORK_UNREACHABLE: "ssh: connect to host gateway port 22: Network is unreachable",
        Outcome.PROHIBITED: "ssh: connect to host gateway port 22: Permission denied",
        Outcome.NAME_NOT_FOUND: "ssh: Could not resolve hostname gateway: Name or service not known",
        Outcome.RESOLVER_FAILED: "ssh: Could not resolve hostname gateway: Temporary failure in name resolution",
        Outcome.TLS_FAILED: NO_TLS,
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.NGINX: {
        Outcome.REFUSED: f"connect() failed (111: Connection refused) while connecting to {NGINX_TAIL}",
        Outcome.RESET: f"recv() failed (104: Connection reset by peer) while reading response header from {NGINX_TAIL}",
        Outcome.CLOSED: f"upstream prematurely closed connection while reading response header from {NGINX_TAIL}",
        Outcome.TIMED_OUT: f"upstream timed out (110: Connection timed out) while connecting to {NGINX_TAIL}",
        Outcome.HOST_UNREACHABLE: f"connect() failed (113: No route to host) while connecting to {NGINX_TAIL}",
        Outcome.NETWORK_UNREACHABLE: (
            f"connect() to 10.88.0.11:8000 failed (101: Network is unreachable) while connecting to {NGINX_TAIL}"
        ),
        Outcome.PROHIBITED: (
            f"connect() to 10.88.0.11:8000 failed (13: Permission denied) while connecting to {NGINX_TAIL}"
        ),
        Outcome.NAME_NOT_FOUND: "agent could not be resolved (3: Host not found)",
        Outcome.RESOLVER_FAILED: "agent could not be resolved (110: Operation timed out)",
        Outcome.TLS_FAILED: (
            "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking "
            "to upstream"
        ),
        Outcome.HTTP_STATUS: "client sent plain HTTP request to HTTPS port while reading client request headers",
    },
    Client.JAVA: {
        **_system("java.net.ConnectException: {}"),
        Outcome.CLOSED: "java.net.http: HTTP/1.1 header parser received no bytes",
        Outcome.NAME_NOT_FOUND: "java.net.UnknownHostException: db: Name or service not known",
        Outcome.RESOLVER_FAILED: "java.net.UnknownHostException: db: Temporary failure in name resolution",
        Outcome.TLS_FAILED: "javax.net.ssl.SSLException: Unsupported or unrecognized SSL message",
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.DOTNET: {
        **_system("System.Net.Http.HttpRequestException: {} (db:80)"),
        Outcome.CLOSED: "System.Net.Http.HttpIOException: The response ended prematurely.",
        Outcome.NAME_NOT_FOUND: "System.Net.Http.HttpRequestException: Name or service not known (db:80)",
        Outcome.RESOLVER_FAILED: "System.Net.Http.HttpRequestException: Resource temporarily unavailable (db:80)",
        Outcome.TLS_FAILED: "System.Security.Authentication: The remote certificate is invalid: NotTimeValid",
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.POSTGRESQL: {
        **_system('connection to server at "db", port 5432 failed: {}'),
        Outcome.CLOSED: 'connection to server at "db", port 5432 failed: server closed the connection unexpectedly',
        Outcome.NAME_NOT_FOUND: 'psql: error: could not translate host name "db" to address: Name or service not known',
        Outcome.RESOLVER_FAILED: 'could not translate host name "db" to address: Temporary failure in name resolution',
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.MYSQL: {
        Outcome.REFUSED: "ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (111)",
        Outcome.RESET: "Lost connection to MySQL server at 'reading initial communication packet', system error: 104",
        Outcome.CLOSED: "Lost connection to MySQL server at 'reading initial communication packet', system error: 0",
        Outcome.TIMED_OUT: "ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (110)",
        Outcome.HOST_UNREACHABLE: "ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (113)",
        Outcome.NETWORK_UNREACHABLE: "ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (101)",
        Outcome.PROHIBITED: "ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (13)",
        Outcome.NAME_NOT_FOUND: "ERROR 2005 (HY000): Unknown MySQL server host 'db' (-2)",
        Outcome.RESOLVER_FAILED: "ERROR 2005 (HY000): Unknown MySQL server host 'db' (-3)",
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.REDIS: {
        **_system("Could not connect to Redis at redis:6379: {}"),
        Outcome.CLOSED: "redis.exceptions.ConnectionError: Connection closed by server.",
        Outcome.NAME_NOT_FOUND: "Could not connect to Redis at redis:6379: Name or service not known",
        Outcome.RESOLVER_FAILED: "Could not connect to Redis at redis:6379: Temporary failure in name resolution",
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.MONGODB: {
        **_system("couldn't connect to server mongo:27017: Error connecting to mongo:27017 :: caused by :: {}"),
        Outcome.CLOSED: "MongoNetworkError: connection 1 to 10.0.0.9:27017 closed",
        Outcome.NAME_NOT_FOUND: "ServerSelectionTimeoutError: mongo:27017: [Errno -2] Name or service not known",
        Outcome.RESOLVER_FAILED: "AutoReconnect: mongo:27017: [Errno -3] Temporary failure in name resolution",
        Outcome.TLS_FAILED: Never("its TLS errors are its language's"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.AMQP: {
        **_system("consumer: Cannot connect to amqp://guest:**@mq:5672//: {}"),
        Outcome.CLOSED: "pika.exceptions.StreamLostError: ('Transport indicated EOF',)",
        Outcome.NAME_NOT_FOUND: "Cannot connect to amqp://guest:**@mq:5672//: [Errno -2] Name or service not known.",
        Outcome.RESOLVER_FAILED: "Cannot connect to amqp://guest:**@mq:5672//: Temporary failure in name resolution.",
        Outcome.TLS_FAILED: Never("its TLS errors are its language's"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.KAFKA: {
        **_system("kafka:9092/bootstrap: Connect to ipv4#10.89.0.6:9092 failed: {} (after 0ms in state CONNECT)"),
        Outcome.CLOSED: "kafka:9092/bootstrap: Disconnected (after 0ms in state APIVERSION_QUERY)",
        Outcome.NAME_NOT_FOUND: "Failed to resolve 'kafka:9092': Name or service not known (after 5ms)",
        Outcome.RESOLVER_FAILED: "Failed to resolve 'kafka:9092': Temporary failure in name resolution",
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.ERLANG: {
        Outcome.REFUSED: "tcp connect (db:5432): connection refused - :econnrefused",
        Outcome.RESET: "tcp recv: connection reset by peer - :econnreset",
        Outcome.CLOSED: "tcp recv (idle): closed",
        Outcome.TIMED_OUT: "tcp connect (db:5432): timeout",
        Outcome.HOST_UNREACHABLE: "tcp connect (db:5432): no route to host - :ehostunreach",
        Outcome.NETWORK_UNREACHABLE: "tcp connect (db:5432): network is unreachable - :enetunreach",
        Outcome.PROHIBITED: "tcp connect (db:5432): permission denied - :eacces",
        Outcome.NAME_NOT_FOUND: "tcp connect (db:5432): non-existing domain - :nxdomain",
        Outcome.RESOLVER_FAILED: Never("inet_res gives nxdomain for every resolver that fails"),
        Outcome.TLS_FAILED: Never("ssl's alerts are terms, one for each"),
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.PHP: {
        **_system("SQLSTATE[HY000] [2002] {}"),
        Outcome.CLOSED: "file_get_contents(http://orders:80/): Failed to open stream: HTTP request failed!",
        Outcome.NAME_NOT_FOUND: "php_network_getaddresses: getaddrinfo for db failed: Name or service not known",
        Outcome.RESOLVER_FAILED: "php_network_getaddresses: getaddrinfo failed: Temporary failure in name resolution",
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.RUBY: {
        **_system('{} - connect(2) for "orders" port 8080'),
        Outcome.CLOSED: "EOFError: end of file reached",
        Outcome.NAME_NOT_FOUND: "SocketError: getaddrinfo: Name or service not known",
        Outcome.RESOLVER_FAILED: "SocketError: getaddrinfo: Temporary failure in name resolution",
        Outcome.TLS_FAILED: "SSL_connect returned=1 errno=0 state=error: certificate verify failed",
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.RUST: {
        Outcome.REFUSED: "Connection refused (os error 111)",
        Outcome.RESET: "Connection reset by peer (os error 104)",
        Outcome.CLOSED: "connection closed before message completed",
        Outcome.TIMED_OUT: "Connection timed out (os error 110)",
        Outcome.HOST_UNREACHABLE: "No route to host (os error 113)",
        Outcome.NETWORK_UNREACHABLE: "Network is unreachable (os error 101)",
        Outcome.PROHIBITED: "tcp connect error: Permission denied (os error 13)",
        Outcome.NAME_NOT_FOUND: "failed to lookup address information: Name or service not known",
        Outcome.RESOLVER_FAILED: "failed to lookup address information: Temporary failure in name resolution",
        Outcome.TLS_FAILED: "invalid peer certificate: UnknownIssuer",
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.ENVOY: {
        Outcome.REFUSED: f"{_ENVOY} remote connection failure, transport failure reason: delayed connect error: 111",
        Outcome.RESET: f"{_ENVOY} remote reset",
        Outcome.CLOSED: f"{_ENVOY} connection termination",
        Outcome.TIMED_OUT: f"{_ENVOY} connection timeout",
        Outcome.HOST_UNREACHABLE: f"{_ENVOY} connection failure, transport failure reason: delayed connect error: 113",
        Outcome.NETWORK_UNREACHABLE: f"{_ENVOY} connection failure, reason: immediate connect error: 101",
        Outcome.PROHIBITED: f"{_ENVOY} connection failure",
        Outcome.NAME_NOT_FOUND: "no healthy upstream",
        Outcome.RESOLVER_FAILED: "no healthy upstream",
        Outcome.TLS_FAILED: f"{_ENVOY} connection failure, transport failure reason: TLS error: 268435581:SSL routines",
        Outcome.HTTP_STATUS: Never("it hands on the status of its upstream"),
    },
    Client.HAPROXY: {
        **_system('Server be/a is DOWN, reason: Layer4 connection problem, info: "{}", check duration: 0ms'),
        Outcome.CLOSED: "Layer7 invalid response",
        Outcome.NAME_NOT_FOUND: "could not resolve address 'orders'",
        Outcome.RESOLVER_FAILED: "could not resolve address 'orders'",
        Outcome.TLS_FAILED: 'Layer6 invalid response, info: "SSL handshake failure"',
        Outcome.HTTP_STATUS: "Layer7 wrong status, code: 503",
    },
    Client.APACHE: {
        **_system("(0){}: AH00957: HTTP: attempt to connect to 10.89.0.3:8000 (orders) failed"),
        Outcome.CLOSED: "AH01102: error reading status line from remote server orders:8000",
        Outcome.NAME_NOT_FOUND: "AH00898: DNS lookup failure for: orders returned by /",
        Outcome.RESOLVER_FAILED: "AH00898: DNS lookup failure for: orders returned by /",
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: Never("it hands on the status of its upstream"),
    },
    Client.BROWSER: {
        Outcome.REFUSED: "ERR_CONNECTION_REFUSED",
        Outcome.RESET: "ERR_CONNECTION_RESET",
        Outcome.CLOSED: "ERR_EMPTY_RESPONSE",
        Outcome.TIMED_OUT: "ERR_CONNECTION_TIMED_OUT",
        Outcome.HOST_UNREACHABLE: "ERR_ADDRESS_UNREACHABLE",
        Outcome.NETWORK_UNREACHABLE: "ERR_INTERNET_DISCONNECTED",
        Outcome.PROHIBITED: "ERR_NETWORK_ACCESS_DENIED",
        Outcome.NAME_NOT_FOUND: "DNS_PROBE_FINISHED_NXDOMAIN",
        Outcome.RESOLVER_FAILED: "ERR_NAME_RESOLUTION_FAILED",
        Outcome.TLS_FAILED: "ERR_CERT_AUTHORITY_INVALID",
        Outcome.HTTP_STATUS: Never("it shows the page that the status came with"),
    },
    Client.APT: {
        **_system("Could not connect to deb.example.org:80 (198.51.100.7). - connect (0: {})"),
        Outcome.CLOSED: "Error reading from server. Remote end closed connection [IP: 198.51.100.7 80]",
        Outcome.NAME_NOT_FOUND: "Could not resolve 'deb.example.org'",
        Outcome.RESOLVER_FAILED: "Temporary failure resolving 'deb.example.org'",
        Outcome.TLS_FAILED: "Certificate verification failed: The certificate is NOT trusted.",
        Outcome.HTTP_STATUS: Never("it prints the status line, which is no error of connecting"),
    },
    Client.WGET: {
        **_system("Connecting to orders (orders)|10.88.0.1|:9001... failed: {}."),
        Outcome.CLOSED: "HTTP request sent, awaiting response... No data received.",
        Outcome.NAME_NOT_FOUND: "wget: unable to resolve host address 'orders'",
        Outcome.RESOLVER_FAILED: "Resolving orders (orders)... failed: Temporary failure in name resolution.",
        Outcome.TLS_FAILED: "ERROR: cannot verify orders's certificate, issued by 'CN=x':",
        Outcome.HTTP_STATUS: Never("it prints the status line, which is no error of connecting"),
    },
    Client.BUSYBOX: {
        **_system("wget: can't connect to remote host (10.88.0.1): {}"),
        Outcome.CLOSED: "wget: error getting response",
        Outcome.NAME_NOT_FOUND: "wget: bad address 'agent:9001'",
        Outcome.RESOLVER_FAILED: "wget: bad address 'agent:9001'",
        Outcome.TLS_FAILED: Never("ssl_client's words are not about trust"),
        Outcome.HTTP_STATUS: "wget: server returned error: HTTP/1.1 502 Bad Gateway",
    },
    Client.NETCAT: {
        **_system("nc: connect to 10.88.0.1 port 19001 (tcp) failed: {}"),
        Outcome.CLOSED: Never("it ends without a word"),
        Outcome.NAME_NOT_FOUND: 'nc: getaddrinfo for host "db" port 5432: Name or service not known',
        Outcome.RESOLVER_FAILED: 'nc: getaddrinfo for host "db" port 5432: Try again',
        Outcome.TLS_FAILED: NO_TLS,
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.TELNET: {
        **_system("telnet: connect to address 10.88.0.1: {}"),
        Outcome.CLOSED: "Trying 10.88.0.1...\nConnected to web.\nEscape character is '^]'.\n"
        "Connection closed by foreign host.",
        Outcome.NAME_NOT_FOUND: "telnet: could not resolve db/5432: Name or service not known",
        Outcome.RESOLVER_FAILED: "telnet: could not resolve db/5432: Temporary failure in name resolution",
        Outcome.TLS_FAILED: NO_TLS,
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.WINDOWS: {
        **dict.fromkeys(CONNECTING, "WARNING: TCP connect to (10.88.0.1 : 19001) failed"),
        Outcome.RESET: Never("they send nothing"),
        Outcome.CLOSED: Never("they send nothing"),
        Outcome.NAME_NOT_FOUND: "WARNING: Name resolution of web failed",
        Outcome.RESOLVER_FAILED: "WARNING: Name resolution of web failed",
        Outcome.TLS_FAILED: NO_TLS,
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.ODBC: {
        **dict.fromkeys(CONNECTING, "[Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired (0)"),
        Outcome.REFUSED: "[Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x274D (10061)",
        Outcome.TIMED_OUT: "[Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x274C (10060)",
        Outcome.RESET: "[Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x68 (104)",
        Outcome.CLOSED: "[Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired (0)",
        Outcome.NAME_NOT_FOUND: "[Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x2AF9 (11001)",
        Outcome.RESOLVER_FAILED: "[Microsoft][ODBC Driver 18 for SQL Server]TCP Provider: Error code 0x2AF9 (11001)",
        Outcome.TLS_FAILED: Never("its TLS errors are OpenSSL's or Schannel's, and stand for themselves"),
        Outcome.HTTP_STATUS: NO_STATUS,
    },
    Client.DOCKER: {
        **dict.fromkeys(set(Outcome) - NO_ERROR, Never("the rest of its words are Go's")),
        Outcome.REFUSED: "Cannot connect to the Docker daemon at tcp://10.0.0.9:2375. Is the docker daemon running?",
    },
    Client.KUBERNETES: {
        **dict.fromkeys(set(Outcome) - NO_ERROR, Never("the rest of its words are Go's")),
        Outcome.REFUSED: "The connection to the server localhost:8080 was refused",
    },
    Client.GRPC: {
        **_system("last error: UNKNOWN: ipv4:10.89.0.3:50051: Failed to connect to remote host: {}"),
        Outcome.CLOSED: "last error: UNAVAILABLE: ipv4:10.89.0.3:50051: Socket closed",
        Outcome.NAME_NOT_FOUND: "DNS resolution failed for orders:50051: C-ares status is not ARES_SUCCESS",
        Outcome.RESOLVER_FAILED: "DNS resolution failed for orders:50051: C-ares status is not ARES_SUCCESS",
        Outcome.TLS_FAILED: Never("its TLS errors are BoringSSL's, and stand for themselves"),
        Outcome.HTTP_STATUS: _ANSWER,
    },
    Client.RESOLVER: {
        **dict.fromkeys(set(Outcome) - NO_ERROR, Never("it connects to nobody")),
        Outcome.NAME_NOT_FOUND: "** server can't find db: NXDOMAIN",
        Outcome.RESOLVER_FAILED: ";; connection timed out; no servers could be reached",
    },
    Client.UNKNOWN: {
        **_system("connect to 10.88.0.1:19001 failed: {}"),
        Outcome.CLOSED: "connection to db:5432 was closed",
        Outcome.NAME_NOT_FOUND: "ping: db: Name or service not known",
        Outcome.RESOLVER_FAILED: "ping: db: Temporary failure in name resolution",
        Outcome.TLS_FAILED: "verify error:num=18:self-signed certificate",
        Outcome.HTTP_STATUS: "Client sent an HTTP request to an HTTPS server.",
    },
}
