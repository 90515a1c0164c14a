"""What tests ask of a prediction beside its outcome: the ending of the packet, the verdict, the question for a name."""

from __future__ import annotations

from testbed.predict import Prediction
from testbed.predict.ending import Filtered, PacketEnding, Verdict
from testbed.predict.unknown import OfRule, Unknown
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
    """What in a firewall decided, or may have."""
    match packet_ending(predicted):
        case Filtered(verdict=found) | Unknown(reason=OfRule(verdict=found)):
            return found
    raise AssertionError(predicted.why)


def question(predicted: Prediction) -> Question:
    """The question that decided about a name."""
    found = question_of(predicted.ending)
    assert found is not None, predicted.why
    return found
