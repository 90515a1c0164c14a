"""Proxies where they are the client of an upstream: Envoy, HAProxy, Apache httpd 2.2 and 2.4, Squid."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    LOST,
    PLACE,
    REFUSED,
    RESET,
    TIMED_OUT,
    TLS,
    UNCONNECTED,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client
from testbed.model import Outcome, Phase

_RESET: Final = r"\bupstream connect error or disconnect/reset before headers\.{any}reset reason: (?:remote )?"

FAMILIES: Final = (
    Family(
        Client.ENVOY,
        "Envoy, source/common/http/utility.cc, router.cc (response flags) and network/connection_impl.cc",
        (
            Phrase(r"\b(?:delayed|immediate)[ _]connect[ _]error:[ _]{number}\b"),
            Phrase(r"\b(?:delayed|immediate)[ _]connect[ _]error:[ _]{words}"),
            Phrase(r"\bTLS[_ ]error: ?[^\n]{1,200}", TLS),
            Phrase(_RESET + r"connection timeout", TIMED_OUT, Phase.CONNECT),
            Phrase(_RESET + r"connection termination", CLOSED),
            Phrase(_RESET + r"(?:remote )?reset", RESET),
            Phrase(_RESET + r"connection failure", UNCONNECTED),
            Phrase(r"\bupstream connect error or disconnect/reset before headers", UNREACHED),
            Phrase(r"\bupstream_reset_before_response_started\{connection_termination", CLOSED),
            Phrase(r"\bupstream_reset_before_response_started\{connection_timeout", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bupstream_reset_before_response_started\{(?:remote_)?connection_failure", UNCONNECTED),
            Phrase(r"\bupstream request timeout\b", TIMED_OUT, Phase.HTTP),
            Phrase(r"\bno healthy upstream\b", UNREACHED),
            Phrase(r"\"upstream_host\": ?\"{address}:{port}\"", PLACE),
        ),
    ),
    Family(
        Client.HAPROXY,
        "HAProxy, src/check.c (HCHK_STATUS), src/server.c (srv_set_fqdn), configuration manual 8.5 "
        "(termination states)",
        (
            Phrase(r"\bLayer4 connection problem, info: \"(?:{any}\()?{words}\"?"),
            Phrase(r"\bLayer4 connection problem: {words}"),
            Phrase(r"\bLayer4 connection problem\b", UNCONNECTED),
            Phrase(r"\bLayer4 timeout\b", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bLayer6 timeout\b", TIMED_OUT, Phase.TLS),
            Phrase(r"\bLayer6 invalid response\b", (*TLS, *LOST)),
            Phrase(r"\bLayer7 timeout\b", TIMED_OUT, Phase.HTTP),
            Phrase(r"\bLayer7 wrong status\b", (Outcome.HTTP_STATUS,)),
            Phrase(r"\bLayer7 invalid response\b", (Outcome.HTTP_STATUS, *LOST)),
            Phrase(r"\bcould not resolve address '{host}'", UNRESOLVED),
            Phrase(r"\bis going DOWN for maintenance \(unspecified DNS error\)", UNRESOLVED),
            Phrase(r"\bNo IP for server\b|\bDNS NX status\b", UNRESOLVED),
            Phrase(r"\bhas no server available!", UNREACHED),
            Phrase(r" 50[0-9] [0-9]{1,9} - - SC-- ", REFUSED),
            Phrase(r" 50[0-9] [0-9]{1,9} - - sC-- ", TIMED_OUT, Phase.CONNECT),
            Phrase(r" 50[0-9] [0-9]{1,9} - - SH-- ", CLOSED),
            Phrase(r" 50[0-9] [0-9]{1,9} - - sH-- ", TIMED_OUT, Phase.HTTP),
        ),
    ),
    Family(
        Client.APACHE,
        "Apache httpd, modules/proxy/proxy_util.c and mod_proxy_http.c: AH00957, AH01114, AH00898, AH01102;"
        " 2.2 has the "
        "same words without numbers",
        (
            # apr_sockaddr_t of the back end, then its name and since 2.4.49 the port.
            Phrase(
                r"\({number}\)(?P<words>[^\n:()]{3,120}): (?:\[client [^\]\n]{1,80}\] )?(?:AH[0-9]{5}: )?"
                r"(?:proxy: )?\w{2,6}: "
                r"attempt to connect to {address}:{port} \((?:\*|{host}(?::[0-9]{1,5})?)\) failed"
            ),
            Phrase(
                r"{system}: (?:\[client [^\]\n]{1,80}\] )?(?:AH[0-9]{5}: )?(?:proxy: )?\w{2,6}: "
                r"attempt to connect to {address}:{port} \((?:\*|{host}(?::[0-9]{1,5})?)\) failed"
            ),
            Phrase(r"\battempt to connect to {address}:{port} \((?:\*|{host}(?::[0-9]{1,5})?)\) failed", UNCONNECTED),
            Phrase(r"\battempt to connect to {address}:{port}\b[^\n]{0,60}? failed", UNCONNECTED),
            Phrase(r"\bfailed to enable ssl support for {address}:{port} \({host}\)", TLS),
            Phrase(r"\bDNS lookup failure for: {host}", UNRESOLVED),
            Phrase(
                r"\((?P<words>(?:104|110|32)\)[^\n:()]{3,120}|70007\)The timeout|70014\)End of file)[^\n]{0,160}"
                r"error reading (?:status line|response) from remote server {host}:{port}"
            ),
            Phrase(r"\berror reading status line from remote server {host}:{port}", (*LOST, *TIMED_OUT), Phase.HTTP),
            Phrase(r"\berror reading status line from remote server {host}", (*LOST, *TIMED_OUT), Phase.HTTP),
            Phrase(r"\bfailed to make connection to backend: {host}", UNCONNECTED),
            Phrase(r"\bError reading from remote server\b", (*LOST, *TIMED_OUT), Phase.HTTP),
            Phrase(r"\bap_proxy_connect_backend disabling worker for \({host}\)", UNCONNECTED),
        ),
    ),
    Family(
        Client.UNKNOWN,
        "Squid, errors/templates/ERR_CONNECT_FAIL and ERR_DNS_FAIL",
        (
            Phrase(
                r"\bretrieve the URL: {url}{lines}\bConnection to {address} failed\.{lines}"
                r"\bThe system returned: \({number}\) {words}"
            ),
            Phrase(r"\bThe system returned: \({number}\) {words}"),
            Phrase(r"\bUnable to determine IP address from host name \"?{host}\"?", UNRESOLVED),
            Phrase(r"\bConnection to {address} failed\.", UNCONNECTED),
        ),
    ),
)
