"""Faults above TCP: somebody accepts, and then it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from testbed import images
from testbed.diagnose import Client
from testbed.explain.codes import Cause
from testbed.host.listeners import listeners
from testbed.images import ImageStore
from testbed.processes import end
from testbed.waiting import wait_for
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, HOST, PORT, Stage

_NAME = f"host.containers.internal:{PORT}/"
_AGENT = "10.88.0.90"
_CERTIFICATE = "/run/testbed/certificate.pem"
_KEY = "/run/testbed/key.pem"
#: What a certificate of its own making is taken by: it is another cause.
_INSECURE = Client(insecure=True)


@contextmanager
def _speaks_tls(stage: Stage, certificate_for: str, *server: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server on the host, OpenSSL's by default, with a certificate of its own making for one name or address."""
    stage.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=testbed "
        f"-addext subjectAltName={certificate_for} -keyout {_KEY} -out {_CERTIFICATE} 2>&1"
    )
    openssl = ("openssl", "s_server", "-quiet", "-www", "-accept", str(PORT), "-cert", _CERTIFICATE, "-key", _KEY)
    process = stage.host.popen(server or openssl)
    try:
        wait_for(lambda: any(x.port == PORT for x in listeners(stage.host.net)), f"somebody to listen on {PORT}")
        yield process
    finally:
        end(process)


#: As GnuTLS, rustls and Java's TLS do with what is no handshake: an alert record, unexpected_message (RFC 8446, 6).
_ALERTING = f"""
import socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain({_CERTIFICATE!r}, {_KEY!r})
server = socket.create_server(("0.0.0.0", {PORT}))
while True:
    connection, _ = server.accept()
    if connection.recv(1, socket.MSG_PEEK) != b"\\x16":
        connection.recv(65536)
        connection.sendall(bytes.fromhex("1503010002020a"))
    else:
        connection = context.wrap_socket(connection, server_side=True)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    connection.close()
"""


def _restarted(stage: Stage, deed: str) -> Broken:
    """A server that does something else than answer, until it is started anew."""
    stage.container("client")
    listening = stage.listen(HOST, deed=deed)

    def cure() -> None:
        stage.stop(listening)
        stage.listen(HOST)

    return Broken("client", f"http://{_NAME}", cure=cure)


@fault(Cause.PEER_SILENT)
def a_server_that_says_nothing(stage: Stage) -> Iterator[Broken]:
    """It accepts, and hangs."""
    yield _restarted(stage, "silent")


@fault(Cause.PEER_SILENT)
def a_server_that_does_not_even_accept(stage: Stage) -> Iterator[Broken]:
    """The kernel shakes hands for it as long as there is room in its queue."""
    yield _restarted(stage, "idle")


@fault(Cause.PEER_CLOSES)
def a_server_that_closes(stage: Stage) -> Iterator[Broken]:
    """An end of file instead of an answer."""
    yield _restarted(stage, "close")


@fault(Cause.PEER_RESETS)
def a_server_that_resets(stage: Stage) -> Iterator[Broken]:
    """A reset instead of an answer."""
    yield _restarted(stage, "reset")


@fault(Cause.HTTP_STATUS)
def a_server_that_is_out_of_service(stage: Stage) -> Iterator[Broken]:
    """503: the network is all right."""
    yield _restarted(stage, "status")


@fault(Cause.TLS_TO_PLAIN)
def a_plain_server_called_with_https(stage: Stage) -> Iterator[Broken]:
    """It answers the handshake with a line of HTTP."""
    stage.container("client")
    stage.listen(HOST)
    yield Broken("client", f"https://{_NAME}", cure=_nothing, cured_target=f"http://{_NAME}")


@fault(Cause.PLAIN_TO_TLS)
def an_agent_called_with_http(stage: Stage) -> Iterator[Broken]:
    """Go's server says so, with status 400."""
    tag = images.ensure(["agent"], store=ImageStore(stage.image_store.parent))["agent"]
    stage.podman("run", "-d", "--name", "agent", "--ip", _AGENT, tag)
    stage.container("client")
    wait_for(lambda: any(x.port == 9001 for x in listeners(stage.net("agent"))), "the agent to listen")
    url = f"{_AGENT}:9001/ping"
    yield Broken("client", f"http://{url}", cure=_nothing, cured_target=f"https://{url}", cured_as=_INSECURE)


@fault(Cause.PLAIN_TO_TLS)
def a_server_that_alerts_called_with_http(stage: Stage) -> Iterator[Broken]:
    """It says nothing in plain text, only an alert; OpenSSL's says nothing at all, which is no proof of anything."""
    stage.container("client")
    with _speaks_tls(stage, f"IP:{GATEWAY}", "python3", "-c", _ALERTING):
        yield Broken("client", f"http://{_NAME}", cure=_nothing, cured_target=f"https://{_NAME}", cured_as=_INSECURE)


def _nothing() -> None:
    """Another address is the whole cure."""
