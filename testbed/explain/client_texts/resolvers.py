"""Tools that ask a resolver, and texts that say only that: dig, host, nslookup, resolvectl, getent."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import NO_NAME, RESOLVER_FAILED, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client

FAMILIES: Final = (
    Family(
        Client.RESOLVER,
        "BIND 9, bin/dig/dighost.c, bin/dig/host.c, bin/dig/nslookup.c; BusyBox, networking/nslookup.c",
        (
            Phrase(r"\bcommunications error to {resolver}#[0-9]{1,5}: [^\n]{1,60}", RESOLVER_FAILED),
            Phrase(r"\bno servers could be reached\b", RESOLVER_FAILED),
            Phrase(r"\*\* server can't find {host}: NXDOMAIN", NO_NAME),
            Phrase(r"\*\* server can't find {host}: (?:SERVFAIL|REFUSED)", RESOLVER_FAILED),
            Phrase(r"\bHost {host} not found: 3\(NXDOMAIN\)", NO_NAME),
            Phrase(r"\bHost {host} not found: [0-9]\((?:SERVFAIL|REFUSED)\)", RESOLVER_FAILED),
            Phrase(r"\bcan't resolve '{host}'", UNRESOLVED),
        ),
    ),
    Family(
        Client.RESOLVER,
        "systemd, src/resolve/resolvectl.c",
        (
            Phrase(r"\b{host}: resolve call failed: (?:Name )?'\S{1,255}' not found", NO_NAME),
            Phrase(r"\b{host}: resolve call failed: [^\n]{1,100}", RESOLVER_FAILED),
        ),
    ),
    Family(
        Client.UNKNOWN,
        "glibc and musl, gai_strerror; whoever prints getaddrinfo with its text",
        (
            Phrase(r"\bgetaddrinfo(?:\(\))?(?: failed)?(?: for (?:host )?[\"']?{host}[\"']?)?: {words}"),
            Phrase(r"\b[Cc]ould(?: not|n't) resolve (?:host(?:name)?|address|name)?:? ?[\"'`]?{host}[\"'`]?: {words}"),
            Phrase(r"\b[Cc]ould(?: not|n't) resolve host(?:name)?:? ?[\"'`]?{host}\b", UNRESOLVED),
        ),
    ),
)
