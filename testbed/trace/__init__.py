"""Following one real request through the namespaces of some hosts, packet by packet, and back."""

from testbed.trace.follow import follow
from testbed.trace.values import Decided, Decision, End, Endpoint, Hop, Journey, Leg, Rewrite, RuleHit, Start

__all__ = ["Decided", "Decision", "End", "Endpoint", "Hop", "Journey", "Leg", "Rewrite", "RuleHit", "Start", "follow"]
