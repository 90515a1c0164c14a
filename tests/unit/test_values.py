"""Values are values: nothing changes one after it was made."""

from __future__ import annotations

import dataclasses

import pytest

from testbed.evidence import Listener
from testbed.hosts_file import HostsFile
from testbed.images.recipe import Base, Recipe
from testbed.images.store import Built
from testbed.machine_facts import Machine
from testbed.model import Answer, Observation, Target
from testbed.names import Naming
from testbed.prerequisites import Prerequisite
from testbed.probe import Vantage
from testbed.probe.attempt import Seen
from testbed.probe.go_text import GoFailure
from testbed.topology import CableSpec, ContainerSpec, HostSpec, NetworkSpec, Publish, Topology
from testbed.tunnel.forward import Server
from testbed.tunnel.keys import KeyPair

VALUES = [
    Answer,
    Base,
    Built,
    CableSpec,
    Prerequisite,
    ContainerSpec,
    GoFailure,
    HostSpec,
    HostsFile,
    KeyPair,
    Listener,
    Machine,
    Naming,
    NetworkSpec,
    Observation,
    Publish,
    Recipe,
    Seen,
    Server,
    Target,
    Topology,
    Vantage,
]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_value_cannot_be_changed(kind: type) -> None:
    """No field of a value can be set once it was made."""
    value: object = object.__new__(kind)
    for field in dataclasses.fields(kind):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, None)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_value_has_no_room_for_a_field_that_is_mistyped(kind: type) -> None:
    """Values are slotted: they have their fields and no dictionary beside them."""
    assert not hasattr(object.__new__(kind), "__dict__")
