"""The process that keeps a lab: it makes it, answers questions about it, and takes it along when it ends.

Run as ``python -m testbed.background.keeper``, with one JSON object on standard input. What takes long, and then that
it is ready or why not, goes to standard output as lines of JSON; after that nobody listens there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from testbed.background.naming import listen
from testbed.background.serve import describe, serve
from testbed.errors import Error
from testbed.namespaces import become_root
from testbed.scenarios import table
from testbed.scenarios.scenario_lab import start


def main() -> int:
    """Keep one lab until told to stop."""
    request = json.load(sys.stdin)
    uid = request["uid"]
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    try:
        scenario = table.find(request["scenario"])
        options = scenario.with_defaults(scenario.read(request["options"]))
        listener = listen(uid, request["name"])
        become_root()
        started = time.monotonic()
        lab = start(scenario, say=lambda line: _tell(out, say=line))
        try:
            lab.stay(options)
            description = describe(lab.hosts, lab.containers, scenario.name, scenario.written(options))
        except BaseException:
            lab.close()
            raise
    except Error as exc:
        _tell(out, error=str(exc))
        return exc.exit_code
    _tell(out, ready=description)
    _let_go(out)
    with lab, listener:
        # Held until this process ends: its closing tells the one who asked that everything is gone.
        stopper = serve(listener, uid, lambda: {**description, "seconds": time.monotonic() - started})
    stopper.close()
    return 0


def _tell(out: TextIO, **message: Any) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _let_go(out: TextIO) -> None:
    """Hold nothing of the caller's terminal or pipes from here on."""
    out.close()
    with open(os.devnull, "r+b") as null:
        for fd in (0, 1, 2):
            os.dup2(null.fileno(), fd)


if __name__ == "__main__":
    sys.exit(main())
