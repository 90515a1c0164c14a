"""Choosing the cause among proposals: the smallest change that is predicted to cure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from testbed.change import apply
from testbed.change.wording import command
from testbed.evidence import Evidence
from testbed.explain.case import Case
from testbed.explain.counterfactual import Counterfactuals
from testbed.explain.explanation import Cure, Diagnosis, Proposal, Remedy
from testbed.explain.exposure import exposed
from testbed.explain.sentences import continued
from testbed.model import Outcome
from testbed.predict import Prediction
from testbed.predict.ending import Left

#: Cures that are printed for one cause.
_MOST_CURES = 3
#: The effort of making a container anew (:class:`testbed.change.Change`).
_ANEW = 4
#: The effort of giving the caller another target: as of starting a program again.
_CALLED = 2


@dataclass(frozen=True, slots=True)
class Proven:
    """A proposal with those of its remedies that cure, the least first."""

    proposal: Proposal
    remedies: tuple[Remedy, ...]

    @property
    def weight(self) -> tuple[bool, int, int]:
        """How much has to change at the least, after those causes that the picture shows by itself."""
        return (bool(self.proposal.meant), *min(map(weight, self.remedies)))


def weight(remedy: Remedy) -> tuple[int, int]:
    """How much a remedy changes: the effort of the greatest of its changes, and how many there are.

    That the caller uses another target is a change too, of one program's settings.
    """
    called = 1 if remedy.target else 0
    return max([called * _CALLED, *(change.effort for change in remedy.changes)]), len(remedy.changes) + called


Propose = Callable[[Case], Iterable[Proposal]]


def chosen(case: Case, propose: Propose) -> tuple[Diagnosis, ...]:
    """The cause that cures with the least change; several where only what was meant tells them apart; none at all.

    :param propose: what proposes causes for a case, the most specific first
    """
    trials = Counterfactuals(case)
    proposals = tuple(propose(case))
    proven = _proven(proposals, trials.cures) or list(_pairs(proposals, trials, propose))
    beyond = not proven
    if beyond:
        proven = _proven(proposals, trials.leads_out)
    if not proven:
        return ()
    proven.sort(key=lambda one: one.weight)
    best = proven[0]
    rivals = list(_others(best, proven[1:]))
    kept = [best, *rivals] if best.proposal.meant and rivals else [best]
    found = tuple(_diagnosis(one, trials) for one in kept)
    return tuple(_as_far_as_shown(one, trials) for one in found) if beyond else found


def _others(best: Proven, proven: Iterable[Proven]) -> Iterator[Proven]:
    """Those of other causes where what was meant tells, each once: a name's addresses may lead to one and the same."""
    said = set()
    for one in proven:
        key = (one.proposal.cause, one.proposal.meant)
        if one.proposal.meant and _is_another(one, best) and key not in said:
            said.add(key)
            yield one


def _is_another(one: Proven, best: Proven) -> bool:
    """Tell if two are different causes: a pair that is found in either order is one."""
    if {frozenset(remedy.changes) for remedy in one.remedies} & {
        frozenset(each.changes) for each in best.remedies if each.changes
    }:
        return False
    return one.proposal.cause is not best.proposal.cause


def _proven(proposals: Sequence[Proposal], cures: Callable[[Remedy], bool]) -> list[Proven]:
    """The proposals with a remedy that cures, each with those that do."""
    found = ((proposal, _least(tuple(filter(cures, proposal.remedies)))) for proposal in proposals)
    return [Proven(proposal, curing) for proposal, curing in found if curing]


def _least(remedies: tuple[Remedy, ...]) -> tuple[Remedy, ...]:
    """Remedies without those that do all that another one does and more, or the same again."""
    done = [(set(remedy.changes), remedy.target) for remedy in remedies]
    return tuple(
        remedy
        for place, (remedy, (changes, target)) in enumerate(zip(remedies, done, strict=True))
        if not any(
            target == other_target and (other < changes or (other == changes and earlier < place))
            for earlier, (other, other_target) in enumerate(done)
            if earlier != place
        )
    )


