"""Starting a keeper, and hearing from it until its lab is up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

from testbed.background.naming import need_free
from testbed.errors import Error, HostError


def up(
    scenario: str,
    *,
    name: str,
    options: Mapping[str, str],
    say: Callable[[str], None],
    uid: int | None = None,
) -> None:
    """Leave a scenario running in the background.

    :param options: those of the scenario's that are not to be as by default, by name and text
    :param uid: whose lab it is, where this process has become root of a user namespace; its own user otherwise
    :raises UsageError: it is no name for a lab, or another lab has it; nothing was started
    :raises Error: it did not start; nothing is left of it
    """
    owner = os.getuid() if uid is None else uid
    need_free(owner, name)
    request = {"scenario": scenario, "name": name, "options": dict(options), "uid": owner}
    process = subprocess.Popen(
        [sys.executable, "-m", "testbed.background.keeper"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONSAFEPATH": "1"},
    )
    try:
        assert process.stdin and process.stdout
        with process.stdin as stdin:
            stdin.write(json.dumps(request).encode())
        for line in process.stdout:
            message = json.loads(line)
            if "say" in message:
                say(message["say"])
            elif "error" in message:
                raise Error(message["error"])
            elif "ready" in message:
                return
        assert process.stderr
        last = process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
        raise HostError(f"the keeper of {name!r} ended before its lab was up: {''.join(last) or 'without a word'}")
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        raise
    finally:
        assert process.stdout and process.stderr
        process.stdout.close()
        process.stderr.close()
