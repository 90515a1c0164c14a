"""The two questions that are asked of a change: what it is called, and by what command it is made. Pure."""

from __future__ import annotations

from functools import singledispatch

from testbed.change.change import Change
from testbed.evidence import Evidence


@singledispatch
def words(change: Change, evidence: Evidence) -> str:
    """The effect of a change, in a few words that begin with a verb in the imperative, without a full stop.

    :param evidence: the picture that it is to be made on
    """
    raise NotImplementedError(f"a {type(change).__name__} has no words; {evidence.taken}")


@singledispatch
def command(change: Change, evidence: Evidence) -> str:
    """The command that makes a change, for sh(1) on the machine that the picture is of; several stand in lines.

    It is empty where the picture does not say which program's settings are to be changed: then the words say it all.

    :param evidence: the picture that it is to be made on
    """
    raise NotImplementedError(f"a {type(change).__name__} has no command; {evidence.taken}")
