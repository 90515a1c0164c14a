"""Why a client refuses a server's certificate, by its own code or words, and whom a certificate is for. Pure."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

from testbed.explain.case import as_address
from testbed.model import Certificate, Observation


class Refusal(Enum):
    """Why a client refuses a certificate."""

    SELF_SIGNED = auto()
    """It is signed by its own key, and not itself trusted."""
    ROOT_NOT_TRUSTED = auto()
    """The server sends the chain up to its root, and that is not trusted."""
    ISSUER_MISSING = auto()
    """The issuer of the last certificate is neither sent nor trusted."""
    NOT_TRUSTED = auto()
    """One of the three above: the words do not say which."""
    OTHER_NAME = auto()
    EXPIRED = auto()
    NOT_YET_VALID = auto()
    EXPIRED_OR_NOT_YET_VALID = auto()
    """One of the two: the words do not say which."""


#: X509_V_ERR_... (include/openssl/x509_vfy.h.in).
_BY_CODE: Final = {
    2: Refusal.ISSUER_MISSING,
    9: Refusal.NOT_YET_VALID,
    10: Refusal.EXPIRED,
    18: Refusal.SELF_SIGNED,
    19: Refusal.ROOT_NOT_TRUSTED,
    20: Refusal.ISSUER_MISSING,
    21: Refusal.ISSUER_MISSING,
    62: Refusal.OTHER_NAME,
    64: Refusal.OTHER_NAME,
}
#: The first that a text has. OpenSSL (crypto/x509/x509_txt.c) beneath curl, Python and Node.js, whose own codes are
#: those of X509_V_ERR_...; Go (crypto/x509/verify.go); Java (sun.security.validator, sun.security.provider.certpath).
_BY_WORDS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), refusal)
    for pattern, refusal in (
        (r"expired or is not yet valid: current time \S+ is after", Refusal.EXPIRED),
        (r"expired or is not yet valid: current time \S+ is before", Refusal.NOT_YET_VALID),
        (r"expired or (is )?not yet valid", Refusal.EXPIRED_OR_NOT_YET_VALID),
        (r"not yet valid|CERT_NOT_YET_VALID|NotBefore", Refusal.NOT_YET_VALID),
        (r"certificate( has)? expired|CERT_HAS_EXPIRED|NotAfter", Refusal.EXPIRED),
        (
            r"valid for|mismatch|doesn't match|no alternative certificate|ALTNAME|any IP SANs|No subject alternative",
            Refusal.OTHER_NAME,
        ),
        (r"self.signed certificate in (the )?(certificate )?chain|SELF_SIGNED_CERT_IN_CHAIN", Refusal.ROOT_NOT_TRUSTED),
        (r"self.signed certificate|DEPTH_ZERO_SELF_SIGNED_CERT", Refusal.SELF_SIGNED),
        (
            r"unable to get (local )?issuer|unable to verify the first|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)",
            Refusal.ISSUER_MISSING,
        ),
        (r"unknown authority|not trusted|PKIX path|certification path", Refusal.NOT_TRUSTED),
    )
)


def refusal_in(seen: Observation) -> Refusal | None:
    """Why the client refused the certificate; None where it is not said that it did, or not why."""
    if seen.handshake is not None and seen.handshake.verify_code is not None:
        return _BY_CODE.get(seen.handshake.verify_code)
    return next((refusal for pattern, refusal in _BY_WORDS if pattern.search(seen.text)), None)


def is_for(certificate: Certificate, host: str) -> bool:
    """Tell if a certificate is for a name or address, by its subjectAltName alone (RFC 9525, 6)."""
    return any(_is_for(name, host) for name in certificate.names)


def _is_for(name: str, host: str) -> bool:
    """Tell if a name of a certificate is that of a host: a * stands for the first label (RFC 9525, 6.3)."""
    address = as_address(host)
    if address is not None:
        return as_address(name) == address
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        return name[2:] == host.partition(".")[2] and bool(host.partition(".")[0])
    return name == host
