"""Reading pasted error texts: each client's own words, whatever surrounds them."""

from __future__ import annotations

import errno
import importlib
import pkgutil
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import fields
from ipaddress import ip_address
from typing import NamedTuple

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.errors import UsageError
from testbed.explain import client_texts
from testbed.explain.client_texts.phrase import Family, compiled, needle
from testbed.explain.client_texts.table import FAMILIES
from testbed.explain.codes import Cause
from testbed.explain.pasted import LIMIT, Client, read
from testbed.model import Outcome, Phase, Scheme, Target
from testbed.probe import go_text

GO, CURL, PYTHON, NODE, SSH, NGINX = Client.GO, Client.CURL, Client.PYTHON, Client.NODE, Client.OPENSSH, Client.NGINX
POSTGRESQL, NETCAT, WGET, UNKNOWN = Client.POSTGRESQL, Client.NETCAT, Client.WGET, Client.UNKNOWN
EAI_NODATA = -5

SEED = 'Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused'
PING = "https://host.containers.internal:19001/ping"
POOL = "HTTPSConnectionPool(host='agent', port=9001): Max retries exceeded with url: /ping (Caused by "
NGINX_TAIL = (
    ', client: 10.88.0.1, server: , request: "GET / HTTP/1.1", upstream: "http://10.88.0.11:8000/", host: "localhost"'
)


class Row(NamedTuple):
    """A text as its client prints it, and what it says."""

    text: str
    client: Client
    outcome: Outcome
    phase: Phase
    errno: int | None = None
    target: str | None = None
    address: str | None = None


