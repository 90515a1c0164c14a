"""Connections as they are read from the kernel, and as ss(8) prints them."""

from __future__ import annotations

import socket

from testbed.host.private import PrivateHost
from testbed.readers.connections import connections

PORT = 9000


def test_both_ends_of_a_connection_are_read_with_their_queues(private_host: PrivateHost) -> None:
    """Of a hundred bytes that a program has not read: the counters are those of ss, the far end's kernel has them."""
    with (
        private_host.net.socket() as server,
        private_host.net.socket() as client,
        private_host.net.socket() as other,
    ):
        server.bind(("127.0.0.1", PORT))
        server.listen()
        for one in (client, other):
            one.connect(("127.0.0.1", PORT))
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"x" * 100)
            port = client.getsockname()[1]
            found = {one.local: one for one in private_host.net.run(lambda: connections("here", port))}
            printed = private_host.run(["ss", "-Htn", f"dport = :{port}"]).split()
    here, there = found[f"127.0.0.1:{port}"], found[f"127.0.0.1:{PORT}"]
    assert len(found) == 2
    assert (there.namespace, there.state, there.peer) == ("here", "ESTAB", here.local)
    assert [there.state, str(there.unread), str(there.unacknowledged), there.local, there.peer] == printed
    assert (there.received, here.acknowledged, here.retransmitted) == (100, 101, 0)
    assert (here.accepted, there.accepted) == (True, True)


def test_a_connection_that_nobody_took_has_no_program(private_host: PrivateHost) -> None:
    """The kernel shook hands for it; over IPv6 the ends stand in brackets."""
    with (
        private_host.net.socket(socket.AF_INET6) as server,
        private_host.net.socket(socket.AF_INET6) as client,
    ):
        server.bind(("::1", PORT))
        server.listen()
        client.connect(("::1", PORT))
        port = client.getsockname()[1]
        found = {one.local: one for one in private_host.net.run(lambda: connections("here", port))}
    assert not found[f"[::1]:{PORT}"].accepted
    assert found[f"[::1]:{port}"].accepted
