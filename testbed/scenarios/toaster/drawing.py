"""A parcel's way as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from testbed.evidence import Conntrack
from testbed.frames import Frame
from testbed.scenarios.toaster.judgement import Parcel, addresses_of, ends
from testbed.trace import RuleHit

#: Of a picture (Scene.picture).
_WIDTH: Final = 100


def ladder(parcel: Parcel, taps: Iterable[str] | None = None) -> tuple[str, ...]:
    """Two lines for each frame that a parcel went in: by which interfaces, and the addresses on and in it.

    :param taps: only what was seen there; everything by default
    """
    wanted = parcel.taps if taps is None else frozenset(taps)
    rungs = groupby((f for f in parcel.frames if f.tap in wanted), key=lambda frame: frame.raw)
    return tuple(line for _, frames in rungs for line in _rung(list(frames)))


def _rung(frames: Sequence[Frame]) -> tuple[str, str]:
    ip = frames[0].ip
    assert ip is not None, "a parcel is a packet of TCP"
    satchel = f"{frames[0].source} > {frames[0].destination}"
    packet = " > ".join(addresses_of(frames[0]))
    return " ──▶ ".join(frame.tap for frame in frames), f"    {satchel}  {packet:<41}TTL {ip.ttl}"


def page(entry: Conntrack) -> tuple[str, str]:
    """A line of the conntrack table: what came, and what is awaited as its answer."""
    return f"came    {' > '.join(ends(entry.original))}", f"awaits  {' > '.join(ends(entry.reply))}"


def rules(hits: Iterable[RuleHit]) -> tuple[str, ...]:
    """The rules that matched, a line each, cut to the width of a picture; iptables' own words name the chain."""
    lines = (f"{hit.table}{'' if hit.text.startswith('-A ') else f' {hit.chain}'}: {hit.text}" for hit in hits)
    return tuple(line if len(line) <= _WIDTH else f"{line[: _WIDTH - 4]} ..." for line in lines)
