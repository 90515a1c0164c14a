"""What stands around an error: logs' prefixes, broken lines, other languages, and much that looks like a place."""

from __future__ import annotations

import errno
import json

import pytest

from testbed.errnos import OUTCOMES
from testbed.explain.client_texts.said import Client
from testbed.explain.client_texts.translated import TRANSLATED_ERRNOS, TRANSLATED_LOOKUPS
from testbed.explain.client_texts.vocabulary import of_errno
from testbed.explain.pasted import read
from testbed.model import Outcome
from tests.unit.pasted.texts import NO_HOST, NO_NAME, NO_RESOLVER, REFUSED, Said, found

LIBPQ = (
    "could not connect to server: Connection refused\n"
    '\tIs the server running on host "db" (10.89.0.3) and accepting\n'
    "\tTCP/IP connections on port 5432?"
)
WHOLE = Said(LIBPQ, Client.POSTGRESQL, REFUSED, "db", 5432, "10.89.0.3")
REFUSED_DB = 'connection to server at "db" (10.89.0.3), port 5432 failed: Connection refused'

PREFIXES = {
    "docker compose": "api-1  | ",
    "docker-compose 1": "api_1    | ",
    "podman-compose": "[api]  | ",
    "journalctl": "Nov 28 10:00:00 box api[123]: ",
    "journalctl of conmon": "Nov  8 10:00:00 box conmon[4567]: ",
    "Kubernetes CRI": "2026-11-28T10:00:00.000000000Z stderr F ",
    "docker logs --timestamps": "2026-11-28T10:00:00.123456789Z ",
    "a program's own time": "2026-11-28 10:00:00,123 ",
    "klog": "E1128 10:00:00.000000       1 client.go:88] ",
    "kubectl logs --prefix": "[pod/api-7d4/api] ",
    "compose and a time": "api-1  | 2026-11-28T10:00:00Z ",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES.keys())
def test_prefix_of_a_log_on_every_line_hides_nothing(prefix: str) -> None:
    """A text of three lines is read whole where a log puts its prefix in front of each."""
    text = "\n".join(f"{prefix}{line}" for line in LIBPQ.splitlines())
    assert found(text) == WHOLE._replace(text=text)


@pytest.mark.parametrize("field", ["log", "msg", "message", "error"])
def test_message_of_a_json_line_is_read(field: str) -> None:
    """Docker's json-file and structured loggers have the message in a field, with its line ends escaped."""
    text = json.dumps({"time": "2026-11-28T10:00:00Z", "pid": 1, field: f"{LIBPQ}\n", "stream": "stderr"})
    assert found(text) == WHOLE._replace(text=text)


def test_letters_that_json_escapes_are_read() -> None:
    """Loggers that write ASCII only escape other letters: the words of the system have some in most languages."""
    text = json.dumps({"msg": "ssh: connect to host db port 22: Connexion refusée"})
    assert found(text) == Said(text, Client.OPENSSH, REFUSED, "db", 22)


@pytest.mark.parametrize("width", [40, 60, 79, 80])
def test_line_that_a_terminal_broke_is_read(width: int) -> None:
    """A terminal breaks a line at its width, in the middle of a word too."""
    whole = f"psycopg2.OperationalError: {REFUSED_DB} and so on until the line is long enough to be broken"
    text = "\n".join(whole[start : start + width] for start in range(0, len(whole), width))
    assert found(text) == WHOLE._replace(text=text)


def test_colours_of_a_log_hide_nothing() -> None:
    """ANSI colours stand between the prefix and the text, and inside it."""
    text = f"\x1b[36mapi-1  |\x1b[0m \x1b[31m{REFUSED_DB.replace('refused', chr(27) + '[1mrefused')}\x1b[0m"
    assert found(text) == WHOLE._replace(text=text)


@pytest.mark.parametrize(
    ("number", "words"),
    [(number, words) for number, texts in {**TRANSLATED_ERRNOS, **TRANSLATED_LOOKUPS}.items() for words in texts],
)
def test_words_of_the_system_are_read_in_each_language(number: int, words: str) -> None:
    """ssh prints strerror's and getaddrinfo's words in the language of its user (glibc's catalogues)."""
    lookup = number < 0
    if not lookup and number not in OUTCOMES:
        assert read(f"bind [127.0.0.1]:8080: {words}").errno == number
        return
    text = f"ssh: Could not resolve hostname db: {words}" if lookup else f"ssh: connect to host db port 22: {words}"
    said = read(text)
    assert (said.errno, said.outcome) == (number, of_errno(number))


