"""What a resolver knows, as a value: names and their addresses, and names for all below one (RFC 4592). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

T = TypeVar("T")

_WILDCARD: Final = "*"


def lookup(zone: Mapping[str, T], name: str) -> T | None:
    """The entry for a name; None where there is none.

    ``*.lab.example`` is the entry of every name below lab.example that is not there, unless a name between them is
    (RFC 4592, 2.2.1).

    :param zone: by names in lower case without a dot at the end
    :param name: in any case, with or without a dot at the end
    """
    wanted = name.rstrip(".").lower()
    if wanted in zone:
        return zone[wanted]
    if any(known.endswith(f".{wanted}") for known in zone):
        return None  # it is there, without an address (RFC 4592, 2.2.2)
    while wanted:
        _, _, parent = wanted.partition(".")
        if (entry := zone.get(f"{_WILDCARD}.{parent}")) is not None:
            return entry
        if any(known == parent or known.endswith(f".{parent}") for known in zone):
            return None
        wanted = parent
    return None