TABLE = [
    # Go's net/http, measured with Go 1.19 and 1.27 (Client.Timeout 3 s); the first is Portainer's.
    Row(SEED, GO, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, PING, "10.88.0.1"),
    Row(
        'Get "https://a:1/": dial tcp [fd00::1]:1: connect: no route to host',
        GO, Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH, "https://a:1/", "fd00::1",
    ),
    Row(
        'Get "https://a:1/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        GO, Outcome.TIMED_OUT, Phase.CONNECT, None, "https://a:1/",
    ),
    Row('Get "https://a:1/": EOF', GO, Outcome.CLOSED, Phase.TLS, None, "https://a:1/"),
    Row('Get "http://a:1/": EOF', GO, Outcome.CLOSED, Phase.HTTP, None, "http://a:1/"),
    Row(
        'Get "https://a:1/": read tcp 10.88.0.5:40000->10.88.0.1:1: read: connection reset by peer',
        GO, Outcome.RESET, Phase.TLS, errno.ECONNRESET, "https://a:1/", "10.88.0.1",
    ),
    Row(
        'Get "https://a:1/": dial tcp: lookup a on 10.89.0.1:53: no such host',
        GO, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME, "https://a:1/",
    ),
    Row(
        'Get "https://a:1/": dial tcp: lookup a on 10.89.0.1:53: read udp 10.89.0.2:5->10.89.0.1:53: i/o timeout',
        GO, Outcome.RESOLVER_FAILED, Phase.RESOLVE, socket.EAI_AGAIN, "https://a:1/",
    ),
    Row(
        "dial tcp 10.88.0.1:1: i/o timeout",
        GO, Outcome.TIMED_OUT, Phase.CONNECT, None, "tcp://10.88.0.1:1", "10.88.0.1",
    ),
    # Before Go 1.14 the URL had no quotes (net/url, Error).
    Row(
        "Get https://a:1/: dial tcp 10.88.0.1:1: connect: network is unreachable",
        GO, Outcome.NETWORK_UNREACHABLE, Phase.CONNECT, errno.ENETUNREACH, "https://a:1/", "10.88.0.1",
    ),
    # Portainer: api/agent/version.go.
    Row("Failed request with status 502", GO, Outcome.HTTP_STATUS, Phase.HTTP),
    # curl 7.88.1, measured.
    Row(
        "curl: (28) Failed to connect to 10.9.9.9 port 80 after 2001 ms: Timeout was reached",
        CURL, Outcome.TIMED_OUT, Phase.CONNECT, None, "tcp://10.9.9.9:80", "10.9.9.9",
    ),
    Row("curl: (28) Connection timed out after 3000 milliseconds", CURL, Outcome.TIMED_OUT, Phase.CONNECT),
    Row(
        "curl: (28) Operation timed out after 3001 milliseconds with 0 bytes received",
        CURL, Outcome.TIMED_OUT, Phase.HTTP,
    ),
    Row(
        "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to 10.88.0.1:19001",
        CURL, Outcome.CLOSED, Phase.TLS, None, "tcp://10.88.0.1:19001", "10.88.0.1",
    ),
    Row("curl: (35) Recv failure: Connection reset by peer", CURL, Outcome.RESET, Phase.TLS, errno.ECONNRESET),
    Row("curl: (52) Empty reply from server", CURL, Outcome.CLOSED, Phase.HTTP),
    Row("curl: (56) Recv failure: Connection reset by peer", CURL, Outcome.RESET, Phase.TLS, errno.ECONNRESET),
    # curl before 7.88 (docker/for-linux#1365), of RHEL 7 (msphpsql#294), and libcurl behind PHP (curl#7487).
    Row(
        "curl: (7) Failed to connect to host.docker.internal port 12345: Connection refused",
        CURL, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://host.docker.internal:12345",
    ),
    Row(
        "curl: (7) Failed connect to packages.example:443; Connection refused",
        CURL, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://packages.example:443",
    ),
    Row(
        "cURL error 7: Failed to connect to exchapi port 1337: Connection refused (see libcurl-errors.html)",
        CURL, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://exchapi:1337",
    ),
    # curl -v, 7.88 and 8.7 or later (lib/cf-socket.c).
    Row(
        "* connect to 10.88.0.1 port 9 failed: No route to host",
        CURL, Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH, "tcp://10.88.0.1:9", "10.88.0.1",
    ),
    Row(
        "* connect to 10.88.0.1 port 9 from 10.88.0.5 port 40802 failed: Connection refused",
        CURL, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://10.88.0.1:9", "10.88.0.1",
    ),
    # requests 2.34 with urllib3 2.8, measured; the object in angle brackets is urllib3 1's.
    Row(
        f"{POOL}NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f2>: Failed to establish a new "
        "connection: [Errno 111] Connection refused'))",
        PYTHON, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "https://agent:9001/ping",
    ),
    Row(
        f"{POOL}NameResolutionError(\"HTTPSConnection(host='agent', port=9001): Failed to resolve 'agent' "
        '([Errno -2] Name or service not known)"))',
        PYTHON, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME, "https://agent:9001/ping",
    ),
    Row(
        "HTTPConnectionPool(host='10.9.9.9', port=80): Max retries exceeded with url: / (Caused by ConnectTimeoutError("
        "<urllib3.connection.HTTPConnection object at 0x7f>, 'Connection to 10.9.9.9 timed out. (connect timeout=1)'))",
        PYTHON, Outcome.TIMED_OUT, Phase.CONNECT, None, "http://10.9.9.9:80/", "10.9.9.9",
    ),
    Row(
        "HTTPConnectionPool(host='127.0.0.1', port=9405): Read timed out. (read timeout=1)",
        PYTHON, Outcome.TIMED_OUT, Phase.TLS, None, "http://127.0.0.1:9405/", "127.0.0.1",
    ),
    Row(
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        PYTHON, Outcome.CLOSED, Phase.HTTP,
    ),
    Row(
        "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
        PYTHON, Outcome.RESET, Phase.TLS, errno.ECONNRESET,
    ),
    # CPython 3.11, measured.
    Row(
        "ConnectionRefusedError: [Errno 111] Connection refused",
        PYTHON, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED,
    ),
    Row(
        "<urlopen error [Errno 113] No route to host>",
        PYTHON, Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH,
    ),
    Row(
        "socket.gaierror: [Errno -2] Name or service not known",
        PYTHON, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME,
    ),
    Row(
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        PYTHON, Outcome.RESOLVER_FAILED, Phase.RESOLVE, socket.EAI_AGAIN,
    ),
    Row(
        "<urlopen error [Errno -5] No address associated with hostname>",
        PYTHON, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, EAI_NODATA,
    ),
    Row("<urlopen error timed out>", PYTHON, Outcome.TIMED_OUT, Phase.CONNECT),
    Row("<urlopen error _ssl.c:989: The handshake operation timed out>", PYTHON, Outcome.TIMED_OUT, Phase.TLS),
    Row("TimeoutError: The read operation timed out", PYTHON, Outcome.TIMED_OUT, Phase.TLS),
    Row(
        "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)",
        PYTHON, Outcome.CLOSED, Phase.TLS,
    ),
    # asyncio/selector_events.py.
    Row(
        "ConnectionRefusedError: [Errno 111] Connect call failed ('10.88.0.1', 19001)",
        PYTHON, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://10.88.0.1:19001", "10.88.0.1",
    ),
    # libpq 15, measured, and 13 (fe-connect.c).
    Row(
        'psycopg2.OperationalError: connection to server at "db" (10.1.1.1), port 5432 failed: Connection refused',
        POSTGRESQL, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://db:5432", "10.1.1.1",
    ),
    Row(
        'could not connect to server: No route to host\n\tIs the server running on host "db" (10.1.1.1) and accepting\n'
        "\tTCP/IP connections on port 5432?",
        POSTGRESQL, Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH, "tcp://db:5432", "10.1.1.1",
    ),
    Row(
        'psql: error: could not translate host name "db" to address: Name or service not known',
        POSTGRESQL, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME,
    ),
    # Node.js 20, measured; the first is podman#7649's form.
    Row(
        "Error: connect ECONNREFUSED 192.168.28.131:5432",
        NODE, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://192.168.28.131:5432", "192.168.28.131",
    ),
    Row(
        "connect ECONNREFUSED ::1:19001",
        NODE, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://[::1]:19001", "::1",
    ),
    Row(
        "connect EHOSTUNREACH 10.0.0.1:80 - Local (192.168.1.2:5000)",
        NODE, Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH, "tcp://10.0.0.1:80", "10.0.0.1",
    ),
    Row(
        "connect ETIMEDOUT 10.0.0.1:80",
        NODE, Outcome.TIMED_OUT, Phase.CONNECT, errno.ETIMEDOUT, "tcp://10.0.0.1:80", "10.0.0.1",
    ),
    Row("getaddrinfo ENOTFOUND agent", NODE, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME),
    Row("getaddrinfo EAI_AGAIN agent", NODE, Outcome.RESOLVER_FAILED, Phase.RESOLVE, socket.EAI_AGAIN),
    Row("Error: read ECONNRESET", NODE, Outcome.RESET, Phase.TLS, errno.ECONNRESET),
    Row("Error: socket hang up", NODE, Outcome.CLOSED, Phase.TLS),
    Row(
        "{\n  errno: -111,\n  code: 'ECONNREFUSED',\n  syscall: 'connect',\n  address: '127.0.0.1',\n  port: 9\n}",
        NODE, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://127.0.0.1:9", "127.0.0.1",
    ),
    # OpenSSH 9.2, measured.
    Row(
        "ssh: connect to host gateway port 22: Connection refused",
        SSH, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://gateway:22",
    ),
    Row(
        "ssh: Could not resolve hostname gateway: Name or service not known",
        SSH, Outcome.NAME_NOT_FOUND, Phase.RESOLVE, socket.EAI_NONAME,
    ),
    # nginx's error log (ngx_event_connect.c, ngx_http_upstream.c).
    Row(
        f"connect() failed (111: Connection refused) while connecting to upstream{NGINX_TAIL}",
        NGINX, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "http://10.88.0.11:8000/", "10.88.0.11",
    ),
    Row(
        f"connect() failed (113: No route to host) while connecting to upstream{NGINX_TAIL}",
        NGINX, Outcome.HOST_UNREACHABLE, Phase.CONNECT, errno.EHOSTUNREACH, "http://10.88.0.11:8000/", "10.88.0.11",
    ),
    Row(
        f"upstream timed out (110: Connection timed out) while connecting to upstream{NGINX_TAIL}",
        NGINX, Outcome.TIMED_OUT, Phase.CONNECT, None, "http://10.88.0.11:8000/", "10.88.0.11",
    ),
    Row(
        f"upstream timed out (110: Connection timed out) while reading response header from upstream{NGINX_TAIL}",
        NGINX, Outcome.TIMED_OUT, Phase.HTTP, None, "http://10.88.0.11:8000/", "10.88.0.11",
    ),
    Row(
        f"recv() failed (104: Connection reset by peer) while reading response header from upstream{NGINX_TAIL}",
        NGINX, Outcome.RESET, Phase.HTTP, errno.ECONNRESET, "http://10.88.0.11:8000/", "10.88.0.11",
    ),
    Row(
        f"upstream prematurely closed connection while reading response header from upstream{NGINX_TAIL}",
        NGINX, Outcome.CLOSED, Phase.HTTP, None, "http://10.88.0.11:8000/", "10.88.0.11",
    ),
    # OpenBSD's nc and GNU Wget, as Debian 12 has them.
    Row(
        "nc: connect to 10.88.0.1 port 19001 (tcp) failed: Connection refused",
        NETCAT, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://10.88.0.1:19001", "10.88.0.1",
    ),
    Row(
        "Connecting to agent (agent)|10.88.0.1|:9001... failed: Connection refused.",
        WGET, Outcome.REFUSED, Phase.CONNECT, errno.ECONNREFUSED, "tcp://agent:9001", "10.88.0.1",
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.text[:60])
def test_text_says_client_outcome_phase_errno_target_and_address(row: Row) -> None:
    """Each text as its client prints it is read as that client's, and says what it says."""
    found = read(row.text)
    assert (found.client, found.outcome, found.phase, found.errno) == (row.client, row.outcome, row.phase, row.errno)
    assert (str(found.target) if found.target else None) == row.target
    assert found.address == (ip_address(row.address) if row.address else None)
    assert found.possible == ()


#: Texts that are the same for several outcomes (facts measured with curl 7.88.1; libpq's pqsecure_read; channels.c).
SEVERAL = [
    (
        "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server",
        {Outcome.REFUSED, Outcome.HOST_UNREACHABLE, Outcome.NETWORK_UNREACHABLE, Outcome.PROHIBITED},
    ),
    (
        "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Could not connect to server",
        {Outcome.REFUSED, Outcome.HOST_UNREACHABLE, Outcome.NETWORK_UNREACHABLE, Outcome.PROHIBITED},
    ),
    ("curl: (6) Could not resolve host: nosuch.invalid", {Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED}),
    (
        'nginx: [emerg] host not found in upstream "orders" in /etc/nginx/nginx.conf:3',
        {Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED},
    ),
    ("channel 2: open failed: connect failed: Connection refused", {Outcome.CLOSED, Outcome.RESET}),
    (
        'connection to server at "db", port 5432 failed: server closed the connection unexpectedly',
        {Outcome.CLOSED, Outcome.RESET},
    ),
    (
        "Cannot connect to host agent:8 ssl:default [Connect call failed ('10.88.0.1', 8)]",
        {Outcome.REFUSED, Outcome.HOST_UNREACHABLE, Outcome.NETWORK_UNREACHABLE, Outcome.PROHIBITED},
    ),
]


@pytest.mark.parametrize(("text", "outcomes"), SEVERAL, ids=[text[:50] for text, _ in SEVERAL])
def test_text_that_stands_for_several_outcomes_says_all_of_them(text: str, outcomes: set[Outcome]) -> None:
    """Where a client prints the same for several outcomes none is guessed, all are named, and the hint says so."""
    found = read(text)
    assert (found.outcome, set(found.possible), bool(found.hint)) == (Outcome.INCONCLUSIVE, outcomes, True)


CODES = [
    # Go 1.19 and 1.20 or later, measured; portainer#7918.
    ('Get "https://a:1/": x509: certificate signed by unknown authority', Cause.CERTIFICATE_NOT_TRUSTED),
    (
        'Get "https://a:1/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
        Cause.CERTIFICATE_NOT_TRUSTED,
    ),
    ('Get "https://a:1/": x509: certificate is valid for 172.18.0.4, not 127.0.0.2', Cause.CERTIFICATE_OTHER_NAME),
    (
        'Get "https://a:1/": x509: cannot validate certificate for 10.1.1.1 because it doesn\'t contain any IP SANs',
        Cause.CERTIFICATE_OTHER_NAME,
    ),
    ('Get "https://a:1/": http: server gave HTTP response to HTTPS client', Cause.TLS_TO_PLAIN),
    ('Get "https://a:1/": tls: first record does not look like a TLS handshake', Cause.TLS_TO_PLAIN),
    (
        'Get "http://a:1/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x15\\x03\\x01"',
        Cause.PLAIN_TO_TLS,
    ),
    ("Client sent an HTTP request to an HTTPS server.", Cause.PLAIN_TO_TLS),
    ('Get "https://a:1/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused', Cause.PROXY),
    ("Failed request with status 502", Cause.HTTP_STATUS),
    # curl 7.88.1, measured.
    ("curl: (60) SSL certificate problem: self-signed certificate", Cause.CERTIFICATE_NOT_TRUSTED),
    (
        "curl: (60) SSL: no alternative certificate subject name matches target host name '127.0.0.1'",
        Cause.CERTIFICATE_OTHER_NAME,
    ),
    ("curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number", Cause.TLS_TO_PLAIN),
    ("curl: (5) Could not resolve proxy: squid", Cause.PROXY),
    ("curl: (56) Received HTTP code 403 from proxy after CONNECT", Cause.PROXY),
    ("curl: (22) The requested URL returned error: 502", Cause.HTTP_STATUS),
    # CPython 3.11, measured.
    (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
        Cause.CERTIFICATE_NOT_TRUSTED,
    ),
    (
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch, certificate is not valid "
            "for '127.0.0.1'. (_ssl.c:1006)"
        ),
        Cause.CERTIFICATE_OTHER_NAME,
    ),
    ("<urlopen error [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)>", Cause.TLS_TO_PLAIN),
    # Node.js 20, measured.
    ("Error: self-signed certificate", Cause.CERTIFICATE_NOT_TRUSTED),
    ("code: 'DEPTH_ZERO_SELF_SIGNED_CERT'", Cause.CERTIFICATE_NOT_TRUSTED),
    (
        (
            "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is "
            "not in the cert's list: "
        ),
        Cause.CERTIFICATE_OTHER_NAME,
    ),
    (
        "Error: write EPROTO 809C:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:ssl3_record.c:350:",
        Cause.TLS_TO_PLAIN,
    ),
    # The JDK, .NET, rustls, Chromium and NSS.
    (
        "javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification path",
        Cause.CERTIFICATE_NOT_TRUSTED,
    ),
    ("java.security.cert.CertificateException: No name matching orders found", Cause.CERTIFICATE_OTHER_NAME),
    ("javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", Cause.TLS_TO_PLAIN),
    (
        "The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot",
        Cause.CERTIFICATE_NOT_TRUSTED,
    ),
    (
        "The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch",
        Cause.CERTIFICATE_OTHER_NAME,
    ),
    ("Cannot determine the frame size or a corrupted frame was received.", Cause.TLS_TO_PLAIN),
    ("invalid peer certificate: UnknownIssuer", Cause.CERTIFICATE_NOT_TRUSTED),
    ("received corrupt message of type InvalidContentType", Cause.TLS_TO_PLAIN),
    ("net::ERR_CERT_AUTHORITY_INVALID", Cause.CERTIFICATE_NOT_TRUSTED),
    ("net::ERR_CERT_COMMON_NAME_INVALID", Cause.CERTIFICATE_OTHER_NAME),
    ("Error code: SSL_ERROR_RX_RECORD_TOO_LONG", Cause.TLS_TO_PLAIN),
    # channels.c, serverloop.c.
    ("channel 2: open failed: connect failed: Connection refused", Cause.TUNNEL_FAR_END_DOWN),
    ("channel 3: open failed: administratively prohibited: open failed", Cause.TUNNEL_FORBIDDEN),
    (
        (
            "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking "
            "to upstream"
        ),
        Cause.TLS_TO_PLAIN,
    ),
]


