"""The layers of the package, held by import-linter."""

from __future__ import annotations

import subprocess
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_data_flows_one_way() -> None:
    """No module imports one of a layer above its own (the contracts in pyproject.toml)."""
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_is_in_a_layer() -> None:
    """Each module of the package's top level stands in one of the layers, where import-linter holds it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    top = (ROOT / "testbed").iterdir()
    modules = {f"testbed.{path.stem}" for path in top if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert modules - {"testbed.__init__"} == {module for layer in layers for module in layer.split(" | ")}
