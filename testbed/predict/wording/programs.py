"""The sentences for programs that make connections in the place of others. Pure."""

from __future__ import annotations

from testbed.evidence import Namespace
from testbed.model import Address
from testbed.predict.ending import Accepted, RelayCloses, RelayRefuses
from testbed.predict.wording.why import sentence, why


def keeps_closed(program: str, address: Address, here: Namespace) -> str:
    """Say that a program answers for its host's loopback, and lets nobody in there."""
    return (
        f"{address} is the host's loopback for {here.label}, which {program} keeps closed (allow_host_loopback=false)"
    )


@sentence.register
def relay_refuses(ending: RelayRefuses) -> str:
    """The host's loopback is closed."""
    return keeps_closed(ending.program, ending.destination, ending.namespace)


@sentence.register
def relay_closes(ending: RelayCloses) -> str:
    """An accepted connection is closed again."""
    return f"{why(Accepted(ending.trail, ending.listener))}, and closes it again: {why(ending.onward)}"
