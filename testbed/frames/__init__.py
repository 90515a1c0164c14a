"""Frames as they pass an interface, and the tables that decide where they go: captured, decoded, sent, read."""

from testbed.frames.capture import Capture, Tap
from testbed.frames.decode import decode
from testbed.frames.frame import BROADCAST, LOCAL_EXPERIMENTAL, Arp, Frame, Ip, every
from testbed.frames.sending import ethernet, send
from testbed.frames.tables import FdbRow, fdb, neighbours

__all__ = [
    "BROADCAST",
    "LOCAL_EXPERIMENTAL",
    "Arp",
    "Capture",
    "FdbRow",
    "Frame",
    "Ip",
    "Tap",
    "decode",
    "ethernet",
    "every",
    "fdb",
    "neighbours",
    "send",
]