@pytest.mark.parametrize(("text", "code"), CODES, ids=[f"{code}: {text[:40]}" for text, code in CODES])
def test_text_that_proves_its_cause_has_the_code(text: str, code: Cause) -> None:
    """Words that leave one cause only name it."""
    assert read(text).code is code


class Bound(NamedTuple):
    """A text about listening, and what it says."""

    text: str
    client: Client
    errno: int
    address: str | None
    port: int | None
    code: Cause | None


LISTENING = [
    # channels.c, as measured.
    Bound(
        "bind [10.88.0.1]:19001: Cannot assign requested address",
        SSH, errno.EADDRNOTAVAIL, "10.88.0.1", 19001, Cause.NO_SUCH_BIND_ADDRESS,
    ),
    Bound(
        "bind [127.0.0.1]:19001: Address already in use",
        SSH, errno.EADDRINUSE, "127.0.0.1", 19001, Cause.PORT_TAKEN,
    ),
    Bound("bind [127.0.0.1]:80: Permission denied", SSH, errno.EACCES, "127.0.0.1", 80, Cause.PRIVILEGED_PORT),
    # podman#9447 and docker-dmarc-report#66.
    Bound(
        "Error: cannot listen on the TCP port: listen tcp4 :8086: bind: address already in use",
        GO, errno.EADDRINUSE, None, 8086, Cause.PORT_TAKEN,
    ),
    Bound(
        "Error: rootlessport cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' to "
        "/etc/sysctl.conf (currently 1024), or choose a larger port number (>= 1024): listen tcp 0.0.0.0:80: bind: "
        "permission denied",
        GO, errno.EACCES, "0.0.0.0", 80, Cause.PRIVILEGED_PORT,
    ),
    # Podman's troubleshooting.md, 48.
    Bound(
        "Error: pasta failed with exit code 1: Listen failed for HOST TCP port */80: Permission denied",
        UNKNOWN, errno.EACCES, None, 80, Cause.PRIVILEGED_PORT,
    ),
    Bound("listen EADDRINUSE: address already in use :::8080", NODE, errno.EADDRINUSE, "::", 8080, Cause.PORT_TAKEN),
    # asyncio of Python 3.13.
    Bound(
        "OSError: could not bind on any address out of [('192.0.2.1', 19001)]",
        PYTHON, errno.EADDRNOTAVAIL, "192.0.2.1", 19001, Cause.NO_SUCH_BIND_ADDRESS,
    ),
    Bound(
        "OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', 8099): "
        "[errno 98] address already in use",
        PYTHON, errno.EADDRINUSE, "127.0.0.1", 8099, Cause.PORT_TAKEN,
    ),
    # Podman 5.4.2 with aardvark-dns 1.14.
    Bound(
        "Error starting server failed to bind udp listener on 10.89.0.1:53: IO error: Address already in use "
        "(os error 98)",
        UNKNOWN, errno.EADDRINUSE, "10.89.0.1", 53, Cause.RESOLVER_TAKEN,
    ),
    Bound("OSError: [Errno 98] Address already in use", PYTHON, errno.EADDRINUSE, None, None, Cause.PORT_TAKEN),
    Bound(
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        NGINX, errno.EADDRINUSE, "0.0.0.0", 80, Cause.PORT_TAKEN,
    ),
    # ip(7): only ports below ip_unprivileged_port_start need a privilege; above, something else forbids it.
    Bound("bind [127.0.0.1]:8080: Permission denied", SSH, errno.EACCES, "127.0.0.1", 8080, None),
]  # fmt: skip


