"""Words and commands of changes of interfaces, addresses and neighbours, for ip(8) and bridge(8). Pure."""

from __future__ import annotations

from testbed.change.segments import (
    AddAddress,
    EndIsolation,
    ForgetNeighbour,
    MakePort,
    RemoveAddress,
    SetHairpin,
    SetMtu,
    SetUp,
)
from testbed.change.wording.places import inside, label, link_name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence


@words.register
def _(change: SetUp, evidence: Evidence) -> str:
    return f"Set the interface {change.link.name} of {label(evidence, change.namespace)} up"


@command.register
def _(change: SetUp, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"ip link set {change.link.name} up")


@words.register
def _(change: SetHairpin, evidence: Evidence) -> str:
    here = label(evidence, change.namespace)
    return f"Let the bridge of {here} send back by {change.link.name}, until the container is restarted"


@command.register
def _(change: SetHairpin, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"bridge link set dev {change.link.name} hairpin on")


@words.register
def _(change: MakePort, evidence: Evidence) -> str:
    return f"Make {change.link.name} a port of {change.bridge.name} of {label(evidence, change.namespace)}"


@command.register
def _(change: MakePort, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"ip link set {change.link.name} master {change.bridge.name}")


@words.register
def _(change: EndIsolation, evidence: Evidence) -> str:
    return f"Let the port {change.link.name} of {label(evidence, change.namespace)} talk to isolated ones"


@command.register
def _(change: EndIsolation, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"bridge link set dev {change.link.name} isolated off")


@words.register
def _(change: SetMtu, evidence: Evidence) -> str:
    return f"Set the MTU of {change.link.name} of {label(evidence, change.namespace)} to {change.mtu}"


@command.register
def _(change: SetMtu, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"ip link set {change.link.name} mtu {change.mtu}")


@words.register
def _(change: ForgetNeighbour, evidence: Evidence) -> str:
    return f"Let {label(evidence, change.namespace)} ask anew who has {change.neighbour.address}"


@command.register
def _(change: ForgetNeighbour, evidence: Evidence) -> str:
    link = link_name(evidence.namespaces.get(change.namespace), change.neighbour.link)
    return inside(evidence, change.namespace, f"ip neighbour del {change.neighbour.address} dev {link}")


@words.register
def _(change: AddAddress, evidence: Evidence) -> str:
    return f"Give {change.link.name} of {label(evidence, change.namespace)} the address {change.address}"


@command.register
def _(change: AddAddress, evidence: Evidence) -> str:
    return inside(evidence, change.namespace, f"ip address add {change.address} dev {change.link.name}")


@words.register
def _(change: RemoveAddress, evidence: Evidence) -> str:
    return f"Take the address {change.address.address.ip} from {label(evidence, change.namespace)}"


@command.register
def _(change: RemoveAddress, evidence: Evidence) -> str:
    link = link_name(evidence.namespaces.get(change.namespace), change.address.link)
    return inside(evidence, change.namespace, f"ip address del {change.address.address} dev {link}")
