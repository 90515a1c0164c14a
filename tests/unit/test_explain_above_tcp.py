"""Explanations of what fails after the TCP handshake: what is claimed, by whose words, and what is left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_interface
from typing import Final

import pytest

from testbed.evidence import (
    Act,
    Action,
    Attempt,
    Backend,
    Chain,
    Evidence,
    Field,
    Hook,
    HostFacts,
    Listener,
    Match,
    Names,
    Process,
    Protocol,
    Rule,
    Ruleset,
)
from testbed.evidence.declared import Seat, Stack, picture
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Conclusion, Explanation
from testbed.explain.pasted import read
from testbed.explain.pasting import explain_pasted
from testbed.explain.tls_alerts import alert_in
from testbed.hosts_file import HostsFile
from testbed.model import Answer, Certificate, Handshake, Observation, Outcome, Phase, SocketState, Target
from testbed.predict import Disposition, predict

PORT: Final = 8443
URL: Final = f"https://203.0.113.10:{PORT}/"
NOW: Final = datetime(2026, 11, 28, 3, tzinfo=UTC)
DAY: Final = timedelta(days=1)
#: A rule with a match that is not modelled.
DOUBTFUL: Final = Rule("-m bpf -j DROP", (Match(Field.UNKNOWN, ("-m bpf",)),), (Action(Act.DROP),))


def world(*rules: Rule, gateway: bool = False) -> Evidence:
    """A client and a server on one LAN.

    :param rules: of the server's INPUT
    :param gateway: whether the client has a default route, to a router that is not in the picture
    """
    chain = Chain(Backend.IPTABLES, "ip", "filter", "INPUT", rules, Hook.INPUT, "filter", 0, Act.ACCEPT)
    listener = Listener(Protocol.TCP, ip_address("0.0.0.0"), PORT, process=Process(7, "nginx"))
    names = Names(HostsFile({}))
    there = Stack(
        "there",
        (Seat("lan", ip_interface("203.0.113.10/24")),),
        listeners=(listener,),
        firewall=Ruleset((chain,)) if rules else Ruleset(),
    )
    here = Stack(
        "here",
        (Seat("lan", ip_interface("203.0.113.20/24")), Seat("uplink", ip_interface("192.0.2.2/24"))),
        gateway=ip_address("192.0.2.1") if gateway else None,
    )
    made = picture([there, here], [HostFacts(name, name, name, names) for name in ("there", "here")])
    client = made.namespaces["here"]
    links = tuple(replace(one, kind="", peer=None) if one.name == "uplink" else one for one in client.links)
    return replace(made, namespaces={**made.namespaces, "here": replace(client, links=links)})


def told(
    outcome: Outcome,
    text: str = "",
    *,
    url: str = URL,
    phase: Phase = Phase.TLS,
    answer: Answer | None = None,
    handshake: Handshake | None = None,
    sockets: tuple[SocketState, ...] = (),
    evidence: Evidence | None = None,
    unverified: Observation | None = None,
) -> Explanation:
    """The explanation of an attempt that failed above TCP after four seconds."""
    there = world() if evidence is None else evidence
    target = Target.parse(url)
    seen = Observation(
        "here",
        url,
        outcome,
        phase,
        None,
        text,
        4.0,
        "",
        answer,
        handshake=handshake,
        sockets=sockets,
        unverified=unverified,
    )
    return explain(there, Attempt(there.place("here"), target), seen)


# Alerts: the server ends the handshake

WORDS: Final = [
    (
        "curl: (56) OpenSSL SSL_read: OpenSSL/3.0.19: error:0A00045C:SSL routines::tlsv13 alert certificate required",
        116,
    ),
    ("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)", 116),
    ("remote error: tls: certificate required", 116),
    ("javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_required", 116),
    ("remote error: tls: bad certificate", 42),
    ("remote error: tls: unknown certificate authority", 48),
    ("remote error: tls: unknown certificate", 46),
    ("remote error: tls: protocol version not supported", 70),
    ("curl: (35) OpenSSL/3.2: error:0A000410:SSL routines::ssl/tls alert handshake failure", 40),
    ("error:1408F10B:ssl3_read_bytes:sslv3 alert handshake failure:../rec_layer_s3.c:1586:SSL alert number 40", 40),
    ("SSL_do_handshake() failed (SSL: error:0A000458:SSL routines::tlsv1 unrecognized name:SSL alert number 112)", 112),
    ("[SSL: TLSV1_UNRECOGNIZED_NAME] tlsv1 unrecognized name (_ssl.c:1006)", 112),
    ("[SSL] tlsv1 alert no application protocol (_ssl.c:1006)", 120),
    ("tlsv1 alert internal error", 80),
    ("SSL_do_handshake() failed (SSL: error:0A0003F2:SSL routines::reason(1010):SSL alert number 10)", 10),
]


@pytest.mark.parametrize(("text", "number"), WORDS)
def test_an_alert_is_read_from_each_clients_words(text: str, number: int) -> None:
    """OpenSSL in its spellings, Go, Java, Node.js and nginx."""
    alert = alert_in(text)
    assert alert is not None
    assert alert.number == number


@pytest.mark.parametrize(
    "text",
    [
        "x509: certificate has expired or is not yet valid",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
        "tls: handshake failure",
        "curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number",
    ],
)
def test_what_a_client_says_of_itself_is_no_alert(text: str) -> None:
    """Only words of what came from the server are: who refused is the other end else."""
    assert alert_in(text) is None


@pytest.mark.parametrize(
    ("text", "handshake", "cause"),
    [
        ("tlsv13 alert certificate required", Handshake(hello=True), Cause.CLIENT_CERTIFICATE),
        ("remote error: tls: bad certificate", None, Cause.CLIENT_CERTIFICATE),
        ("sslv3 alert handshake failure", Handshake(hello=True, asks_certificate=True), Cause.CLIENT_CERTIFICATE),
        ("sslv3 alert handshake failure", Handshake(), Cause.TLS_CIPHER),
        ("tlsv1 alert insufficient security", Handshake(), Cause.TLS_CIPHER),
        ("tlsv1 alert protocol version", Handshake(), Cause.TLS_VERSION),
        ("[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol", Handshake(), Cause.TLS_VERSION),
        ("tlsv1 unrecognized name", Handshake(), Cause.TLS_NAME),
        ("tlsv1 alert no application protocol", Handshake(), Cause.TLS_ALPN),
    ],
)
def test_an_alert_is_its_cause_and_no_doubt_of_the_servers_certificate(
    text: str, handshake: Handshake | None, cause: Cause
) -> None:
    """None of them is cured by not verifying."""
    explained = told(Outcome.TLS_FAILED, text, handshake=handshake)
    assert explained.cause is cause
    assert explained.diagnosis is not None
    assert not any("curl -k" in cure.command for cure in explained.diagnosis.cures)
    assert not any("curl -k" in warning for warning in explained.warnings)


def test_a_handshake_failure_that_was_only_read_of_may_be_two_things() -> None:
    """Before TLS 1.3 it is said for no common cipher and for no certificate: what decides is whether a hello came."""
    explained = told(Outcome.TLS_FAILED, "curl: (35) error:0A000410:SSL routines::sslv3 alert handshake failure")
    assert explained.verdict is Conclusion.CANNOT_TELL
    assert "handshake_failure (40)" in explained.sentence
    assert "ServerHello" in explained.decide


def test_an_alert_that_says_nothing_of_the_cause_is_said_with_who_sent_it() -> None:
    """internal_error may be anything: the server's log has it."""
    explained = told(Outcome.TLS_FAILED, "tlsv1 alert internal error", handshake=Handshake())
    assert explained.verdict is Conclusion.CANNOT_TELL
    assert "the server sent the alert internal_error (80)" in explained.sentence


