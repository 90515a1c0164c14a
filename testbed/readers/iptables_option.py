"""The options of a rule as iptables-save(8) prints it, each with its values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

#: A mask of 32 bits.
ALL_BITS: Final = 0xFFFF_FFFF
#: Options whose value is somebody's own words, which may look like an option.
_FREE_TEXT: Final = frozenset({"--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"})


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a rule with its values."""

    name: str
    values: tuple[str, ...]
    negated: bool

    @property
    def words(self) -> list[str]:
        """As it is written."""
        return ["!"] * self.negated + [self.name, *self.values]


def options_of(words: Sequence[str]) -> Iterator[Option]:
    """Each option of a rule, with the words up to the next one.

    :param words: those behind the name of the chain
    """
    start = 0
    while start < len(words):
        negated = words[start] == "!" and start + 1 < len(words)
        name = words[start + negated]
        end = values = start + negated + 1
        if name in _FREE_TEXT:
            end += 1
        while end < len(words) and not words[end].startswith("-") and words[end] != "!":
            end += 1
        yield Option(name, tuple(words[values:end]), negated)
        start = end


def value_and_mask(value: str) -> tuple[int, int]:
    """Read ``VALUE`` or ``VALUE/MASK``, whose mask is all bits where it is left out.

    :raises ValueError: it is neither
    """
    wanted, slash, mask = value.partition("/")
    return int(wanted, 0), int(mask, 0) if slash else ALL_BITS
