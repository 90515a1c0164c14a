"""Every report: each module of the folders beside this one has one, called ``REPORT``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from tests.reports.report import Report

_HERE: Final = Path(__file__).parent


def reports() -> dict[str, Report]:
    """Each report by its name, such as ``published/loopback_in_container``, in the order of the names.

    :raises AttributeError: a module has none
    """
    return {name: _of(name) for name in sorted(_names())}


def _names() -> list[str]:
    return [f"{path.parent.name}/{path.stem}" for path in _HERE.glob("*/*.py") if path.stem != "__init__"]


def _of(name: str) -> Report:
    module = importlib.import_module(f"{__package__}.{name.replace('/', '.')}")
    report = module.REPORT
    assert isinstance(report, Report), name
    return report
