"""A doorman: a small HTTP server whose socket was born in one network namespace, and who says its room's name."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from testbed.namespaces import NetworkNamespace

_LARGEST_REQUEST: Final = 4096
_SECONDS: Final = 2.0


class Doorman:
    """Answers every HTTP request with 200 and ``Server: NAME`` until :meth:`close`, one caller at a time.

    :param net: where its socket is born; where the thread lives that answers makes no difference (socket(7))
    :raises OSError: the address or port cannot be bound
    """

    def __init__(self, net: NetworkNamespace, name: str, address: str, port: int) -> None:
        self._answer = (f"HTTP/1.1 200 OK\r\nServer: {name}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").encode()
        self._socket = net.socket()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, port))
            self._socket.listen()
        except OSError:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._serve, name=f"doorman-{name}", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:  # close() shut it down (EINVAL)
                return
            with caller, suppress(OSError):  # the caller went away
                caller.settimeout(_SECONDS)
                caller.recv(_LARGEST_REQUEST)
                caller.sendall(self._answer)

    def close(self) -> None:
        """Stop answering and wait for the thread. Calling it twice does no harm."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread up, which closing alone does not
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
