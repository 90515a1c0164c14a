"""The cause that heals by itself, a minute later: whoever is spoken to has another MAC address than believed. Pure."""

from __future__ import annotations

from testbed.evidence import Namespace
from testbed.explain.by_ending import diagnose
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Address
from testbed.predict.ending import StaleNeighbour


@diagnose.register
def believes_another(ending: StaleNeighbour, case: Case) -> Diagnosis:
    """The sender has a MAC address for it in its neighbour table, and nobody on the segment has that one."""
    here, link, known = ending.namespace, ending.link, ending.neighbour
    to = known.address
    owner = _owner(case, to)
    name, mac = owner or ("", "")
    now = f"{name}, which has {to}, is at {mac} now" if owner else f"whoever has {to} is at another one now"
    rows = [Row("neighbour", here.label, f"{to} dev {link.name} lladdr {known.mac} {known.state.upper()}")]
    if owner:
        rows.append(Row("link", name, f"link/ether {mac}"))
    return Diagnosis(
        Cause.STALE_NEIGHBOUR,
        f"{here.label} believes that {to} is at {known.mac}, and nobody has that MAC address any more: {now}. "
        f"{'Its answers reach' if ending.back else 'What it sends reaches'} nobody until it asks anew.",
        tuple(rows),
        (
            Cure(
                f"Have it forget (run on {case.machine(here)})",
                case.command_in(here, f"ip neighbour flush to {to} dev {link.name}"),
            ),
            Cure("Or wait: it asks anew by itself within a minute (arp(7), base_reachable_time)", ""),
            Cure(
                f"For good, give {name or 'it'} a MAC address that stays",
                f"podman run --network podman:ip={to},mac={_of(to)} ... (a new container)" if to.version == 4 else "",
            ),
        ),
        ("It comes after a restart: the container has the same address and another MAC address than before.",),
    )


def _owner(case: Case, to: Address) -> tuple[str, str] | None:
    """Who has an address, and by which MAC address; None where nobody in the picture does."""
    for namespace in case.evidence.namespaces.values():
        if mac := _mac_with(namespace, to):
            return namespace.label, mac
    return None


def _mac_with(namespace: Namespace, to: Address) -> str:
    links = {link.index: link.mac for link in namespace.links}
    return next((links.get(row.link, "") for row in namespace.addresses if row.address.ip == to), "")


def _of(address: Address) -> str:
    """A MAC address made of an IPv4 address, as Docker makes them: locally administered, and nobody else's."""
    return f"02:42:{address.packed.hex(':')}"
