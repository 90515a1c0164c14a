"""Sentences that go on from another one. Pure."""

from __future__ import annotations

from typing import Final

#: Words that sentences of causes begin with where that is no name: only the capital of the sentence's start is theirs.
_NO_NAMES: Final = frozenset({"A", "An", "Nobody", "One", "Port", "Rootless", "The", "What"})


def continued(sentence: str) -> str:
    """A sentence as it goes on after a comma or a colon: names and acronyms keep their capitals, other words do not."""
    head, _, rest = sentence.partition(" ")
    return f"{head.lower()} {rest}" if head in _NO_NAMES else sentence
