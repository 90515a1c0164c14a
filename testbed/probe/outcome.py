"""From what the kernel or a library said to the closed set of outcomes. Pure."""

from __future__ import annotations

import ssl

from testbed.errnos import OUTCOMES
from testbed.model import Outcome


def of_error(error: OSError) -> Outcome:
    """The outcome that an error of connecting, TLS or reading means."""
    if isinstance(error, TimeoutError):
        return Outcome.TIMED_OUT
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Outcome.CLOSED
    if isinstance(error, ssl.SSLError):
        return Outcome.TLS_FAILED
    return OUTCOMES.get(error.errno or 0, Outcome.INCONCLUSIVE)
