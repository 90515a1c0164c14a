"""Faults of TLS: the two ends do not agree, or one of them does not take the other's certificate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from typing import Final

from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure
from testbed.host.listeners import listeners
from testbed.processes import end
from testbed.waiting import wait_for
from truth.faults.authority import Signed, signed
from truth.faults.fault import Broken, fault
from truth.faults.stage import GATEWAY, PORT, Stage

#: Where the container and the host both see certificates.
_FOLDER: Final = "/run/testbed/tls"
_TRUSTED: Final = f"{_FOLDER}/trusted.pem"
_NAME: Final = "host.containers.internal"
_URL: Final = f"https://{_NAME}:{PORT}/"
_DAY: Final = timedelta(days=1)
#: Says something as soon as somebody connects; argv: port, words.
_GREETS: Final = """
import socket, sys
server = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    connection.sendall(sys.argv[2].encode() + b"\\r\\n")
    connection.settimeout(2)
    try:
        connection.recv(65536)
    except OSError:
        pass
    connection.close()
"""


def _client(stage: Stage, *trusted: Signed) -> None:
    """A container whose main process was told by a variable what it trusts."""
    stage.run(f"mkdir -p {_FOLDER}")
    _write(stage, _TRUSTED, "".join(one.pem for one in trusted))
    stage.container("client", "-v", f"{_FOLDER}:{_FOLDER}:ro", "-e", f"SSL_CERT_FILE={_TRUSTED}")


def _write(stage: Stage, file: str, text: str) -> None:
    stage.host.path(file).write_text(text)


class _Server:
    """OpenSSL's server on the host; whatever it was started with last is in force. Closing it ends it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._running = ExitStack()

    def start(self, own: Signed, *options: str, chain: Sequence[Signed] = ()) -> None:
        """Start it, or start it anew.

        :param chain: what it sends after its own certificate
        """
        self._running.close()
        files = {"own.pem": own.pem, "own.key": own.key_pem, "chain.pem": "".join(one.pem for one in chain)}
        for name, text in files.items():
            _write(self._stage, f"{_FOLDER}/{name}", text)
        argv = ["openssl", "s_server", "-quiet", "-www", "-accept", str(PORT), "-cert", f"{_FOLDER}/own.pem"]
        argv += ["-key", f"{_FOLDER}/own.key", *(["-cert_chain", f"{_FOLDER}/chain.pem"] if chain else []), *options]
        self._running.callback(end, self._stage.host.popen(argv))
        net = self._stage.host.net
        wait_for(lambda: any(x.port == PORT for x in listeners(net)), f"somebody to listen on {PORT}")

    def close(self) -> None:
        """End it."""
        self._running.close()


@contextmanager
def _serves(stage: Stage, own: Signed, *options: str, chain: Sequence[Signed] = ()) -> Iterator[_Server]:
    """A server that is started."""
    with closing(_Server(stage)) as server:
        server.start(own, *options, chain=chain)
        yield server


def _runs(stage: Stage, number: int, **known: str) -> Callable[[Sequence[Cure]], None]:
    """Run a printed cure in the client's network namespace: each curl in it fails where it does not connect.

    :param number: which cure, from 0
    :param known: what stands for the words that are for the user to fill in
    """

    def cure(cures: Sequence[Cure]) -> None:
        command = cures[number].command
        for word, meant in known.items():
            command = command.replace(word.replace("_", "."), meant)
        quiet = command.replace("curl ", "curl -sSf -m 3 -o /dev/null ")
        stage.run(f"cd {_FOLDER}; export CURL_CA_BUNDLE={_TRUSTED}; {quiet}", on="client")

    return cure


@contextmanager
def _with_names(stage: Stage) -> Iterator[None]:
    """The host knows the name that the container has in its hosts file: curl is the host's own program."""
    hosts = stage.host.path("/etc/hosts")
    before = hosts.read_text()
    hosts.write_text(f"{before}\n{GATEWAY} {_NAME}\n")
    try:
        yield
    finally:
        hosts.write_text(before)


