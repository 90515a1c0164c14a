"""The word of each outcome in a table. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from testbed.model import Outcome

#: What a cell shows: short enough for a column, in the words that clients use.
SHORT: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.CONNECTED: "✓",
        Outcome.REFUSED: "refused",
        Outcome.RESET: "reset",
        Outcome.CLOSED: "closed",
        Outcome.TIMED_OUT: "timed out",
        Outcome.NO_ANSWER: "no answer",
        Outcome.HOST_UNREACHABLE: "no host",
        Outcome.NETWORK_UNREACHABLE: "no route",
        Outcome.PROHIBITED: "prohibited",
        Outcome.NAME_NOT_FOUND: "no name",
        Outcome.RESOLVER_FAILED: "no resolver",
        Outcome.TLS_FAILED: "TLS failed",
        Outcome.HTTP_STATUS: "HTTP status",
        Outcome.INCONCLUSIVE: "inconclusive",
    }
)