def _as_far_as_shown(diagnosis: Diagnosis, trials: Counterfactuals) -> Diagnosis:
    """A diagnosis whose cures lead out of the picture, with what they do not show."""
    after = trials.after(diagnosis.cures[0].changes)
    ending = after.prediction.ending if after else None
    link = f"{ending.link.name} of {ending.namespace.label}" if isinstance(ending, Left) and ending.link else "there"
    beyond = f"With the cure the packet leaves by {link}; what answers beyond that is not in the picture."
    return replace(diagnosis, warnings=(*diagnosis.warnings, beyond))


def _pairs(proposals: Sequence[Proposal], trials: Counterfactuals, propose: Propose) -> Iterable[Proven]:
    """Two changes, where no single one cures: what still fails after the first has a cause and a remedy of its own."""
    for proposal in proposals:
        for remedy in proposal.remedies:
            after = trials.after(remedy.changes, remedy.target) if remedy.changes else None
            if after is None or not _came_further(after.prediction, trials.case.prediction):
                continue
            for second in propose(after):
                both = {_then(remedy, further): further for further in second.remedies}
                curing = _least(tuple(one for one in both if trials.cures(one)))
                if curing:
                    first = _command(remedy, trials.case.evidence)
                    yield Proven(
                        _and(proposal, second, trials),
                        tuple(
                            replace(one, command="\n".join(filter(None, (first, _command(both[one], after.evidence)))))
                            for one in curing
                        ),
                    )
                    break


def _then(first: Remedy, second: Remedy) -> Remedy:
    """Two remedies as one, without a command yet."""
    return Remedy(
        f"{first.text}; and then: {second.text}",
        changes=(*first.changes, *second.changes),
        target=second.target or first.target,
    )


def _and(first: Proposal, second: Proposal, trials: Counterfactuals) -> Proposal:
    """Two causes of one failure as one proposal, which says both.

    Of the second one's evidence only what is there already is shown: the rest comes with the first change.
    """
    return replace(
        first,
        sentence=f"{first.sentence} That is not all: once it is mended, {continued(second.sentence)}",
        rows=(*first.rows, *(row for row in second.rows if row not in first.rows and trials.has(row))),
        warnings=tuple(dict.fromkeys((*first.warnings, *second.warnings))),
        meant=first.meant or second.meant,
    )


def _came_further(after: Prediction, before: Prediction) -> bool:
    """Tell if an attempt fails otherwise than before: what it failed at is out of the way."""
    if after.outcome in (Outcome.CONNECTED, Outcome.INCONCLUSIVE):
        return False
    return (type(after.ending), after.why) != (type(before.ending), before.why)


def _command(remedy: Remedy, evidence: Evidence) -> str:
    """The commands of a remedy's changes, one after the other; its own where they have none, or what is then called.

    A container that is made anew keeps all its other options, which make a line that nobody wants to read: what changes
    in it is said instead.
    """
    found: list[str] = []
    for change in remedy.changes:
        if change.effort >= _ANEW:
            return remedy.command
        found.append(command(change, evidence))
        evidence = apply(change, evidence)
    lines = [line for line in found if line]
    if lines and remedy.target is not None:
        lines.append(f"# and then call {remedy.target.authority}")
    return "\n".join(lines) or remedy.command or (remedy.target.authority if remedy.target else "")


def _diagnosis(proven: Proven, trials: Counterfactuals) -> Diagnosis:
    proposal = proven.proposal
    shown = sorted(
        ((remedy, exposed(trials, remedy)) for remedy in proven.remedies),
        # Of those that are alike otherwise, calling something else leaves the machine as it is.
        key=lambda one: (*weight(one[0]), one[1].size, len(one[0].changes)),
    )[:_MOST_CURES]
    return Diagnosis(
        proposal.cause,
        proposal.sentence,
        tuple(row for row in proposal.rows if any(trials.needs(row, remedy) for remedy, _ in shown)),
        tuple(Cure(r.text, _command(r, trials.case.evidence), who.text, r.changes, r.target) for r, who in shown),
        proposal.warnings,
        proposal.meant,
    )
