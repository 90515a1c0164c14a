"""The one tree of errors."""

from __future__ import annotations

import re

import pytest

from testbed import errors
from testbed.errors import CommandError, Error


def _below(kind: type[Error]) -> list[type[Error]]:
    return [found for child in kind.__subclasses__() for found in (child, *_below(child))]


OWN = [kind for kind in _below(Error) if kind.__module__ == "testbed.errors"]


def test_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """Each line of the drawing stands below its parent's, in depth first order, and none is missing."""
    drawn: list[tuple[str, str]] = []
    path = ["Error"]
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"(?P<indent>[ │]*)[├└]── (?P<name>\w+) ", line)
        if found:
            depth = len(found["indent"]) // 4
            path[depth:] = [found["name"]]
            drawn.append((found["name"], path[depth - 1]))
    assert drawn == [(kind.__name__, kind.__mro__[1].__name__) for kind in OWN]


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_every_error_ends_the_command_line_with_status_2(kind: type[Error]) -> None:
    """An error on purpose means that the environment cannot run it: 1 is for what differs from what was expected."""
    assert kind.exit_code == 2


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__name__)
def test_every_error_has_a_sentence_of_its_own(kind: type[Error]) -> None:
    """Each class says when it is raised."""
    assert kind.__doc__ != Error.__doc__
    assert (kind.__doc__ or "").splitlines()[0].endswith(".")


@pytest.mark.parametrize(
    ("stderr", "shown"),
    [(" no such file\n", "no such file"), ("", "(nothing on stderr)"), (" \n", "(nothing on stderr)")],
    ids=["words", "empty", "blank"],
)
def test_command_error_quotes_the_command_and_what_it_said(stderr: str, shown: str) -> None:
    """The message has command, status and standard error, or says that there was nothing on it."""
    error = CommandError("cat x", 3, stderr)
    assert str(error) == f"'cat x' ended with status 3: {shown}"
    assert (error.status, error.stderr) == (3, stderr)
