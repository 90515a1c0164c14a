"""Texts about a socket that could not listen: OpenSSH, Podman, pasta, Go, Python, Node.js, nginx."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import as_address, as_port
from testbed.explain.client_texts.said import Client, Pasted
from testbed.explain.client_texts.translated import TRANSLATED_ERRNOS
from testbed.explain.client_texts.vocabulary import errno_of
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase

_HOST: Final = r"(\[[0-9a-fA-F:.%\w]{2,60}\]|\*|[0-9a-fA-F:.]{2,45}|[\w.-]{1,255})?"
#: Whose text, and host, port and reason in it.
_PATTERNS: Final = (
    # channels.c, channel_setup_fwd_listener_tcpip
    (Client.OPENSSH, re.compile(r"\bbind " + _HOST + r":([0-9]{1,5}): ([^\n:()]{3,80})")),
    # net.OpError; rootlessport and Podman put their own words in front
    (
        Client.GO,
        re.compile(
            r"(?:\brootlessport [^\n]{0,300}?|\bcannot listen on the TCP port: )?\blisten (?:tcp|udp)[46]? "
            + _HOST
            + r":([0-9]{1,5}): bind: ([^\n:()]{3,80})"
        ),
    ),
    # asyncio/base_events.py, create_server
    (
        Client.PYTHON,
        re.compile(
            r"\[Errno [0-9]{1,3}\] error while attempting to bind on address \('([^'\n]{1,64})', ([0-9]{1,5})"
            r"[^)\n]{0,20}\): (?:\[errno [0-9]{1,3}\] )?([^\n:()]{3,80})"
        ),
    ),
    # libuv's words: address already in use, address not available, permission denied
    (Client.NODE, re.compile(r"\blisten E[A-Z]{3,12}: ([a-z ]{5,40}?) " + _HOST + r":{1,3}([0-9]{1,5})\b")),
    # ngx_connection.c, ngx_open_listening_sockets
    (Client.NGINX, re.compile(r"\bbind\(\) to " + _HOST + r":([0-9]{1,5}) failed \([0-9]{1,3}: ([^\n:()]{3,80})\)")),
    # pasta(1), conf.c and fwd.c
    (
        Client.UNKNOWN,
        re.compile(r"\bListen failed for HOST (?:TCP|UDP) port ()\*?[^\s/]{0,45}/([0-9]{1,5}): ([^\n:()]{3,80})"),
    ),
    (Client.UNKNOWN, re.compile(r"\bFailed to bind port ()([0-9]{1,5}) \(([^\n:()]{3,80})\)")),
)
#: Whose text, and host and port in it, where the words alone say that the port is taken.
_TAKEN: Final = (
    # moby, libnetwork/portallocator, then portmapper since 28
    (Client.DOCKER, re.compile(r"\bBind for " + _HOST + r":([0-9]{1,5}) failed: port is already allocated")),
    (
        Client.DOCKER,
        re.compile(
            r"\bfailed to bind host port (?:for )?([0-9.]{7,15}|\[[0-9a-fA-F:]{2,45}\]):("
            r"[0-9]{1,5})\b[^\n]{0,80}: address already in use"
        ),
    ),
    # Spring Boot, PortInUseFailureAnalyzer; Kestrel, SocketConnectionListener; gunicorn, sock.py
    (Client.JAVA, re.compile(r"\bWeb server failed to start\. Port ()([0-9]{1,5}) was already in use")),
    (
        Client.DOTNET,
        re.compile(
            r"\bFailed to bind to address https?://" + _HOST + r":([0-9]{1,5}): address already in use", re.IGNORECASE
        ),
    ),
    (Client.PYTHON, re.compile(r"\bConnection in use: \('([^'\n]{0,64})', ([0-9]{1,5})\)")),
    # httpd, server/listen.c
    (Client.APACHE, re.compile(r"\(98\)[^\n]{0,120}: could not bind to address " + _HOST + r":([0-9]{1,5})\b")),
    # Ruby, ext/socket/ipsocket.c and what is built on it
    (Client.RUBY, re.compile(r"\bAddress already in use - bind\(2\) for \"" + _HOST + r"\" port ([0-9]{1,5})")),
    (Client.RUBY, re.compile(r"\bAddress already in use - bind\(2\) for " + _HOST + r":([0-9]{1,5})")),
    # php-src, sapi/cli/php_cli_server.c
    (
        Client.PHP,
        re.compile(
            r"\bFailed to listen on " + _HOST + r":([0-9]{1,5}) \(reason: Address already in use\)", re.IGNORECASE
        ),
    ),
    # development servers: Flask, Vite, Next.js
    (Client.UNKNOWN, re.compile(r"\bPort ()([0-9]{1,5}) is (?:already )?in use\b", re.IGNORECASE)),
)
#: asyncio from 3.13 on, of an address that is not there: it takes the family for one that is off, and goes on.
_ON_NONE: Final = re.compile(r"\bcould not bind on any address out of \[\('([^'\n]{1,64})', ([0-9]{1,5})[^\n]{0,200}")
#: aardvark-dns (src/server/serve.rs), whose error Podman 5 passes on when a container does not start for it.
_RESOLVER: Final = re.compile(r"\bfailed to bind (?:udp|tcp) listener on " + _HOST + r":([0-9]{1,5}): ([^\n]{5,200})")
#: Without a port: Python's own bind, and what a shell says; in musl's words, and in each language.
_BARE_TAKEN: Final = re.compile(
    r"(?:\[Errno 98\] )?\b(?:Address (?:already )?in use\b|"
    + "|".join(map(re.escape, TRANSLATED_ERRNOS[errno.EADDRINUSE]))
    + ")",
    re.IGNORECASE,
)
_PRIVILEGED: Final = re.compile(r"\bcannot expose privileged port ([0-9]{1,5})\b[^\n]{0,300}")
#: net.OpError's network, pasta's and moby's words.
_UDP: Final = re.compile(r"\b(?:listen udp[46]?|udp listener|UDP port)\b|[0-9]/udp\b", re.IGNORECASE)
#: ip(7), ip_unprivileged_port_start: its default.
_UNPRIVILEGED: Final = 1024


def find(text: str) -> Pasted | None:
    """What could not be listened on, and why."""
    readers = (_with_reason, _taken, _on_none, _resolver, _privileged, _bare)
    return next((said for reader in readers if (said := reader(text))), None)


def _with_reason(text: str) -> Pasted | None:
    for client, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            host, port, words = match.groups() if client is not Client.NODE else _node(match)
            if (number := errno_of(words)) is not None:
                return _told(client, match.group().rstrip(), number, host or "", port)
    return None


def _taken(text: str) -> Pasted | None:
    for client, pattern in _TAKEN:
        if taken := pattern.search(text):
            return _told(client, taken.group().rstrip(), errno.EADDRINUSE, taken.group(1) or "", taken.group(2))
    return None


def _on_none(text: str) -> Pasted | None:
    none = _ON_NONE.search(text)
    return _told(Client.PYTHON, none.group().rstrip(), errno.EADDRNOTAVAIL, *none.groups()) if none else None


def _resolver(text: str) -> Pasted | None:
    resolver = _RESOLVER.search(text)
    if resolver is None or "address already in use" not in resolver.group(3).lower():
        return None
    host, port, _ = resolver.groups()
    said = _told(Client.UNKNOWN, resolver.group().rstrip(), errno.EADDRINUSE, host or "", port)
    return replace(said, code=Cause.RESOLVER_TAKEN)


def _privileged(text: str) -> Pasted | None:
    privileged = _PRIVILEGED.search(text)
    return _told(Client.GO, privileged.group().rstrip(), errno.EACCES, "", privileged.group(1)) if privileged else None


def _bare(text: str) -> Pasted | None:
    taken = _BARE_TAKEN.search(text)
    if taken is None:
        return None
    client = Client.PYTHON if taken.group().startswith("[Errno") else Client.UNKNOWN
    return _told(client, taken.group(), errno.EADDRINUSE, "", "")


def _node(match: re.Match[str]) -> tuple[str, str, str]:
    words, host, port = match.groups()
    return host or "", port, words


def _told(client: Client, text: str, number: int, host: str, port: str) -> Pasted:
    where = as_port(port)
    code = {errno.EADDRINUSE: Cause.PORT_TAKEN, errno.EADDRNOTAVAIL: Cause.NO_SUCH_BIND_ADDRESS}.get(number)
    if number == errno.EACCES and where is not None and where < _UNPRIVILEGED:
        code = Cause.PRIVILEGED_PORT
    hint = "Nothing was dialled: this is about listening. Who connects to that port meets whoever has it, or nobody."
    said = Pasted(
        client, Outcome.INCONCLUSIVE, Phase.CONNECT, number, None, as_address(host), where, None, text, hint, code
    )
    return replace(said, udp=_UDP.search(text) is not None)
