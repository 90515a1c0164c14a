"""Python: the socket module, urllib, requests, urllib3, httpx, aiohttp and asyncio."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import as_address, as_port, tcp, typed, url
from testbed.explain.client_texts.said import (
    CONNECT_OUTCOMES,
    NAMES_HINT,
    Client,
    Pasted,
    cause_in,
    from_errno,
    plain,
    several,
    with_also,
)
from testbed.explain.client_texts.vocabulary import whole_words
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase, Target, bracketed

#: urllib3's pools name the host, port and path; the reason follows in the same line.
_POOL: Final = re.compile(r"\b(HTTPS?)ConnectionPool\(host='([^'\n]{1,255})', port=([0-9]{1,5})\): ([^\n]{1,1200})")
_PATH: Final = re.compile(r"\bwith url: (\S{1,1000}) \(Caused by ")
_ERRNO: Final = re.compile(
    r"\[Errno (-?[0-9]{1,3})\]|\b(?:ConnectionResetError|BrokenPipeError|OSError)\(([0-9]{1,3}), "
)
#: asyncio names who was dialled; aiohttp the host that was asked for.
_CALL: Final = re.compile(r"\bConnect call failed \('([0-9a-fA-F:.]{2,45})', ([0-9]{1,5})")
_AIOHTTP: Final = re.compile(r"\bCannot connect to host (\S{1,255}):([0-9]{1,5}) ssl:")
_RESOLVED: Final = re.compile(r"\bFailed to resolve '([^'\n]{1,255})'")

#: What a line of Python's may be, where no pool is named: the exception's name, or urllib's wrapping, or the number.
_LINE: Final = re.compile(
    r"(?:<urlopen error |\('Connection aborted\.', |\b(?:[A-Za-z_]{1,40}\.){0,4}"
    r"(?:ConnectionRefusedError|ConnectionResetError|BrokenPipeError|TimeoutError|OSError|PermissionError|gaierror"
    r"|RemoteDisconnected|SSLError|SSLEOFError|SSLCertVerificationError|ConnectError|ConnectTimeout|ReadTimeout"
    r"|RemoteProtocolError|ServerDisconnectedError|URLError|socket\.timeout)\b"
    r"|\bCannot connect to host |\[Errno -?[0-9]{1,3}\]|\[SSL: [A-Z_]{3,60}\]"
    r"|\bRemote end closed connection without response|\bAll connection attempts failed"
    r"|\bThe (?:handshake|read|write) operation timed out)[^\n]{0,600}"
)
#: aiohttp drops the errno; httpx (anyio) tried several addresses.
_CONNECT_FAILED: Final = re.compile(r"\bConnect call failed|\bAll connection attempts failed")
_CONNECT_HINT: Final = "The text is the same for refused, no route and unreachable."
_READ_HINT: Final = "The other end accepted and sent nothing in time: TLS or the answer, the text does not say which."


def find(text: str) -> Pasted | None:
    """What Python said: the line that names the host where there is one, else the first that is known."""
    for match in _POOL.finditer(text):
        scheme, host, port, rest = match.groups()
        path = _PATH.search(rest)
        target = url(f"{scheme.lower()}://{bracketed(host.strip('[]'))}:{port}{path.group(1) if path else ''}")
        if found := _told(match.group().rstrip(), rest, target):
            return found
    for match in _LINE.finditer(text):
        call, host = _CALL.search(match.group()), _AIOHTTP.search(match.group())
        place = tcp(*host.groups()) if host else tcp(*call.groups()) if call else None
        if found := _told(match.group().rstrip(), match.group(), typed(text, place)):
            # asyncio names every address of the name.
            return with_also(found, [as_address(one.group(1)) for one in _CALL.finditer(match.group())])
    return None


def _told(text: str, words: str, target: Target | None) -> Pasted | None:
    said, call, resolved = _ERRNO.search(words), _CALL.search(words), _RESOLVED.search(words)
    proxy = cause_in(words) is Cause.PROXY
    if said is not None:
        address = as_address(call.group(1) if call else target.host if target and not proxy else "")
        port = as_port(call.group(2)) if call else None
        name = resolved.group(1) if resolved else ""
        value = int(said.group(1) or said.group(2))
        found = from_errno(Client.PYTHON, value, text, target, address=address, port=port, name=name)
        return found if found.outcome is not Outcome.INCONCLUSIVE else None
    if "getaddrinfo failed" in words:
        # Windows' words of any EAI error (socketmodule.c, set_gaierror).
        name = target.host if target else ""
        return several(
            Client.PYTHON, (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED), text, target, NAMES_HINT, name=name
        )
    if _CONNECT_FAILED.search(words):
        found = several(Client.PYTHON, CONNECT_OUTCOMES, text, target, _CONNECT_HINT)
        return replace(found, address=as_address(call.group(1))) if call else found
    for pattern, outcome, phase in _WORDS:
        if pattern.search(words):
            hint = _READ_HINT if pattern is _READ_TIMEOUT else None
            return plain(Client.PYTHON, outcome, text, target, phase=phase, hint=hint)
    # aiohttp leaves the number out where the name was not found.
    if (number := next((number for _, number in whole_words(words)), None)) is not None:
        return from_errno(Client.PYTHON, number, text, target, name=target.host if target else "")
    return None


_READ_TIMEOUT: Final = re.compile(r"\bRead timed out\.|\bReadTimeout\b|The read operation timed out")
#: First match wins. Without a phase it is the earliest one that the outcome has for the target's scheme.
_WORDS: Final[tuple[tuple[re.Pattern[str], Outcome, Phase | None], ...]] = (
    (re.compile(r"\bhandshake operation timed out"), Outcome.TIMED_OUT, Phase.TLS),
    (re.compile(r"\bConnectTimeout|timed out\. \(connect timeout="), Outcome.TIMED_OUT, Phase.CONNECT),
    (_READ_TIMEOUT, Outcome.TIMED_OUT, Phase.TLS),
    (re.compile(r"UNEXPECTED_EOF_WHILE_READING|SSLEOFError|SSLZeroReturnError"), Outcome.CLOSED, Phase.TLS),
    (re.compile(r"\[SSL[:\]]|\bSSL\w{0,40}Error\b|mismatch, certificate is not valid"), Outcome.TLS_FAILED, Phase.TLS),
    (
        re.compile(r"\bRemoteDisconnected|Remote end closed connection|\bServer disconnected\b"),
        Outcome.CLOSED,
        Phase.HTTP,
    ),
    (re.compile(r"\btimed out\b"), Outcome.TIMED_OUT, Phase.CONNECT),
    (re.compile(r"^(?:asyncio\.(?:exceptions\.)?|socket\.)?TimeoutError$"), Outcome.TIMED_OUT, Phase.CONNECT),
    (re.compile(r"\btoo many (?:\d{1,3} )?error responses"), Outcome.HTTP_STATUS, Phase.HTTP),
)
