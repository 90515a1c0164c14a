"""Ruby: sockets, Net::HTTP and what is built on it, OpenSSL, Excon, http.rb, Dalli."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, PLACE, TIMED_OUT, TLS, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

FAMILIES: Final = (
    Family(
        Client.RUBY,
        "Ruby, ext/socket/init.c and raddrinfo.c (rsock_syserr_fail_host_port), lib/net/http.rb, net/protocol.rb",
        (
            Phrase(r"\bFailed to open TCP connection to {host}:{port} \(execution expired\)", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bFailed to open TCP connection to {host}:{port} \((?:Hostname not known: {any}\)?|{words})"),
            Phrase(r"\bFailed to open TCP connection to {host}:{port}\b", PLACE),
            Phrase(r"{system} - connect\(2\) for \"{host}\" port {port}"),
            Phrase(r"{system} - connect\(2\) for {host}:{port} \({url}\)"),
            Phrase(r"{system} - connect\(2\) for {host}:{port}"),
            Phrase(r"{system} - (?:connect\(2\)|user specified timeout)"),
            Phrase(
                r"\b(?:SocketError|Socket::ResolutionError)[):]{0,2} ?getaddrinfo(?:\(3\))?: {words}",
                otherwise=UNRESOLVED,
            ),
            Phrase(r"\bgetaddrinfo(?:\(3\))?: (?P<words>[^\n(]{4,80}) \((?:SocketError|Socket::ResolutionError)\)"),
            Phrase(r"\bNet::OpenTimeout\b", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bNet::ReadTimeout\b", TIMED_OUT, Phase.HTTP),
            Phrase(r"\bEOFError\b[^\n]{0,20}end of file reached|\bend of file reached \(EOFError\)", CLOSED),
            Phrase(r"\bErrno::(?P<words>E[A-Z]{4,14})\b"),
            Phrase(r"\bServer broke connection\b", CLOSED, Phase.HTTP),
            Phrase(r"\bTimed out connecting to server\b", TIMED_OUT, Phase.CONNECT),
        ),
    ),
    Family(
        Client.RUBY,
        "ruby/openssl, ossl_ssl.c; http.rb; Dalli, connection_manager.rb",
        (
            Phrase(
                r"\bSSL_connect (?:SYSCALL )?returned=[0-9] errno=[0-9]{1,3} peeraddr={address}:{port} state={words}",
                otherwise=TLS,
            ),
            Phrase(r"\bSSL_connect (?:SYSCALL )?returned=[0-9] errno=[0-9]{1,3} [^\n]{1,200}", TLS),
            Phrase(r"\bfailed to connect: {words}"),
            Phrase(r"(?<!\S){host}:{port} failed \(count: [0-9]{1,4}\) (?:Errno::)?{words}"),
        ),
    ),
)
