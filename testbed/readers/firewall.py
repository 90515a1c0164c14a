"""Reading a namespace's firewall: nftables by nft(8), and what belongs to iptables by iptables-save(8).

Neither program is run where the kernel has nothing for it to show: for an empty namespace that costs next to nothing,
and iptables-legacy-save would load modules and make tables where there are none.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Literal

from testbed import tools
from testbed.evidence import Backend, Chain, Ruleset
from testbed.namespaces import NetworkNamespace
from testbed.readers import ipset_text, iptables_text, nft_devices, nft_json
from testbed.readers.netlink import attributes, dump
from testbed.readers.reader import Reader, Reading

Family = Literal["ip", "ip6"]
#: Each family's program, and the file of its legacy tables' names.
_IPTABLES: Final[dict[Family, tuple[str, str]]] = {
    "ip": ("iptables", "ip_tables_names"),
    "ip6": ("ip6tables", "ip6_tables_names"),
}
#: include/uapi/linux/netfilter.h, NFPROTO_...
_FAMILIES: Final = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
#: include/uapi/linux/netlink.h
_NETLINK_NETFILTER: Final = 12
#: include/uapi/linux/netfilter/nf_tables.h: NFT_MSG_GETTABLE of NFNL_SUBSYS_NFTABLES, and NFTA_TABLE_NAME.
_GET_TABLES: Final = 10 << 8 | 1
_TABLE_NAME: Final = 1
#: include/uapi/linux/netfilter/nfnetlink.h: family, version, and a number that is 0 here.
_NFGENMSG: Final = struct.Struct("=BBH")
_TABLES_OF_IPTABLES: Final = frozenset({"raw", "mangle", "nat", "filter", "security"})
_SECONDS: Final = 10.0


def read_firewall(net: NetworkNamespace) -> tuple[Ruleset, tuple[str, ...]]:
    """All rules of a namespace, and a sentence for whatever of them could not be read. Nothing is changed by it."""
    return net.run(lambda: _Reading(net.what).read())


def _reading(net: NetworkNamespace) -> Reading:
    rules, missing = read_firewall(net)
    return Reading({"firewall": rules}, missing)


READER: Final = Reader("the firewall", ("firewall",), _reading)


def read_handles(net: NetworkNamespace) -> Mapping[tuple[str, str, int], nft_json.Numbered]:
    """The nftables rules of a namespace, iptables' own among them, by family, table and handle; empty where nft(8)
    cannot print them.
    """
    try:
        return net.run(lambda: nft_json.by_handle(_run([_program("nft"), "-j", "list", "ruleset"])))
    except (_UnreadableError, ValueError):
        return {}


class _UnreadableError(Exception):
    """Why something could not be read."""


class _Reading:
    """One reading, on the thread that lives in the namespace: programs started there are born in it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._missing: list[str] = []

    def read(self) -> tuple[Ruleset, tuple[str, ...]]:
        chains = (*self._nftables(), *self._legacy())
        return Ruleset(chains), tuple(self._missing)

    def _nftables(self) -> tuple[Chain, ...]:
        try:
            tables = _tables()
            if not tables:
                return ()
        except _UnreadableError as exc:
            self._miss("nftables", exc)
            return ()
        ours: list[Chain] = []
        for family in _IPTABLES:
            if any(of == family and name in _TABLES_OF_IPTABLES for of, name in tables):
                ours += self._saved(family, "nft", Backend.IPTABLES)
        try:
            text = _run([_program("nft"), "-j", "list", "ruleset"])
            hooked = _run([_program("nft"), "list", "chains"]) if nft_json.wants_devices(text) else ""
            native, listed = nft_json.native_chains(text), nft_json.parse(text, nft_devices.devices_of(hooked))
        except (_UnreadableError, ValueError) as exc:
            self._miss("nftables", exc)
            return tuple(ours)
        kept = [chain for chain in ours if (chain.family, chain.table, chain.name) not in native]
        shown = {(chain.family, chain.table, chain.name) for chain in kept}
        return (*kept, *(chain for chain in listed if (chain.family, chain.table, chain.name) not in shown))

    def _legacy(self) -> tuple[Chain, ...]:
        found: list[Chain] = []
        for family, (program, file) in _IPTABLES.items():
            try:
                there = Path("/proc/thread-self/net", file).read_text(encoding="ascii").split()
            except FileNotFoundError:
                continue  # a kernel without legacy iptables
            except OSError as exc:
                self._miss(f"{program}-legacy", exc.strerror)
                continue
            if there:
                found += self._saved(family, "legacy", Backend.LEGACY)
        return tuple(found)

    def _saved(self, family: Family, variant: str, backend: Backend) -> Collection[Chain]:
        program, _ = _IPTABLES[family]
        try:
            text = _run([_save_program(program, variant), "-c"])
        except _UnreadableError as exc:
            self._miss(f"{program}-{variant}", exc)
            return ()
        return iptables_text.parse(text, family=family, backend=backend, sets=self._sets(text))

    def _sets(self, rules: str) -> ipset_text.IpSets:
        """The sets that rules look into: what does not is not asked for any."""
        if "--match-set" not in rules:
            return {}
        try:
            return ipset_text.sets_of(_run([_program("ipset"), "save"]))
        except _UnreadableError as exc:
            sentence = f"the sets of {self._what} could not be read: {exc}"
            if sentence not in self._missing:
                self._missing.append(sentence)
            return {}

    def _miss(self, rules: str, why: object) -> None:
        self._missing.append(f"the {rules} rules of {self._what} could not be read: {why}")


def _tables() -> frozenset[tuple[str, str]]:
    """Family and name of each nftables table, asked of the kernel itself."""
    try:
        answers = list(dump(_NETLINK_NETFILTER, _GET_TABLES, bytes(_NFGENMSG.size)))
    except OSError as exc:
        raise _UnreadableError(exc.strerror) from exc
    families = [_FAMILIES.get(_NFGENMSG.unpack_from(answer)[0]) for answer in answers]
    names = [attributes(answer[_NFGENMSG.size :])[_TABLE_NAME].rstrip(b"\0") for answer in answers]
    return frozenset(
        (family, name.decode(errors="replace")) for family, name in zip(families, names, strict=True) if family
    )


def _save_program(name: str, variant: str) -> str:
    """The program that prints iptables' rules of one variant, ``nft`` or ``legacy``; the plain name may be either."""
    plain = tools.find(f"{name}-save")
    if plain is not None and Path(plain).resolve().name == f"xtables-{variant}-multi":
        return plain
    return _program(f"{name}-{variant}-save")


def _program(name: str) -> str:
    found = tools.find(name)
    if found is None:
        raise _UnreadableError(f"{name} is not installed")
    return found


def _run(argv: list[str]) -> str:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={"PATH": tools.search_path(), "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as exc:
        raise _UnreadableError(f"{argv[0]} did not end within {_SECONDS:g} s") from exc
    except OSError as exc:
        raise _UnreadableError(f"{argv[0]}: {exc.strerror}") from exc
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise _UnreadableError(f"{argv[0]} ended with status {done.returncode}: {said or 'it said nothing'}")
    return done.stdout.decode(errors="replace")
