"""Reading an error text by all that is known of clients. Pure; large, so imported only where a text is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from testbed.errors import UsageError
from testbed.explain.client_texts import curl, go, listening, nginx, node, openssh, other, python, sentences
from testbed.explain.client_texts.choosing import best, completed
from testbed.explain.client_texts.lines import shapes
from testbed.explain.client_texts.phrase import Naming, readings
from testbed.explain.client_texts.said import Pasted
from testbed.explain.client_texts.table import FAMILIES

#: Whose words leave nothing open: what they say is said, whatever else the text has.
_FIRST: Final = (nginx.find, listening.find, openssh.find)
#: Clients whose texts have a grammar of their own, and count before and after the table's: each is given the whole text
#: and finds its part.
_BEFORE: Final = (go.find, curl.find)
_AFTER: Final = (python.find, node.find)
_SHOWN: Final = 80


def read(text: str, limit: int) -> Pasted:
    """Read an error text, as :func:`testbed.explain.pasted.read` promises.

    :param limit: how many characters of it are read
    :raises UsageError: nothing of it is known
    """
    meant = tuple(shapes(text[:limit]))
    # Of two shapes that say as much the first. The system's words alone may be anybody's, so they come last.
    found = best([said for shape in meant if (said := _read(shape)) is not None]) or other.find(
        meant[0] if meant else ""
    )
    if found is None:
        joined = " ".join(" ".join(meant[:1]).split())
        shown = joined if len(joined) <= _SHOWN else f"{joined[:_SHOWN]}..."
        raise UsageError(
            f"no error of a client that is known here is in {shown!r}: paste the lines as the client "
            "printed them, or give a URL and --from"
        )
    if len(text) > limit:
        note = f"Only the first {limit // 1024} KiB of the text were read."
        found = replace(found, hint=f"{found.hint} {note}".strip())
    return replace(found, text=" ".join(found.text.split()))


def _read(text: str) -> Pasted | None:
    """Read one shape of a text by clients' words."""
    if first := next((said for find in _FIRST if (said := find(text))), None):
        return first
    by_table = [found for family in FAMILIES for found in readings(family, text)]
    namings = [found for found in by_table if isinstance(found, Naming)]
    known = [
        *(said for find in _BEFORE if (said := find(text))),
        *(found for found in by_table if isinstance(found, Pasted)),
        *(said for find in _AFTER if (said := find(text))),
    ]
    sentences_read = [found for family in sentences.FAMILIES for found in readings(family, text)]
    general = [found for found in sentences_read if isinstance(found, Pasted)]
    chosen = best(known or general)
    return None if chosen is None else completed(chosen, [*known, *general], namings, text)
