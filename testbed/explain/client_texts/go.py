"""Go's net/http and what is built on it: Portainer, Podman, Docker."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import HOST, as_address, tcp, url
from testbed.explain.client_texts.said import Client, Pasted, cause_in, hint_of
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase, Scheme, Target
from testbed.probe import go_text

_TIMEOUT_HINT: Final = (
    "Go's text is the same for a SYN that was dropped, for a peer that accepts and says nothing, and for a slow "
    "answer: a plain TCP connection from the same place tells which."
)
_NAME_FIRST_HINT: Final = "Go checks the name first: the certificate may be untrusted as well."
#: Programs put the place that they were told to dial in front of net.OpError, with the same port.
_NAMED: Final = re.compile(rf"({HOST}):([0-9]{{1,5}})[\"')]{{0,3}}: $")
_SSRF_HINT: Final = "Portainer itself refused to dial that address: its allowlist does not have it."


def find(text: str) -> Pasted | None:
    """What Go said."""
    found = go_text.find(text)
    if found is None:
        return None
    failure = found.failure
    target = url(found.url) if found.url else _named(text, found)
    code = cause_in(found.text)
    if code is None and failure.outcome is Outcome.HTTP_STATUS:
        code = Cause.HTTP_STATUS
    pasted = Pasted(
        client=Client.GO,
        outcome=failure.outcome,
        phase=failure.phase,
        errno=failure.errno,
        target=target,
        address=found.address or (as_address(target.host) if target and code is not Cause.PROXY else None),
        port=found.port or (target.port if target else None),
        resolver=found.resolver,
        text=found.text,
        hint=_hint(found, code),
        code=code,
        name=found.name,
    )
    if code is Cause.PLAIN_TO_TLS or (failure.phase is Phase.TLS and target and target.scheme is Scheme.HTTP):
        return replace(pasted, phase=Phase.HTTP)
    return pasted


def _named(text: str, found: go_text.GoText) -> Target | None:
    """The place that was dialled, by the name that stands in front of it where there is one."""
    if found.address is None or not found.port:
        return None
    start = text.find(found.text)
    named = _NAMED.search(text[max(0, start - 300) : start]) if start > 0 else None
    by_name = tcp(*named.groups()) if named and int(named.group(2)) == found.port else None
    return by_name or tcp(str(found.address), found.port)


def _hint(found: go_text.GoText, code: Cause | None) -> str:
    if found.failure.outcome is Outcome.TIMED_OUT and found.failure.phase is Phase.CONNECT and found.address is None:
        return _TIMEOUT_HINT
    if found.failure.outcome is Outcome.PROHIBITED and "ssrf:" in found.text:
        return _SSRF_HINT
    if code is Cause.CERTIFICATE_OTHER_NAME:
        return _NAME_FIRST_HINT
    return hint_of(found.failure.outcome)
