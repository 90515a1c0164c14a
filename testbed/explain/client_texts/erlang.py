"""Erlang and Elixir: gen_tcp's reasons as DBConnection, Mint, Finch, HTTPoison, httpc and Redix print them."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, LOST, NO_NAME, PLACE, UNREACHED, Family, Phrase
from testbed.explain.client_texts.said import Client

FAMILIES: Final = (
    Family(
        Client.ERLANG,
        "DBConnection, Postgrex (protocol.ex) and MyXQL (client.ex); inet(3), POSIX error codes",
        (
            Phrase(r"\btcp (?:connect|recv|send) \({host}:{port}\): {words}"),
            Phrase(r"\bDBConnection\.ConnectionError\) \({host}:{port}\) {words}"),
            Phrase(r"\btcp (?:connect|recv|send)(?: \([\w ]{1,30}\))?: {words}"),
            Phrase(r"\bhost: [\"']{host}[\"'], [^\n]{0,300}?\bport: {port}\b", PLACE),
            Phrase(r"\bconnection not available and request was dropped from queue after [0-9]{1,9}ms", UNREACHED),
        ),
        0,
    ),
    Family(
        Client.ERLANG,
        "OTP inets, httpc_handler.erl; Elixir prints the same terms with colons",
        (
            Phrase(
                r"\bto_address, ?\{[\"']{host}[\"'], ?{port}\}[\s\S]{0,80}?\binet6?, ?\[[^\]\n]{0,40}\], ?:?"
                r"(?P<words>\w{3,20})"
            ),
            Phrase(r"\bto_address, ?\{[\"']{host}[\"'], ?{port}\}", UNREACHED),
        ),
    ),
    Family(
        Client.REDIS,
        "Redix, connection.ex; eredis",
        (
            Phrase(r"\bfailed to connect to Redis \({host}:{port}\): {words}"),
            Phrase(r"\bthe connection to Redis is closed\b", LOST),
            Phrase(r"\bDisconnected from Redis \({host}:{port}\): {words}"),
        ),
        6379,
    ),
    Family(
        Client.ERLANG,
        "Mint, transport_error.ex; Finch; HTTPoison; Tesla; hackney",
        (
            Phrase(r"\bMint\.TransportError\) {words}"),
            Phrase(r"\b(?:Finch|Req)\.TransportError\) {words}"),
            Phrase(r"\b(?:TransportError|HTTPoison\.Error|Mint\.HTTPError)\{[^}\n]{0,80}?reason: :(?P<words>\w{3,20})"),
            Phrase(r"\bHTTPoison\.Error\) :?\"?{words}"),
            Phrase(r"\{:?error, ?:?(?P<words>e[a-z]{4,15}|nxdomain|timeout|closed)\}"),
            Phrase(r"(?<![\w:]):nxdomain\b", NO_NAME),
            Phrase(r"(?<![\w:]):(?P<words>econnrefused|etimedout|ehostunreach|enetunreach|econnreset)\b"),
            Phrase(r"\{tcp_closed,", CLOSED),
        ),
    ),
)
