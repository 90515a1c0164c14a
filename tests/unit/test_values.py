"""Values are values: nothing changes one after it was made. Every dataclass of the package is one, or says why not."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import testbed

#: The dataclasses that may be changed, with the reason. Such a one is never handed out as a result.
CHANGED: Final = {
    "testbed.explain.counterfactual.Counterfactuals": "counts predictions, and remembers those that it made",
    "testbed.frames.capture._Open": "counts what the kernel drops at a socket that is open",
    "testbed.predict.conntrack.Tracking": "written as the packet goes, as the kernel's own table is",
    "testbed.predict.frame_filters.FrameFilters": "remembers which layers each namespace has chains at",
    "testbed.predict.netfilter.Netfilter": "remembers what each firewall on the way was asked",
    "testbed.predict.next_hop.NextHop": "remembers who has asked for a neighbour on the way there",
    "testbed.readers.processes._Pass": "gathers as it goes through /proc; its Holders is the value",
    "testbed.predict.walk_record.WalkRecord": "written as the packet goes; its Prediction is the value",
    "testbed.readers.iptables_text._Table": "a table while it is read, line by line",
    "testbed.readers.nft_json._Building": "a rule while it is read, expression by expression",
    "testbed.trace.follow._Net": "learns that its namespace has a trace once that has begun",
}
#: The values that have a dictionary beside their fields, with the reason.
UNSLOTTED: Final = {
    "testbed.trace.conversations.Conversation": "remembers what it worked out, and cached_property keeps it there",
}


def modules() -> Iterator[ModuleType]:
    """All modules of the package, imported; a ``__main__`` would run."""
    for found in pkgutil.walk_packages(testbed.__path__, "testbed."):
        if not found.name.endswith(".__main__"):
            yield importlib.import_module(found.name)


def classes(holder: ModuleType | type, module: str) -> Iterator[type]:
    """The classes that are defined in a module, those inside other classes too."""
    for value in list(vars(holder).values()):
        if isinstance(value, type) and value.__module__ == module and value is not holder:
            yield value
            yield from classes(value, module)


def named(kind: type) -> str:
    """The whole name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


KINDS: Final = {
    named(kind): kind
    for module in modules()
    for kind in classes(module, module.__name__)
    if dataclasses.is_dataclass(kind)
}


def blank(kind: type) -> object:
    """An instance without fields, for what is true of every instance."""
    return object.__new__(kind)


def can_be_set(kind: type) -> bool:
    """Whether any field of an instance can be set."""
    value = blank(kind)
    for field in dataclasses.fields(kind):
        try:
            setattr(value, field.name, None)
        except dataclasses.FrozenInstanceError:
            continue
        return True
    return False


def test_every_module_is_looked_at() -> None:
    """Values of the lowest layer, of inner modules and of the wiring on top are among those found."""
    assert {
        "testbed.model.Target",
        "testbed.evidence.kernel.Listener",
        "testbed.background.find.Running",
        "testbed.probe.attempt.Seen",
    } <= set(KINDS)


def test_no_value_can_be_changed() -> None:
    """No field of a value can be set once it was made, but of those that say why; none of these is stale."""
    assert sorted(name for name, kind in KINDS.items() if can_be_set(kind)) == sorted(CHANGED)


def test_no_value_has_room_for_a_field_that_is_mistyped() -> None:
    """Dataclasses are slotted: they have their fields and no dictionary beside them, but for those that say why."""
    assert sorted(name for name, kind in KINDS.items() if hasattr(blank(kind), "__dict__")) == sorted(UNSLOTTED)