@pytest.mark.parametrize(("url", "words"), [(URL, "by an address"), ("https://there:8443/", "no site called there")])
def test_who_calls_by_an_address_sends_no_name(url: str, words: str) -> None:
    """RFC 6066, 3: a literal address is not permitted in the extension."""
    evidence = world()
    names = Names(HostsFile.parse("203.0.113.10 there\n"))
    hosts = tuple(HostFacts(host.key, host.name, host.namespace, names) for host in evidence.hosts)
    explained = told(Outcome.TLS_FAILED, "tlsv1 unrecognized name", url=url, evidence=replace(evidence, hosts=hosts))
    assert words in explained.sentence


# Certificates: the client ends the handshake


def certificate(*names: str, start: datetime = NOW - DAY, end: datetime = NOW + DAY) -> Certificate:
    """A certificate of an authority that is not known."""
    return Certificate("CN=there", "CN=between", names, start, end)


def refused(
    code: int,
    *chain: Certificate,
    server_clock: datetime | None = None,
    trusted: int = 140,
    behind: Outcome | None = None,
) -> Explanation:
    """The explanation of a certificate that was refused.

    :param trusted: how many certificates the client's list has
    :param behind: how it fails for who takes any certificate; it answers 204 by default
    """
    handshake = Handshake(
        hello=True, chain=chain, store="the trust store", trusted=trusted, verify_code=code, clock=NOW,
    )  # fmt: skip
    answer = Answer("", 204, clock=server_clock)
    other = Observation("here", URL, Outcome.CONNECTED, Phase.HTTP, None, "", 0.1, "", answer)
    if behind is not None:
        text = "tlsv13 alert certificate required" if behind is Outcome.TLS_FAILED else str(behind)
        other = replace(other, outcome=behind, phase=Phase.TLS, text=text, answer=None, handshake=Handshake(hello=True))
    return told(Outcome.TLS_FAILED, "certificate verify failed", handshake=handshake, unverified=other)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (9, Cause.CERTIFICATE_NOT_YET_VALID),
        (10, Cause.CERTIFICATE_EXPIRED),
        (18, Cause.CERTIFICATE_NOT_TRUSTED),
        (19, Cause.CERTIFICATE_NOT_TRUSTED),
        (20, Cause.CERTIFICATE_ISSUER_MISSING),
        (62, Cause.CERTIFICATE_OTHER_NAME),
        (64, Cause.CERTIFICATE_OTHER_NAME),
    ],
)
def test_a_refused_certificate_is_told_by_openssls_code(code: int, cause: Cause) -> None:
    """With the trust store that was asked, and what a client gets that does not verify."""
    explained = refused(code, certificate("203.0.113.10"))
    assert explained.cause is cause
    assert "verified by the trust store" in explained.sentence
    assert "does not verify gets HTTP 204" in explained.sentence