@pytest.mark.parametrize("bound", LISTENING, ids=lambda bound: bound.text[:60])
def test_text_about_listening_says_where_and_names_no_target(bound: Bound) -> None:
    """A program that could not listen dialled nothing: there is an address and a port, and no target."""
    found = read(bound.text)
    assert (found.client, found.errno, found.port, found.code) == (bound.client, bound.errno, bound.port, bound.code)
    assert found.address == (ip_address(bound.address) if bound.address else None)
    assert (found.target, found.outcome) == (None, Outcome.INCONCLUSIVE)


SURROUNDED = [
    f"2026-11-23T10:00:00Z ERR api/endpoints.go:12 > ping failed | error={SEED!r}",
    f"Failure\n{SEED}\n",
    '{"message":"Unable to get environment type","details":' + '"' + SEED.replace('"', '\\"') + '"}',
    '{"log":"{\\"details\\":\\"' + SEED.replace('"', '\\\\\\"') + '\\"}"}',
    SEED.replace(": dial", ":\n  dial").replace("connect: ", "connect:\n"),
    SEED.replace('"', "&quot;"),
    f"\x1b[31m{SEED}\x1b[0m",
    SEED.replace('"', "\N{LEFT DOUBLE QUOTATION MARK}", 1).replace('"', "\N{RIGHT DOUBLE QUOTATION MARK}", 1),
    SEED.replace("refused", "re\x00fus\x07ed"),
    "x" * 5000 + " " + SEED,
]


