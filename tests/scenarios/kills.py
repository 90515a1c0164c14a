"""Ending what runs in the shop with SIGKILL, at a point that is known: where an order is shows in PostgreSQL's titles.

A backend's command line is what it does (PostgreSQL, 28.1), such as ``postgres: orders postgres 10.88.0.11(40404)
UPDATE waiting``: read in /proc, which costs neither the ledger nor the order anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from testbed.errors import CommandError, EngineError
from testbed.processes import end
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.waiting import wait_for

#: What can be killed: a container's main process, gunicorn's workers, a backend of PostgreSQL's that serves an order.
CONTAINERS: Final = ("frontend", "orders", "ledger")
WORKERS: Final = "workers"
BACKEND: Final = "backend"
VICTIMS: Final = (*CONTAINERS, WORKERS, BACKEND)
_OF_ORDERS: Final = "postgres: orders "
_OF_US: Final = "postgres: postgres postgres [local] "


def children(lab: ToasterLab, name: str) -> dict[int, str]:
    """What a container's main process has started: command lines by pid, as the shop counts them."""
    main = lab.containers[name].pid
    found: dict[int, str] = {}
    for pid in map(int, (lab.shop.process(main) / f"task/{main}/children").read_text().split()):
        try:
            line = (lab.shop.process(pid) / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        found[pid] = line.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def backends(lab: ToasterLab, doing: str = "") -> list[int]:
    """Those of the ledger's that serve orders and whose title says that they do this."""
    return [
        pid
        for pid, title in children(lab, "ledger").items()
        if title.startswith(_OF_ORDERS) and title.partition(") ")[2].startswith(doing)
    ]


def await_backend(lab: ToasterLab, doing: str) -> None:
    """Wait until an order has come so far."""
    wait_for(lambda: backends(lab, doing), f"{doing!r} of an order", state=lambda: str(children(lab, "ledger")))


def await_no_backend(lab: ToasterLab) -> None:
    """Wait until the ledger serves no order any more."""
    wait_for(lambda: not backends(lab), "the ledger to be idle", state=lambda: str(children(lab, "ledger")))


def times_said(lab: ToasterLab, words: str) -> int:
    """How often the ledger's log has some words; what its processes are doing passes, and that stays."""
    log: bytes = lab.ledger.get_wrapped_container().logs()
    return log.decode(errors="replace").count(words)


def send(lab: ToasterLab, signal: str, *pids: int) -> None:
    """Send a signal, by kill(1)'s name for it, to processes as the shop counts them.

    :raises CommandError: one of them is gone
    """
    lab.shop.run(["kill", f"-{signal}", *map(str, pids)])


def kill(lab: ToasterLab, victim: str) -> None:
    """SIGKILL; a container's main process takes all of the container with it (pid_namespaces(7))."""
    if victim == BACKEND:
        _kill_a_backend(lab)
    elif victim == WORKERS:
        send(lab, "KILL", *children(lab, "orders"))
    else:
        send(lab, "KILL", lab.containers[victim].pid)


def _kill_a_backend(lab: ToasterLab) -> None:
    """SIGKILL one after the other until one dies of it: who has served his order goes by himself.

    Of it dies all the rest, by the postmaster's hand, who cannot know what the dead one has left in their memory.
    """

    def checkpointer() -> list[int]:
        return [pid for pid, title in children(lab, "ledger").items() if title == "postgres: checkpointer"]

    before = checkpointer()

    def is_over() -> bool:
        if checkpointer() != before:
            return True
        with suppress(CommandError):  # gone by himself
            for pid in backends(lab)[:1]:
                send(lab, "KILL", pid)
        return False

    wait_for(is_over, "the ledger to restart of a killed backend")


def mend(lab: ToasterLab, victim: str) -> None:
    """Start a container again that was killed, as its operator would; the other victims have a master who does.

    Podman's cleanup after the old one (its network, its port) has to be over: until then the container passes for one
    that runs or has merely stopped.
    """
    if victim not in CONTAINERS:
        return
    with lab.shop.engine.asking() as engine:

        def status() -> str:
            return str(json.loads(engine.ask(f"/v4.0.0/libpod/containers/{victim}/json").body)["State"]["Status"])

        wait_for(lambda: status() == "exited", f"Podman to clean up after {victim!r}", state=status)
    lab.containers[victim].get_wrapped_container().start()


@contextmanager
def held(lab: ToasterLab, statement: str) -> Iterator[Callable[[], None]]:
    """The ledger's administrator has done this in a transaction that he does not end; yields what lets go of it."""
    # The client waits, and not the server: it is gone as soon as it is ended, and its locks with it.
    session = lab.shop.popen(lab.ledger.client("BEGIN", statement, r"\! sleep 60"))

    def has_done() -> bool:
        return f"{_OF_US}idle in transaction" in children(lab, "ledger").values()

    with ExitStack() as stack:
        stack.callback(end, session)
        wait_for(has_done, f"{statement!r} to be held", state=lambda: str(children(lab, "ledger")))
        yield stack.close


@contextmanager
def unacknowledged(lab: ToasterLab) -> Iterator[Callable[[], None]]:
    """What is committed is on disk, and nobody is told: the ledger waits for a standby that there is not.

    (PostgreSQL, 27.2.8, synchronous_standby_names.) Yields what ends that.
    """

    def change(statement: str) -> bool:
        with suppress(EngineError):  # it is not there for anybody yet
            return bool(lab.ledger.sql(statement, "SELECT pg_reload_conf()"))
        return False

    setting = "synchronous_standby_names"
    with ExitStack() as stack:
        stack.callback(wait_for, lambda: change(f"ALTER SYSTEM RESET {setting}"), "the ledger to take a setting")
        assert change(f"ALTER SYSTEM SET {setting} = 'nobody'")
        yield stack.close


@contextmanager
def frozen(lab: ToasterLab, name: str) -> Iterator[Callable[[], None]]:
    """The workers of a container are stopped (SIGSTOP), its kernel is not; yields what has them go on."""
    with freezing(lab, name) as (freeze, thaw):
        freeze()
        yield thaw


@contextmanager
def freezing(lab: ToasterLab, name: str) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Yields what stops the workers of a container (SIGSTOP) at once, and what has them go on; so does the end.

    What sends the signal has started when this begins: an order that waits does so for a second only (statement_timeout
    of images/orders), which the start of a process on a busy machine may take.
    """
    pids = tuple(children(lab, name))
    bell = f"{lab.shop.scratch}/freeze-{name}"
    lab.shop.run(["mkfifo", bell])
    freezer = lab.shop.popen(["sh", "-c", 'read -r _ <"$0"; kill -STOP "$@"', bell, *map(str, pids)])

    def freeze() -> None:
        lab.shop.path(bell).write_text("now\n", encoding="ascii")
        assert freezer.wait(10.0) == 0, f"a worker of {name} is gone: {pids}"

    def thaw() -> None:
        send(lab, "CONT", *pids)

    try:
        yield freeze, thaw
    finally:
        end(freezer)
        lab.shop.path(bell).unlink()
        with suppress(CommandError):  # killed meanwhile
            thaw()