def test_a_reason_that_is_not_known_is_no_cause() -> None:
    """X509_V_ERR_EE_KEY_TOO_SMALL (66) is none of ours: the words are shown, and nothing is claimed."""
    explained = refused(66, certificate("203.0.113.10"))
    assert (explained.verdict, explained.cause) == (Conclusion.CANNOT_TELL, None)
    assert "certificate verify failed" in explained.sentence


@pytest.mark.parametrize(
    ("theirs", "words", "cure"),
    [
        (NOW, "as the server's does", "Renew it"),
        (NOW - 3 * DAY, "one of the two clocks is wrong", "Set the clock that is wrong"),
        (None, "the client's clock says 2026-11-28 03:00", "Renew it"),
    ],
    ids=["agree", "server's is behind", "not told"],
)
def test_the_servers_clock_tells_an_expired_certificate_from_a_wrong_clock(
    theirs: datetime | None, words: str, cure: str
) -> None:
    """The certificate was valid three days ago, which is what the server's clock says in the second case."""
    old = certificate("203.0.113.10", start=NOW - 5 * DAY, end=NOW - 2 * DAY)
    explained = refused(10, old, server_clock=theirs)
    assert explained.diagnosis is not None
    assert words in explained.sentence
    assert explained.diagnosis.cures[0].text == cure


def test_what_fails_for_whoever_does_not_verify_too_is_the_cause() -> None:
    """A server with a certificate of its own making that wants one of the client: trusting it does not help."""
    explained = refused(18, certificate("203.0.113.10"), behind=Outcome.TLS_FAILED)
    assert explained.cause is Cause.CLIENT_CERTIFICATE
    assert explained.diagnosis is not None
    assert explained.diagnosis.cures[0].command.startswith("curl --cacert TRUSTED.pem --cert CLIENT.pem")
    assert any("does not take the server's certificate" in warning for warning in explained.warnings)


