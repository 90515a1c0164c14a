"""One network namespace, read by each reader in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from testbed.errors import HostError
from testbed.evidence import Namespace
from testbed.namespaces import NetworkNamespace
from testbed.readers import conntrack, firewall, ipsec, links, sockets, sysctls, traffic_control
from testbed.readers.reader import Reader

#: All of them, in the order in which they read.
READERS: Final[tuple[Reader, ...]] = (
    links.READER,
    sockets.READER,
    conntrack.READER,
    firewall.READER,
    traffic_control.READER,
    ipsec.READER,
    sysctls.READER,
)
#: The fields of a Namespace that no reader fills: what it is known by, and what all readers missed.
OWN_FIELDS: Final = frozenset({"key", "label", "missing"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A namespace as it was read, and what completes it once all are."""

    namespace: Namespace
    peers: Mapping[int, tuple[int | None, int]]
    """See :attr:`testbed.readers.reader.Reading.peers`."""


def see(key: str, net: NetworkNamespace) -> Seen | str:
    """Read one namespace; a sentence where that cannot be done at all.

    :param key: what the picture knows it by
    """
    fields: dict[str, Any] = {}
    peers: dict[int, tuple[int | None, int]] = {}
    missing: list[str] = []
    for reader in READERS:
        try:
            found = reader.read(net)
        except HostError as exc:
            if reader.essential:
                return str(exc)
            missing.append(str(exc))
        except OSError as exc:
            if reader.essential:
                return f"{reader.what} of {net.what} cannot be read: {exc}"
            missing.append(f"{reader.what} cannot be read: {exc.strerror}")
        else:
            fields.update(found.fields)
            peers.update(found.peers)
            missing += found.missing
    return Seen(Namespace(key=key, label=net.what, missing=tuple(missing), **fields), peers)
