"""Importing a module whose judgement is pure loads nothing that does I/O."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "testbed"
#: Loaded by a pure module only when it is given bytes to dissect: import-linter would see it although it is not loaded.
_ON_DEMAND: Final = ("scapy",)
#: Modules that call themselves pure and load what the contract forbids, and why.
_EXCEPTIONS: Final = {
    "testbed.evidence": "its codec reads and writes files; each of its other modules is in the contract by itself",
    "testbed.probe.outcome": "it tells the exceptions of ssl apart, and needs their classes",
    "testbed.scenarios": "it has the scenarios' stories and labs; its pure modules are in the contract by themselves",
}
_IMPORTING: Final = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sys.modules)
"""


def _contract() -> dict[str, Any]:
    """The contract of import-linter that names the pure modules, and what they may not import."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (found,) = [contract for contract in contracts if contract["type"] == "forbidden"]
    return dict(found)


def _with_submodules(name: str) -> list[str]:
    """A module, and what is in it where it is a package."""
    module = import_module(name)
    return [name, *(found.name for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}."))]


def _forbidden_among_what_loads(modules: Sequence[str], forbidden: Iterable[str]) -> list[str]:
    """What is forbidden of all that a fresh interpreter has loaded after importing some modules."""
    command = [sys.executable, "-c", _IMPORTING, *modules]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in loaded if any(name == bad or name.startswith(f"{bad}.") for bad in forbidden)]


def test_a_pure_module_loads_no_io() -> None:
    """None of the pure modules, imported in a fresh interpreter, loads anything that their contract forbids.

    One interpreter imports them all: what none of them loads together, none loads alone. Where one does load something,
    an interpreter for each says which.
    """
    contract = _contract()
    forbidden = (*contract["forbidden_modules"], *_ON_DEMAND)
    pure = [module for name in contract["source_modules"] for module in _with_submodules(name)]
    if _forbidden_among_what_loads(pure, forbidden):
        found = {module: _forbidden_among_what_loads([module], forbidden) for module in pure}
        assert not {module: names for module, names in found.items() if names}


def test_a_module_that_calls_itself_pure_is_held_to_it() -> None:
    """Whatever says "Pure" or "Values only" in its docstring is in the contract, or its exception has a reason."""
    contract = _contract()
    held = {module for name in contract["source_modules"] for module in _with_submodules(name)}
    files = {file: ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) for file in PACKAGE.rglob("*.py")}
    claiming = {_module(file) for file, said in files.items() if said and ("Pure" in said or "Values only" in said)}
    assert claiming - held == set(_EXCEPTIONS)


def _module(file: Path) -> str:
    """The name that a file of the package is imported by."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
