"""Hosts: machines as far as networking goes, each with a Podman of its own."""

from testbed.host.links import End, join
from testbed.host.listeners import Listener, listeners
from testbed.host.private import PrivateHost
from testbed.host.protocol import Host

__all__ = ["End", "Host", "Listener", "PrivateHost", "join", "listeners"]
