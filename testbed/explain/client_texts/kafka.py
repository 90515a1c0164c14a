"""Kafka clients: the Java client, librdkafka, kafka-python, aiokafka, KafkaJS, Sarama."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    LOST,
    PLACE,
    TIMED_OUT,
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
        Client.KAFKA,
        "Apache Kafka, clients: NetworkClient.java, ClientUtils.java, KafkaAdminClient.java",
        (
            Phrase(r"\bConnection to node -?[0-9]{1,10} \({java}\) could not be established\b", UNCONNECTED),
            Phrase(r"\bConnection to node -?[0-9]{1,10} \({java}\) terminated during authentication", LOST),
            Phrase(r"\bConnection to node -?[0-9]{1,10} could not be established\b", UNCONNECTED),
            Phrase(r"\bBootstrap broker {java} \(id: [^)\n]{1,60}\) disconnected", UNREACHED),
            Phrase(r"\bCouldn't resolve server {host}:{port} from bootstrap\.servers", UNRESOLVED),
            Phrase(r"\bError connecting to node {java}", PLACE),
            Phrase(r"\bNo resolvable bootstrap urls given in bootstrap\.servers", UNRESOLVED),
            Phrase(r"\bTimed out waiting for a node assignment\b", UNREACHED),
            Phrase(r"\bTimeout expired while fetching topic metadata\b", UNREACHED),
            Phrase(r"\bnot present in metadata after [0-9]{1,9} ms", UNREACHED),
        ),
        9092,
    ),
    Family(
        Client.KAFKA,
        "librdkafka, rdkafka_broker.c, rdaddr.c, rdkafka_transport.c",
        (
            Phrase(
                r"\b{host}:{port}/\w{1,20}: Connect to ipv[46]#{address}:[0-9]{1,5} failed: {words}",
            ),
            Phrase(r"\bConnect to ipv[46]#{address}:{port} failed: {words}"),
            Phrase(r"\bConnect to ipv[46]#{address}:{port} failed: Unknown error", UNCONNECTED),
            # Before 0.9.
            Phrase(r"\bFailed to connect to broker at \[?{host}\]?:{port}: {words}"),
            Phrase(r"\bFailed to resolve '{host}:{port}': {words}", otherwise=UNRESOLVED),
            Phrase(r"\b{host}:{port}/\w{1,20}: Connection setup timed out in state \w{1,30}", TIMED_OUT),
            Phrase(r"\b{host}:{port}/\w{1,20}: Disconnected(?: while requesting \w{1,30})? ?\(after", LOST),
            Phrase(r"\b{host}:{port}/\w{1,20}: (?:Receive|Send) failed: {words}"),
            Phrase(r"\bLocal: Host resolution failure", UNRESOLVED),
            Phrase(r"\bLocal: (?:Broker transport failure|All broker connections are down)", UNREACHED),
            Phrase(r"\b[0-9]{1,4}/[0-9]{1,4} brokers are down", UNREACHED),
        ),
        9092,
    ),
    Family(
        Client.KAFKA,
        "kafka-python, kafka/conn.py; aiokafka, client.py; Sarama, errors.go; KafkaJS, network/connection.js",
        (
            Phrase(
                r"\bhost={host}:{port} [^\n]{0,80}\[IPv[46] \('{address}', [0-9]{1,5}[^)\n]{0,12}\)\]>"
                r" returned error {number}\b"
            ),
            Phrase(r"\bDNS lookup failed for {host}:{port}, exception was (?:\[Errno {number}\] )?{words}"),
            Phrase(r"\bDNS lookup failed for {host}:{port}", UNRESOLVED),
            Phrase(r"\bUnable connect to \"{host}:{port}\": (?:\[Errno {number}\] )?{words}", otherwise=UNREACHED),
            Phrase(r"\bUnable to bootstrap from \[\('{host}', {port},", UNREACHED),
            Phrase(r"\bhost={host}:{port} <", PLACE),
            Phrase(r"\bNoBrokersAvailable\b", UNREACHED),
            Phrase(r"\bclient has run out of available brokers to talk to\b", UNREACHED),
            Phrase(r"\bfailed to open connection to {host}:{port}:", PLACE),
            Phrase(r"\"broker\":\"{host}:{port}\"", PLACE),
            Phrase(r"\bKafkaJSConnectionError: Connection timeout", TIMED_OUT, Phase.CONNECT),
        ),
        9092,
    ),
)
