"""The sentences for names that have no address, and for places that cannot be started from. Pure."""

from __future__ import annotations

from testbed.predict.unresolved import (
    AnswersDiffer,
    AnswerUnknown,
    NameNotFound,
    NamespaceNotShown,
    NotAsked,
    NotRunning,
    Question,
    QuestionLeft,
    QuestionUnknown,
    ResolverFailed,
    SourceUnknown,
    Unresolved,
)
from testbed.predict.wording.why import sentence, why


def _not_in_hosts(ending: Unresolved) -> str:
    return f"{ending.host} is not in the hosts file of {ending.place}, and"


def _unanswered(question: Question) -> str:
    return f"no resolver answers: {why(question.ending)}"


@sentence.register
def name_not_found(ending: NameNotFound) -> str:
    """The resolver does not know it."""
    others = [name for name in ending.names if name != ending.host.rstrip(".")]
    nor = f", nor {' or '.join(others)}" if others else ""
    return f"{_not_in_hosts(ending)} the resolver {ending.resolver} does not know it{nor}"


@sentence.register
def answers_differ(ending: AnswersDiffer) -> str:
    """Any of several resolvers may answer first."""
    servers = " and ".join(map(str, (ending.resolver, *ending.others)))
    return f"{_not_in_hosts(ending)} the resolvers {servers} do not say the same, and any of them may answer first"


@sentence.register
def not_asked(ending: NotAsked) -> str:
    """No resolver is asked."""
    return f"{_not_in_hosts(ending)} nsswitch.conf there asks no resolver"


@sentence.register
def source_unknown(ending: SourceUnknown) -> str:
    """A service of nsswitch.conf is not modelled."""
    return f"{_not_in_hosts(ending)} what {ending.source} of nsswitch.conf says is not known"


@sentence.register
def answer_unknown(ending: AnswerUnknown) -> str:
    """The resolver's answer is not known."""
    return f"{_not_in_hosts(ending)} what the resolver {ending.resolver} says is not known"


@sentence.register
def resolver_failed(ending: ResolverFailed) -> str:
    """No resolver answers, or there is none."""
    said = _unanswered(ending.question) if ending.question else "it has no resolver to ask"
    return f"{_not_in_hosts(ending)} {said}"


@sentence.register
def question_undecided(ending: QuestionUnknown | QuestionLeft) -> str:
    """It is not known whether a resolver answers."""
    return f"{_not_in_hosts(ending)} {_unanswered(ending.question)}"


@sentence.register
def not_running(ending: NotRunning) -> str:
    """The container does not run."""
    return f"{ending.place} does not run"


@sentence.register
def namespace_not_shown(ending: NamespaceNotShown) -> str:
    """The picture lacks the namespace."""
    return f"the network namespace of {ending.place} is not in the picture"
