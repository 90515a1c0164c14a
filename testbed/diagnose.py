"""From hosts that can be looked at to an explanation: take the picture, try once, put both together."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from testbed.errors import HostError, UsageError
from testbed.evidence import Attempt, Evidence, Place, lookup
from testbed.evidence.beyond import Remote, is_remote, start
from testbed.explain import pasted as reading
from testbed.explain.binding import is_about_binding, speaker
from testbed.explain.client_texts.said import Pasted
from testbed.explain.codes import Cause
from testbed.explain.explain import explain
from testbed.explain.explanation import Explanation
from testbed.explain.pasting import UNRESOLVED, explain_binding, explain_pasted, likeliest, subject
from testbed.model import Observation, Scheme, SocketState, Target, bracketed
from testbed.namespaces import NetworkNamespace
from testbed.predict import predict
from testbed.probe.trust import Trust
from testbed.readers.connections import connections
from testbed.readers.take import Source, take
from testbed.readers.trust import trust_in, trust_of
from testbed.readers.vantages import PATIENCE, files, source_of, vantage


@dataclass(frozen=True, slots=True)
class Told:
    """An explanation, and the picture that it was made from."""

    evidence: Evidence
    explanation: Explanation
    place: Place
    """Where the attempt starts."""


@dataclass(frozen=True, slots=True)
class Client:
    """How the user's client verifies certificates."""

    insecure: bool = False
    """True where it takes any certificate (curl(1), --insecure)."""
    trust: Trust | None = None
    """The trust that it verifies by; None is the trust store of the place that it runs in."""

    @classmethod
    def of_options(cls, *, insecure: bool = False, cacert: Path | None = None) -> Client:
        """From options that are called as curl's.

        :param cacert: a file with the certificates that it trusts, in PEM
        :raises UsageError: there are none in it, or it does not verify anyway
        """
        if insecure and cacert is not None:
            raise UsageError("--insecure verifies nothing: leave out --cacert, or leave out --insecure")
        return cls(insecure, None if cacert is None else trust_in(cacert))


#: One that verifies by the trust store of where it is.
USUAL: Final = Client()


def why(
    sources: Sequence[Source],
    place: str,
    target: Target,
    *,
    attempt: bool = True,
    seconds: float = PATIENCE,
    client: Client = USUAL,
    say: Callable[[str], None] = lambda line: None,
) -> Told:
    """Say why a place cannot connect to a target. Nothing is changed: rules, sysctls and files are only read.

    :param place: a host or container, in the notation of :mod:`testbed.evidence.lookup`, or a place beyond the picture
        (:func:`offline`), from where nothing is tried
    :param attempt: False sends nothing
    :param seconds: how long the one attempt may take
    :param client: what it is tried as
    :param say: told what takes long, a line at a time
    :raises UsageError: there is no such place, or there are several
    """
    say("taking the picture")
    evidence = take(sources)
    if is_remote(place, [one.name for one in evidence.places()]):
        return offline(evidence, place, target)
    found = evidence.place(place)
    seen, notes = _tried(sources, evidence, Attempt(found, target), seconds, client, say) if attempt else (None, ())
    told = explain(evidence, Attempt(found, target), seen)
    return Told(evidence, _noted(told, notes), found)


