"""Tools of a terminal that only connect: BusyBox's applets, the ncs, telnet, bash, socat, wait-for-it."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    PLACE,
    TIMED_OUT,
    UNCONNECTED,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client
from testbed.model import Outcome

FAMILIES: Final = (
    Family(
        Client.BUSYBOX,
        "BusyBox, libbb/xconnect.c (set_nport, xconnect), networking/wget.c",
        (
            Phrase(
                r"\bConnecting to {host}(?::{port})? \({address}:[0-9]{1,5}\)\s{1,4}wget: can't connect to"
                r" remote host[^\n:]{0,80}: {words}"
            ),
            Phrase(r"\bConnecting to {host}:{port} \({address}:[0-9]{1,5}\)", PLACE),
            Phrase(r"\bConnecting to {host} \({address}:{port}\)", PLACE),
            Phrase(r"\bcan't connect to remote host \({address}\): {words}"),
            Phrase(r"\bcan't connect to remote host: {words}"),
            Phrase(r"\bbad address '{host}:{port}'", UNRESOLVED),
            Phrase(r"\bbad address '{host}'", UNRESOLVED),
            Phrase(r"\bwget: download timed out\b", TIMED_OUT),
            Phrase(r"\berror getting response: {words}"),
            Phrase(r"\berror getting response\b", CLOSED),
            Phrase(r"\bserver returned error: HTTP/[0-9.]{1,3} [0-9]{3}[^\n]{0,80}", (Outcome.HTTP_STATUS,)),
        ),
    ),
    Family(
        Client.NETCAT,
        "OpenBSD nc, netcat.c; netcat-traditional, netcat.c; ncat, ncat_connect.c and util.c",
        (
            Phrase(r"\bconnect to {host} (?:\({address}\) )?port {port} \((?:tcp|udp)\) failed: {words}"),
            Phrase(r"\bconnect to {host} (?:\({address}\) )?port {port} \((?:tcp|udp)\) timed out", TIMED_OUT),
            Phrase(r"\bgetaddrinfo for host \"{host}\" port {port}: {words}", otherwise=UNRESOLVED),
            # With -n, or where no name leads back, the name is (UNKNOWN).
            Phrase(r"(?<!\S)(?:\(UNKNOWN\)|{host}) \[{address}\] {port} \([^)\n]{1,40}\) ?: {words}"),
            Phrase(r"(?<!\S){host}: forward host lookup failed: {words}", otherwise=UNRESOLVED),
            Phrase(r"\bnc: {host} \({address}:{port}\): {words}"),
            Phrase(r"\bunable to connect to address {host}, service {port}\b", UNREACHED),
            Phrase(r"\bNcat: Connection to {address} failed: {words}"),
            Phrase(r"\bNcat: Could not resolve hostname \"{host}\": {words}", otherwise=UNRESOLVED),
            Phrase(r"\bNcat: TIMEOUT\b", TIMED_OUT),
            Phrase(r"\bNcat: {words}"),
            Phrase(r"\bCouldn't resolve host \"{host}\"", UNRESOLVED),
            Phrase(r"\bnc (?:-\w{1,8} (?:[0-9]{1,4} )?){0,4}{host} {port}\b", PLACE),
        ),
    ),
    Family(
        Client.TELNET,
        "netkit-telnet, telnet/commands.cc; inetutils, telnet/commands.c",
        (
            Phrase(r"\btelnet: connect to address {address}: {words}"),
            Phrase(r"\bTrying {address}\.\.\.\s{1,4}telnet: Unable to connect to remote host: {words}"),
            Phrase(r"\btelnet: Unable to connect to remote host: {words}"),
            Phrase(r"\btelnet: could not resolve {host}/{port}: {words}", otherwise=UNRESOLVED),
            # Every session ends with that line: here nothing was said before it.
            Phrase(
                r"\bTrying {address}\.\.\.\s{1,4}Connected to {host}\.\s{1,4}Escape character is [^\n]{1,20}\s{1,4}"
                r"Connection closed by foreign host\.",
                CLOSED,
            ),
            Phrase(r"\bTrying {address}\.\.\.", PLACE),
            Phrase(r"\btelnet {host} {port}\b", PLACE),
        ),
    ),
    Family(
        Client.WINDOWS,
        "Windows' telnet (telnet.exe); NetTCPIP, Test-NetConnection.psm1",
        (
            Phrase(
                r"\bConnecting To {host}\s?\.\.\.\s{0,4}Could not open connection to the host, on port {port}: Connect"
                r" failed",
                UNREACHED,
            ),
            Phrase(r"\bTCP connect to \({address} : {port}\) failed", UNCONNECTED),
            Phrase(r"\bTCP connect to {host}:{port} failed", UNCONNECTED),
            Phrase(r"\bName resolution of {host} failed", UNRESOLVED),
        ),
    ),
    Family(
        Client.UNKNOWN,
        "bash, lib/sh/netopen.c; paramiko; wrk; socat, xio-socket.c; wait-for-it.sh; dockerize; ping(8), iputils",
        (
            # netopen() leaves EINVAL where the name was not resolved, and says that before.
            Phrase(r"(?<!\S){host}: (?P<words>[^\n:]{5,80})\n[^\n]{0,200}/dev/tcp/(?P=host)/{port}: Invalid argument"),
            Phrase(r"/dev/tcp/{host}/{port}: {words}"),
            Phrase(r"/dev/tcp/{host}/{port}\b", PLACE),
            Phrase(r"\bE connect\([0-9]{1,6}, AF=[0-9]{1,3} {address}:{port}, [0-9]{1,4}\): {words}"),
            Phrase(r"\bE getaddrinfo\(\"{host}\", \"[^\"\n]{1,40}\"[^\n]{0,80}\): {words}", otherwise=UNRESOLVED),
            Phrase(r"\btimeout occurred after waiting [0-9]{1,6} seconds for {host}:{port}", UNREACHED),
            # wrk, src/wrk.c.
            Phrase(r"(?<![^\n])unable to connect to {host}:{port} {system}(?![^\n])"),
            # paramiko, ssh_exception.py, NoValidConnectionsError.
            Phrase(r"\bUnable to connect to port {port} on {host}\b", UNCONNECTED),
            Phrase(r"\bwaiting on dependencies to become available: \[{url}", UNREACHED),
            Phrase(r"\bping: (?:unknown host {host}|{host}: {words})", otherwise=UNRESOLVED),
        ),
    ),
)
