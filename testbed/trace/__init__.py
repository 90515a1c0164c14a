"""Following one real request through the namespaces of some hosts, packet by packet, and back."""

from testbed.trace.follow import follow
from testbed.trace.values import Decided, Decision, Endpoint, Hop, Journey, Leg, LegEnd, Rewrite, RuleHit, Start

__all__ = [
    "Decided",
    "Decision",
    "Endpoint",
    "Hop",
    "Journey",
    "Leg",
    "LegEnd",
    "Rewrite",
    "RuleHit",
    "Start",
    "follow",
]
