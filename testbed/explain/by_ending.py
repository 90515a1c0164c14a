"""Proposals of causes for an ending, looked up by its class: each module of causes registers its own. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from testbed.explain.case import Case
from testbed.explain.explanation import Proposal
from testbed.predict.ending import Ending


@singledispatch
def propose(ending: Ending, case: Case) -> Iterable[Proposal]:  # noqa: ARG001 - those that are registered look at both
    """Propose causes of an ending, the most specific first; none where none is registered for endings of that class.

    A proposal need not be right: only one with a remedy that is predicted to cure is said.

    :param ending: the one that the case is predicted to end in, or another one that explains it
    """
    return ()