@pytest.mark.parametrize(
    "text",
    SURROUNDED,
    ids=[
        "logfmt",
        "toast",
        "json",
        "json in json",
        "wrapped",
        "html",
        "colour",
        "smart quotes",
        "controls",
        "long line",
    ],
)
def test_part_is_found_in_what_surrounds_it(text: str) -> None:
    """Logs, JSON in JSON, line breaks of a terminal, colours and chat programs' quotes do not hide the error."""
    assert read(text) == read(SEED)


def test_arrow_that_go_escapes_in_json_is_read() -> None:
    """encoding/json writes > as a Unicode escape."""
    found = read(
        '{"error":"Get \\"https://a:1/\\": read tcp 10.0.0.2:5-\\u003e10.0.0.1:1: read: connection reset by peer"}'
    )
    assert (found.outcome, found.address) == (Outcome.RESET, ip_address("10.0.0.1"))


def test_last_line_of_curl_is_explained_by_its_trace() -> None:
    """curl hides the errno in its last line, and -v printed it before."""
    found = read(
        "$ curl -vk https://agent:9/x\n*   Trying 10.88.0.1:9...\n* connect to 10.88.0.1 port 9 failed: No route to "
        "host\n* Failed to connect to agent port 9 after 0 ms: Couldn't connect to server\n* Closing connection 0\n"
        "curl: (7) Failed to connect to agent port 9 after 0 ms: Couldn't connect to server"
    )
    assert (found.outcome, found.address) == (Outcome.HOST_UNREACHABLE, ip_address("10.88.0.1"))
    assert found.target == Target(Scheme.HTTPS, "agent", 9, "/x")


