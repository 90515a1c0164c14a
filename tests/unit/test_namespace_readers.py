"""Every field of a namespace has its reader, and a reader that fails is a sentence in the picture."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections import Counter

import pytest

from testbed.errors import HostError
from testbed.evidence import Namespace
from testbed.namespaces import NetworkNamespace
from testbed.readers import namespace
from testbed.readers.namespace import OWN_FIELDS, READERS, Seen, see
from testbed.readers.reader import Reader, Reading, of_rows
from tests.unit.stand_ins import HereNamespace


def test_every_field_of_a_namespace_is_filled_by_one_reader() -> None:
    """A field that is forgotten stays empty without a word, and one that two fill has the last one's rows."""
    filled = Counter(field for reader in READERS for field in reader.fields)
    assert filled == Counter({field.name for field in dataclasses.fields(Namespace)} - OWN_FIELDS)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: "_".join(reader.fields))
def test_a_reader_fills_what_it_is_registered_for(reader: Reader) -> None:
    """On this process's own namespace, which it may read whoever it is."""
    assert set(reader.read(HereNamespace()).fields) == set(reader.fields)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: "_".join(reader.fields))
def test_a_field_that_cannot_be_read_can_be_left_out(reader: Reader) -> None:
    """Each begins empty, so that a reader may fail."""
    made = Namespace("key", "label")
    assert not any(getattr(made, field) for field in reader.fields if field != "firewall")
    assert made.firewall.chains == ()


def failing(exc: Exception, *, essential: bool = False) -> Reader:
    """A reader that cannot read."""

    def read(net: NetworkNamespace) -> Reading:
        raise exc

    return Reader("the thing", ("conntrack",), read, essential=essential)


DENIED = PermissionError(errno.EPERM, os.strerror(errno.EPERM))
GONE = HostError("here is gone")


@pytest.mark.parametrize(
    ("exc", "said"), [(DENIED, "the thing cannot be read: Operation not permitted"), (GONE, "here is gone")]
)
def test_what_one_reader_cannot_read_is_a_sentence(monkeypatch: pytest.MonkeyPatch, exc: Exception, said: str) -> None:
    """The others are asked all the same, and what they miss is told too."""
    other = of_rows("another", "sysctls", lambda: ({"a": "1"}, ("half of it",)))
    monkeypatch.setattr(namespace, "READERS", (failing(exc), other))
    found = see("net:[1]", HereNamespace())
    assert isinstance(found, Seen)
    assert (found.namespace.conntrack, found.namespace.sysctls) == ((), {"a": "1"})
    assert found.namespace.missing == (said, "half of it")


@pytest.mark.parametrize(
    ("exc", "said"),
    [(DENIED, "the thing of here cannot be read: [Errno 1] Operation not permitted"), (GONE, "here is gone")],
)
def test_without_what_is_essential_there_is_no_namespace(
    monkeypatch: pytest.MonkeyPatch, exc: Exception, said: str
) -> None:
    """One sentence says so, with the namespace's name: it is told of the whole picture."""
    monkeypatch.setattr(namespace, "READERS", (failing(exc, essential=True),))
    assert see("net:[1]", HereNamespace()) == said
