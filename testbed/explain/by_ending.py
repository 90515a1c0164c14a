"""The diagnosis of an ending, looked up by its class: each module of causes registers those that it knows. Pure."""

from __future__ import annotations

from functools import singledispatch

from testbed.explain.case import Case
from testbed.explain.explanation import Diagnosis
from testbed.predict.ending import Ending


@singledispatch
def diagnose(ending: Ending, case: Case) -> Diagnosis | None:  # noqa: ARG001 - those that are registered look at both
    """Find the cause that an ending has; None where none is registered for endings of that class.

    :param ending: what the case is predicted to end in, or another ending that explains it
    """
    return None
