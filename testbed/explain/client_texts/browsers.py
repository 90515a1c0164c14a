"""Browsers, and what drives them: Chromium's net errors, Firefox's neterror pages, Safari's CFNetwork."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    HOST_UNREACHABLE,
    NO_NAME,
    REFUSED,
    RESET,
    RESOLVER_FAILED,
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

#: net/base/net_error_list.h.
_CHROMIUM: Final = (
    (r"ERR_CONNECTION_REFUSED", REFUSED, None),
    (r"ERR_(?:CONNECTION_)?TIMED_OUT", TIMED_OUT, None),
    (r"ERR_ADDRESS_UNREACHABLE", HOST_UNREACHABLE, None),
    (r"ERR_INTERNET_DISCONNECTED", (Outcome.NETWORK_UNREACHABLE,), None),
    (r"ERR_(?:NETWORK_ACCESS_DENIED|NETWORK_ACCESS_REVOKED)", (Outcome.PROHIBITED,), None),
    (r"ERR_(?:NAME_NOT_RESOLVED|ICANN_NAME_COLLISION)", UNRESOLVED, None),
    (r"ERR_(?:NAME_RESOLUTION_FAILED|DNS_TIMED_OUT|DNS_SERVER_FAILED)", RESOLVER_FAILED, None),
    (r"DNS_PROBE_FINISHED_NXDOMAIN", NO_NAME, None),
    (r"DNS_PROBE_(?:FINISHED_NO_INTERNET|FINISHED_BAD_CONFIG|POSSIBLE|STARTED)", UNRESOLVED, None),
    (r"ERR_(?:CONNECTION_RESET|CONNECTION_ABORTED)", RESET, None),
    (r"ERR_EMPTY_RESPONSE", CLOSED, Phase.HTTP),
    (r"ERR_(?:CONNECTION_CLOSED|SSL_UNEXPECTED_EOF)", CLOSED, None),
    (r"ERR_(?:CONNECTION_FAILED|ADDRESS_INVALID)", UNCONNECTED, None),
    (r"ERR_(?:SSL_|CERT_|BAD_SSL_)\w{3,60}", TLS, None),
)
#: toolkit/locales/en-US/toolkit/neterror, netwerk/base/nsNetError; security/nss (SSLerrs.h, SECerrs.h).
_FIREFOX: Final = (
    (r"NS_ERROR_CONNECTION_REFUSED", REFUSED, None),
    (r"NS_ERROR_NET_TIMEOUT", TIMED_OUT, None),
    (r"NS_ERROR_UNKNOWN_HOST", UNRESOLVED, None),
    (r"(?:NS_ERROR_NET_RESET|PR_CONNECT_RESET_ERROR)", RESET, None),
    (r"(?:NS_ERROR_NET_(?:INTERRUPT|EMPTY_RESPONSE)|PR_END_OF_FILE_ERROR)", CLOSED, None),
    (r"(?:SSL_ERROR|SEC_ERROR|MOZILLA_PKIX_ERROR)_\w{3,60}", TLS, None),
)
#: Where the sentence of an error page begins: a line of its own, or behind the heading where the lines were joined.
_PAGE: Final = r"(?:(?<![^\n])|\breached[ .]{1,3})"
_WITH_URL: Final = r"(?:net::)?{} at {{url}}"


def _codes(table: tuple[tuple[str, tuple[Outcome, ...], Phase | None], ...]) -> tuple[Phrase, ...]:
    """Each code with the URL behind it where drivers (Playwright, Puppeteer, Selenium) put one, and alone."""
    return (
        *(Phrase(_WITH_URL.format(code), outcomes, phase) for code, outcomes, phase in table),
        *(
            Phrase(rf"{{url}}[\"']? (?:failed: [^\n]{{0,80}})?net::{code}", outcomes, phase)
            for code, outcomes, phase in table
        ),
        *(Phrase(rf"\b{code}\b", outcomes, phase) for code, outcomes, phase in table),
    )


FAMILIES: Final = (
    Family(
        Client.BROWSER,
        "Chromium, net/base/net_error_list.h and components/error_page (error_page_strings.grdp)",
        (
            *_codes(_CHROMIUM),
            Phrase(_PAGE + r"{host} refused to connect\b", REFUSED),
            Phrase(_PAGE + r"{host} took too long to respond\b", TIMED_OUT),
            Phrase(_PAGE + r"{host}['\u2019]s (?:server )?(?:IP address|DNS address) could not be found", UNRESOLVED),
            Phrase(_PAGE + r"{host} unexpectedly closed the connection\b", CLOSED),
            Phrase(_PAGE + r"{host} didn['\u2019]t send any data\b", CLOSED, Phase.HTTP),
            Phrase(r"\bWebSocket connection to '{url}' failed\b", UNREACHED),
        ),
    ),
    Family(
        Client.BROWSER,
        "Firefox, toolkit/locales/en-US/toolkit/neterror/netError.ftl, docshell/base/nsDocShell.cpp (about:neterror)",
        (
            *_codes(_FIREFOX),
            Phrase(r"about:neterror\?e=connectionFailure&u={encoded}", UNCONNECTED),
            Phrase(r"about:neterror\?e=netTimeout&u={encoded}", TIMED_OUT),
            Phrase(r"about:neterror\?e=dnsNotFound&u={encoded}", UNRESOLVED),
            Phrase(r"about:neterror\?e=netReset&u={encoded}", RESET),
            Phrase(r"\bcan['\u2019]t establish a connection to the server at {host}:{port}", UNCONNECTED),
            Phrase(r"\bcan['\u2019]t establish a connection to the server at {host}(?=[.\s]|$)", UNCONNECTED),
            Phrase(r"\bThe server at {host}(?::{port})? is taking too long to respond", TIMED_OUT),
            Phrase(r"\bcan['\u2019]t (?:find|connect to) the server at {host}", UNRESOLVED),
            Phrase(r"\bThe connection to {host}(?::{port})? was interrupted", CLOSED),
            Phrase(r"\bThe connection to the server was reset while the page was loading", RESET),
        ),
    ),
    Family(
        Client.BROWSER,
        "Apple Foundation, NSURLError.h: -1001 to -1005; WHATWG Fetch, as each engine words its TypeError; axios",
        (
            Phrase(r"\bkCFErrorDomainCFNetwork[^\n]{0,20}-1004|NSURLErrorDomain Code=-1004", UNCONNECTED),
            Phrase(r"\bNSURLErrorDomain Code=-1003", UNRESOLVED),
            Phrase(r"\bNSURLErrorDomain Code=-1001", TIMED_OUT),
            Phrase(r"\bcan['\u2019]t connect to the server [\"\u201c]?{host}", UNCONNECTED),
            Phrase(r"\bAxiosError: Network Error\b|\bTypeError: Failed to fetch\b", UNREACHED),
            Phrase(r"\bNetworkError when attempting to fetch resource", UNREACHED),
        ),
    ),
)
