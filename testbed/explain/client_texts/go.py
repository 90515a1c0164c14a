"""Go's net/http and what is built on it: Portainer, Podman, Docker."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from testbed.explain.client_texts.places import as_address, tcp, url
from testbed.explain.client_texts.said import Client, Pasted, cause_in, hint_of
from testbed.explain.codes import Cause
from testbed.model import Outcome, Phase, Scheme
from testbed.probe import go_text

_TIMEOUT_HINT: Final = (
    "Go's text is the same for a SYN that was dropped, for a peer that accepts and says nothing, and for a slow "
    "answer: a plain TCP connection from the same place tells which."
)
_NAME_FIRST_HINT: Final = "Go checks the name first: the certificate may be untrusted as well."
_SSRF_HINT: Final = "Portainer itself refused to dial that address: its allowlist does not have it."


def find(text: str) -> Pasted | None:
    """What Go said."""
    found = go_text.find(text)
    if found is None:
        return None
    failure = found.failure
    target = (
        url(found.url) if found.url else tcp(str(found.address), found.port) if found.address and found.port else None
    )
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


def _hint(found: go_text.GoText, code: Cause | None) -> str:
    if found.failure.outcome is Outcome.TIMED_OUT and found.failure.phase is Phase.CONNECT and found.address is None:
        return _TIMEOUT_HINT
    if found.failure.outcome is Outcome.PROHIBITED and "ssrf:" in found.text:
        return _SSRF_HINT
    if code is Cause.CERTIFICATE_OTHER_NAME:
        return _NAME_FIRST_HINT
    return hint_of(found.failure.outcome)
