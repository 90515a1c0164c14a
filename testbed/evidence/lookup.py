"""Finding a host or a container by what a person calls it. Pure.

The notation is ``[LAB/][HOST/]NAME``. NAME is a container's name or id, a pod's name, a host's name or the key
of its network namespace (``net:[4026531840]``), the word ``host`` for a host, or the first letters of a container's
name or id. A whole name goes before first letters, and a container before a host of the same name, which is
``NAME/host``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from testbed.errors import UsageError

T = TypeVar("T")

#: The word that means a host, whatever its name.
HOST: Final = "host"
#: The words for places that are not in a picture (:mod:`testbed.evidence.beyond`).
LAN: Final = "lan"
OUTSIDE: Final = "outside"
_SEPARATOR: Final = "/"
#: As many digits of a container's id as ``podman ps`` prints.
_SHORT_ID: Final = 12


@dataclass(frozen=True, slots=True)
class Called:
    """All that one host or one container may be called."""

    name: str
    host: str
    """The name of the host that it is, or that it is on."""
    lab: str = ""
    """The lab in the background that it is in; empty where it is in none."""
    container_id: str | None = None
    """None for a host."""
    pod: str = ""
    """Of an infra container: its pod's name, which means it too, as the pod has its network namespace. Podman gives no
    container the name of a pod, nor the other way round."""
    namespace: str = ""
    """Of a host: the key of its network namespace; empty where it is not known. Hosts that have one and the same are
    one place: the rootful and the rootless Podman of a machine."""


def find(text: str, among: Sequence[T], called: Callable[[T], Called], *, missing: Callable[[], UsageError]) -> T:
    """The one host or container that a person means.

    :param text: what was typed, in the notation of this module
    :param called: what each of them may be called
    :param missing: the error where there is none
    :raises UsageError: there is none, or there are several; then each is named as it can be typed
    """
    found = matching(text, among, called)
    if not found:
        raise missing()
    if len(found) > 1:
        known = ", ".join(spelled(one, among, called) for one in found)
        raise UsageError(f"{text!r} may be any of {known}: give one of these")
    return found[0]


def matching(text: str, among: Sequence[T], called: Callable[[T], Called]) -> tuple[T, ...]:
    """All that a person may mean: those that fit best, of hosts with one network namespace the first.

    :param text: what was typed, in the notation of this module
    :param called: what each of them may be called
    """
    *within, name = text.split(_SEPARATOR)
    known = [(one, words) for one in among if _is_within(words := called(one), within)]
    for fits in (_is_whole_container, _is_whole_host, _is_word_for_host, _begins_container):
        found = [(one, words) for one, words in known if fits(words, name)]
        if found:
            return tuple(_each_place_once(found))
    return ()


def spelled(one: T, among: Sequence[T], called: Callable[[T], Called]) -> str:
    """The shortest words that mean this one and no other: :func:`find` takes them.

    Where there are none, as for two containers with one id in a picture made by hand, the longest words.
    """
    own = called(one)
    words = list(_spellings(own))
    return next((text for text in words if [called(x) for x in matching(text, among, called)] == [own]), words[-1])


def _spellings(own: Called) -> Iterator[str]:
    """From short to long; a pod's infra container by its pod first."""
    if own.container_id is None:
        yield own.name
        if own.lab:
            yield _joined(own.lab, own.name)
        yield _joined(own.name, HOST)
        if own.lab:
            yield _joined(own.lab, own.name, HOST)
        if own.namespace:
            yield own.namespace
        return
    for word in filter(None, (own.pod, own.name)):
        yield word
        yield _joined(own.host, word)
        if own.lab:
            yield _joined(own.lab, word)
            yield _joined(own.lab, own.host, word)
    yield own.container_id[:_SHORT_ID]
    yield own.container_id


def _joined(*words: str) -> str:
    return _SEPARATOR.join(words)


def _is_within(own: Called, within: Sequence[str]) -> bool:
    """Return True where it is in the lab, or on the host, that stands before its name."""
    match within:
        case []:
            return True
        case [one]:
            return bool(one) and one in (own.lab, own.host)
        case [lab, host]:
            return bool(lab) and (lab, host) == (own.lab, own.host)
    return False


def _is_whole_container(own: Called, name: str) -> bool:
    return own.container_id is not None and bool(name) and name in (own.name, own.container_id, own.pod)


def _is_whole_host(own: Called, name: str) -> bool:
    return own.container_id is None and bool(name) and name in (own.name, own.namespace)


def _is_word_for_host(own: Called, name: str) -> bool:
    return own.container_id is None and name == HOST


def _begins_container(own: Called, name: str) -> bool:
    return own.container_id is not None and bool(name) and any(x.startswith(name) for x in (own.name, own.container_id))


def _each_place_once(found: Sequence[tuple[T, Called]]) -> Iterator[T]:
    namespaces: set[str] = set()
    for one, own in found:
        if own.namespace not in namespaces or not own.namespace:
            namespaces.add(own.namespace)
            yield one