def offline(evidence: Evidence, place: str, target: Target) -> Told:
    """Explain from a picture alone: nothing is tried.

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
    client: Client = USUAL,
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
    # Where the text has no port there is nothing to try: what was predicted is the lookup.
    if not attempt or remote or is_about_binding(pasted) or pasted.target is None:
        return told
    seen, notes = _tried(sources, evidence, Attempt(told.place, pasted.target), seconds, client, say)
    told_with = explain_pasted(evidence, pasted, Attempt(told.place, pasted.target), seen)
    return Told(evidence, _noted(told_with, notes), told.place)


def pasted_offline(evidence: Evidence, pasted: Pasted, place: str | None = None) -> Told:
    """Explain from a picture alone: nothing is tried.

    :raises UsageError: as :func:`why_pasted`
    """
    if is_about_binding(pasted):
        if pasted.code is Cause.PORT_TAKEN and pasted.port is None:
            raise UsageError("the text says that a port is taken, and not which: paste the line that names it, too")
        where = evidence.place(place) if place else speaker(evidence, pasted)
        told = explain_binding(evidence, pasted, where.namespace) if where.namespace else None
        assert told is not None
        return Told(evidence, told, where)
    target = subject(evidence, pasted)
    if target is None:
        raise _no_target(pasted)
    if place is None:
        found, notes = _said_at(evidence, pasted, target)
        picture = evidence
    else:
        picture, found, beyond = start(evidence, place)
        notes = _of_remote(beyond)
    told = explain_pasted(picture, pasted, Attempt(found, target))
    if pasted.target is None and told.prediction is not None and told.prediction.outcome not in UNRESOLVED:
        raise UsageError(
            f"{picture.spelled(found)} knows {target.host} now ({told.prediction.address}), and the text names no "
            f"port: say which, with --from {picture.spelled(found)} {target.host}:PORT"
        )
    return Told(picture, _noted(told, notes), found)


def _no_target(pasted: Pasted) -> UsageError:
    if pasted.name or pasted.address:
        host = bracketed(pasted.name or str(pasted.address))
        return UsageError(f"the text names {host} and no port: say which, with --from NAME {host}:PORT")
    return UsageError("the text names no URL and no host:port: give one, with --from NAME URL")


def _said_at(evidence: Evidence, pasted: Pasted, target: Target) -> tuple[Place, tuple[str, ...]]:
    """The likeliest place from which an attempt ends as the text says; of several with one cause the first, and a
    sentence that names the others.
    """
    found = likeliest(evidence, pasted, target)
    if not found:
        known = ", ".join(map(evidence.spelled, evidence.places()))
        raise UsageError(f"from nowhere here would {target} end like that now: say which it was with --from ({known})")
    causes = {explain_pasted(evidence, pasted, Attempt(place, target)).cause for place in found}
    known = ", ".join(map(evidence.spelled, found))
    how = "--from NAME or --lab NAME" if len({place.host.lab for place in found}) > 1 else "--from NAME"
    if len(causes) > 1:
        raise UsageError(f"that may have been said by {known}: say which with {how}")
    if len(found) == 1:
        return found[0], ()
    note = f"The text fits {known} alike, for one cause; this is about the first: choose with {how}."
    return found[0], (note,)


def _tried(
    sources: Sequence[Source],
    evidence: Evidence,
    attempt: Attempt,
    seconds: float,
    client: Client,
    say: Callable[[str], None],
) -> tuple[Observation | None, tuple[str, ...]]:
    """One attempt, or a sentence about why there was none; neither where the place does not run anyway."""
    place = attempt.place
    if place.namespace is None:
        return None, ()
    say(f"trying {attempt.target} from {place.name}")
    try:
        return _try(sources, evidence, attempt, seconds, client), ()
    except HostError as exc:
        return None, (f"Nothing was tried from {place.name}, so that this rests on the picture alone: {exc}.",)


def _noted(told: Explanation, notes: tuple[str, ...]) -> Explanation:
    return replace(told, warnings=(*told.warnings, *notes))


def _try(
    sources: Sequence[Source], evidence: Evidence, attempt: Attempt, seconds: float, client: Client
) -> Observation:
    """One attempt from a place.

    :raises HostError: its namespace is gone, or not ours to enter
    """
    place, target = attempt.place, attempt.target
    trust = None
    if target.scheme is Scheme.HTTPS and not client.insecure:
        trust = client.trust or trust_of(source_of(sources, place.host), place)

    def look(port: int) -> tuple[SocketState, ...]:
        return _ends(sources, evidence, attempt, port)

    with vantage(sources, place) as here:
        return here.connect(target, seconds=seconds, trust=trust, look=look)


def _ends(sources: Sequence[Source], evidence: Evidence, attempt: Attempt, port: int) -> tuple[SocketState, ...]:
    """The sockets of a connection where it starts and where it is predicted to end, as far as they can be looked at."""
    end = predict(evidence, attempt).namespace
    keys = dict.fromkeys([attempt.place.namespace, end.key if end else None])
    found: list[SocketState] = []
    with suppress(HostError):
        known = files(sources, evidence)
        for key in keys:
            if key is not None and key in known:
                with suppress(HostError, OSError), NetworkNamespace(known[key][1], key) as net:
                    found += net.run(functools.partial(connections, key, port))
    return tuple(found)
