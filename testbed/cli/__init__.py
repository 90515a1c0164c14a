"""The ``testbed`` command. Thin: each command turns words into calls and values into text."""

from testbed.cli.main import main

__all__ = ["main"]
