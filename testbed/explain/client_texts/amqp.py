"""AMQP clients and RabbitMQ's own: pika, amqplib, php-amqplib, Bunny, Spring AMQP, epmd."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, PLACE, UNCONNECTED, UNREACHED, Family, Phrase
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

FAMILIES: Final = (
    Family(
        Client.AMQP,
        "pika, adapters/utils/connection_workflow.py, selector_ioloop_adapter.py, base_connection.py",
        (
            Phrase(
                r"\bTCP Connection attempt failed: \w{1,60}\({number}, '{words}'\); dest="
                r"[^\n]{0,120}\('{address}', {port}\)"
            ),
            Phrase(r"\bdest=[^\n]{0,120}\('{address}', {port}\)", PLACE),
            Phrase(r"\bSocket failed to connect: [^\n]{1,300}; error={number} \({words}\)"),
            Phrase(r"\b(?:getaddrinfo|Address resolution) failed: gaierror\({number}, '{words}'"),
            Phrase(r"\bStreamLostError: \(?[\"']{1,2}Stream connection lost: {words}"),
            Phrase(r"\bTransport indicated EOF", CLOSED),
            Phrase(r"\bpika\.exceptions\.AMQPConnectionError\b", UNREACHED),
            Phrase(
                r"\bAMQPConnector(?:SocketConnectError|PhaseErrorBase|TransportSetupError)?:"
                r" \w{1,60}\({number}, '{words}'"
            ),
        ),
        5672,
    ),
    Family(
        Client.AMQP,
        "amqplib (Node.js), lib/connect.js; Bunny, transport.rb and session.rb; Spring AMQP, AbstractConnectionFactory",
        (
            Phrase(r"\bSocket closed abruptly during opening handshake", CLOSED, Phase.HTTP),
            Phrase(r"\bCould not establish TCP connection to {host}:{port}: {words}"),
            Phrase(r"\bCould not establish TCP connection to any of the configured hosts", UNREACHED),
            Phrase(r"\bAttempting to connect to: \[?{java}\]?", PLACE),
        ),
        5672,
    ),
    Family(
        Client.ERLANG,
        "RabbitMQ, rabbit_nodes_common.erl and rabbit_misc.erl, format_inet_error; erl_epmd listens on 4369",
        (
            Phrase(r"\bepmd error for host \"?{host}\"?: (?:\w{1,30} )?\({words}\)"),
            Phrase(r"\bepmd error for host \"?{host}\"?: address \(cannot connect to host/port\)", UNCONNECTED),
            Phrase(r"\bepmd error for host \"?{host}\"?: {words}", otherwise=UNREACHED),
            Phrase(r"\bunable to connect to epmd \(port {port}\) on {host}: {words}", otherwise=UNREACHED),
            Phrase(r"\bTCP connection (?:succeeded|failed) but Erlang distribution failed", UNREACHED),
        ),
        4369,
    ),
)
