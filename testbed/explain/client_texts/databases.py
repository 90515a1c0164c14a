"""Databases' clients that have no module of their own: ODBC's SQL Server driver, Neo4j, Knex."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    REFUSED,
    RESET,
    TIMED_OUT,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client

FAMILIES: Final = (
    Family(
        Client.ODBC,
        "Microsoft ODBC Driver for SQL Server: SNI's errors, which are Winsock's or errno(3) in hexadecimal",
        (
            Phrase(r"\bTCP Provider: Error code 0x(?:274D|6F)\b", REFUSED),
            Phrase(r"\bTCP Provider: Error code 0x(?:274C|6E)\b", TIMED_OUT),
            Phrase(r"\bTCP Provider: Error code 0x(?:2746|68)\b", RESET),
            Phrase(r"\bTCP Provider: Error code 0x(?:2AF9|2AFA)\b", UNRESOLVED),
            Phrase(r"\bTCP Provider: (?:No such host is known|Error code 0x[0-9A-Fa-f]{1,8})", UNREACHED),
            Phrase(r"\bODBC Driver [0-9]{1,3} for SQL Server[\] :]{1,4}Login timeout expired", UNREACHED),
        ),
        1433,
    ),
    Family(
        Client.PYTHON,
        "Neo4j Python driver, neo4j/_async_compat/network/_bolt_socket.py",
        (
            Phrase(
                r"\bCouldn't connect to {host}:{port} \(resolved to {lines}"
                r"Address\(\('{address}', {port}[^)\n]{0,12}\)\)"
                r" \(reason (?:\[Errno {number}\] )?{words}\)"
            ),
            Phrase(r"\bCouldn't connect to {host}:{port} \(resolved to ", UNREACHED),
        ),
        7687,
    ),
    Family(
        Client.PYTHON,
        "Cassandra Python driver, cassandra/connection.py (_connect_socket)",
        (
            Phrase(
                r"\b[A-Za-z]{0,40}Error\({number}, \"Tried connecting to \[\('{address}', {port}[^)\n]{0,12}\)"
                r"[^\n]{0,300}?Last error: {words}\""
            ),
        ),
        9042,
    ),
    Family(
        Client.NODE,
        "Knex, lib/client.js; ofetch, src/error.ts; engine.io-client, lib/transports/polling-xhr.ts",
        (
            Phrase(r"\bKnex: Timeout acquiring a connection\b", UNREACHED),
            Phrase(r"\[[A-Z]{3,7}\] \"{url}\": <no response> ?{any}(?:fetch failed|Failed to fetch)", UNREACHED),
            Phrase(r"\bError: (?:xhr poll|websocket) error\b", UNREACHED),
        ),
    ),
    Family(
        Client.PYTHON,
        "openai-python, src/openai/_exceptions.py (APIConnectionError, APITimeoutError)",
        (
            Phrase(r"\bAPIConnectionError: Connection error\.", UNREACHED),
            Phrase(r"\bAPITimeoutError: Request timed out\.", TIMED_OUT),
        ),
    ),
)
