"""The sentences for programs that make connections in the place of others. Pure."""

from __future__ import annotations

from testbed.evidence import Namespace, Protocol
from testbed.evidence.programs import PASTA
from testbed.model import Address
from testbed.predict.ending import Accepted, RelayCloses, RelayRefuses
from testbed.predict.rootless import CopiedAddress, ForwarderGone, HelperGone, InsideSubnet, OutdatedCopy
from testbed.predict.wording.rows import at
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
    then = "hands on no answer" if ending.packet.protocol == Protocol.UDP else "closes it again"
    return f"{why(Accepted(ending.trail, ending.listener))}, and {then}: {why(ending.onward)}"


@sentence.register
def helper_gone(ending: HelperGone) -> str:
    """The interface is gone with its program."""
    here = ending.namespace.label
    return f"{here} has no route to {ending.destination}: its {ending.program} has ended, and the interface with it"


@sentence.register
def forwarder_gone(ending: ForwarderGone) -> str:
    """The port is published, and the program that listened for it is gone."""
    packet, here = ending.packet, ending.namespace.label
    port = f"{packet.protocol} port {ending.published.host_port}"
    return (
        f"{ending.container.name} publishes {port} on {here}, and the {ending.program} that listened for it has ended"
    )


@sentence.register
def copied_address(ending: CopiedAddress) -> str:
    """The packet stays where the copy is."""
    packet, here = ending.packet, ending.namespace.label
    to = at(packet.destination, packet.destination_port)
    return (
        f"{packet.destination} is {ending.host.label}'s, and {here} has the same address from {PASTA}: what is sent to "
        f"it does not leave {here}, where nothing takes {packet.protocol} for {to}"
    )


@sentence.register
def outdated_copy(ending: OutdatedCopy) -> str:
    """The address that was copied is not the host's any more."""
    return (
        f"{PASTA} calls {ending.namespace.label} by {ending.hop}, which it copied for {ending.copied.label} when it "
        f"started, and {ending.namespace.label} does not have it any more"
    )


@sentence.register
def inside_subnet(ending: InsideSubnet) -> str:
    """The subnet is the program's own."""
    return (
        f"{ending.hop} is in {ending.subnet}, the subnet of {ending.program} itself on {ending.link.name} of "
        f"{ending.namespace.label}, where nobody has it"
    )