def test_manual_that_curl_names_is_not_what_was_asked_for() -> None:
    """curl's (60) ends in the address of its manual."""
    text = (
        "$ curl https://agent:9001/ping\ncurl: (60) SSL certificate problem: self-signed certificate\n"
        "More details here: https://curl.se/docs/sslcerts.html"
    )
    assert read(text).target == Target(Scheme.HTTPS, "agent", 9001, "/ping")


def test_target_is_left_out_where_two_urls_could_be_meant() -> None:
    """Without a place in the error itself, two URLs leave it open."""
    assert read("curl https://a:1/ https://b:2/\ncurl: (52) Empty reply from server").target is None


def test_resolver_and_name_are_told() -> None:
    """Go says which server it asked, and for what."""
    found = read('Get "https://agent:9001/ping": dial tcp: lookup agent on 10.89.0.1:53: no such host')
    assert (found.name, found.resolver, found.address) == ("agent", ip_address("10.89.0.1"), None)


def test_proxy_is_what_was_dialled_and_the_url_what_was_asked_for() -> None:
    """Behind a proxy the two differ."""
    found = read('Get "https://a:1/": proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused')
    assert (found.address, found.port, str(found.target)) == (ip_address("10.0.0.1"), 3128, "https://a:1/")


def test_go_timeout_says_that_it_cannot_tell() -> None:
    """A dropped SYN and a silent peer have one text in Go, unless it names the dial."""
    url = 'Get "https://a:1/": '
    assert "peer that accepts and says nothing" in read(f"{url}context deadline exceeded").hint
    assert not read(f"{url}dial tcp 10.0.0.1:1: i/o timeout").hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello world",
        "tls: true",
        "ls: cannot open directory '/root': Permission denied",
        "https://host.containers.internal:19001/ping",
        "curl: (3) URL using bad/illegal format or missing URL",
        "Traceback (most recent call last):\nValueError: [Errno 2] No such file or directory",
    ],
)
def test_text_without_a_known_error_is_refused_in_one_line(text: str) -> None:
    """Nothing is made up for text that has no error of connecting, and the refusal fits a line."""
    with pytest.raises(UsageError, match="paste the lines as the client") as refused:
        read(text)
    assert "\n" not in str(refused.value)


