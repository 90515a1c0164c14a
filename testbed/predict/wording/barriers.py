"""The sentences for what keeps the owner of an address from answering. Pure."""

from __future__ import annotations

from functools import singledispatch

from testbed.predict.barrier import (
    AddressNotUsable,
    Barrier,
    InterfaceDown,
    IsolatedPorts,
    KeepsSilent,
    MacvlanMode,
    MacvlanParent,
    NotAPort,
)


@singledispatch
def keeps(barrier: Barrier) -> str:
    """Say what keeps the owner of an address from answering.

    :raises NotImplementedError: no sentence is registered for a barrier of that class
    """
    raise NotImplementedError(f"{type(barrier).__name__} has no sentence in testbed.predict.wording")


def _owner(barrier: Barrier) -> str:
    return barrier.owner.label if barrier.owner else "whoever has it"


@keeps.register
def _(barrier: AddressNotUsable) -> str:
    found = "found a duplicate" if barrier.address.duplicate else "has not ended"
    return f"{_owner(barrier)} has it, and may not use it: duplicate address detection {found}"


@keeps.register
def _(barrier: InterfaceDown) -> str:
    return f"{barrier.link.name} of {barrier.namespace.label}, on the way there, is down"


@keeps.register
def _(barrier: MacvlanParent) -> str:
    macvlan = f"{barrier.macvlan.name} of {barrier.child.label}"
    return (
        f"{_owner(barrier)} has it, and the kernel lets no packet pass between a macvlan ({macvlan}) and its parent "
        f"({barrier.parent.name})"
    )


@keeps.register
def _(barrier: MacvlanMode) -> str:
    modes = f"{barrier.asker.name} is of mode {barrier.asker.mode}, {barrier.link.name} of {barrier.link.mode}"
    return f"{_owner(barrier)} has it, on a macvlan that this one does not hear: {modes}"


@keeps.register
def _(barrier: IsolatedPorts) -> str:
    ports = f"{barrier.asker.name} and {barrier.port.name}"
    bridge = f"{barrier.bridge.name} of {barrier.namespace.label}"
    return f"{_owner(barrier)} has it, and {ports}, the ports of {bridge} on the way there, are both isolated"


@keeps.register
def _(barrier: NotAPort) -> str:
    return f"the other end, {barrier.link.name} of {barrier.namespace.label}, is a port of no bridge and has no address"


@keeps.register
def _(barrier: KeepsSilent) -> str:
    settings = ", ".join(f"{one.name} = {one.value or 0}" for one in barrier.sysctls)
    return f"{_owner(barrier)} has it, and does not answer the question by {barrier.link.name} ({settings})"
