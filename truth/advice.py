"""Sentences that state no fact of the picture: what to do, and what holds of every machine. Pure."""

from __future__ import annotations

import re
from typing import Final

#: How such sentences begin, or go on.
_ADVICE: Final = re.compile(
    r"One of these, and only what was meant tells which"
    r"|Try it: leave out --no-attempt"
    r"|Who is to answer at "
    r"|What tcpdump sees on "
    r"|A container that runs is not yet a program that listens"
    r"|An interface that is down shows at its other end as NO-CARRIER"
    r"|localhost is often ::1 first"
    r"|podman ps shows what is published"
    r"|The (?:host and other containers reach the published port|listener is there)"
    r"|With rp_filter 1 in sysctl\.d"
    r"|'[^']+' is the answer of this REJECT rule"
    r"|This '[^']+' comes from a REJECT rule"
    r"|(?:Allow|Call|Connect|End|Give|Have it|Let|Make|Name it|Publish|Put|Remove|Restart|Run|Set|Share|Start|Take) "
    r"|(?:Turn|Write) "
    r"|The host does not ask it"
    r"|The answer that says so does not come back"
    r"|It cannot be told"
    r"|It (?:takes the kernel three seconds|asks anew by itself|stays so until|comes after a restart|may work after)"
    r"|Not even ARP is answered"
    r"|ss shows the port as listened on"
    r"|The host's ss shows"
    r"|A full queue looks like"
    r"|Small requests work|A silent program looks the same"
    r"|Networks that docker-compose or Portainer made"
    r"|An accept in another table does not help"
    r"|Restarting one of them makes the bridge anew"
    r"|A program that looks a name up once"
    r"|A wildcard of the domain answers"
)


def is_advice(text: str) -> bool:
    """Tell if a sentence is one of these."""
    return _ADVICE.match(text) is not None
