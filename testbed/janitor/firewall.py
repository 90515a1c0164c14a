"""Undoing what netavark leaves in the firewall, as pure functions over what iptables-save(8) and nft(8) print.

netavark 1.4 leaves its chains behind when the last container goes, and one orphaned NETAVARK-DN chain for a port that
was published. iptables-nft leaves the tables that it made for them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_PREFIX: Final = "NETAVARK"
#: netavark's own nftables driver (Podman 5) keeps everything in one table.
_OWN_TABLES: Final = ("inet netavark",)
#: Those that iptables-nft(8) makes on first use.
_COMPAT_TABLES: Final = tuple(
    f"{family} {name}" for family in ("ip", "ip6") for name in ("filter", "nat", "mangle", "raw", "security")
)
_SKELETON: Final = re.compile(r"\s*(#.*|table .*\{|chain .*\{|type .* policy accept;|\})?\s*")


def undo_iptables(before: str, now: str) -> str:
    """The iptables-restore(8) --noflush input that removes netavark's chains that were not there before.

    :param before: iptables-save's output from before
    :param now: the same, now
    :returns: empty where there is nothing to remove
    """
    known = _chains(before)
    script: list[str] = []
    for table, lines in _tables(now):
        new = {chain for chain in _declared(lines) if chain.startswith(_PREFIX) and (table, chain) not in known}
        if not new:
            continue
        jumps = [
            line for line in lines if line.startswith("-A ") and _target(line) in new and line.split()[1] not in new
        ]
        script += [
            f"*{table}",
            *(f"-D {line.removeprefix('-A ')}" for line in jumps),
            *(f"-F {chain}" for chain in sorted(new)),
            *(f"-X {chain}" for chain in sorted(new)),
            "COMMIT",
        ]
    return "".join(f"{line}\n" for line in script)


def new_tables(before: Collection[str], now: Collection[str]) -> tuple[list[str], list[str]]:
    """Which nft tables came since: netavark's own, and those that iptables-nft made, to go if they are bare."""
    new = [table for table in now if table not in before]
    return [table for table in new if table in _OWN_TABLES], [table for table in new if table in _COMPAT_TABLES]


def is_bare(table: str) -> bool:
    """Whether a table, as ``nft list table`` prints it, holds nothing but base chains that accept."""
    return all(_SKELETON.fullmatch(line) for line in table.splitlines())


def _tables(saved: str) -> list[tuple[str, list[str]]]:
    tables: list[tuple[str, list[str]]] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            tables.append((line[1:], []))
        elif tables:
            tables[-1][1].append(line)
    return tables


def _declared(lines: Collection[str]) -> list[str]:
    return [line[1:].split()[0] for line in lines if line.startswith(":")]


def _chains(saved: str) -> set[tuple[str, str]]:
    return {(table, chain) for table, lines in _tables(saved) for chain in _declared(lines)}


def _target(rule: str) -> str:
    words = rule.split()
    return words[words.index("-j") + 1] if "-j" in words[:-1] else ""
