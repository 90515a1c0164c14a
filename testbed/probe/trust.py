"""Which certificates a client trusts. A value; who reads them from somewhere is ``testbed.readers.trust``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust store: a client with it verifies the server's certificate and its name."""

    said: str
    """Where it is, in words, such as ``/etc/ssl/certs/ca-certificates.crt of web``."""
    certificates: tuple[str, ...] = ()
    """Each in PEM (RFC 7468), roots and others: each is trusted as it stands, as by Go and curl."""
