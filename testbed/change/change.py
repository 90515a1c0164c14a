"""A change of a picture, and what applies it. Pure.

A change is a value that names what it changes by keys and ids, never by position, so that it can be applied to any
picture that still has that. Each module beside this one has the changes of one subject, and registers what applies
them; their words and commands are in :mod:`testbed.change.wording`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import singledispatch
from typing import ClassVar

from testbed.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a picture; the base of all of them."""

    effort: ClassVar[int]
    """How much of a running system it touches, to compare changes that do the same:

    ====  ==============================================================================
    0     the caller's own words: another name, address, port or scheme
    1     one setting of the running kernel or of one program, undone in the same way
    2     a program started again
    3     a container started again, or attached to a network
    4     a container made anew
    5     a network made anew, with every container on it
    6     a program started that nothing in the picture shows
    ====  ==============================================================================
    """


class ImpossibleChangeError(Exception):
    """A change cannot be made on the machine that the picture shows; its text is the reason, as half a sentence."""


@singledispatch
def apply(change: Change, evidence: Evidence) -> Evidence:
    """Make the picture that would be taken after a change.

    :raises ImpossibleChangeError: the kernel, Podman or the program would refuse it on that machine
    """
    raise NotImplementedError(f"nothing applies a {type(change).__name__}; {evidence.taken}")


def apply_all(changes: Iterable[Change], evidence: Evidence) -> Evidence:
    """Make the picture that would be taken after several changes, one after the other.

    :raises ImpossibleChangeError: one of them is impossible, on the picture that those before it left
    """
    for change in changes:
        evidence = apply(change, evidence)
    return evidence
