"""A signal that comes while the command is still imported."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

#: The command as the installed script runs it; the signal comes from within an import, as early as ours can be.
_INTERRUPTED = """
import os, sys
from testbed.cli import main

class Early:
    def find_spec(self, name, path=None, target=None):
        if name == "testbed.cli.group":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Early())
sys.argv = ["testbed", "--version"]
main()
"""


def run(number: signal.Signals, *, ignored: bool = False) -> subprocess.CompletedProcess[str]:
    """The command, which gets a signal in the middle of its imports."""
    words = ["env", f"--{'ignore' if ignored else 'default'}-signal={number.name.removeprefix('SIG')}"]
    program = _INTERRUPTED.format(number=int(number))
    return subprocess.run([*words, sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("number", "word", "code"), [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)]
)
def test_a_signal_during_imports_ends_it_with_a_line_and_its_code(number: signal.Signals, word: str, code: int) -> None:
    """No traceback: one line, and 128 and the signal's number, as later on."""
    done = run(number)
    assert (done.stderr, done.returncode) == (f"testbed: {word}; nothing is left behind\n", code)
    assert done.stdout == ""


def test_an_ignored_signal_stays_ignored_during_imports() -> None:
    """As nohup(1) and a shell's background commands have it: the command goes on."""
    done = run(signal.SIGINT, ignored=True)
    assert done.returncode == 0
    assert done.stdout.startswith("testbed, version ")


def test_nothing_is_waited_for_until_signals_are_heard() -> None:
    """What is imported before main() runs is none of ours but its own two modules, and no library."""
    program = "import sys; before = set(sys.modules); import testbed.cli; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {name for name in loaded if name.startswith("testbed")} == {"testbed", "testbed.cli", "testbed.cli.signals"}
    assert {name.partition(".")[0] for name in loaded} & {"click", "rich", "typing"} == set()
