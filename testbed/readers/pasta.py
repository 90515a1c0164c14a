"""What a pasta process was told of the addresses that it takes for others, by its command line (pasta(1))."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from testbed.evidence import PastaNames
from testbed.model import Address

_FLAGS: Final = frozenset({"--config-net", "--no-map-gw", "--quiet"})
#: Options with an argument which decide nothing of what leaves the namespace.
_OTHERS: Final = frozenset({"-t", "-u", "-T", "-U", "--pid", "--netns"})
_HOST: Final = "--map-guest-addr"
_LOOPBACK: Final = "--map-host-loopback"
_RESOLVER: Final = "--dns-forward"
_LONGEST: Final = 1 << 16


def names_of(folder: Path, open_files: Iterable[tuple[str, str]]) -> dict[str, PastaNames]:
    """The addresses by the key of its namespace; empty where the process ended, or has options that are not modelled.

    pasta has an empty root directory: its namespace is found by the file of it that it keeps open.

    :param folder: its folder in /proc
    :param open_files: what it has open, by descriptor
    """
    with suppress(OSError):
        with (folder / "cmdline").open("rb") as file:
            words = file.read(_LONGEST).decode(errors="replace").removesuffix("\0").split("\0")
        given = options(words[1:])
        names = _names(given) if given is not None else None
        for fd, target in open_files:
            if given is not None and names is not None and target == given.get("--netns"):
                return {f"net:[{(folder / 'fd' / fd).stat().st_ino}]": names}
    return {}


def options(words: Sequence[str]) -> Mapping[str, str] | None:
    """The options of a command line as Podman writes it (libnetwork/pasta/pasta_linux.go); None of another one.

    Without ``--no-map-gw`` the gateway is the host's loopback too, which is not modelled.
    """
    found: dict[str, str] = {}
    left = iter(words)
    for word in left:
        name, attached, argument = word.partition("=")
        if name in _FLAGS:
            found[name] = ""
        elif name in _OTHERS or name in (_HOST, _LOOPBACK, _RESOLVER):
            found[name] = argument if attached else next(left, "")
        else:
            return None
    return found if "--no-map-gw" in found else None


def _names(given: Mapping[str, str]) -> PastaNames | None:
    """None where one of them is no IPv4 address."""
    try:
        return PastaNames(_address(given, _HOST), _address(given, _LOOPBACK), _address(given, _RESOLVER))
    except ipaddress.AddressValueError:
        return None


def _address(given: Mapping[str, str], name: str) -> Address | None:
    text = given.get(name, "none")
    return None if text == "none" else ipaddress.IPv4Address(text)
