"""Capturing frames on interfaces of several network namespaces at once, in the order in which the kernel saw them.

The sockets' own buffers hold what has come until somebody asks, so that there is no thread. Nothing is changed on the
interfaces: they do not become promiscuous, which a bridge would take as an order to hear everything itself.
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TypeVar

from testbed.errors import CaptureError
from testbed.frames.decode import decode
from testbed.frames.frame import Frame, every
from testbed.frames.packet_socket import packet_socket
from testbed.namespaces import NetworkNamespace
from testbed.waiting import wait_for

T = TypeVar("T")

#: include/uapi/linux/if_ether.h, if_packet.h, if_arp.h and asm-generic/socket.h; Python has no names for these.
_ETH_P_ALL: Final = 0x0003
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_PACKET_AUXDATA: Final = 8
_SO_TIMESTAMPNS: Final = 35
_SO_RCVBUFFORCE: Final = 33
_TP_STATUS_VLAN_VALID: Final = 1 << 4
_ETHERNET: Final = frozenset({1, 772})  # ARPHRD_ETHER, and ARPHRD_LOOPBACK, which has the same header

_TIMESPEC: Final = struct.Struct("@qq")
_STATISTICS: Final = struct.Struct("@II")
#: struct tpacket_auxdata: status, length, captured length, two offsets, the tag's TCI and its EtherType.
_AUXDATA: Final = struct.Struct("@IIIHHHH")
_TAG: Final = struct.Struct("!HH")
_TAG_AT: Final = 12
_ANCILLARY: Final = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(_AUXDATA.size)
#: The longest that an interface hands over in one piece, with room for its header.
_LONGEST: Final = (1 << 16) + 256
_BUFFER: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Tap:
    """Where frames are looked at."""

    name: str
    """How it is shown, such as ``alice's port``."""
    net: NetworkNamespace
    interface: str

    @classmethod
    def on(cls, net: NetworkNamespace, interface: str) -> Tap:
        """A tap that is called by its interface and whose that is, such as ``eth0 of alice``."""
        return cls(f"{interface} of {net.what}", net, interface)


@dataclass(slots=True)
class _Open:
    """A tap with its socket, and what the kernel counted there so far."""

    tap: Tap
    socket: socket.socket
    passed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, order=True)
class _Seen:
    """A frame by its time; of equal times the one that was read first comes first."""

    nanoseconds: int
    number: int
    frame: Frame = field(compare=False)


