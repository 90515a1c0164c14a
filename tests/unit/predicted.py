"""Questions of tests to predictions: how the packet ended, the verdict, the question for a name; and all the kinds."""

from __future__ import annotations

from typing import Any, Final

from testbed.predict import Prediction, ending, rootless, steps, unknown, unresolved
from testbed.predict.ending import Filtered, PacketEnding, Verdict
from testbed.predict.unknown import OfRule, Reason, Unknown
from testbed.predict.unresolved import Question, question_of, walked


def packet_ending(predicted: Prediction) -> PacketEnding:
    """How the packet ended, or the one that asked for the name."""
    found = walked(predicted.ending)
    assert found is not None, predicted.why
    return found


def place(predicted: Prediction) -> str:
    """The key of the namespace where it ended."""
    return packet_ending(predicted).namespace.key


def verdict(predicted: Prediction) -> Verdict:
    """The rule or policy that decided in a firewall, or may have."""
    match packet_ending(predicted):
        case Filtered(verdict=found) | Unknown(reason=OfRule(verdict=found)):
            return found
    raise AssertionError(predicted.why)


def reason(predicted: Prediction) -> Reason:
    """Why it is not known how the packet ends."""
    found = packet_ending(predicted)
    assert isinstance(found, Unknown), predicted.why
    return found.reason


def question(predicted: Prediction) -> Question:
    """The question that decided about a name."""
    found = question_of(predicted.ending)
    assert found is not None, predicted.why
    return found


#: Where the classes of endings and steps are defined.
_DEFINED: Final = (ending, rootless, steps, unknown, unresolved)


def kinds(base: type) -> list[Any]:
    """The classes below one that endings and steps are made of: those that are the base of no other."""
    known = {value for module in _DEFINED for value in vars(module).values() if isinstance(value, type)}
    below = sorted((kind for kind in known if issubclass(kind, base)), key=lambda kind: kind.__name__)
    return [kind for kind in below if not any(kind in other.__bases__ for other in below)]
