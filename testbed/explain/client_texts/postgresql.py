"""libpq, in whatever it is embedded (psql, psycopg, PHP, Ruby, Diesel), psycopg 3, pg_isready, pgx, node-postgres."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, LOST, PLACE, TIMED_OUT, UNREACHED, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

_FOR_BOTH: Final = "The text is the same for both."

FAMILIES: Final = (
    Family(
        Client.POSTGRESQL,
        "PostgreSQL, src/interfaces/libpq/fe-connect.c (emitHostIdentityInfo since 14, connectFailureMessage before), "
        "fe-misc.c (pqsecure_read has one text for end of file and ECONNRESET)",
        (
            Phrase(
                r"\bconnection to server at \"{host}\"(?: \({address}\))?, port {port} failed: "
                r"(?:could not (?:receive|send) data (?:from|to) server: )?server closed the connection unexpectedly",
                LOST,
                Phase.CONNECT,
                hint=_FOR_BOTH,
            ),
            Phrase(
                r"\bconnection to server at \"{host}\"(?: \({address}\))?, port {port} failed: (?:connection )?"
                r"timeout expired",
                TIMED_OUT,
                Phase.CONNECT,
            ),
            # "::1" stands in the host's place where an address was asked for.
            Phrase(r"\bconnection to server at \"{host}\"(?: \({address}\))?, port {port} failed: {words}"),
            Phrase(r"\bconnection to server at \"{address}\", port {port} failed: {words}"),
            Phrase(
                r"\bcould not connect to server: (?P<words>[^\n]{1,100}?)\s{0,40}(?:[^\n|]{0,60}\|\s{1,12})?"
                r"Is the server running on host \"{host}\"(?: \({address}\))? and accepting\s{1,40}"
                r"TCP/IP connections on port {port}\?"
            ),
            Phrase(
                r"\bcould not connect to server: (?P<words>[^\n]{1,100}?)\s{0,40}"
                r"Is the server running on host \"{address}\" and accepting\s{1,40}TCP/IP connections on port {port}\?"
            ),
            Phrase(r"\bIs the server running on host \"{host}\"(?: \({address}\))? and accepting", PLACE),
            Phrase(r"\bTCP/IP connections on port {port}\?", PLACE),
            Phrase(r"\bcould not connect to server: {words}"),
            Phrase(r"\bcould not translate host name \"{host}\" to address: {words}", otherwise=UNRESOLVED),
            Phrase(r"\bfailed to resolve host '{host}': {words}", otherwise=UNRESOLVED),
            Phrase(r"\bserver closed the connection unexpectedly", LOST, hint=_FOR_BOTH),
            Phrase(r"\bcould not receive data from server: {words}"),
            Phrase(r"\bpsql{any} -h ?{host}(?: {any}-p ?{port})?\b", PLACE),
        ),
        0,
    ),
    Family(
        Client.POSTGRESQL,
        "PostgreSQL, src/bin/scripts/pg_isready.c; pgx, pgconn/errors.go; psycopg_pool; node-postgres, client.js",
        (
            Phrase(r"(?<!\S){host}:{port} - no response", UNREACHED),
            Phrase(r"(?<!\S){address}:{port} \({host}\): (?:dial|tls|server) error", PLACE),
            Phrase(r"\bfailed to connect to `host={host} ", PLACE),
            Phrase(r"\bcouldn't get a connection after [0-9.]{1,9} sec", UNREACHED),
            Phrase(r"\bConnection terminated (?:unexpectedly|due to connection timeout)", (*TIMED_OUT, *LOST)),
            Phrase(r"\btimeout exceeded when trying to connect", TIMED_OUT),
            Phrase(r"\bpq: SSL is not enabled on the server", CLOSED),
        ),
        5432,
    ),
    Family(
        Client.UNKNOWN,
        "crystal-db, src/db/error.cr: one class for whatever kept its driver from connecting",
        (Phrase(r"\bDB::ConnectionRefused\b", UNREACHED),),
    ),
)
