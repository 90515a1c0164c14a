"""Readers of a network namespace, and their findings. docs/adding/reader.md says how one is added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from testbed.namespaces import NetworkNamespace

#: The kinds of interfaces that are on another one, their parent, which may be of another namespace (ip-link(8)).
STACKED: Final = frozenset({"macvlan", "macvtap", "ipvlan", "ipvtap"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The findings of one reader in one namespace."""

    fields: Mapping[str, Any]
    """Values for :class:`testbed.evidence.Namespace`, by the names of its fields: those that it is registered
    for."""
    missing: tuple[str, ...] = ()
    """Parts that could not be read, and why, a sentence each."""
    peers: Mapping[int, tuple[int | None, int]] = field(default_factory=dict)
    """Of each veth by its ifindex: the number that the namespace has for its peer's, None for itself, and the peer's
    ifindex there. Of what is stacked on another interface: the same of that one. What links are completed from once all
    namespaces were read."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one kind of fact of a namespace."""

    what: str
    """Its subject, as a sentence begins that says it cannot be read: ``the connection tracking table``."""
    fields: tuple[str, ...]
    """The fields of :class:`testbed.evidence.Namespace` that it fills, and no other reader does."""
    read: Callable[[NetworkNamespace], Reading]
    """Reads it. An OSError or a HostError is told in the picture, and leaves the fields as empty as they begin."""
    essential: bool = False
    """True where a namespace of which this cannot be read is left out of the picture."""


def of_rows(what: str, filled: str, read: Callable[[], tuple[Any, tuple[str, ...]]]) -> Reader:
    """A reader of one field.

    :param what: what it reads
    :param filled: the field of :class:`testbed.evidence.Namespace`
    :param read: gives its value, and a sentence for whatever is missing of it; called on a thread that lives in the
        namespace
    """

    def reading(net: NetworkNamespace) -> Reading:
        found, missing = net.run(read)
        return Reading({filled: found}, missing)

    return Reader(what, (filled,), reading)
