"""Package managers and downloaders: apt, apk, dnf, GNU Wget and Wget2, git, rsync."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    LOST,
    PLACE,
    RESOLVER_FAILED,
    TLS,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

_FETCHING: Final = r"(?:Failed to fetch|Err:?[0-9]{0,4}) {url}{lines}"

FAMILIES: Final = (
    Family(
        Client.APT,
        "apt, methods/connect.cc, methods/http.cc, methods/basehttp.cc",
        (
            Phrase(
                _FETCHING + r"\b(?:Could not connect to|Cannot initiate the connection to) \S{1,255}:{port}"
                r" \({address}\)[,.] {words}"
            ),
            Phrase(
                _FETCHING
                + r"(?P<words>Connection failed|Connection timed out|Connection refused) \[IP: {address} [0-9]{1,5}\]"
            ),
            Phrase(_FETCHING + r"\bConnection failed \[IP: {address} [0-9]{1,5}\]", UNREACHED),
            Phrase(_FETCHING + r"\bTemporary failure resolving '", RESOLVER_FAILED),
            Phrase(_FETCHING + r"\b(?:Could not resolve|Something wicked happened resolving) '", UNRESOLVED),
            Phrase(
                _FETCHING + r"\bError reading from server[^\n]{0,60}Remote end closed connection", CLOSED, Phase.HTTP
            ),
            Phrase(
                r"\b(?:Could not connect to|Cannot initiate the connection to) {host}:{port} \({address}\)[,.] {words}"
            ),
            Phrase(r"{system} \[IP: {address} {port}\]"),
            Phrase(r"\[IP: {address} {port}\]", PLACE),
            Phrase(r"\bTemporary failure resolving '{host}'", RESOLVER_FAILED),
            Phrase(r"\b(?:Could not resolve|Something wicked happened resolving) '{host}(?::\w{1,20})?'", UNRESOLVED),
            Phrase(r"\bUnable to connect to {host}:(?:http|https):", UNREACHED),
            Phrase(
                r"\bError reading from server[^\n]{0,60}Remote end closed connection(?: \[IP: {address} {port}\])?",
                CLOSED,
                Phase.HTTP,
            ),
            Phrase(r"\bCertificate verification failed: [^\n]{1,200}", TLS),
        ),
        80,
    ),
    Family(
        Client.APT,
        "apk-tools, src/print.c (apk_error_str): fetching",
        (
            Phrase(r"\b(?:fetching|Ignoring|ERROR:) {url}: temporary error \(try again later\)", RESOLVER_FAILED),
            Phrase(r"\b(?:fetching|Ignoring|ERROR:) {url}: DNS (?:lookup error|[^\n]{1,60})", UNRESOLVED),
            Phrase(
                r"\b(?:fetching|Ignoring|ERROR:) {url}: (?:network error|could not connect to server) ?[^\n]{0,80}",
                UNREACHED,
            ),
            Phrase(r"\bfetching {url}: {words}"),
        ),
    ),
    Family(
        Client.WGET,
        "GNU Wget, src/connect.c, src/host.c, src/http.c, src/openssl.c; Wget2",
        (
            Phrase(r"\bConnecting to {host} \([^)\n]{1,255}\)\|\[?{address}\]?\|:{port}\.\.\.\s{0,3}failed: {words}"),
            Phrase(r"\bConnecting to {host}\|\[?{address}\]?\|:{port}\.\.\.\s{0,3}failed: {words}"),
            Phrase(r"\bConnecting to {host}:{port}\.\.\.\s{0,3}failed: {words}"),
            # In other languages' order of words (wget, po).
            Phrase(
                r"(?<!\S){host} \([^)\n]{1,255}\)\|\[?{address}\]?\|:{port}[^\n|]{0,40}[.\u2026]{1,3}[^\n:]{0,40}: ?"
                r"{words}"
            ),
            Phrase(r"\|\[?{address}\]?\|:{port}\s?[.\u2026]{1,3}\s{0,3}[^\s:]{3,40}: {words}"),
            Phrase(r"\bunable to resolve host address [\u2018'`\"]{host}[\u2019'\"]", UNRESOLVED),
            Phrase(r"\bResolving {host} \([^)\n]{1,255}\)\.\.\. failed: {words}", otherwise=UNRESOLVED),
            Phrase(r"\bConnecting to {host} \([^)\n]{1,255}\)\|\[?{address}\]?\|:{port}\.\.\. connected", PLACE),
            Phrase(r"\bRead error \({words}\) in headers"),
            Phrase(r"\bNo data received\b", CLOSED, Phase.HTTP),
            Phrase(r"\bUnable to establish SSL connection", (*TLS, *LOST)),
            Phrase(r"\bcannot verify {host}'s certificate[^\n]{0,300}", TLS),
        ),
    ),
    Family(
        Client.UNKNOWN,
        "git, connect.c (git_tcp_connect_sock)",
        (
            Phrase(r"\bunable to connect to {host}:\n?\s{0,4}\S{1,255}?\[[0-9]{1,3}: {address}\]: errno={words}"),
            Phrase(r"\bUnable to look up {host} \(port {port}\) \({words}\)", otherwise=UNRESOLVED),
        ),
        9418,
    ),
    Family(
        Client.UNKNOWN,
        "rsync, socket.c (open_socket_out)",
        (
            Phrase(
                r"\brsync: {any}failed to connect to {host} \({address}\): (?P<words>[^\n(]{3,100}?) \([0-9]{1,3}\)"
            ),
            Phrase(r"\brsync: {any}failed to connect to {host}: (?P<words>[^\n(]{3,100}?) \([0-9]{1,3}\)"),
        ),
        873,
    ),
    Family(
        Client.UNKNOWN,
        "Postfix, src/smtp/smtp_connect.c; ldap_err2string(3)",
        (
            Phrase(r"\bconnect to {host}\[{address}\]:{port}: {words}"),
            Phrase(r"\bName service error for name={host} type=\w{1,6}: {words}", otherwise=UNRESOLVED),
            Phrase(r"\bCan't contact LDAP server\b", UNREACHED),
            Phrase(
                r"\bConnection to {host} failed \(Error NT_STATUS_(?P<words>[A-Z]{3,20}_?[A-Z]{0,20})\)",
                otherwise=UNREACHED,
            ),
        ),
        25,
    ),
)
