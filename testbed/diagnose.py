"""From hosts that can be looked at to an explanation: take the picture, try once, put both together."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from testbed.errors import HostError, UsageError
from testbed.evidence import Attempt, Evidence, Place, lookup
from testbed.evidence.beyond import Remote, is_remote, start
from testbed.explain import pasted as reading
from testbed.explain.binding import is_about_binding, speaker
from testbed.explain.client_texts.said import Pasted
from testbed.explain.explain import explain
from testbed.explain.explanation import Explanation
from testbed.explain.pasting import explain_binding, explain_pasted, likeliest
from testbed.model import Observation, Target
from testbed.readers.take import Source, take
from testbed.readers.vantages import PATIENCE, vantage


@dataclass(frozen=True, slots=True)
class Told:
    """An explanation, and the picture that it was made from."""

    evidence: Evidence
    explanation: Explanation
    place: Place
    """Where the attempt starts."""


def why(
    sources: Sequence[Source],
    place: str,
    target: Target,
    *,
    attempt: bool = True,
    seconds: float = PATIENCE,
    say: Callable[[str], None] = lambda line: None,
) -> Told:
    """Say why a place cannot connect to a target. Nothing is changed: rules, sysctls and files are only read.

    :param place: a host or container, in the notation of :mod:`testbed.evidence.lookup`, or a place beyond the picture
        (:func:`offline`), from where nothing is tried
    :param attempt: False sends nothing
    :param seconds: how long the one attempt may take
    :param say: told what takes long, a line at a time
    :raises UsageError: there is no such place, or there are several
    """
    say("taking the picture")
    evidence = take(sources)
    if is_remote(place, [one.name for one in evidence.places()]):
        return offline(evidence, place, target)
    found = evidence.place(place)
    seen, notes = _tried(sources, found, target, seconds, say) if attempt else (None, ())
    told = explain(evidence, Attempt(found, target), seen)
    return Told(evidence, _noted(told, notes), found)


def offline(evidence: Evidence, place: str, target: Target) -> Told:
    """The same from a picture alone: nothing is tried.

    :param place: as for :func:`why`; also one beyond the picture, as :func:`testbed.evidence.beyond.remote` takes it
    :raises UsageError: there is no such place, there are several, or it is beyond the picture and has no such name
    """
    picture, found, beyond = start(evidence, place)
    if beyond is not None:
        _named_there(beyond, target)
    told = explain(picture, Attempt(found, target))
    return Told(picture, _noted(told, _of_remote(beyond)), found)


def _named_there(beyond: Remote, target: Target) -> None:
    """Refuse a name that is known on the host, and elsewhere perhaps as another address, or not at all.

    :raises UsageError: the target is no address and not the host's own name
    """
    with suppress(ValueError):
        ipaddress.ip_address(target.host)
        return
    if not beyond.place.names.hosts.lookup(target.host):
        known = " or ".join(map(str, beyond.addresses))
        raise UsageError(
            f"what {target.host!r} is called by {beyond.place.name} is not known: give the address, such as {known}"
        )


def _of_remote(beyond: Remote | None) -> tuple[str, ...]:
    if beyond is None:
        return ()
    tried = f"Nothing was tried: {beyond.place.name} is predicted from the picture alone."
    if beyond.word != lookup.OUTSIDE:
        return (tried,)
    return (tried, "A router that translates addresses (NAT) hands in only what it was told to.")


def why_pasted(
    sources: Sequence[Source],
    text: str,
    place: str | None = None,
    *,
    attempt: bool = True,
    seconds: float = PATIENCE,
    say: Callable[[str], None] = lambda line: None,
) -> Told:
    """Say why somebody got an error, from its text and from what can be seen now.

    :param place: where it was said, in the notation of :mod:`testbed.evidence.lookup`; by default the one place from
        which it would be
    :raises UsageError: nothing of the text is known, it names no target, or it may have been said at several places
    """
    pasted = reading.read(text)
    say("taking the picture")
    evidence = take(sources)
    told = pasted_offline(evidence, pasted, place)
    remote = place is not None and is_remote(place, [one.name for one in evidence.places()])
    if not attempt or remote or is_about_binding(pasted):
        return told
    assert pasted.target is not None
    seen, notes = _tried(sources, told.place, pasted.target, seconds, say)
    told_with = explain_pasted(evidence, pasted, Attempt(told.place, pasted.target), seen)
    return Told(evidence, _noted(told_with, notes), told.place)


def pasted_offline(evidence: Evidence, pasted: Pasted, place: str | None = None) -> Told:
    """The same from a picture alone: nothing is tried.

    :raises UsageError: as :func:`why_pasted`
    """
    if is_about_binding(pasted):
        where = evidence.place(place) if place else speaker(evidence, pasted)
        told = explain_binding(evidence, pasted, where.namespace) if where.namespace else None
        assert told is not None
        return Told(evidence, told, where)
    if pasted.target is None:
        raise UsageError("the text names no URL and no host:port: give one, with --from NAME URL")
    if place is None:
        found = _said_at(evidence, pasted, pasted.target)
        return Told(evidence, explain_pasted(evidence, pasted, Attempt(found, pasted.target)), found)
    picture, found, beyond = start(evidence, place)
    told = explain_pasted(picture, pasted, Attempt(found, pasted.target))
    return Told(picture, _noted(told, _of_remote(beyond)), found)


def _said_at(evidence: Evidence, pasted: Pasted, target: Target) -> Place:
    """The likeliest place from which an attempt ends as the text says; of several with one cause, the first."""
    found = likeliest(evidence, pasted, target)
    if not found:
        known = ", ".join(map(evidence.spelled, evidence.places()))
        raise UsageError(f"from nowhere here would {target} end like that now: say which it was with --from ({known})")
    causes = {explain_pasted(evidence, pasted, Attempt(place, target)).cause for place in found}
    if len(causes) > 1:
        known = ", ".join(map(evidence.spelled, found))
        raise UsageError(f"that may have been said by {known}: say which with --from NAME")
    return found[0]


def _tried(
    sources: Sequence[Source], place: Place, target: Target, seconds: float, say: Callable[[str], None]
) -> tuple[Observation | None, tuple[str, ...]]:
    """One attempt, or a sentence about why there was none; neither where the place does not run anyway."""
    if place.namespace is None:
        return None, ()
    say(f"trying {target} from {place.name}")
    try:
        return _try(sources, place, target, seconds), ()
    except HostError as exc:
        return None, (f"Nothing was tried from {place.name}, so that this rests on the picture alone: {exc}.",)


def _noted(told: Explanation, notes: tuple[str, ...]) -> Explanation:
    return replace(told, warnings=(*told.warnings, *notes))


def _try(sources: Sequence[Source], place: Place, target: Target, seconds: float) -> Observation:
    """One attempt from a place.

    :raises HostError: its namespace is gone, or not ours to enter
    """
    with vantage(sources, place) as here:
        return here.connect(target, seconds=seconds)