def test_more_than_the_limit_is_cut_and_said() -> None:
    """What stands in the first 64 Ki characters counts; the hint says that there was more."""
    assert "Only the first 64 KiB" in read(SEED + " " * LIMIT).hint
    with pytest.raises(UsageError):
        read(" " * LIMIT + SEED)


#: What hostile text is made of: the beginnings of all patterns.
STARTS = [
    'Get "https://a', "lookup a on ", "dial tcp ", "read tcp a", "curl: (7) ", "connect to a port 1 ",
    "HTTPConnectionPool(host='a', port=1): ", "<urlopen error ", "a.", "connect ECONNREFUSED ", "bind 1", "listen tcp ",
    "rootlessport ", "channel 1: open failed: ", 'upstream: "', "connect() to a", "could not connect to server: a",
    "\\", '\\\\"', "\x1b[1;", "http://a", "1.1.1.1:", "[", "SSL_do_handshake() failed a", 'malformed HTTP response "',
    "a b ", "a-a.", "to a port ", "ERR_TLS_CERT ", "|", "/dev/tcp/", "Connection refused ",
]  # fmt: skip


def _patterns(held: object) -> Iterator[re.Pattern[str]]:
    """Every compiled pattern in a module's value, and in the tuples and mappings of it."""
    if isinstance(held, re.Pattern):
        yield held
    elif isinstance(held, Mapping):
        yield from _patterns((*held.keys(), *held.values()))
    elif isinstance(held, tuple | list | frozenset):
        for one in held:
            yield from _patterns(one)


