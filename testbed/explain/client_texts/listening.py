"""Texts about a socket that could not listen: OpenSSH, Podman, pasta, Go, Python, Node.js, nginx."""

from __future__ import annotations

import errno
import re
from dataclasses import replace
from typing import Final

from testbed.errnos import ERRNO_WORDS
from testbed.explain.client_texts.said import Client, Pasted, as_address, as_port
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase

_WORDS: Final = {
    **ERRNO_WORDS,
    "address already in use": errno.EADDRINUSE,
    "address in use": errno.EADDRINUSE,
}
_HOST: Final = r"(\[[0-9a-fA-F:.%\w]{2,60}\]|\*|[0-9a-fA-F:.]{2,45}|[\w.-]{1,255})?"
#: Whose text, and host, port and reason in it.
_PATTERNS: Final = (
    # channels.c, channel_setup_fwd_listener_tcpip
    (Client.OPENSSH, re.compile(r"\bbind " + _HOST + r":([0-9]{1,5}): ([A-Za-z ]{5,60})")),
    # net.OpError; rootlessport and Podman put their own words in front
    (
        Client.GO,
        re.compile(
            r"(?:\brootlessport [^\n]{0,300}?|\bcannot listen on the TCP port: )?\blisten (?:tcp|udp)[46]? "
            + _HOST
            + r":([0-9]{1,5}): bind: ([A-Za-z ]{5,60})"
        ),
    ),
    # asyncio/base_events.py, create_server
    (
        Client.PYTHON,
        re.compile(
            r"\[Errno [0-9]{1,3}\] error while attempting to bind on address \('([^'\n]{1,64})', ([0-9]{1,5})"
            r"[^)\n]{0,20}\): (?:\[errno [0-9]{1,3}\] )?([A-Za-z ]{5,60})"
        ),
    ),
    # libuv's words: address already in use, address not available, permission denied
    (Client.NODE, re.compile(r"\blisten E[A-Z]{3,12}: ([a-z ]{5,40}?) " + _HOST + r":{1,3}([0-9]{1,5})\b")),
    # ngx_connection.c, ngx_open_listening_sockets
    (Client.NGINX, re.compile(r"\bbind\(\) to " + _HOST + r":([0-9]{1,5}) failed \([0-9]{1,3}: ([A-Za-z ]{5,60})\)")),
    # pasta(1), conf.c and fwd.c
    (
        Client.UNKNOWN,
        re.compile(r"\bListen failed for HOST (?:TCP|UDP) port ()\*?[^\s/]{0,45}/([0-9]{1,5}): ([A-Za-z ]{5,60})"),
    ),
    (Client.UNKNOWN, re.compile(r"\bFailed to bind port ()([0-9]{1,5}) \(([A-Za-z ]{5,60})\)")),
)
#: asyncio from 3.13 on, of an address that is not there: it takes the family for one that is off, and goes on.
_ON_NONE: Final = re.compile(r"\bcould not bind on any address out of \[\('([^'\n]{1,64})', ([0-9]{1,5})[^\n]{0,200}")
#: aardvark-dns (src/server/serve.rs), whose error Podman 5 passes on when a container does not start for it.
_RESOLVER: Final = re.compile(r"\bfailed to bind (?:udp|tcp) listener on " + _HOST + r":([0-9]{1,5}): ([^\n]{5,200})")
#: Without a port: Python's own bind, and what a shell says.
_BARE_TAKEN: Final = re.compile(r"(?:\[Errno 98\] )?\bAddress already in use\b", re.IGNORECASE)
_PRIVILEGED: Final = re.compile(r"\bcannot expose privileged port ([0-9]{1,5})\b[^\n]{0,300}")
#: ip(7), ip_unprivileged_port_start: its default.
_UNPRIVILEGED: Final = 1024


def find(text: str) -> Pasted | None:
    """What could not be listened on, and why."""
    for client, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            host, port, words = match.groups() if client is not Client.NODE else _node(match)
            if (number := _errno(words)) is not None:
                return _told(client, match.group().rstrip(), number, host or "", port)
    if none := _ON_NONE.search(text):
        return _told(Client.PYTHON, none.group().rstrip(), errno.EADDRNOTAVAIL, *none.groups())
    if (resolver := _RESOLVER.search(text)) and "address already in use" in resolver.group(3).lower():
        host, port, _ = resolver.groups()
        said = _told(Client.UNKNOWN, resolver.group().rstrip(), errno.EADDRINUSE, host or "", port)
        return replace(said, code=Cause.RESOLVER_TAKEN)
    if privileged := _PRIVILEGED.search(text):
        return _told(Client.GO, privileged.group().rstrip(), errno.EACCES, "", privileged.group(1))
    if taken := _BARE_TAKEN.search(text):
        client = Client.PYTHON if taken.group().startswith("[Errno") else Client.UNKNOWN
        return _told(client, taken.group(), errno.EADDRINUSE, "", "")
    return None


def _node(match: re.Match[str]) -> tuple[str, str, str]:
    words, host, port = match.groups()
    return host or "", port, words


def _errno(words: str) -> int | None:
    lower = words.strip().lower()
    return next((number for word, number in _WORDS.items() if lower.startswith(word)), None)


def _told(client: Client, text: str, number: int, host: str, port: str) -> Pasted:
    where = as_port(port)
    code = {errno.EADDRINUSE: Cause.PORT_TAKEN, errno.EADDRNOTAVAIL: Cause.NO_SUCH_BIND_ADDRESS}.get(number)
    if number == errno.EACCES and where is not None and where < _UNPRIVILEGED:
        code = Cause.PRIVILEGED_PORT
    hint = "Nothing was dialled: this is about listening. Who connects to that port meets whoever has it, or nobody."
    return Pasted(
        client, Outcome.INCONCLUSIVE, Phase.CONNECT, number, None, as_address(host), where, None, text, hint, code
    )