@pytest.mark.parametrize(
    ("words", "outcomes"),
    [
        ("Host is unreachable", NO_HOST),
        ("Network unreachable", {Outcome.NETWORK_UNREACHABLE}),
        ("Operation timed out", {Outcome.TIMED_OUT}),
        ("Address not available", {Outcome.NETWORK_UNREACHABLE}),
        ("Name does not resolve", NO_NAME),
        ("Try again", NO_RESOLVER),
    ],
)
def test_words_of_musl_are_read(words: str, outcomes: set[Outcome]) -> None:
    """Alpine's programs print musl's texts (src/errno/__strerror.h, src/network/gai_strerror.c)."""
    text = f"Could not connect to Redis at redis:6379: {words}"
    assert found(text).outcomes == outcomes


def test_libpq_in_another_language_is_read_by_the_shape_of_its_sentence() -> None:
    """libpq's catalogues keep the host in quotes, then the address, then the port."""
    text = "Fehler: Verbindung zum Server auf »db« (10.89.0.3), Port 5432 fehlgeschlagen: Verbindungsaufbau abgelehnt"
    assert found(text) == Said(text, Client.UNKNOWN, REFUSED, "db", 5432, "10.89.0.3")


NO_PLACE = [
    "java.net.ConnectException: Connection refused\n\tat Foo.main(Foo.java:42)\n\tat Bar.run(Bar.java:7)",
    "Caused by: java.net.ConnectException: Connection refused (Connection refused)\n  at a.C.d(C.kt:88) ~[app.jar:1.2]",
    "PDOException: SQLSTATE[HY000] [2002] Connection refused in /var/www/html/db.php:12",
    "mysqli_connect(): (HY000/2002): Connection refused in /app/db.php on line 12",
    "main.go:88: connect: connection refused",
    "2024/01/01 12:30:45 main.go:88: connection refused",
    "12:30:45.123 [error] connect: Connection refused",
    "Error in app.py:12: No route to host",
    "Error: connect to server.js:10: Connection refused",
    "connect failed at lib/db.rb:33: Connection refused",
    "connection error (config.yaml:12): Connection refused",
    "Error: Connection refused\n    at connect (x.js:10:5)\n    at Object.<anonymous> (/app/index.ts:3:1)",
    "Error: socket hang up\n    at Socket.socketOnEnd (node:_http_client:524:23)",
    'File "/app/db.py", line 12, in connect\nConnectionRefusedError: [Errno 111] Connection refused',
    "thread 'main' panicked at src/main.rs:42:10: Connection refused (os error 111)",
    "worker[45]:80: Connection refused",
    "[pid 123] 12:30:45 connect failed: Connection refused",
    "lib/app/repo.ex:44: (Mint.TransportError) connection refused",
    "ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:1006)",
    "ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
    "SEVERE 12:30:45 java.net.SocketTimeoutException: connect timed out",
    "SMTP ERROR: Failed to connect to server: Connection refused (111)",
    "The server unexpectedly closed the connection: Connection reset by peer",
    "Network is unreachable",
    "retrying to connect 12:30: Connection refused",
    "Connection refused in step (compose:12)",
    "parse error nginx.conf:12, then connect: Connection refused",
]


@pytest.mark.parametrize("text", NO_PLACE)
def test_what_only_looks_like_a_place_is_none(text: str) -> None:
    """Source files with lines, times of day, process ids and plain words are no host and no port."""
    said = read(text)
    assert (said.target, said.address, said.port, said.name) == (None, None, None, "")