def test_no_pattern_repeats_without_a_bound() -> None:
    """Each repetition has a bound, so a start of a match costs no more in a longer text: hostile texts stay linear."""
    names = [f"{client_texts.__name__}.{one.name}" for one in pkgutil.iter_modules(client_texts.__path__)]
    modules = [go_text, *map(importlib.import_module, names)]
    patterns = {one.pattern for module in modules for one in _patterns(tuple(vars(module).values()))}
    patterns |= {compiled(phrase.template).pattern for family in FAMILIES for phrase in family.phrases}
    bare = {pattern: re.sub(r"\[\^?\]?[^\]]*\]", "", re.sub(r"\\.", "", pattern)) for pattern in patterns}
    assert [pattern for pattern in patterns if re.search(r"[*+]|\{\d*,\}", bare[pattern])] == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: f"{family.client} {family.source}"[:60])
def test_needle_of_a_template_is_a_part_of_it(family: Family) -> None:
    """What is looked for first stands in the template itself, so that nothing is passed over that it would find."""
    for phrase in family.phrases:
        assert needle(phrase.template) in re.sub(r"\\(.)", r"\1", phrase.template).lower()


WORDS = st.sampled_from(
    [row.text for row in TABLE] + [text for text, _ in SEVERAL] + [b.text for b in LISTENING] + STARTS
)


def _said(text: str) -> list[str]:
    """Every field of what was read as text, or the refusal's words."""
    try:
        found = read(text)
    except UsageError as refused:
        return [str(refused)]
    return [str(getattr(found, field.name)) for field in fields(found)]


@given(st.lists(st.one_of(WORDS, st.text(max_size=30), st.characters()), max_size=6).map("".join))
@example("\ud800\x1b]0;title\x07 ConnectionRefusedError: [Errno 111] Connection refused \x9b31m")
def test_any_text_is_read_or_refused_and_no_control_character_comes_back(text: str) -> None:
    """Whatever is pasted, the only error is UsageError, and nothing that a terminal obeys is handed on."""
    assert all(string.isprintable() for string in _said(text))


@given(row=st.sampled_from(TABLE), cut=st.integers(0, 200), data=st.data())
def test_damaged_text_never_fails_otherwise(row: Row, cut: int, data: st.DataObject) -> None:
    """Real texts with a part cut out and something put in its place are read or refused."""
    with_junk = row.text[:cut] + data.draw(st.text(max_size=8)) + row.text[cut + 3 :]
    assert all(string.isprintable() for string in _said(with_junk))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is held and not listened on: connecting to it is refused."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_live_text_of_python_is_read(closed_port: int) -> None:
    """urllib's and requests' texts of today say refused, and requests' names the URL."""
    url = f"http://127.0.0.1:{closed_port}/x"
    with pytest.raises(urllib.error.URLError) as by_urllib:
        urllib.request.urlopen(url, timeout=5)
    with pytest.raises(requests.ConnectionError) as by_requests:
        requests.get(url, timeout=5, proxies={"http": ""})
    assert read(str(by_urllib.value)).outcome is Outcome.REFUSED
    found = read(str(by_requests.value))
    assert (found.client, found.outcome, str(found.target)) == (Client.PYTHON, Outcome.REFUSED, url)


def test_live_text_of_curl_is_read(closed_port: int) -> None:
    """curl's last line may stand for several; with -v it says refused."""
    command = ["curl", "--noproxy", "*", "--max-time", "5", f"http://127.0.0.1:{closed_port}/x"]
    last = subprocess.run([*command, "-sS"], capture_output=True, text=True, check=False).stderr
    trace = subprocess.run([*command, "-v"], capture_output=True, text=True, check=False).stderr
    told = read(last)
    assert (told.client, told.port) == (Client.CURL, closed_port)
    assert Outcome.REFUSED in (*told.possible, told.outcome)
    assert (read(trace).client, read(trace).outcome) == (Client.CURL, Outcome.REFUSED)


def test_live_text_of_ssh_is_read(closed_port: int) -> None:
    """ssh says whom it could not connect to, and why."""
    command = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-p", str(closed_port), "127.0.0.1"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stderr
    found = read(said)
    assert (found.client, found.outcome) == (Client.OPENSSH, Outcome.REFUSED)
    assert found.target == Target(Scheme.TCP, "127.0.0.1", closed_port)
