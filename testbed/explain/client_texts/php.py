"""PHP: its stream wrapper, PDO and mysqli, Laravel's additions, Guzzle, Symfony's HttpClient and Mailer, PHPMailer."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, LOST, PLACE, TIMED_OUT, UNREACHED, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

FAMILIES: Final = (
    Family(
        Client.PHP,
        "php-src, main/network.c (php_network_getaddresses) and main/streams/xp_socket.c, ext/standard/fsock.c",
        (
            Phrase(
                r"\bunable to connect to (?:tcp|ssl|tls|udp)://{host}:{port} \((?P<words>[^()\n]{1,200})\)",
            ),
            Phrase(r"\bunable to connect to {host}:{port} \((?P<words>[^()\n]{1,200})\)"),
            Phrase(r"\bunable to connect to (?:(?:tcp|ssl|tls|udp)://)?{host}:{port}\b", PLACE),
            # Since 8.1 the name stands in it.
            Phrase(r"\bphp_network_getaddresses: getaddrinfo for {host} failed: {words}", otherwise=UNRESOLVED),
            Phrase(r"\bphp_network_getaddresses: getaddrinfo failed: {words}", otherwise=UNRESOLVED),
            Phrase(r"\b(?:file_get_contents|fopen|copy|readfile|get_headers)\({url}\): Failed to open stream: {words}"),
            Phrase(
                r"\bfile_get_contents\({url}\): Failed to open stream: HTTP request failed!(?! HTTP)",
                CLOSED,
                Phase.HTTP,
            ),
        ),
    ),
    Family(
        Client.PHP,
        "php-src, ext/mysqlnd (CR_CONNECTION_ERROR 2002), ext/pdo; Laravel, QueryException.php",
        (
            # Laravel says afterwards which connection it was.
            Phrase(
                r"\bSQLSTATE\[\w{5}\] \[[0-9]{1,5}\] (?P<words>[^\n(]{3,200}?) \(Connection: \w{1,40}, Host:"
                r" {host}, Port: {port}\b"
            ),
            Phrase(r"\bSQLSTATE\[\w{5}\] \[200[235]\] {words}"),
            Phrase(
                r"\bmysqli?\w{0,5}(?:::real_connect|_connect|_real_connect|::__construct)\(\): \(\w{5}/2002\): {words}"
            ),
        ),
    ),
    Family(
        Client.PHP,
        "Guzzle, Handler/StreamHandler.php; Symfony HttpClient, NativeResponse.php and Mailer,"
        " SocketStream.php; PHPMailer",
        (
            Phrase(r"{system} for URI {url}"),
            Phrase(r"\bIdle timeout reached for \"?{url}", TIMED_OUT, Phase.HTTP),
            Phrase(r"\bCould not resolve host: {host}", UNRESOLVED),
            Phrase(
                r"\bConnection could not be established with host \"?(?:"
                r"(?:ssl|tls|tcp)://)?{host}:{port}\"?: ?(?:{any}\()?{words}"
            ),
            Phrase(r"\bConnection could not be established with host \"?{host}\"? ?:?(?:{any}\()?{words}"),
            Phrase(r"\bSMTP ERROR: Failed to connect to server: {words}"),
            Phrase(r"\bSMTP Error: Could not connect to SMTP host", UNREACHED),
            Phrase(r"\bNo alive nodes\b", UNREACHED),
            # ext/soap: libxml does not say why.
            Phrase(r"\bParsing WSDL: Couldn't load from '{url}'", UNREACHED),
        ),
    ),
    Family(
        Client.PHP,
        "pecl-memcache, memcache_pool.c; Xdebug, src/debugger/com.c; Credis, Client.php",
        (
            Phrase(r"\bServer {host} \(tcp {port}, udp [0-9]{1,5}\) failed with: {words}"),
            # phpredis, library.c; php-amqp, amqp_connection.c.
            Phrase(r"\bread error on connection(?: to {host}:{port})?", LOST),
            Phrase(r"\bSocket error: could not connect to host\b", UNREACHED),
            Phrase(r"\bCould not connect to debugging client\. Tried: {host}:{port}\b", UNREACHED),
            Phrase(
                r"\bConnection to Redis {host}:{port} failed after [0-9]{1,4} failures\.{any}: \([0-9]{1,4}\) {words}"
            ),
        ),
    ),
)
