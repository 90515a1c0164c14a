"""The cause where full packets are lost: a link on the way takes less than they have, and nobody says so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from testbed.evidence import Act, Hook, Link, Namespace
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Address
from testbed.predict.firewall import Judged, judge
from testbed.predict.packet import Packet
from testbed.predict.routing import choose, source_for

#: An IP header and a TCP header without options (RFC 9293, 3.7.1), which the maximum segment size leaves out.
_HEADERS: Final = {4: 40, 6: 60}
#: What an HTTP client says beside host and path, at the least: its method, version and a few header lines.
_REQUEST: Final = 100


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction of a connection."""

    what: str
    """``request`` or ``answer``."""
    sender: Address
    links: Sequence[Link]
    """The interfaces that a packet leaves by, the sender's own first."""


def path(case: Case, direction: str = "") -> Diagnosis | None:
    """A link takes less than the two ends send, and the ICMP message that would say so does not come out.

    Ends send packets of the smaller MTU of the two, as each tells the other its own (RFC 6691).

    :param direction: the one that is known to lose packets, ``request`` or ``answer``; empty where that is not known
    """
    ways = _ways(case)
    if not all(way.links for way in ways):
        return None
    full = min((way.links[0].mtu for way in ways), default=0)
    for way in ways:
        narrow = min(way.links, key=lambda link: link.mtu)
        if (
            direction not in ("", way.what)
            or narrow.mtu >= full
            or (way.what == "request" and _request(case) <= narrow.mtu)
        ):
            continue
        here = next((n for n in case.evidence.namespaces.values() if narrow in n.links), None)
        lost = _icmp(here, way.sender) if here else None
        if here is not None and lost is not None and lost.verdict is not Act.ACCEPT:
            return _diagnosis(case, way, here, narrow, full, lost)
    return None


def _ways(case: Case) -> list[_Way]:
    """Both directions; none where the picture lacks an end."""
    here, ending = case.evidence.namespaces.get(case.place.namespace or ""), case.walked
    address = case.prediction.address
    if here is None or ending is None or address is None:
        return []
    trail, to = ending.trail, ending.destination
    there, back = ([link for link in path if link.name != "lo"] for path in (trail.path, trail.path_back))
    own = source_for(here, address, choose(here, address))
    return [] if own is None else [_Way("request", own, there), _Way("answer", to, back)]


def _request(case: Case) -> int:
    """About how many bytes the request has."""
    target = case.attempt.target
    return _REQUEST + len(target.path) + len(target.authority) if target.scheme.is_http else 0


def _icmp(here: Namespace, to: Address) -> Judged:
    """What becomes of the message that a packet was too large (RFC 1191; RFC 8201), where it is made."""
    chosen = choose(here, to)
    source = source_for(here, to, chosen) or to
    oif = chosen.link.name if chosen.link else ""
    protocol = "icmp" if to.version == 4 else "icmpv6"
    packet = Packet(source, to, protocol, None, None, oif=oif, state="related", flags=frozenset())
    return judge(here.firewall, Hook.OUTPUT, packet)


def _diagnosis(case: Case, way: _Way, here: Namespace, narrow: Link, full: int, lost: Judged) -> Diagnosis:
    words = lost.rule.text if lost.rule else f"the policy of {lost.chain.name if lost.chain else 'OUTPUT'}"
    version = way.sender.version
    tool = "iptables" if version == 4 else "ip6tables"
    clamp = f"TCPMSS --set-mss {narrow.mtu - _HEADERS[version]}"
    return Diagnosis(
        Cause.MTU,
        f"The connection is made, and then the {way.what} is lost: its full packets have {full} bytes, {narrow.name} "
        f"of {here.label} takes {narrow.mtu}, and the ICMP message that says so is kept back by a firewall rule of "
        f"{here.label} ({words}).",
        (
            *(Row("link", _label(case, link), f"{link.name} mtu {link.mtu}") for link in way.links),
            Row("rule", here.label, words),
        ),
        (
            Cure(
                f"On {here.label}, let TCP announce what fits",
                f"{tool} -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j {clamp}",
            ),
            Cure(
                "Make the network anew with that MTU, and its containers",
                f"podman network create --opt mtu={narrow.mtu} NAME",
            ),
            Cure("Let the ICMP message through that rule", ""),
        ),
        (
            "Small requests work, large ones and TLS hang: a firewall that drops ICMP hides the reason.",
            f"A silent program looks the same: here 'ss -ti' of whoever sends the {way.what} shows retrans growing.",
        ),
    )


def _label(case: Case, link: Link) -> str:
    return next((n.label for n in case.evidence.namespaces.values() if link in n.links), "")
