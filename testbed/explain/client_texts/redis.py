"""Redis clients: redis-py, redis-cli, node-redis, ioredis, redis-rb, phpredis, Predis; Celery's broker line."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    LOST,
    PLACE,
    TIMED_OUT,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

FAMILIES: Final = (
    Family(
        Client.REDIS,
        "redis-py, redis/connection.py (_error_message) and redis/exceptions.py",
        (
            Phrase(r"\bError (?:{number} )?connecting to {host}:{port}\. {words}"),
            # asyncio names each address that was tried in front of the place.
            Phrase(r"\bError Multiple exceptions: \[Errno {number}\][^\n]{1,300}? connecting to {host}:{port}\."),
            Phrase(r"\bError (?P<words>[^\n]{1,300}?) connecting to {host}:{port}\."),
            Phrase(r"\bError while reading from {host}:{port} ?: \({number}, '{words}'"),
            Phrase(r"\bTimeout connecting to server", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bTimeout reading from {host}:{port}", TIMED_OUT, Phase.HTTP),
            Phrase(r"\bConnection closed by server\.", CLOSED),
        ),
        6379,
    ),
    Family(
        Client.REDIS,
        "Redis, src/redis-cli.c; node-redis 3, index.js and 4, client/socket.ts; ioredis, Redis.ts",
        (
            Phrase(r"\bCould not connect to Redis at {host}:{port}: {words}"),
            Phrase(r"\bRedis connection to {host}:{port} failed - {words}"),
            Phrase(r"\bRedis connection to {host}:{port} failed\b", PLACE),
            Phrase(r"\bredis status\[{host}:{port}\]", PLACE),
            Phrase(r"\bRedis connection lost\b", LOST),
            Phrase(r"\bSocket closed unexpectedly\b", CLOSED),
            Phrase(r"\bReached the max retries per request limit \(which is [0-9]{1,4}\)", UNREACHED),
            Phrase(r"\bredis-cli {any}-h ?{host}(?: {any}-p ?{port})?\b", PLACE),
        ),
        6379,
    ),
    Family(
        Client.REDIS,
        "redis-rb, lib/redis/client.rb; redis-client, ruby_connection.rb; Predis, Connection/StreamConnection.php",
        (
            Phrase(r"\bError connecting to Redis on {host}:{port} \((?:Errno::)?{words}\)"),
            Phrase(r"\bError connecting to Redis on {host}:{port} \(Redis::TimeoutError", TIMED_OUT, Phase.CONNECT),
            Phrase(
                r"\bError connecting to Redis on {host}:{port} \((?:SocketError|Socket::ResolutionError)", UNRESOLVED
            ),
            Phrase(r"\bError connecting to Redis on {host}:{port}", UNREACHED),
            Phrase(r"\bTimed out connecting to Redis on {host}:{port}", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bConnection lost \(ECONNRESET\)", LOST),
            Phrase(r"{system} \[{url}\]"),
            Phrase(r"\bError while reading (?:line|bytes) from the server\. \[{url}\]", CLOSED),
        ),
        6379,
    ),
    Family(
        Client.AMQP,
        "Celery, celery/worker/consumer/consumer.py, CONNECTION_ERROR",
        (
            Phrase(r"\bCannot connect to {url}: {words}"),
            Phrase(r"\bCannot connect to {url}: ", UNREACHED),
        ),
    ),
)
