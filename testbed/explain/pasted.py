"""Reading an error text that somebody pasted: who said it, what it means, and what it cannot tell. Pure."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.said import Client, Pasted

__all__ = ["LIMIT", "Client", "Pasted", "read"]

#: Characters that are read; an error text has a few hundred.
LIMIT: Final = 64 * 1024


def read(text: str) -> Pasted:
    """What an error text says, wherever in the text it stands: logs, JSON, colours and other lines may surround it.

    Only the first 64 Ki characters are read, which the hint says where there are more.

    :raises UsageError: nothing of it is known
    """
    # The table of clients takes as long to import as a picture to explain, and only a text needs it.
    from testbed.explain.client_texts import reading  # noqa: PLC0415

    return reading.read(text, LIMIT)