@fault(Cause.TLS_VERSION)
def a_server_that_only_speaks_old_tls(stage: Stage) -> Iterator[Broken]:
    """TLS 1.1, which clients have given up; it says so by the alert protocol_version."""
    own = signed(_NAME, _NAME)
    _client(stage, own)
    with _with_names(stage), _serves(stage, own, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"):
        yield Broken("client", _URL, cure_connects=_runs(stage, 1))


@fault(Cause.TLS_CIPHER)
def a_server_without_a_cipher_that_clients_have(stage: Stage) -> Iterator[Broken]:
    """Short authentication tags, which OpenSSL does not offer unless it is told to; handshake_failure."""
    own = signed(_NAME, _NAME)
    _client(stage, own)
    with _with_names(stage), _serves(stage, own, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-CCM8@SECLEVEL=0"):
        yield Broken("client", _URL, cure_connects=_runs(stage, 1))


@fault(Cause.TLS_NAME)
def a_server_that_has_no_such_site(stage: Stage) -> Iterator[Broken]:
    """It looks at the name that the client asks for, and answers unrecognized_name."""
    own = signed("site.example", "site.example")
    _client(stage, own)
    second = ("-cert2", f"{_FOLDER}/own.pem", "-key2", f"{_FOLDER}/own.key")
    with _serves(stage, own, "-servername", "site.example", "-servername_fatal", *second):
        yield Broken("client", _URL, cure_connects=_runs(stage, 0, NAME="site.example"))


@fault(Cause.TLS_ALPN)
def a_server_of_another_application_protocol(stage: Stage) -> Iterator[Broken]:
    """It takes HTTP/2 only, and answers no_application_protocol; OpenSSL's server speaks HTTP/1 all the same."""
    own = signed(_NAME, _NAME)
    _client(stage, own)
    with _with_names(stage), _serves(stage, own, "-alpn", "h2"):
        yield Broken("client", _URL, cure_connects=_runs(stage, 1))


def _wants_a_certificate(stage: Stage, *options: str, trusted: bool = True) -> Iterator[Broken]:
    own, authority = signed(_NAME, _NAME), signed("clients", authority=True)
    user = signed("user", by=authority)
    _client(stage, own if trusted else signed("other"))
    _write(stage, f"{_FOLDER}/clients.pem", authority.pem)
    _write(stage, f"{_FOLDER}/user.pem", user.pem)
    _write(stage, f"{_FOLDER}/user.key", user.key_pem)
    demands = ("-Verify", "1", "-verify_return_error", "-CAfile", f"{_FOLDER}/clients.pem")
    with _with_names(stage), _serves(stage, own, *demands, *options):
        filled_in = {"CLIENT_pem": "user.pem", "CLIENT_key": "user.key", "TRUSTED_pem": "own.pem"}
        yield Broken("client", _URL, cure_connects=_runs(stage, 0, **filled_in))


@fault(Cause.CLIENT_CERTIFICATE)
def a_server_that_wants_a_certificate(stage: Stage) -> Iterator[Broken]:
    """TLS 1.3: the client is done with its handshake when certificate_required comes."""
    yield from _wants_a_certificate(stage)


@fault(Cause.CLIENT_CERTIFICATE)
def a_server_that_wants_a_certificate_by_tls_1_2(stage: Stage) -> Iterator[Broken]:
    """It says handshake_failure, as one without a shared cipher does, and asked for the certificate before."""
    yield from _wants_a_certificate(stage, "-tls1_2")


@fault(Cause.CLIENT_CERTIFICATE)
def a_server_that_wants_a_certificate_and_is_not_trusted(stage: Stage) -> Iterator[Broken]:
    """Two things are to be cured: to trust its certificate, or not to verify it, does not help alone."""
    yield from _wants_a_certificate(stage, trusted=False)


@fault(Cause.CERTIFICATE_NOT_TRUSTED)
def a_certificate_of_its_own_making(stage: Stage) -> Iterator[Broken]:
    """Self-signed; given it, curl connects."""
    own = signed(_NAME, _NAME)
    _client(stage, signed("other"))
    with _with_names(stage), _serves(stage, own):
        yield Broken("client", _URL, cure_connects=_runs(stage, 0))


@fault(Cause.CERTIFICATE_NOT_TRUSTED)
def a_certificate_of_its_own_making_for_another_name(stage: Stage) -> Iterator[Broken]:
    """As Portainer's agent has one; to trust it is not enough, it is to be called by its name too."""
    own = signed("localhost", "localhost")
    _client(stage, signed("other"))
    with _with_names(stage), _serves(stage, own):
        yield Broken("client", _URL, cure_connects=_runs(stage, 0))


@fault(Cause.CERTIFICATE_NOT_TRUSTED)
def an_authority_that_nobody_knows(stage: Stage) -> Iterator[Broken]:
    """The server sends the chain up to a root that the client does not have."""
    authority = signed("house", authority=True)
    _client(stage, signed("other"))
    _write(stage, f"{_FOLDER}/house.pem", authority.pem)
    with _with_names(stage), _serves(stage, signed(_NAME, _NAME, by=authority), chain=[authority]):
        yield Broken("client", _URL, cure_connects=_runs(stage, 0, AUTHORITY_pem="house.pem"))


@fault(Cause.CERTIFICATE_NOT_TRUSTED)
def curls_words_about_a_certificate(stage: Stage) -> Iterator[Broken]:
    """What was pasted stands, also where the place itself would trust the certificate."""
    own = signed("gateway", GATEWAY)
    _client(stage, own)
    url = f"https://{GATEWAY}:{PORT}/"
    with _serves(stage, own):
        words = stage.run(f"curl -sS -m 3 --cacert /etc/ssl/certs/ca-certificates.crt {url} 2>&1 || true", on="client")
        yield Broken("client", url, pasted=f"curl {url}\n{words}", cure_connects=_runs(stage, 0))


@fault(Cause.CERTIFICATE_ISSUER_MISSING)
def a_chain_that_lacks_its_intermediate(stage: Stage) -> Iterator[Broken]:
    """The client trusts the root, and the server leaves out what leads to it."""
    root = signed("root", authority=True)
    between = signed("intermediate", by=root, authority=True)
    own = signed(_NAME, _NAME, by=between)
    _client(stage, root)
    with _with_names(stage), _serves(stage, own) as server:

        def cure() -> None:
            server.start(own, chain=[between])

        yield Broken("client", _URL, cure=cure)


@fault(Cause.CERTIFICATE_OTHER_NAME)
def a_certificate_for_another_name(stage: Stage) -> Iterator[Broken]:
    """It is trusted, and for somebody else; called by that name it connects."""
    own = signed("agent", "agent.example")
    _client(stage, own)
    with _serves(stage, own):
        yield Broken("client", f"https://{GATEWAY}:{PORT}/", cure_connects=_runs(stage, 0))


def _renewed(stage: Stage, valid: tuple[timedelta, timedelta]) -> Iterator[Broken]:
    own, renewed = signed(_NAME, _NAME, valid=valid), signed(_NAME, _NAME)
    _client(stage, own, renewed)
    with _serves(stage, own) as server:

        def cure() -> None:
            server.start(renewed)

        yield Broken("client", _URL, cure=cure)


@fault(Cause.CERTIFICATE_EXPIRED)
def a_certificate_of_yesterday(stage: Stage) -> Iterator[Broken]:
    """Trusted, for that name, and expired; renewed it is taken."""
    yield from _renewed(stage, (-2 * _DAY, -_DAY))


@fault(Cause.CERTIFICATE_NOT_YET_VALID)
def a_certificate_of_tomorrow(stage: Stage) -> Iterator[Broken]:
    """Trusted, for that name, and made by somebody whose clock is ahead."""
    yield from _renewed(stage, (_DAY, 2 * _DAY))


def _greets(stage: Stage, words: str, scheme: str) -> Iterator[Broken]:
    stage.container("client")
    process = stage.host.popen(["python3", "-c", _GREETS, str(PORT), words])
    try:
        wait_for(lambda: any(x.port == PORT for x in listeners(stage.host.net)), f"somebody to listen on {PORT}")
        yield Broken("client", f"{scheme}://{_NAME}:{PORT}/", cure=_nothing, cured_target=f"tcp://{_NAME}:{PORT}")
    finally:
        end(process)


def _nothing() -> None:
    """Another protocol is the whole cure."""


@fault(Cause.OTHER_PROTOCOL)
def an_ssh_server_called_with_https(stage: Stage) -> Iterator[Broken]:
    """It greets with its version (RFC 4253, 4.2) before it hears anything."""
    yield from _greets(stage, "SSH-2.0-OpenSSH_9.2", "https")


@fault(Cause.OTHER_PROTOCOL)
def a_mail_server_called_with_http(stage: Stage) -> Iterator[Broken]:
    """It greets with 220 (RFC 5321, 4.2)."""
    yield from _greets(stage, "220 mail.example ESMTP Postfix", "http")
