"""Rust: std::io::Error, hyper and reqwest, tonic, SQLx, r2d2, ureq, rustls, hickory-dns; Prisma's engine."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    NO_NAME,
    TIMED_OUT,
    TLS,
    UNCONNECTED,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

FAMILIES: Final = (
    Family(
        Client.RUST,
        "reqwest, src/error.rs; hyper-util, client/legacy/connect/http.rs; ureq, error.rs",
        (
            Phrase(r"\berror sending request for url \({url}\): {words}"),
            Phrase(r"\berror sending request for url \({url}\)", UNREACHED),
            Phrase(
                r"\burl: \"{url}\"[\s\S]{0,300}?ConnectError\(\"[^\"\n]{1,60}\", {address}:[0-9]{1,5}, Os"
                r" \{ code: {number}, "
                r"kind: \w{1,40}, message: \"{words}\""
            ),
            Phrase(r"\burl: \"{url}\"[\s\S]{0,300}?Os \{ code: {number}, kind: \w{1,40}, message: \"{words}\""),
            Phrase(
                r"\bhost: Some\(Domain\(\"{host}\"\)\), port: Some\({port}\)[\s\S]{0,300}?\bOs \{ code: {number}, kind"
            ),
            Phrase(r"\bConnectError\(\"[^\"\n]{1,60}\", {address}:{port}, Os \{ code: {number}, "),
            Phrase(r"\bconnect error for {address}:{port}: {any}\bOs \{ code: {number}, "),
            Phrase(r"{url}: (?:Connection|Dns) Failed: {words}"),
            Phrase(r"\bresolve dns name '{host}:{port}'", UNRESOLVED),
            Phrase(r"\bconnection closed before message completed\b", CLOSED, Phase.HTTP),
        ),
    ),
    Family(
        Client.RUST,
        "std, library/std/src/sys/pal/unix (os error); tokio; SQLx, error.rs; tokio-postgres; r2d2",
        (
            Phrase(r"\bfailed to lookup address information: {words}", otherwise=UNRESOLVED),
            Phrase(r"{system} \(os error {number}\)"),
            Phrase(r"\bOs \{ code: {number}, kind: \w{1,40}, message: \"{words}\" \}"),
            Phrase(r"\bError\(Connect, [^\n]{0,200}\bkind: {words}"),
            Phrase(r"\bPoolTimedOut\b|\bpool timed out while waiting for an open connection", UNREACHED),
            Phrase(r"\btimed out waiting for connection: {words}"),
            Phrase(r"\btimed out waiting for connection\b", UNREACHED),
            Phrase(r"\bdeadline has elapsed\b", TIMED_OUT),
            Phrase(r"\bno record found for (?:Query|name)[^\n]{0,20}\bname: (?:Name\(\")?{host}", NO_NAME),
        ),
    ),
    Family(
        Client.RUST,
        "rustls, error.rs and webpki",
        (
            Phrase(r"\binvalid peer certificate: [^\n]{1,100}", TLS),
            Phrase(r"\breceived corrupt message of type \w{1,40}", TLS),
            Phrase(r"\bpeer closed connection without sending TLS close_notify", CLOSED),
        ),
    ),
    Family(
        Client.RUST,
        "Prisma, libs/user-facing-errors/src/common.rs: P1001, P1002",
        (
            Phrase(r"\bCan't reach database server at `{host}`?:`?{port}`", (*UNCONNECTED, *UNRESOLVED)),
            Phrase(r"\bThe database server at `{host}`?:`?{port}` was reached but timed out", TIMED_OUT, Phase.HTTP),
        ),
    ),
)