class Capture:
    """What passes several interfaces, from construction until :meth:`close`.

    :param wanted: true for the frames to keep; the others are read and counted, and not shown
    :param buffer: bytes of the kernel's that each tap may fill between two looks; an ordinary user who does not own the
        namespace gets no more than twice net.core.rmem_max
    :raises CaptureError: an interface is missing or carries no Ethernet frames, or the right to look is missing
    """

    def __init__(
        self, taps: Sequence[Tap], *, wanted: Callable[[Frame], object] = every, buffer: int = _BUFFER
    ) -> None:
        self._wanted = wanted
        self._seen: list[_Seen] = []
        self._open: list[_Open] = []
        self._lost: dict[str, str] = {}
        self._numbers = 0
        self._selector = selectors.DefaultSelector()
        try:
            for tap in taps:
                opened = _Open(tap, packet_socket(tap.net, tap.interface, _ETH_P_ALL))
                self._open.append(opened)
                _set_up(opened, buffer)
                self._selector.register(opened.socket, selectors.EVENT_READ)
            _await_timestamps()
            self._forget()
        except BaseException:
            self.close()
            raise

    def frames(self) -> tuple[Frame, ...]:
        """The wanted frames so far, in the order of time over all taps. After :meth:`close`: those read before.

        :raises CaptureError: frames were lost, now or earlier; the message says where and how many
        """
        for opened in self._open:
            self._drain(opened)
        if self._lost:
            raise CaptureError("; ".join(self._lost.values()))
        self._seen.sort()
        return tuple(one.frame for one in self._seen)

    def until(self, condition: Callable[[tuple[Frame, ...]], T | None], what: str, *, seconds: float = 2.0) -> T:
        """Wait for frames, and return the first true value that the condition has for those so far.

        :param what: what is waited for, as the end of the sentence "waited 2 s for ..."
        :raises DeadlineError: it did not come in time; the message has the last frame that did
        :raises CaptureError: frames were lost
        """
        return wait_for(
            lambda: condition(self.frames()),
            what,
            seconds=seconds,
            state=self._state,
            pause=self._pause,
        )

    def close(self) -> None:
        """Stop looking. Calling it twice does no harm."""
        if self._open:
            # Closing one waits until no processor uses it (synchronize_net in packet_release, net/packet/af_packet.c),
            # which takes 10 ms and more; those that are closed at once wait together.
            with ThreadPoolExecutor(len(self._open), thread_name_prefix="capture-close") as pool:
                list(pool.map(lambda opened: opened.socket.close(), self._open))
        self._open.clear()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _forget(self) -> None:
        """Pass over what came before everything was set up: not all taps saw it, and its times may be wrong.

        As many frames as the kernel has counted, whatever their times: one that it has put none on gets that of
        reading, and would pass for one that came meanwhile.
        """
        for opened in self._open:
            self._count(opened)
            left = opened.passed - opened.dropped
            while left > 0 and (passed := self._read(opened)) is not None:
                left -= passed > 0
            opened.passed = opened.dropped = 0
        self._seen.clear()
        self._lost.clear()

    def _state(self) -> str:
        taps = ", ".join(opened.tap.name for opened in self._open)
        if not self._seen:
            return f"no wanted frame at {taps}"
        last = self._seen[-1].frame
        way = "out" if last.outgoing else "in"
        return f"{len(self._seen)} wanted at {taps}, the last one {way} at {last.tap}: {last.summary}"

    def _pause(self, seconds: float) -> None:
        """Wait for a frame, at most so long."""
        self._selector.select(seconds)

    def _drain(self, opened: _Open) -> None:
        """Read what a tap has; what comes meanwhile is left for the next time, so that this comes to an end."""
        now = time.time_ns()
        while (passed := self._read(opened)) is not None and passed <= now:
            pass
        self._count(opened)

    def _read(self, opened: _Open) -> int | None:
        """Read a frame that waits at a tap: when it passed, in ns; 0 for an error instead, None where none waits."""
        try:
            raw, ancillary, _, sender = opened.socket.recvmsg(_LONGEST, _ANCILLARY, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as exc:
            # Said once when an interface goes down or away; what waits can be read all the same.
            if exc.errno != errno.ENETDOWN:
                raise
            return 0
        return self._keep(opened.tap, raw, ancillary, outgoing=sender[2] == socket.PACKET_OUTGOING)

    def _keep(self, tap: Tap, raw: bytes, ancillary: Sequence[tuple[int, int, bytes]], *, outgoing: bool) -> int:
        """Note a frame if it is wanted, and return when it passed."""
        said = {(level, kind): data for level, kind, data in ancillary}
        seconds, rest = _TIMESPEC.unpack(said[socket.SOL_SOCKET, _SO_TIMESTAMPNS])
        nanoseconds = int(seconds) * 10**9 + int(rest)
        whole = _with_tag(raw, said.get((_SOL_PACKET, _PACKET_AUXDATA), b""))
        frame = decode(whole, tap=tap.name, at=nanoseconds / 10**9, outgoing=outgoing)
        self._numbers += 1
        if self._wanted(frame):
            self._seen.append(_Seen(nanoseconds, self._numbers, frame))
        return nanoseconds

    def _count(self, opened: _Open) -> None:
        """Ask the kernel what it dropped since it was asked last (PACKET_STATISTICS, packet(7))."""
        passed, dropped = _STATISTICS.unpack(
            opened.socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
        )
        opened.passed += passed  # the dropped ones are among these
        opened.dropped += dropped
        if opened.dropped:
            self._lost[opened.tap.name] = (
                f"{opened.tap.name}: {opened.dropped} of {opened.passed} frames were lost, since its buffer was full: "
                "look at it more often, or give it a larger buffer (as a user: net.core.rmem_max)"
            )


def _set_up(opened: _Open, buffer: int) -> None:
    """Ask for times and tags, and for a buffer as large as one may have.

    :raises CaptureError: what passes there has no Ethernet header
    """
    made, tap = opened.socket, opened.tap
    if made.getsockname()[3] not in _ETHERNET:
        raise CaptureError(
            f"{tap.name}: {tap.interface!r} of {tap.net.what} carries no Ethernet frames: capture where they are, "
            "such as at an end of a veth pair or at a bridge"
        )
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    with suppress(PermissionError):  # then net.core.rmem_max is the limit
        made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)


def _await_timestamps() -> None:
    """Wait until the kernel puts a time on what arrives.

    It starts to do so a moment after the first socket asked (net_enable_timestamp, net/core/dev.c: by a work queue).
    Until then a packet gets the time at which it is read, and frames of several interfaces the order of reading.

    :raises CaptureError: it does not, or this machine's loopback carries nothing
    :raises DeadlineError: it still does not
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        own.settimeout(1.0)
        try:
            own.bind(("127.0.0.1", 0))
            own.connect(own.getsockname())
            wait_for(lambda: _is_stamped_early(own), "the kernel to put times on packets", seconds=2.0)
        except OSError as exc:
            raise CaptureError(
                f"frames get no times, and so no order: a datagram to 127.0.0.1 did not arrive ({exc}); "
                "see that lo is up and the firewall lets it pass"
            ) from exc


def _is_stamped_early(own: socket.socket) -> bool:
    """Whether a datagram to itself bears a time before the one at which it is read."""
    own.send(b"")
    sent = time.time_ns()
    ((_, _, data),) = own.recvmsg(1, socket.CMSG_SPACE(_TIMESPEC.size))[1]
    seconds, rest = _TIMESPEC.unpack(data)
    return int(seconds) * 10**9 + int(rest) <= sent


def _with_tag(raw: bytes, auxdata: bytes) -> bytes:
    """The frame with the VLAN tag that the kernel keeps beside it (skb_vlan_untag, net/core/skbuff.c)."""
    if len(auxdata) < _AUXDATA.size:
        return raw
    status, *_, tci, kind = _AUXDATA.unpack_from(auxdata)
    if not status & _TP_STATUS_VLAN_VALID:
        return raw
    return raw[:_TAG_AT] + _TAG.pack(kind or 0x8100, tci) + raw[_TAG_AT:]