def test_resolver_of_docker_is_no_target() -> None:
    """127.0.0.11 is whom the name was asked of: nobody wanted to connect to it."""
    nginx = (
        "[error] 7#7: send() failed (111: Connection refused) while resolving, resolver: 127.0.0.11:53\n"
        "[error] 7#7: *1 orders could not be resolved (110: Operation timed out), client: 10.89.0.9, "
        'server: localhost, request: "GET / HTTP/1.1", host: "localhost:8080"'
    )
    go = "dial tcp: lookup orders on 127.0.0.11:53: "
    refused = f"{go}read udp 127.0.0.1:40000->127.0.0.11:53: read: connection refused"
    for text in (f"{go}no such host", refused, nginx):
        said = read(text)
        assert (said.target, said.address, said.port, said.name) == (None, None, None, "orders")
        assert str(said.resolver) == "127.0.0.11"


def test_client_and_server_of_nginx_are_no_target() -> None:
    """nginx names who asked it, as what, and whom it asked: only the last is where it could not connect."""
    text = (
        "2024/01/01 00:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        'client: 10.89.0.9, server: localhost, request: "GET / HTTP/1.1", upstream: "http://10.89.0.5:8080/", '
        'host: "box:80"'
    )
    assert found(text) == Said(text, Client.NGINX, REFUSED, None, 8080, "10.89.0.5")


def test_addresses_of_one_name_are_all_kept() -> None:
    """Each address that was tried with the same end is kept, and the hint names it."""
    libpq = "\n".join(
        f'connection to server at "localhost" ({address}), port 5432 failed: Connection refused'
        for address in ("::1", "127.0.0.1")
    )
    node = "AggregateError [ECONNREFUSED]:\n  connect ECONNREFUSED ::1:5432\n  connect ECONNREFUSED 127.0.0.1:5432"
    for text in (libpq, node):
        said = read(text)
        assert (str(said.address), [str(address) for address in said.also]) == ("::1", ["127.0.0.1"])
        assert "127.0.0.1" in said.hint


def test_servers_of_a_list_are_all_named() -> None:
    """Of several servers that ended alike the first is the place, and the hint names the others."""
    said = read(
        "mongo1:27017: [Errno 111] Connection refused, mongo2:27017: [Errno 111] Connection refused, Timeout: 30s"
    )
    assert (str(said.target), "mongo2:27017" in said.hint) == ("tcp://mongo1:27017", True)


def test_url_and_dialled_address_are_both_kept() -> None:
    """The URL is what was asked for, and the address where it was tried."""
    said = read("FetchError: request to http://orders:8080/x failed, reason: connect ECONNREFUSED 10.89.0.3:8080")
    assert (str(said.target), str(said.address), said.port) == ("http://orders:8080/x", "10.89.0.3", 8080)


def test_default_port_is_said_to_be_one() -> None:
    """MySQL's client prints no port where it was not asked for one: 3306 is what it took, and the hint says so."""
    said = read("ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (111)")
    assert (str(said.target), "3306" in said.hint) == ("tcp://db:3306", True)


@pytest.mark.parametrize(
    ("text", "client", "address", "port"),
    [
        ("Bind for 0.0.0.0:8080 failed: port is already allocated", Client.DOCKER, "0.0.0.0", 8080),
        (
            "failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use",
            Client.DOCKER,
            "0.0.0.0",
            8080,
        ),
        ("Web server failed to start. Port 8080 was already in use.", Client.JAVA, None, 8080),
        ("Failed to bind to address http://127.0.0.1:5000: address already in use.", Client.DOTNET, "127.0.0.1", 5000),
        ("[ERROR] Connection in use: ('0.0.0.0', 8000)", Client.PYTHON, "0.0.0.0", 8000),
        (
            "(98)Address already in use: AH00072: make_sock: could not bind to address [::]:80",
            Client.APACHE,
            "::",
            80,
        ),
        ('Address already in use - bind(2) for "0.0.0.0" port 3000 (Errno::EADDRINUSE)', Client.RUBY, "0.0.0.0", 3000),
        ("Failed to listen on localhost:8000 (reason: Address already in use)", Client.PHP, None, 8000),
        ("Port 5000 is in use by another program.", Client.UNKNOWN, None, 5000),
    ],
)
def test_port_that_is_taken_is_read_from_each_server(text: str, client: Client, address: str | None, port: int) -> None:
    """Servers say in words of their own that they cannot listen; none of them dialled anybody."""
    said = read(text)
    assert (said.client, said.errno, said.target, said.port) == (client, errno.EADDRINUSE, None, port)
    assert (str(said.address) if said.address else None) == address
