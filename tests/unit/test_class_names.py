"""The words that the package is read by: a class of such a name is the only one."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[2] / "testbed"
#: Each was the name of two to four classes, so that only the import told which was meant.
SETTLED: Final = ("Disposition", "Ending", "Journey", "Step", "Verdict", "Scene", "Check", "Place", "Listener")


def test_a_settled_word_names_one_class() -> None:
    """Every settled word is defined in exactly one module, private or not."""
    homes: defaultdict[str, list[str]] = defaultdict(list)
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                homes[node.name.lstrip("_")].append(str(file.relative_to(PACKAGE)))
    assert {word: homes[word] for word in SETTLED if len(homes[word]) != 1} == {}
