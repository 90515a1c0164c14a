"""The catalogue of causes is whole: each has a diagnosis, a fault that makes it, and its row in the index."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Final

from testbed.explain import explain
from testbed.explain.by_ending import propose
from testbed.explain.codes import Cause
from testbed.predict.ending import Accepted, Discarded, Ending, Left, RelayRefuses, Returned
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import (
    AnswersDiffer,
    AnswerUnknown,
    NamespaceNotShown,
    QuestionLeft,
    QuestionUnknown,
    SourceUnknown,
)
from tests.unit.predicted import kinds
from truth.faults.all_faults import MADE, NOT_MADE

ROOT: Final = Path(__file__).parents[2]
EXPLAIN: Final = ROOT / "testbed" / "explain"
#: Endings for which no diagnosis is registered, and why.
WITHOUT_DIAGNOSIS: Final = {
    Accepted: "it connects, or fails above TCP",
    Discarded: "what a queue discards has no cause of its own yet",
    Returned: "it ends the way of an answer, and no attempt",
    NamespaceNotShown: "the picture does not tell",
    Unknown: "it is not modelled",
    Left: "the picture does not tell",
    AnswerUnknown: "the picture does not tell",
    AnswersDiffer: "whichever answers first decides, and the picture does not tell",
    SourceUnknown: "it is not modelled",
    QuestionUnknown: "it is not modelled",
    QuestionLeft: "the picture does not tell",
    RelayRefuses: "only rootless Podman has it: testbed.explain.rootless looks first",
}


def modules_of_causes() -> dict[str, str]:
    """The source of each module that may say why: all of explain but the list of codes."""
    return {path.stem: path.read_text() for path in EXPLAIN.glob("*.py") if path.name != "codes.py"}


def test_each_cause_is_one_of_a_diagnosis() -> None:
    """A code that no diagnosis gives would never be printed."""
    said = {name for text in modules_of_causes().values() for name in re.findall(r"\bCause\.([A-Z0-9_]+)", text)}
    assert {cause.name for cause in Cause} - said == set()


def test_each_cause_has_a_fault_that_makes_it_or_a_reason_why_none_can() -> None:
    """tests/explain/test_faults.py makes each fault, and holds that its cause is named and that its cure works."""
    assert MADE | set(NOT_MADE) == set(Cause)
    assert MADE & set(NOT_MADE) == set()
    assert all(NOT_MADE.values())


def test_each_module_that_registers_a_diagnosis_is_imported() -> None:
    """A diagnosis in a module that nothing imports would not be there."""
    registering = {name for name, text in modules_of_causes().items() if "@propose.register" in text}
    imported: tuple[ModuleType, ...] = explain.REGISTERED
    assert {f"testbed.explain.{name}" for name in registering} == {module.__name__ for module in imported}


def test_each_ending_has_a_diagnosis_or_a_reason_why_not() -> None:
    """A new ending is explained, or it is said here why nothing explains it."""
    without = {kind for kind in kinds(Ending) if propose.dispatch(kind) is propose.dispatch(object)}
    assert without == set(WITHOUT_DIAGNOSIS)


def copy_of_the_catalogue(folder: Path) -> Path:
    """A folder with what scripts/index-causes reads and writes; returned is the index."""
    for name in ("scripts/index-causes", "testbed/explain/codes.py"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "docs" / "causes", folder / "docs" / "causes")
    return folder / "docs" / "causes" / "README.md"


def test_the_index_is_written_from_the_codes_and_the_titles_of_their_pages(tmp_path: Path) -> None:
    """scripts/index-causes writes each row: of an index without any it makes the one that is in docs/causes."""
    index = copy_of_the_catalogue(tmp_path)
    whole = index.read_text()
    index.write_text(whole[: whole.index("| --- |")] + "| --- | --- | --- |\n")
    subprocess.run([tmp_path / "scripts" / "index-causes"], check=True)
    assert index.read_text() == whole


def test_a_cause_without_a_page_is_named_and_the_index_stays(tmp_path: Path) -> None:
    """The index is not written halfway: it says which page is missing, and where it goes."""
    index = copy_of_the_catalogue(tmp_path)
    before = index.read_text()
    (index.parent / "hairpin.md").unlink()
    done = subprocess.run([tmp_path / "scripts" / "index-causes"], capture_output=True, text=True, check=False)
    assert (done.returncode, index.read_text()) == (1, before)
    assert done.stderr == "index-causes: the cause hairpin has no page: write docs/causes/hairpin.md first\n"
