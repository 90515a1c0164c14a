"""How an attempt ended that sent no packet to its target: the name has no address, or there is no place to start.

    Ending
      Unresolved                       the name has no address
        Answered                       by a resolver that was reached
          NameNotFound  AnswerUnknown  AnswersDiffer
        NotAsked  SourceUnknown        by none
        ResolverFailed  QuestionUnknown  QuestionLeft
      Nowhere                          there is no namespace to start in
        NotRunning  NamespaceNotShown

Values only.
"""

from __future__ import annotations

from dataclasses import dataclass

from testbed.model import Address
from testbed.predict.disposition import Disposition
from testbed.predict.ending import Accepted, Ending, PacketEnding


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a resolver, and what it came to."""

    resolver: Address
    ending: PacketEnding


@dataclass(frozen=True, slots=True)
class Unresolved(Ending):
    """A name for which there is no address."""

    host: str
    """The name."""
    place: str
    """The place that looked it up."""


@dataclass(frozen=True, slots=True)
class Answered(Unresolved):
    """A resolver was asked, and is there."""

    resolver: Address
    asked: Accepted
    """The ending of the question."""


@dataclass(frozen=True, slots=True)
class NameNotFound(Answered):
    """The resolver does not know the name."""

    disposition = Disposition.NAME_NOT_FOUND
    names: tuple[str, ...] = ()
    """The names that were asked for in its place, in order (resolv.conf(5), search)."""


@dataclass(frozen=True, slots=True)
class AnswerUnknown(Answered):
    """The resolver's answer is not in the picture."""

    disposition = Disposition.UNKNOWN


@dataclass(frozen=True, slots=True)
class AnswersDiffer(Answered):
    """Several resolvers are asked, any of them may answer first, and they do not answer alike."""

    disposition = Disposition.UNKNOWN
    others: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class NotAsked(Unresolved):
    """The place asks no resolver for names (nsswitch.conf(5))."""

    disposition = Disposition.NAME_NOT_FOUND


@dataclass(frozen=True, slots=True)
class SourceUnknown(Unresolved):
    """A service of nsswitch.conf(5) is asked whose word is not in the picture."""

    disposition = Disposition.UNKNOWN
    source: str
    """The service, such as ``mdns4_minimal``."""


@dataclass(frozen=True, slots=True)
class ResolverFailed(Unresolved):
    """No resolver answers."""

    disposition = Disposition.RESOLVER_FAILED
    question: Question | None
    """The question to the first resolver; None where there is none to ask."""


@dataclass(frozen=True, slots=True)
class QuestionUnknown(Unresolved):
    """The question's way is beyond what is modelled."""

    disposition = Disposition.UNKNOWN
    question: Question


@dataclass(frozen=True, slots=True)
class QuestionLeft(Unresolved):
    """The question leaves what the picture shows."""

    disposition = Disposition.LEFT
    question: Question


# --- no place to start ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nowhere(Ending):
    """The place has no network namespace to start in."""

    place: str


@dataclass(frozen=True, slots=True)
class NotRunning(Nowhere):
    """The container does not run."""

    disposition = Disposition.NOT_RUNNING


@dataclass(frozen=True, slots=True)
class NamespaceNotShown(Nowhere):
    """It runs, and the picture does not have its namespace."""

    disposition = Disposition.UNKNOWN


# --- what any ending tells --------------------------------------------------------------------------------------------


def question_of(ending: Ending) -> Question | None:
    """The question that decided about a name, with the resolver; None where a name was not what failed."""
    if isinstance(ending, Answered):
        return Question(ending.resolver, ending.asked)
    return ending.question if isinstance(ending, ResolverFailed | QuestionUnknown | QuestionLeft) else None


def walked(ending: Ending) -> PacketEnding | None:
    """The packet's ending that decided: its own, or that of the question for its name; None where none was sent."""
    if isinstance(ending, PacketEnding):
        return ending
    question = question_of(ending)
    return question.ending if question else None