@pytest.mark.parametrize(("code", "verdict"), [(20, Conclusion.CANNOT_TELL), (18, Conclusion.EXPLAINED)])
def test_without_any_list_it_is_the_clients_own_that_counts(code: int, verdict: Conclusion) -> None:
    """Images without a trust store: Java and Node.js bring one; no list has a certificate that signed itself."""
    assert refused(code, certificate("203.0.113.10"), trusted=0).verdict is verdict


@pytest.mark.parametrize(
    ("own", "command"),
    [
        (certificate("203.0.113.10"), f"curl --cacert AUTHORITY.pem {URL}"),
        (
            certificate("a.example"),
            f"curl --cacert AUTHORITY.pem --connect-to a.example:{PORT}:203.0.113.10:{PORT} https://a.example:{PORT}/",
        ),
        (certificate("203.0.113.99"), "subjectAltName = IP:203.0.113.10"),
        (certificate("203.0.113.10", end=NOW - DAY / 2), "subjectAltName = IP:203.0.113.10"),
    ],
    ids=["nothing else is wrong", "another name", "another address", "expired"],
)
def test_a_certificate_is_only_to_be_trusted_where_it_would_be_taken_then(own: Certificate, command: str) -> None:
    """Trust does not help against what else is wrong with it: then it is called by its own name, or made anew."""
    explained = refused(19, own, certificate())
    assert explained.diagnosis is not None
    assert explained.diagnosis.cures[0].command == command


def test_what_else_is_wrong_with_a_certificate_is_said_beside() -> None:
    """Clients say the first thing that they find: trusted, it would be refused for its name and its date."""
    explained = refused(18, certificate("other", end=NOW - DAY / 2))
    assert explained.cause is Cause.CERTIFICATE_NOT_TRUSTED
    assert any("another name" in warning for warning in explained.warnings)
    assert any("2026-11-27 only" in warning for warning in explained.warnings)


@pytest.mark.parametrize(
    ("name", "host", "fits"),
    [
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "a.b.example.org", False),
        ("*.example.org", "example.org", False),
        ("A.example.org", "a.EXAMPLE.org", True),
        ("203.0.113.10", "203.0.113.10", True),
        ("203.0.113.1", "203.0.113.10", False),
    ],
)
def test_a_name_of_a_certificate_is_compared_as_clients_do(name: str, host: str, fits: bool) -> None:
    """RFC 9525, 6.3: without regard to case, a * stands for one label, addresses for themselves."""
    explained = told(
        Outcome.TLS_FAILED,
        url=f"https://{host}:8443/",
        handshake=Handshake(hello=True, chain=(certificate(name),), store="s", trusted=1, verify_code=18, clock=NOW),
        evidence=named_everything(host),
    )
    assert any("another name" in warning for warning in explained.warnings) is not fits


def named_everything(host: str) -> Evidence:
    """The world, whose client finds a name in its hosts file."""
    evidence = world()
    names = Names(HostsFile.parse(f"203.0.113.10 {host}\n"))
    return replace(evidence, hosts=tuple(replace(one, names=names) for one in evidence.hosts))


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (Outcome.CONNECTED, Cause.CERTIFICATE_EXPIRED),
        (Outcome.HTTP_STATUS, Cause.CERTIFICATE_EXPIRED),
        (Outcome.RESET, Cause.PEER_RESETS),
    ],
)
def test_pasted_words_about_tls_stand_where_the_attempt_gets_through_it(outcome: Outcome, cause: Cause) -> None:
    """The user's client verifies by a list of its own; what fails for the attempt as well is about now."""
    evidence = world()
    pasted = read(f"curl {URL}\ncurl: (60) SSL certificate problem: certificate has expired")
    attempt = Attempt(evidence.place("here"), Target.parse(URL))
    seen = Observation("here", URL, outcome, Phase.HTTP, None, "", 0.1, "", Answer("", 404))
    assert explain_pasted(evidence, pasted, attempt, seen).cause is cause


# Another protocol


