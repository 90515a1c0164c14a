"""Labs that go on running in the background, each kept by a process of its own."""

from testbed.background.find import Running, running

__all__ = ["Running", "running"]
