"""The command line in this process: for tests whose subject is what a command does, and not that it is a process."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NoReturn
from unittest import mock

import pytest

from testbed import cli


def typed_here(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``testbed WORDS`` in this process, which saves its start; a command that it would become is its child.

    :param cwd: the folder to run it in; this process's own by default
    """
    said, complained = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))

    def become(_: str, argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
        """Stand in for execvpe(3): end as the program does."""
        done = subprocess.run(argv, env=env, capture_output=True, check=False, timeout=100)
        for stream, printed in ((said, done.stdout), (complained, done.stderr)):
            stream.flush()
            stream.buffer.write(printed)
        raise SystemExit(done.returncode)

    with ExitStack() as stack:
        if cwd is not None:
            stack.enter_context(chdir(cwd))
        stack.enter_context(redirect_stdout(said))
        stack.enter_context(redirect_stderr(complained))
        stack.enter_context(mock.patch.object(sys, "argv", ["testbed", *words]))
        stack.enter_context(mock.patch.object(os, "execvpe", become))
        ended = stack.enter_context(pytest.raises(SystemExit))
        cli.main()
    return subprocess.CompletedProcess(words, int(ended.value.code or 0), text(said), text(complained))


def text(stream: io.TextIOWrapper) -> str:
    """All that was written to a stream."""
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
