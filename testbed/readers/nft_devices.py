"""The interfaces that chains of devices are hooked to, from ``nft list chains``: nft 1.0.6 has no JSON of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: By family, table and name of a chain.
Devices = Mapping[tuple[str, str, str], tuple[str, ...]]
_CHAIN_LINE: Final = re.compile(r"(?P<kind>table|chain) (?:(?P<family>\S+) )?(?P<name>\S+) \{")
_DEVICES_LINE: Final = re.compile(r"type \S+ hook \S+ devices? (?:= )?(?P<devices>\{[^}]*\}|\S+) priority")


def devices_of(text: str) -> Devices:
    """The interfaces that chains are hooked to, as ``nft list chains`` prints them (nft(8), CHAINS)."""
    family = table = chain = ""
    found = {}
    for line in map(str.strip, text.splitlines()):
        if started := _CHAIN_LINE.match(line):
            if started["kind"] == "table":
                family, table = started["family"], started["name"]
            else:
                chain = started["name"]
        elif hooked := _DEVICES_LINE.match(line):
            names = hooked["devices"].strip("{} ").split(",")
            found[family, table, chain] = tuple(name.strip().strip('"') for name in names)
    return found
