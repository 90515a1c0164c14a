"""Whether Podman keeps a network apart from others (podman-network-create(1), --opt isolate). Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from testbed.evidence import Network

#: From this Podman on, a network that says nothing is kept apart strictly (netavark 2.0).
_STRICT_BY_DEFAULT: Final = (6,)


class Isolation(StrEnum):
    """How far a network is kept apart."""

    NONE = "false"
    NORMAL = "true"
    """From other networks that are kept apart."""
    STRICT = "strict"
    """From all other networks."""


def isolation_of(network: Network, podman: tuple[int, ...]) -> Isolation:
    """How far a network is kept apart.

    :param podman: its version; empty where it is not known
    """
    said = network.options.get("isolate")
    if said is None:
        return Isolation.STRICT if podman >= _STRICT_BY_DEFAULT else Isolation.NONE
    return {"true": Isolation.NORMAL, "1": Isolation.NORMAL, "strict": Isolation.STRICT}.get(said, Isolation.NONE)
