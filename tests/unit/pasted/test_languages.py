"""Texts of languages' own clients: Java, .NET, Erlang and Elixir, PHP, Ruby, Rust, and old Go."""

from __future__ import annotations

import pytest

from testbed.explain.client_texts.said import Client
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

JAVA_, NET, ERL, PHP_, RUBY_, RUST_, GO = (
    Client.JAVA,
    Client.DOTNET,
    Client.ERLANG,
    Client.PHP,
    Client.RUBY,
    Client.RUST,
    Client.GO,
)

#: OpenJDK's java.net, Apache HttpClient, OkHttp, Netty, Spring, Feign.
JAVA = [
    Said(
        "java.net.ConnectException: Connection refused\n\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n"
        "\tat java.base/sun.nio.ch.NioSocketImpl.connect(NioSocketImpl.java:592)\n\tat Foo.main(Foo.java:42)",
        JAVA_,
        REFUSED,
    ),
    Said("java.net.ConnectException: Connection timed out: connect", JAVA_, TIMED_OUT),
    Said("java.net.NoRouteToHostException: No route to host (Host unreachable)", JAVA_, NO_HOST),
    Said("java.net.SocketException: Network is unreachable (connect failed)", JAVA_, NO_NETWORK),
    Said("java.net.SocketException: Connection reset", JAVA_, RESET),
    Said("java.net.SocketTimeoutException: Read timed out", JAVA_, TIMED_OUT),
    Said("java.net.UnknownHostException: orders: Temporary failure in name resolution", JAVA_, NO_RESOLVER, "orders"),
    Said("Caused by: java.net.UnknownHostException: orders\n\tat Foo.java:42", JAVA_, UNRESOLVED, "orders"),
    Said(
        "org.apache.http.conn.HttpHostConnectException: Connect to orders:8080 [orders/10.89.0.3] failed: Connection "
        "refused (Connection refused)",
        JAVA_,
        REFUSED,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said(
        "org.apache.hc.client5.http.HttpHostConnectException: Connect to http://localhost:9200 [localhost/127.0.0.1, "
        "localhost/0:0:0:0:0:0:0:1] failed: Connection refused",
        JAVA_,
        REFUSED,
        "localhost",
        9200,
        "127.0.0.1",
    ),
    Said("org.apache.http.NoHttpResponseException: orders:8080 failed to respond", JAVA_, CLOSED, "orders", 8080),
    Said(
        "java.net.ConnectException: Failed to connect to orders/10.89.0.3:8080",
        JAVA_,
        UNCONNECTED,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said(
        "java.net.ConnectException: failed to connect to orders/10.89.0.3 (port 8080) from /10.89.0.9 (port"
        " 40000) after "
        "10000ms: isConnected failed: ECONNREFUSED (Connection refused)",
        JAVA_,
        REFUSED,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said(
        'java.net.UnknownHostException: Unable to resolve host "orders": No address associated with hostname',
        JAVA_,
        NO_NAME,
        "orders",
    ),
    Said("java.io.IOException: unexpected end of stream on http://orders:8080/...", JAVA_, CLOSED, "orders", 8080),
    Said(
        "io.netty.channel.AbstractChannel$AnnotatedConnectException: finishConnect(..) failed: Connection refused: "
        "orders/10.89.0.3:8080",
        JAVA_,
        REFUSED,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said(
        "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: no further information: "
        "/127.0.0.1:5432",
        JAVA_,
        REFUSED,
        None,
        5432,
        "127.0.0.1",
    ),
    Said(
        "io.netty.channel.AbstractChannel$AnnotatedNoRouteToHostException: No route to host: orders/10.89.0.3:8080",
        JAVA_,
        NO_HOST,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said(
        "io.netty.channel.ConnectTimeoutException: connection timed out: orders/10.89.0.3:8080",
        JAVA_,
        TIMED_OUT,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said(
        "java.net.UnknownHostException: Failed to resolve 'orders' [A(1)] after 2 queries", JAVA_, UNRESOLVED, "orders"
    ),
    Said(
        "reactor.netty.http.client.PrematureCloseException: Connection prematurely closed BEFORE response",
        JAVA_,
        CLOSED,
    ),
    Said(
        'org.springframework.web.client.ResourceAccessException: I/O error on GET request for "http://orders:8080/x": '
        "Connection refused; nested exception is java.net.ConnectException: Connection refused",
        JAVA_,
        REFUSED,
        "orders",
        8080,
    ),
    Said(
        "feign.RetryableException: Connection refused (Connection refused) executing GET http://orders:8080/x",
        JAVA_,
        REFUSED,
        "orders",
        8080,
    ),
    Said("javax.net.ssl.SSLHandshakeException: Remote host terminated the handshake", JAVA_, CLOSED),
    Said("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", JAVA_, TLS),
    Said(
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed: "
        "sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path"
        " to requested "
        "target",
        JAVA_,
        TLS,
    ),
    Said("java.net.http.HttpConnectTimeoutException: HTTP connect timed out", JAVA_, TIMED_OUT),
    Said(
        "org.apache.zookeeper.ClientCnxn - Opening socket connection to server zoo/10.89.0.7:2181. Will not attempt to "
        "authenticate using SASL\njava.net.ConnectException: Connection refused",
        JAVA_,
        REFUSED,
        "zoo",
        2181,
        "10.89.0.7",
    ),
    Said("MailConnectException: Couldn't connect to host, port: mail, 587; timeout -1", JAVA_, UNREACHED, "mail", 587),
    Said(
        "Could not connect to broker URL: tcp://mq:61616. Reason: java.net.ConnectException: Connection refused",
        JAVA_,
        REFUSED,
        "mq",
        61616,
    ),
]

#: dotnet/runtime: ConnectHelper.cs puts (host:port) behind the socket's text; .NET Framework puts the address there.
DOTNET = [
    Said(
        "System.Net.Http.HttpRequestException: No connection could be made because the target machine"
        " actively refused it. "
        "(localhost:5001)",
        NET,
        REFUSED,
        "localhost",
        5001,
    ),
    Said(
        "System.Net.WebException: Unable to connect to the remote server ---> System.Net.Sockets.SocketException: No "
        "connection could be made because the target machine actively refused it 127.0.0.1:8080",
        NET,
        REFUSED,
        None,
        8080,
        "127.0.0.1",
    ),
    Said(
        "A connection attempt failed because the connected party did not properly respond after a period of time, or "
        "established connection failed because connected host has failed to respond. (orders:8080)",
        NET,
        TIMED_OUT,
        "orders",
        8080,
    ),
    Said("System.Net.Http.HttpRequestException: Name or service not known (orders:80)", NET, NO_NAME, "orders", 80),
    Said("No such host is known. (orders:443)", NET, NO_NAME, "orders", 443),
    Said("Resource temporarily unavailable (orders:80)", NET, NO_RESOLVER, "orders", 80),
    Said("System.Net.Http.HttpRequestException: No route to host (10.0.0.9:80)", NET, NO_HOST, None, 80, "10.0.0.9"),
    Said(
        "System.Net.Http.HttpRequestException: Cannot assign requested address (localhost:5001)",
        NET,
        NO_NETWORK,
        "localhost",
        5001,
    ),
    Said(
        "System.Net.Internals.SocketExceptionFactory+ExtendedSocketException (111): Connection refused 172.18.0.2:1433",
        NET,
        REFUSED,
        None,
        1433,
        "172.18.0.2",
    ),
    Said(
        "System.Net.Internals.SocketExceptionFactory+ExtendedSocketException (111): Connection refused "
        "[::ffff:172.18.0.2]:1433",
        NET,
        REFUSED,
        None,
        1433,
        "172.18.0.2",
    ),
    Said("System.Net.Sockets.SocketException (00000005, 0xFFFDFFFF): Name or service not known", NET, NO_NAME),
    Said("System.Net.WebException: The remote name could not be resolved: 'orders'", NET, UNRESOLVED, "orders"),
    Said("The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.", NET, TIMED_OUT),
    Said(
        "System.IO.IOException: Unable to read data from the transport connection: Connection reset by peer.",
        NET,
        RESET,
    ),
    Said("System.IO.IOException:  Received an unexpected EOF or 0 bytes from the transport stream.", NET, CLOSED),
    Said(
        "The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot",
        NET,
        TLS,
    ),
    Said("MassTransit: Connect failed: guest@mq:5672/ ---> RabbitMQ.Client", Client.AMQP, UNREACHED, "mq", 5672),
    Said("System.Net.Http.WinHttpException: A connection with the server could not be established", NET, UNCONNECTED),
    Said(
        "RabbitMQ.Client.Exceptions.BrokerUnreachableException: None of the specified endpoints were reachable",
        Client.AMQP,
        UNREACHED,
    ),
]

#: DBConnection and Postgrex, httpc, Mint, Redix, MyXQL; inet(3) has the reasons.
ERLANG = [
    Said(
        "** (DBConnection.ConnectionError) tcp connect (localhost:5432): connection refused - :econnrefused\n"
        "    (db_connection 2.4.0) lib/db_connection/connection.ex:100: DBConnection.Connection.connect/2",
        ERL,
        REFUSED,
        "localhost",
        5432,
    ),
    Said(
        "(DBConnection.ConnectionError) tcp connect (db:5432): non-existing domain - :nxdomain",
        ERL,
        NO_NAME,
        "db",
        5432,
    ),
    Said("tcp connect (db:5432): host is unreachable - :ehostunreach", ERL, NO_HOST, "db", 5432),
    Said("(DBConnection.ConnectionError) tcp recv (idle): closed", ERL, CLOSED),
    Said("(DBConnection.ConnectionError) (db:3306) connection refused - :econnrefused", ERL, REFUSED, "db", 3306),
    Said("connection not available and request was dropped from queue after 2000ms.", ERL, UNREACHED),
    Said('{failed_connect,[{to_address,{"orders",8080}},{inet,[inet],econnrefused}]}', ERL, REFUSED, "orders", 8080),
    Said(
        "{:failed_connect, [{:to_address, {'orders', 8080}}, {:inet, [:inet], :nxdomain}]}",
        ERL,
        NO_NAME,
        "orders",
        8080,
    ),
    Said("** (Mint.TransportError) connection refused", ERL, REFUSED),
    Said("{:error, %Mint.TransportError{reason: :timeout}}", ERL, TIMED_OUT),
    Said("{:error, %HTTPoison.Error{id: nil, reason: :nxdomain}}", ERL, NO_NAME),
    Said("{:error, :econnrefused}", ERL, REFUSED),
    Said(
        "(Redix.ConnectionError) failed to connect to Redis (redis:6379): connection refused",
        Client.REDIS,
        REFUSED,
        "redis",
        6379,
    ),
]

#: php-src's main/network.c and xp_socket.c, mysqlnd, Laravel's QueryException, Guzzle, Symfony's Mailer, PHPMailer.
PHP = [
    Said(
        "PDOException: SQLSTATE[HY000] [2002] Connection refused in /var/www/html/db.php:12\nStack"
        " trace:\n#0 db.php(12)",
        PHP_,
        REFUSED,
    ),
    Said(
        "SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, Host: db, Port: 3306, Database: app,"
        " SQL: select 1)",
        PHP_,
        REFUSED,
        "db",
        3306,
    ),
    Said("SQLSTATE[HY000] [2002] Operation timed out", PHP_, TIMED_OUT),
    Said("SQLSTATE[HY000] [2002] No route to host", PHP_, NO_HOST),
    Said(
        "SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo failed: Name or service not known",
        PHP_,
        NO_NAME,
    ),
    Said(
        "php_network_getaddresses: getaddrinfo for db failed: Temporary failure in name resolution",
        PHP_,
        NO_RESOLVER,
        "db",
    ),
    Said(
        "mysqli::real_connect(): (HY000/2002): Connection refused in /var/www/wp-includes/class-wpdb.php on line 1987",
        PHP_,
        REFUSED,
    ),
    Said("stream_socket_client(): Unable to connect to tcp://mq:5672 (Connection refused)", PHP_, REFUSED, "mq", 5672),
    Said("fsockopen(): Unable to connect to mail:25 (Connection timed out)", PHP_, TIMED_OUT, "mail", 25),
    Said(
        "file_get_contents(http://orders:8080/x): failed to open stream: Connection refused in"
        " /app/src/Api.php on line 31",
        PHP_,
        REFUSED,
        "orders",
        8080,
    ),
    Said(
        "GuzzleHttp\\Exception\\ConnectException: Connection refused for URI http://orders:8080/x",
        PHP_,
        REFUSED,
        "orders",
        8080,
    ),
    Said(
        "cURL error 7: Failed to connect to orders port 8080: Connection refused (see "
        "https://curl.haxx.se/libcurl/c/libcurl-errors.html) for http://orders:8080/x",
        Client.CURL,
        REFUSED,
        "orders",
        8080,
    ),
    Said(
        "cURL error 6: Could not resolve host: orders (see https://curl.haxx.se/libcurl/c/libcurl-errors.html) for "
        "http://orders:8080/x",
        Client.CURL,
        UNRESOLVED,
        "orders",
        8080,
    ),
    Said(
        'Connection could not be established with host "mail:25": stream_socket_client(): Unable to connect to mail:25 '
        "(Connection refused)",
        PHP_,
        REFUSED,
        "mail",
        25,
    ),
    Said("SMTP ERROR: Failed to connect to server: Connection refused (111)", PHP_, REFUSED),
]

#: Ruby's ext/socket and net/http, Excon, http.rb, OpenSSL.
RUBY = [
    Said('Errno::ECONNREFUSED: Connection refused - connect(2) for "orders" port 8080', RUBY_, REFUSED, "orders", 8080),
    Said(
        'Failed to open TCP connection to orders:8080 (Connection refused - connect(2) for "orders" port 8080) '
        "(Errno::ECONNREFUSED)\n\tfrom /usr/lib/ruby/3.1.0/net/http.rb:998:in `connect'",
        RUBY_,
        REFUSED,
        "orders",
        8080,
    ),
    Said(
        "SocketError: Failed to open TCP connection to orders:80 (getaddrinfo: Name or service not known)",
        RUBY_,
        NO_NAME,
        "orders",
        80,
    ),
    Said(
        "Socket::ResolutionError: Failed to open TCP connection to orders:80 (getaddrinfo(3): Temporary"
        " failure in name "
        "resolution)",
        RUBY_,
        NO_RESOLVER,
        "orders",
        80,
    ),
    Said(
        "Net::OpenTimeout: Failed to open TCP connection to orders:80 (execution expired)",
        RUBY_,
        TIMED_OUT,
        "orders",
        80,
    ),
    Said("Net::ReadTimeout with #<TCPSocket:(closed)>", RUBY_, TIMED_OUT),
    Said("EOFError: end of file reached", RUBY_, CLOSED),
    Said("No route to host - connect(2) for 10.0.0.9:80 (Errno::EHOSTUNREACH)", RUBY_, NO_HOST, None, 80, "10.0.0.9"),
    Said("Errno::ECONNRESET: Connection reset by peer", RUBY_, RESET),
    Said(
        "OpenSSL::SSL::SSLError: SSL_connect returned=1 errno=0 peeraddr=10.89.0.3:443 state=error: certificate verify "
        "failed (self-signed certificate)",
        RUBY_,
        TLS,
        None,
        443,
        "10.89.0.3",
    ),
]

#: std::io::Error, reqwest 0.11 and 0.12, SQLx, tokio-postgres, ureq, rustls.
RUST = [
    Said("Error: Connection refused (os error 111)", RUST_, REFUSED),
    Said(
        "error sending request for url (http://orders:8080/): error trying to connect: tcp connect error:"
        " Connection refused "
        "(os error 111)",
        RUST_,
        REFUSED,
        "orders",
        8080,
    ),
    Said("error sending request for url (http://orders:8080/)", RUST_, UNREACHED, "orders", 8080),
    Said(
        "error trying to connect: dns error: failed to lookup address information: Name or service not known",
        RUST_,
        NO_NAME,
    ),
    Said(
        'reqwest::Error { kind: Request, url: "http://orders:8080/", source:'
        " hyper_util::client::legacy::Error(Connect, "
        'ConnectError("tcp connect error", 10.89.0.3:8080, Os { code: 111, kind: ConnectionRefused, message:'
        ' "Connection '
        'refused" })) }',
        RUST_,
        REFUSED,
        "orders",
        8080,
        "10.89.0.3",
    ),
    Said('Os { code: 113, kind: HostUnreachable, message: "No route to host" }', RUST_, NO_HOST),
    Said("error communicating with database: Connection refused (os error 111)", RUST_, REFUSED),
    Said("pool timed out while waiting for an open connection", RUST_, UNREACHED),
    Said(
        "http://orders:8080/: Connection Failed: Connect error: Connection refused (os error 111)",
        RUST_,
        REFUSED,
        "orders",
        8080,
    ),
    Said("invalid peer certificate: UnknownIssuer", RUST_, TLS),
    Said("connection closed before message completed", RUST_, CLOSED),
]

#: net/fd_unix.go before Go 1.10; net/http's transport; grpc-go.
GO_TEXTS = [
    Said(
        "Get http://192.168.99.100:2376/v1.15/info: dial tcp 192.168.99.100:2376: connection refused",
        GO,
        REFUSED,
        None,
        2376,
        "192.168.99.100",
    ),
    Said("dial tcp 10.0.0.9:8080: getsockopt: no route to host", GO, NO_HOST, None, 8080, "10.0.0.9"),
    Said(
        'Get "https://registry-1.example.io/v2/": net/http: request canceled while waiting for connection'
        " (Client.Timeout "
        "exceeded while awaiting headers)",
        GO,
        TIMED_OUT,
        "registry-1.example.io",
        443,
    ),
    Said(
        'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp '
        '10.89.0.3:50051: connect: connection refused"',
        GO,
        REFUSED,
        None,
        50051,
        "10.89.0.3",
    ),
    Said("dial tcp: lookup db on 127.0.0.11:53: server misbehaving", GO, NO_RESOLVER, "db"),
]


@pytest.mark.parametrize("row", [*JAVA, *DOTNET, *ERLANG, *PHP, *RUBY, *RUST, *GO_TEXTS], ids=name)
def test_text_of_a_language_says_outcome_and_place(row: Said) -> None:
    """Each text of a language's own clients says its outcomes and its place, and takes no source line for one."""
    assert found(row.text) == row
