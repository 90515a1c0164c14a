""".NET on Linux and Windows: HttpClient, sockets, Npgsql, SqlClient, StackExchange.Redis, RabbitMQ.Client, MongoDB."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    LOST,
    PLACE,
    RESET,
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

FAMILIES: Final = (
    Family(
        Client.REDIS,
        "StackExchange.Redis, ExceptionFactory.cs and PhysicalConnection.cs, ConnectionFailureType",
        (
            Phrase(r"\bUnableToConnect on {host}:{port}", UNREACHED),
            Phrase(r"\bUnableToResolvePhysicalConnection on {host}:{port}", UNREACHED),
            Phrase(r"\b(?:SocketFailure|SocketClosed|ConnectionDisposed)(?: \([^)\n]{1,60}\))? on {host}:{port}", LOST),
            Phrase(r"\bIt was not possible to connect to the redis server\(s\)", UNREACHED),
            Phrase(r"\bTimeout (?:performing|awaiting) {any}\([0-9]{1,9}ms", TIMED_OUT, Phase.HTTP),
        ),
        6379,
    ),
    Family(
        Client.DOTNET,
        "Npgsql, NpgsqlConnector.cs; MySqlConnector, ConnectionPool.cs",
        (
            Phrase(r"\bNpgsqlException[^\n:]{0,40}: Failed to connect to {host}:{port}", UNCONNECTED),
            Phrase(r"\bon server 'tcp://{host}:{port}'", PLACE),
            Phrase(r"\bUnable to connect to any of the specified MySQL hosts", UNREACHED),
            Phrase(r"\bConnect Timeout expired\b|\bTimeout during connection attempt\b", TIMED_OUT, Phase.CONNECT),
        ),
    ),
    Family(
        Client.DOTNET,
        "Microsoft.Data.SqlClient, SNI error texts (Strings.resx)",
        (
            Phrase(r"\(provider: [\w ]{1,40}, error: [0-9]{1,3} - ?{words}\)", otherwise=UNREACHED),
            Phrase(
                r"\bA network-related or instance-specific error occurred while establishing a connection to"
                r" SQL Server\b",
                UNREACHED,
            ),
        ),
        1433,
    ),
    Family(
        Client.AMQP,
        "RabbitMQ.Client, ConnectionFactory.cs, SocketFrameHandler.cs; MassTransit, ConnectionContextFactory.cs",
        (
            Phrase(r"\bBroker unreachable: (?:\S{0,64}@)?{host}:{port}", UNREACHED),
            Phrase(r"\bConnect failed: (?:\S{0,64}@)?{host}:{port}", UNREACHED),
            Phrase(r"\bConnection Failed: {url}", UNREACHED),
            Phrase(r"\bConnection failed, host {host}:{port}", UNCONNECTED),
            Phrase(r"\bNone of the specified endpoints were reachable\b", UNREACHED),
        ),
        5672,
    ),
    Family(
        Client.MONGODB,
        "MongoDB .NET driver, Cluster.cs",
        (
            Phrase(r"\bEndPoint: \"(?:Unspecified/)?{host}:{port}\"", PLACE),
            Phrase(r"\bA timeout occurred after [0-9]{1,9}ms selecting a server\b", UNREACHED),
        ),
        27017,
    ),
    Family(
        Client.DOTNET,
        "dotnet/runtime, System.Net.Http (ConnectHelper.cs, Strings.resx), System.Net.Sockets "
        "(SocketPal.Unix.cs, Winsock)",
        (
            # ConnectHelper.CreateWrappedException: the socket's words, then the host that was asked for.
            Phrase(
                r"{system}\.? \({host}:{port}\)",
            ),
            # SocketException with an end point (.NET Framework, ExtendedSocketException): words, then the address.
            Phrase(
                r"\b(?:Extended)?SocketException \({number}\): (?P<words>[^\n]{3,260}?) {address}:{port}(?=\s|$)",
            ),
            Phrase(
                r"\b(?:Extended)?SocketException(?: \(0x[0-9a-fA-F]{8}\))?: (?P<words>[^\n]{3,260}?) "
                r"{address}:{port}(?=\s|$)",
            ),
            Phrase(r"{system}\.? {address}:{port}(?=\s|$)"),
            Phrase(r"\bactively refused it\.? {address}:{port}\b", (Outcome.REFUSED,)),
            Phrase(r"\b(?:Extended)?SocketException \({number}(?:, 0x[0-9a-fA-F]{8})?\): {words}"),
            Phrase(r"\b(?:Extended)?SocketException(?: \(0x[0-9a-fA-F]{8}\))?: {words}"),
            # SocketPal: EAI_AGAIN becomes SocketError.TryAgain, whose text is EAGAIN's.
            # On musl the text is gai_strerror's.
            Phrase(r"\b(?:Resource temporarily unavailable|Try again) \({host}:{port}\)", (Outcome.RESOLVER_FAILED,)),
            Phrase(r"\bThe remote name could not be resolved: '{host}'", UNRESOLVED),
            Phrase(r"\bHttpClient\.Timeout of [0-9.]{1,12} seconds elapsing", TIMED_OUT),
            Phrase(r"\bThe response ended prematurely", CLOSED, Phase.HTTP),
            Phrase(r"\bReceived an unexpected EOF or 0 bytes from the transport stream", CLOSED, Phase.TLS),
            Phrase(r"\bUnable to read data from the transport connection: {words}"),
            Phrase(r"\bAn existing connection was forcibly closed by the remote host", RESET),
            Phrase(r"\bCannot determine the frame size or a corrupted frame was received", TLS),
            Phrase(r"\bThe remote certificate (?:is invalid|was rejected)[^\n]{0,300}", TLS),
            Phrase(r"\bThe SSL connection could not be established, see inner exception", (*TLS, *LOST)),
            Phrase(r"\bUnable to connect to the remote server", UNCONNECTED),
            # CurlHandler of .NET Core 1 and 2.0 (libcurl, lib/strerror.c).
            Phrase(r"\bCurlException: Couldn't connect to server", UNCONNECTED),
            Phrase(r"\bCurlException: Couldn't resolve host name", UNRESOLVED),
            Phrase(r"\bCurlException: Timeout was reached", TIMED_OUT),
            Phrase(r"\bA connection with the server could not be established", UNCONNECTED),
            Phrase(r"\bThe server name or address could not be resolved", UNRESOLVED),
        ),
    ),
)
