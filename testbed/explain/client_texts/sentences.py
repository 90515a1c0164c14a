"""Sentences that many programs print alike, in which a word of connecting governs the place."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, REFUSED, RESET, TIMED_OUT, Family, Phrase
from testbed.explain.client_texts.said import Client

_TO: Final = r"\bconnect(?:ing|ion)? to (?:server |host |tcp://)?['\"`\[(]?{host}:{port}['\"`\])]?(?:/[\w/.-]{0,80})?"

FAMILIES: Final = (
    Family(
        Client.UNKNOWN,
        "no client's own: what programmers write around the system's words",
        (
            Phrase(_TO + r"(?: \({address}(?::[0-9]{1,5})?\))?(?: has| was)? failed:? ?(?:with )?(?:error )?{words}"),
            Phrase(_TO + r" (?:was |is |has been )?refused\b", REFUSED),
            Phrase(_TO + r" (?:has )?timed out\b", TIMED_OUT),
            Phrase(_TO + r" (?:was |has been )?reset\b", RESET),
            Phrase(_TO + r" (?:was |has been )?closed\b", CLOSED),
            Phrase(_TO + r"(?: \({address}(?::[0-9]{1,5})?\))?(?:: | - |, |; ){words}"),
            # Other languages' libpq (src/interfaces/libpq/po): the host in quotes, the address, the port.
            Phrase(
                r"[\"\u00ab\u00bb\u201e\u201c'] ?{host} ?[\"\u00ab\u00bb\u201d\u201c'] ?\({address}\),?"
                r" \w{2,12} {port}\b"
                r"[^\n:]{0,40}: ?{words}"
            ),
        ),
    ),
)
