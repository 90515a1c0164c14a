"""Who may speak to the service: the frontend, from its address and with its token. Pure.

An address alone is a claim that a neighbour on the bridge can make for himself (ARP believes whoever speaks last), and
a token alone answers everybody until it leaks. Asked for both, whoever is turned away is told which one he lacks.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """What somebody who may not ask is told."""

    status: int
    error: str


def refusal(peer: str, authorization: str, *, frontend: str, token: str) -> Refusal | None:
    """Whether somebody is turned away: 403 who is not the frontend (RFC 9110, 15.5.4), 401 who only has its address.

    :param peer: the address at the other end of the connection
    :param authorization: the header's value, ``Bearer TOKEN`` (RFC 6750)
    """
    if peer != frontend:
        return Refusal(403, f"orders are taken from the frontend only, and {peer} is not it")
    if not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        return Refusal(401, "the frontend's address, and not its token")
    return None