@pytest.mark.parametrize(
    ("greeting", "protocol"),
    [
        ("SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        ("220 mail ESMTP\r\n", "SMTP"),
        ("220 ProFTPD FTP Server ready\r\n", "FTP"),
        ("+OK ready\r\n", "POP3"),
        ("* OK [CAPABILITY IMAP4rev1] ready\r\n", "IMAP"),
        ("\x4a\x00\x00\x00\x0a8.0.36\x00", "MySQL"),
        ("-ERR unknown command\r\n", "Redis"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_greets_is_known_by_it(greeting: str, protocol: str, scheme: str) -> None:
    """It is not told to be called with http, which it does not speak either."""
    url = f"{scheme}://203.0.113.10:{PORT}/"
    if scheme == "https":
        answer = Answer("", excerpt=greeting)
        explained = told(Outcome.TLS_FAILED, "[SSL: WRONG_VERSION_NUMBER] wrong version number", url=url, answer=answer)
    else:
        explained = told(Outcome.INCONCLUSIVE, f"BadStatusLine: {greeting}", url=url, phase=Phase.HTTP)
    assert explained.cause is Cause.OTHER_PROTOCOL
    assert f"speaks {protocol}," in explained.sentence
    assert explained.diagnosis is not None
    assert not any(cure.command.startswith("http") for cure in explained.diagnosis.cures)


def test_a_server_that_says_something_else_is_not_guessed_at() -> None:
    """What it says is shown; no client for it is named."""
    explained = told(Outcome.TLS_FAILED, "wrong version number", answer=Answer("", excerpt="hello there\n"))
    assert explained.cause is Cause.OTHER_PROTOCOL
    assert "neither TLS nor HTTP" in explained.sentence
    assert explained.diagnosis is not None
    assert explained.diagnosis.cures == ()


def test_plain_http_behind_https_is_told_as_such() -> None:
    """Its answer is one of HTTP."""
    explained = told(Outcome.TLS_FAILED, "wrong version number", answer=Answer("", excerpt="HTTP/1.1 400 Bad\r\n"))
    assert explained.cause is Cause.TLS_TO_PLAIN
    assert explained.diagnosis is not None
    assert str(explained.diagnosis.cures[0].target) == f"http://203.0.113.10:{PORT}/"


# Silence


def socket(where: str, **facts: object) -> SocketState:
    """A socket of the connection: the client's is ``here`` at port 40000."""
    ends = {"here": "203.0.113.20:40000", "there": f"203.0.113.10:{PORT}"}
    other = ends["there" if where == "here" else "here"]
    state = SocketState(where, "ESTAB", ends[where], other, accepted=True, unread=0, unacknowledged=0, retransmitted=0,
                        received=0, acknowledged=0)  # fmt: skip
    return replace(state, **facts)  # type: ignore[arg-type]


def silent(*sockets: SocketState) -> Explanation:
    """The explanation of an attempt in which nothing came."""
    return told(Outcome.TIMED_OUT, "timed out", sockets=sockets)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (socket("there", accepted=False, unread=517, received=517), "has not accepted it in 4.0 s"),
        (socket("there", unread=517, received=517), "has not read 517 bytes of it in 4.0 s"),
        (socket("there", received=517), "has read what here sent (517 bytes), and said nothing in 4.0 s"),
    ],
    ids=["not accepted", "not read", "not answered"],
)
def test_a_program_is_silent_where_its_socket_has_the_request(server: SocketState, words: str) -> None:
    """What it did with it is said, and how long was waited: longer, it might have answered."""
    explained = silent(socket("here", acknowledged=518), server)
    assert explained.cause is Cause.PEER_SILENT
    assert words in explained.sentence
    assert "or is slower than that" in explained.sentence


def test_a_window_that_is_full_is_the_programs() -> None:
    """It reads nothing, so that the other end may send no more: that is no packet lost."""
    explained = silent(socket("here", unacknowledged=9000, acknowledged=65537), socket("there", unread=65536))
    assert explained.cause is Cause.PEER_SILENT


def test_a_program_that_is_done_with_the_connection_has_accepted_it() -> None:
    """Its socket has no inode any more, as one that was never accepted has none yet."""
    done = socket("there", state="FIN-WAIT-2", accepted=False, received=517)
    assert "has not accepted" not in silent(socket("here", acknowledged=518), done).sentence


@pytest.mark.parametrize(
    ("client", "server", "words"),
    [
        (socket("here", unacknowledged=517, retransmitted=3), None, "nobody acknowledges what here sends"),
        (
            socket("here", unacknowledged=517, retransmitted=3),
            socket("there", state="SYN-RECV", accepted=False),
            "stays SYN-RECV",
        ),
        (
            socket("here", unacknowledged=517, retransmitted=3, acknowledged=1),
            socket("there", received=517),
            "acknowledgements of it are lost on the way back",
        ),
        (
            socket("here", unacknowledged=1448, retransmitted=3, acknowledged=518),
            socket("there", received=517),
            "nobody acknowledges what here sends",
        ),
        (
            socket("here", acknowledged=518),
            socket("there", received=517, unacknowledged=1448, retransmitted=4),
            "nobody acknowledges the answer",
        ),
        (
            socket("here", acknowledged=518),
            socket("there", state="FIN-WAIT-1", accepted=False, received=517, unacknowledged=54),
            "nobody acknowledges the answer",
        ),
        (socket("here", acknowledged=518), None, "the connection's other end was not seen"),
    ],
    ids=[
        "request lost",
        "handshake's end lost",
        "acknowledgements lost",
        "later part lost",
        "answer lost",
        "answer dropped in OUTPUT",
        "other end not seen",
    ],
)
def test_a_packet_that_is_lost_is_not_laid_to_the_program(
    client: SocketState, server: SocketState | None, words: str
) -> None:
    """Nothing is claimed, and it is said which packets are lost and what would show where."""
    explained = silent(client, *([server] if server else []))
    assert (explained.verdict, explained.cause) == (Conclusion.CANNOT_TELL, None)
    assert words in explained.sentence
    assert "tcpdump" in explained.decide or "ss -tinp" in explained.decide


def test_a_timeout_of_which_only_words_are_known_is_not_laid_to_anybody() -> None:
    """A pasted text: the two sockets would decide, and were not seen."""
    explained = silent()
    assert explained.verdict is Conclusion.CANNOT_TELL
    assert "ss -tinp" in explained.decide


# What the picture does not decide


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome.TLS_FAILED, "tlsv13 alert certificate required"),
        (Outcome.TIMED_OUT, "timed out"),
        (Outcome.CLOSED, "closed"),
        (Outcome.RESET, "reset"),
        (Outcome.HTTP_STATUS, "HTTP 503"),
    ],
)
def test_behind_a_rule_that_is_not_modelled_nothing_is_claimed(outcome: Outcome, text: str) -> None:
    """The rule may lead anywhere: who accepted is not known. What was seen is said, and what is not known."""
    evidence = world(DOUBTFUL)
    attempt = Attempt(evidence.place("here"), Target.parse(URL))
    assert predict(evidence, attempt).disposition is Disposition.UNKNOWN
    explained = told(outcome, text, evidence=evidence)
    assert (explained.verdict, explained.cause) == (Conclusion.CANNOT_TELL, None)
    assert text in explained.sentence
    assert "-m bpf" in explained.sentence
    assert "timed out (timed out)" not in explained.sentence


def test_beyond_the_picture_words_stand_for_themselves_and_silence_does_not() -> None:
    """An alert is what a server sent, wherever it is; why nothing comes back nobody can tell from here."""
    beyond, evidence = f"https://198.51.100.7:{PORT}/", world(gateway=True)
    attempt = Attempt(evidence.place("here"), Target.parse(beyond))
    assert predict(evidence, attempt).disposition is Disposition.LEFT
    said = told(Outcome.TLS_FAILED, "tlsv13 alert certificate required", url=beyond, evidence=evidence)
    assert said.cause is Cause.CLIENT_CERTIFICATE
    assert "whoever listens at 198.51.100.7" in said.sentence
    for outcome in (Outcome.TIMED_OUT, Outcome.CLOSED, Outcome.RESET):
        assert told(outcome, url=beyond, evidence=evidence).verdict is Conclusion.CANNOT_TELL
