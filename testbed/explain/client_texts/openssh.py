"""OpenSSH's client and server: connecting, and the far side of a forward (ssh.c, sshconnect.c, channels.c)."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import as_address, tcp, typed
from testbed.explain.client_texts.said import NAMES_HINT, Client, Pasted, from_errno, plain, several
from testbed.explain.client_texts.vocabulary import errno_of
from testbed.explain.codes import Cause
from testbed.model import Outcome, Target

_CHANNEL: Final = re.compile(
    r"\bchannel [0-9]{1,6}: open failed: (connect failed|administratively prohibited): ?([^\n]{0,200})"
)
_SSHD: Final = re.compile(r"\bconnect_to (\S{1,255}) port ([0-9]{1,5}): failed")
_SSHD_REFUSED: Final = re.compile(r"\brefused local port forward: [^\n]{1,300}")
_CONNECT: Final = re.compile(
    r"\b(?:ssh: )?connect to (?:host (\S{1,255})|address (\S{1,64})) port ([0-9]{1,5}): ([^\n]{1,100})"
)
_RESOLVE: Final = re.compile(r"\b(?:ssh: )?Could not resolve hostname ([^\s\"]{1,255}): ([^\n]{1,100})")
_KEX: Final = re.compile(
    r"\b(?:kex_exchange_identification|ssh_exchange_identification|banner exchange): ([^\n]{1,200})"
)
#: packet.c, sshpkt_vfatal: the line below it has the address.
_ENDED_BY: Final = re.compile(r"\bConnection (?:closed|reset) by ([0-9a-fA-F.:]{2,45}) port ([0-9]{1,5})\b")
_NO_FORWARD: Final = re.compile(r"\bCould not request local forwarding\.")

_FAR_HINT: Final = (
    "This is ssh's side: the forward listens and accepts, and whoever connects to it sees the connection closed or "
    "reset, never refused."
)
_NO_FORWARD_HINT: Final = (
    "ssh runs on without that forward (unless ExitOnForwardFailure is yes); the line before, "
    "'bind [ADDRESS]:PORT: ...', says why."
)


def find(text: str) -> Pasted | None:
    """What ssh or sshd said, other than that it cannot listen."""
    return _far_side(text) or _connect(text) or _resolve(text) or _after_connect(text)


def _far_side(text: str) -> Pasted | None:
    if channel := _CHANNEL.search(text):
        forbidden = channel.group(1) != "connect failed"
        return _far(channel.group().rstrip(), Cause.TUNNEL_FORBIDDEN if forbidden else Cause.TUNNEL_FAR_END_DOWN, None)
    if sshd := _SSHD.search(text):
        return _far(sshd.group(), Cause.TUNNEL_FAR_END_DOWN, tcp(*sshd.groups()))
    if sshd := _SSHD_REFUSED.search(text):
        return _far(sshd.group().rstrip(), Cause.TUNNEL_FORBIDDEN, None)
    return None


def _far(text: str, code: Cause, target: Target | None) -> Pasted:
    outcomes = (Outcome.CLOSED, Outcome.RESET)
    return replace(several(Client.OPENSSH, outcomes, text, target, _FAR_HINT), code=code)


def _connect(text: str) -> Pasted | None:
    for connect in _CONNECT.finditer(text):
        host, address, port, words = connect.groups()
        number = errno_of(words)
        if number is not None:
            target = typed(text, tcp(host or address, port))
            dialled = as_address(address or host)
            return from_errno(Client.OPENSSH, number, connect.group().rstrip(), target, address=dialled)
    return None


def _resolve(text: str) -> Pasted | None:
    resolve = _RESOLVE.search(text)
    if resolve is None:
        return None
    name, words = resolve.groups()
    number = errno_of(words)
    if number is None and words.lower().startswith("try again"):
        # musl's gai_strerror.c.
        number = socket.EAI_AGAIN
    if number is not None:
        return from_errno(Client.OPENSSH, number, resolve.group().rstrip(), None, name=name)
    outcomes = (Outcome.NAME_NOT_FOUND, Outcome.RESOLVER_FAILED)
    return several(Client.OPENSSH, outcomes, resolve.group().rstrip(), None, NAMES_HINT, name=name)


def _after_connect(text: str) -> Pasted | None:
    if kex := _KEX.search(text):
        outcome = Outcome.RESET if "reset by peer" in kex.group(1) else Outcome.CLOSED
        by = _ENDED_BY.search(text)
        return plain(Client.OPENSSH, outcome, kex.group().rstrip(), typed(text, tcp(*by.groups())) if by else None)
    if unbound := _NO_FORWARD.search(text):
        return plain(Client.OPENSSH, Outcome.INCONCLUSIVE, unbound.group(), None, hint=_NO_FORWARD_HINT)
    return None
