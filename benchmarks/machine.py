"""The line that says where figures come from."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from benchmarks.values import Machine
from testbed import machine
from testbed.namespaces import in_initial_namespace


def load() -> float:
    """The machine's load over the last minute."""
    return os.getloadavg()[0]


def read(load_before: float) -> Machine:
    """This machine now; to be asked as root.

    :param load_before: the load when the run began
    """
    facts = machine.read()
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=cpu.group(1) if cpu else platform.machine(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 20),
        distribution=f"{facts.distribution} {facts.codename}".strip(),
        kernel=platform.release(),
        podman=".".join(map(str, machine.podman_version() or ())) or "none",
        python=platform.python_version(),
        root=in_initial_namespace(),
        load_before=load_before,
        load_after=load(),
    )
