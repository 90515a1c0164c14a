"""A lab of this process's own, where the command finds it as it finds one in the background."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.background.find import tell_to_stop
from testbed.background.naming import listen
from testbed.background.serve import describe, serve
from testbed.lab import Lab


@contextmanager
def in_background(lab: Lab, name: str) -> Iterator[str]:
    """Let the command find a lab that this process keeps."""
    uid = os.getuid()
    description = describe(lab.hosts, lab.containers, "benchmark", {})
    with listen(uid, name) as listener:
        keeper = threading.Thread(
            target=lambda: serve(listener, uid, lambda: {**description, "seconds": 0.0}).close(), daemon=True
        )
        keeper.start()
        try:
            yield name
        finally:
            tell_to_stop(name, uid=uid)
            keeper.join()
