"""Attempts: one try from a vantage to a target, and what it saw."""

from testbed.probe.attempt import Ask
from testbed.probe.vantage import Vantage

__all__ = ["Ask", "Vantage"]
