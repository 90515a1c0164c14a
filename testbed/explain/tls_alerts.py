"""TLS alerts: their numbers, and the words of clients for one that the server sent. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

HANDSHAKE_FAILURE: Final = 40
INSUFFICIENT_SECURITY: Final = 71
PROTOCOL_VERSION: Final = 70
INAPPROPRIATE_FALLBACK: Final = 86
UNRECOGNIZED_NAME: Final = 112
CERTIFICATE_REQUIRED: Final = 116
NO_APPLICATION_PROTOCOL: Final = 120


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert (RFC 8446, 6; the registry is IANA's "TLS Alerts")."""

    number: int
    name: str
    """As RFC 8446 writes it, with underscores."""
    words: tuple[str, ...]
    """The words of OpenSSL (ssl/ssl_err.c, after ``alert``) and Go (crypto/tls/alert.go) for it, in lower case."""


#: Those that a server sends to a client whose certificate it does not take, or that has none (RFC 8446, 6.2): the
#: certificate that an alert is about is that of the end that gets it.
ABOUT_THE_CLIENTS_CERTIFICATE: Final = frozenset({42, 43, 44, 45, 46, 48, 49, CERTIFICATE_REQUIRED})

_ALL: Final = (
    Alert(10, "unexpected_message", ("unexpected message",)),
    Alert(20, "bad_record_mac", ("bad record mac",)),
    Alert(HANDSHAKE_FAILURE, "handshake_failure", ("handshake failure",)),
    Alert(42, "bad_certificate", ("bad certificate",)),
    Alert(43, "unsupported_certificate", ("unsupported certificate",)),
    Alert(44, "certificate_revoked", ("certificate revoked", "revoked certificate")),
    Alert(45, "certificate_expired", ("certificate expired", "expired certificate")),
    Alert(46, "certificate_unknown", ("certificate unknown", "unknown certificate")),
    Alert(47, "illegal_parameter", ("illegal parameter",)),
    Alert(48, "unknown_ca", ("unknown ca", "unknown certificate authority")),
    Alert(49, "access_denied", ("access denied",)),
    Alert(50, "decode_error", ("decode error", "error decoding message")),
    Alert(51, "decrypt_error", ("decrypt error", "error decrypting message")),
    Alert(PROTOCOL_VERSION, "protocol_version", ("protocol version not supported", "protocol version")),
    Alert(INSUFFICIENT_SECURITY, "insufficient_security", ("insufficient security level", "insufficient security")),
    Alert(80, "internal_error", ("internal error",)),
    Alert(INAPPROPRIATE_FALLBACK, "inappropriate_fallback", ("inappropriate fallback",)),
    Alert(109, "missing_extension", ("missing extension",)),
    Alert(110, "unsupported_extension", ("unsupported extension",)),
    Alert(UNRECOGNIZED_NAME, "unrecognized_name", ("unrecognized name",)),
    Alert(CERTIFICATE_REQUIRED, "certificate_required", ("certificate required",)),
    Alert(NO_APPLICATION_PROTOCOL, "no_application_protocol", ("no application protocol",)),
)
_BY_NUMBER: Final[Mapping[int, Alert]] = MappingProxyType({alert.number: alert for alert in _ALL})
_BY_WORDS: Final[Mapping[str, Alert]] = MappingProxyType(
    {word: alert for alert in _ALL for word in (*alert.words, alert.name.replace("_", " "))}
)
_WORDS: Final = "|".join(re.escape(word) for word in sorted(_BY_WORDS, key=len, reverse=True))
#: OpenSSL beneath Node.js and in its own logs prints the number (ssl/record/rec_layer_s3.c).
_NUMBER: Final = re.compile(r"\balert number ([0-9]{1,3})\b", re.IGNORECASE)
#: OpenSSL: ``tlsv13 alert certificate required``, ``tlsv1 unrecognized name``; from 3.2 on ``ssl/tls alert ...``. Go:
#: ``remote error: tls: ...``. Java: ``Received fatal alert: certificate_required``.
_SAID: Final = re.compile(
    rf"(?:\b(?:sslv3|tlsv1[123]?|ssl/tls)[ _](?:alert[ _])?|remote error: tls: |fatal alert: )({_WORDS})",
    re.IGNORECASE,
)


def alert_in(text: str) -> Alert | None:
    """The alert that a client says it got from the server; None where it says none that is known."""
    number = _NUMBER.search(text)
    if number is not None:
        return _BY_NUMBER.get(int(number.group(1)))
    said = _SAID.search(text.replace("_", " "))
    return _BY_WORDS[said.group(1).lower()] if said is not None else None
