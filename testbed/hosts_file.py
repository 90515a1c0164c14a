"""A hosts file (hosts(5)) as a value."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from testbed.model import Address


@dataclass(frozen=True, slots=True)
class HostsFile:
    """Names and their addresses, in the order of the file."""

    addresses: Mapping[str, tuple[Address, ...]]

    @classmethod
    def parse(cls, text: str) -> HostsFile:
        """Read a hosts file; lines that hold no address are passed over, as the C library does."""
        found: dict[str, tuple[Address, ...]] = {}
        for line in text.splitlines():
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            try:
                address = ipaddress.ip_address(words[0])
            except ValueError:
                continue
            for name in words[1:]:
                known = found.get(name.lower(), ())
                if address not in known:
                    found[name.lower()] = (*known, address)
        return cls(found)

    def lookup(self, name: str) -> tuple[Address, ...]:
        """The addresses of a name, none when the file does not have it. Case does not count (RFC 4343).

        A dot at the end does: the C libraries compare the name as it was typed with those of the file (glibc,
        nss/nss_files/files-hosts.c; musl, src/network/lookup_name.c, name_from_hosts).
        """
        return self.addresses.get(name.lower(), ())
