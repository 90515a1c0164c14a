"""The process that keeps the machine's own Podman for one lab, and puts the machine back when the lab's owner is gone.

It starts the API service and is the only thing that cleans up, so there is one path, and every close goes it. Standard
input is the lifeline: a line of JSON has the orders, and the end of the file, however the owner ended, says to clean
up. It has a session of its own and holds none of the owner's files, so that neither a Ctrl-C nor a reader of pipes is
in its way. It also reaps all that the service starts (PR_SET_CHILD_SUBREAPER, prctl(2)), so that none stays a zombie.

Standard output tells the owner, each in a line of JSON: that it has the machine's Podman to itself, that the service
starts, and in the end what it could not undo.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from testbed import tools
from testbed.janitor import footprint
from testbed.janitor.footprint import Footprint

#: Names the lab in the environment of commands that the owner starts on the machine, and of what those start.
MARK: Final = "TESTBED_LOCAL_LAB"
LABEL: Final = "testbed.lab"
FOLDERS: Final = "/run"
PREFIX: Final = "testbed-local-"
#: Who has this name has the machine's Podman. It ends with its process and leaves no file (unix(7), abstract).
CLAIM: Final = "\0testbed-local-host"
_PR_SET_CHILD_SUBREAPER: Final = 36
#: A container takes up to 10 s to stop by itself; ours are killed.
_SERVICE_SECONDS: Final = 15.0
_IDLE_SECONDS: Final = 3.0
_PROCESS_SECONDS: Final = 5.0
_PODMAN_SECONDS: Final = 60.0
#: How long to wait for another lab: one whose owner is gone is being cleaned up.
_CLAIM_SECONDS: Final = (3.0, 60.0)


@dataclass(frozen=True, slots=True)
class Orders:
    """What the owner wants. Goes to JSON and back."""

    lab: str
    """The value of the label; empty for all labs, whose owners are all gone when this one has the claim."""
    serve: bool
    """Whether to start the API service; else there is only cleaning to be done."""
    containers_conf: str
    storage_conf: str
    places: tuple[str, ...]
    """Where Podman keeps things, from its settings."""
    links: tuple[str, ...]
    """Interfaces that the owner will make here."""


@dataclass(frozen=True, slots=True)
class State:
    """All that cleaning up needs; also kept as a file, for when the janitor itself was killed."""

    folder: str
    orders: Orders
    before: Footprint

    def save(self) -> None:
        """Write it into the lab's folder."""
        draft = Path(self.folder, "state.draft")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.rename(Path(self.folder, "state.json"))

    @classmethod
    def load(cls, folder: Path) -> State | None:
        """The state in a lab's folder; None where there is none, since nothing was started then."""
        try:
            raw = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(raw["folder"], _orders(raw["orders"]), footprint.from_json(raw["before"]))


def environment(folder: str) -> dict[str, str]:
    """What Podman is run with: no proxy or socket of the caller's may reach it. CONTAINERS_CONF also marks conmon."""
    return {
        "PATH": tools.SEARCH_PATH,
        "HOME": "/root",
        "CONTAINERS_CONF": f"{folder}/containers.conf",
        "CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf",
        **{key: os.environ[key] for key in ("LANG", "TERM") if key in os.environ},
    }


def claim() -> socket.socket | None:
    """Take the machine's Podman for this process; None where another lab has it."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(CLAIM)
        sock.listen()
    except OSError:
        sock.close()
        return None
    return sock


def holder() -> tuple[int, int] | None:
    """The janitor that has the machine's Podman, and its owner (0 where unknown); None where nobody has it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(1.0)
        try:
            sock.connect(CLAIM)
            pid, _, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return None
    owner = next((word for word in reversed(words) if word.isdigit()), b"0")
    return pid, int(owner)


def claim_when_free() -> socket.socket | str:
    """Take the machine's Podman, after waiting for a lab that is being cleaned up; else say who has it."""
    start = time.monotonic()
    found = holder()
    gone = found is not None and not Path(f"/proc/{found[1]}").exists()
    while True:
        sock = claim()
        if sock is not None:
            return sock
        if time.monotonic() - start > _CLAIM_SECONDS[gone]:
            found = holder()
            who = f"process {found[1]}, its janitor is {found[0]}" if found else "which does not answer"
            return (
                f"the machine's own Podman serves another lab ({who}): end that one first, or use private hosts, of "
                "which there can be many"
            )
        time.sleep(0.02)


def clean(state: State, service: subprocess.Popen[bytes] | None) -> list[str]:
    """Remove all of a lab, and put the machine back.

    :returns: what is still there that should not be
    """
    _kill(lambda pid: _environ(pid).get(MARK) == state.orders.lab)
    _end_service(state, service)
    ids = _remove_containers(state)
    _kill_strays(state)
    others, running = _podman(state, "ps", "-aq", "--no-trunc"), _podman(state, "ps", "-q")
    only_ours = others == [] and _nothing_of_others(state)
    footprint.remove_links(state.before, state.orders.links)
    if running == []:
        _kill(lambda pid: _is_ours(state, pid))  # aardvark-dns too: nobody is left to ask it
        footprint.restore_network(state.before)
    left = [f"container {x}" for x in ids if x in (others or ())]
    if only_ours:
        footprint.unmount(state.before, state.orders.places)
        left += footprint.remove_paths(state.before)
        left += footprint.differences(state.before, footprint.read(state.orders.places), state.orders.links)
    else:
        footprint.remove_empty(state.before)
    if others is None:
        left.append("whatever Podman made, since it no longer answers")
    footprint.remove_cgroups(state.before, ids)
    if not left:
        shutil.rmtree(state.folder, ignore_errors=True)
    return left


def _end_service(state: State, service: subprocess.Popen[bytes] | None) -> None:
    """End the API service: SIGTERM lets it finish the container that it is just making, so that none is half made."""
    if service is None:
        _kill(lambda pid: _is_ours(state, pid) and b"service" in _cmdline(pid), signal.SIGTERM, _SERVICE_SECONDS)
        return
    service.terminate()
    start = busy = time.monotonic()
    while service.poll() is None:
        now = time.monotonic()
        if _has_children(service.pid):
            busy = now
        if now - busy > _IDLE_SECONDS or now - start > _SERVICE_SECONDS:
            service.kill()  # Podman 4.3 never ends when SIGTERM comes while it starts
        time.sleep(0.005)


def _has_children(pid: int) -> bool:
    try:
        return any((task / "children").read_bytes() for task in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return False


def _remove_containers(state: State) -> list[str]:
    """Remove the lab's containers with their anonymous volumes, then its networks; the containers' ids."""
    label = f"label={LABEL}={state.orders.lab}" if state.orders.lab else f"label={LABEL}"
    ids = _podman(state, "ps", "-aq", "--no-trunc", "--filter", label) or []
    if ids:
        # --depend: a container in the namespace of another one goes with it.
        _podman(state, "rm", "--force", "--time=0", "--volumes", "--depend", *ids)
        remaining = _podman(state, "ps", "-aq", "--no-trunc", "--filter", label)
        if remaining:
            _podman(state, "rm", "--force", "--time=0", "--volumes", "--depend", *remaining)
    networks = _podman(state, "network", "ls", "-q", "--filter", label)
    if networks:
        _podman(state, "network", "rm", "--force", *networks)
    return ids


def _nothing_of_others(state: State) -> bool:
    """Whether Podman's storage has nothing that is not ours, so that it may go if it was not there before."""
    return (
        _podman(state, "volume", "ls", "-q") == []
        and _podman(state, "images", "-q", "--filter", "readonly=false") == []
        and _podman(state, "network", "ls", "-q") == ["podman"]
        and _no_podman_of_others(state)
    )


def _no_podman_of_others(state: State) -> bool:
    """Whether nobody else's Podman is at work; one that only asks for something is waited for."""
    deadline = time.monotonic() + _PROCESS_SECONDS
    while any(_is_podman_of_others(state, pid) for pid in _pids()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_podman_of_others(state: State, pid: int) -> bool:
    """A Podman at work on this machine's files, rather than a private host's."""
    process, own = Path(f"/proc/{pid}"), Path("/proc/self")
    try:
        return (
            (process / "exe").readlink().name in ("podman", "conmon")
            and (process / "ns/mnt").readlink() == (own / "ns/mnt").readlink()
            and not _is_ours(state, pid)
        )
    except OSError:
        return False


def _kill_strays(state: State) -> None:
    """Wait for what Podman left running for its dead containers (conmon, its clean-up), then end it.

    aardvark-dns may by now serve somebody else's network, so that it is not among them.
    """

    def stray(pid: int) -> bool:
        return _is_ours(state, pid) and b"aardvark" not in _cmdline(pid)

    deadline = time.monotonic() + _PROCESS_SECONDS
    while time.monotonic() < deadline and any(stray(pid) for pid in _pids()):
        _reap()
        time.sleep(0.01)
    _kill(stray)


def _podman(state: State, *words: str) -> list[str] | None:
    """The lines that a podman command prints; None where it failed."""
    try:
        done = subprocess.run(
            [tools.find("podman") or "podman", *words],
            env=environment(state.folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PODMAN_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        _note(state, f"podman {' '.join(words)}: {exc}")
        return None
    if done.returncode != 0:
        _note(state, f"podman {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
        return None
    return done.stdout.decode(errors="replace").split()


def _note(state: State, line: str) -> None:
    with suppress(OSError), Path(state.folder, "janitor.log").open("a", encoding="utf-8") as log:
        log.write(f"{line}\n")


def _is_ours(state: State, pid: int) -> bool:
    environ = _environ(pid)
    return environ.get("CONTAINERS_CONF") == f"{state.folder}/containers.conf" or environ.get(MARK) == state.orders.lab


def _kill(wanted: Callable[[int], bool], number: int = signal.SIGKILL, seconds: float = _PROCESS_SECONDS) -> None:
    """Signal every such process and wait until there is none; after the time, kill."""
    deadline = time.monotonic() + seconds
    while True:
        found = [pid for pid in _pids() if wanted(pid)]
        if not found:
            _reap()
            return
        late = time.monotonic() > deadline
        for pid in found:
            with suppress(OSError):
                pidfd = os.pidfd_open(pid)
                try:
                    if wanted(pid):  # the number may have gone to another process meanwhile
                        signal.pidfd_send_signal(pidfd, signal.SIGKILL if late else number)
                finally:
                    os.close(pidfd)
        if late and time.monotonic() > deadline + _PROCESS_SECONDS:
            return
        _reap()
        time.sleep(0.005)


def _pids() -> Iterator[int]:
    own = str(os.getpid())
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal() and path.name != own)


def _environ(pid: int) -> Mapping[str, str]:
    """A process's environment as it was started with; a zombie has none."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(pair.split("=", 1) for pair in raw.split("\0") if "=" in pair)


def _cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _reap() -> None:
    """Take leave of processes that were handed to us; none of them is one that we wait for otherwise."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _orders(raw: Mapping[str, Any]) -> Orders:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return Orders(**values)


def _prepare(orders: Orders) -> State:
    before = footprint.read(orders.places)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=FOLDERS)
    state = State(folder, orders, before)
    Path(folder, "containers.conf").write_text(orders.containers_conf, encoding="utf-8")
    Path(folder, "storage.conf").write_text(orders.storage_conf, encoding="utf-8")
    state.save()
    return state


def _clean_orphans() -> tuple[list[str], list[str]]:
    """Clean up after janitors that were killed themselves: what was removed, and what is left."""
    removed, left = [], []
    for folder in sorted(Path(FOLDERS).glob(f"{PREFIX}*")):
        state = State.load(folder)
        if state is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            left += clean(state, None)
        removed.append(f"{folder}, and what its lab had made with the machine's own Podman")
    return removed, left


def _start_service(state: State) -> subprocess.Popen[bytes]:
    with Path(state.folder, "podman.log").open("wb") as log:
        return subprocess.Popen(
            [tools.find("podman") or "podman", "system", "service", "--time=0", f"unix://{state.folder}/podman.sock"],
            env=environment(state.folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _tell(owner: IO[str], what: Mapping[str, object]) -> None:
    with suppress(OSError):  # the owner may be gone, which is what this process is for
        owner.write(json.dumps(what) + "\n")
        owner.flush()


def serve(lifeline: IO[bytes], owner: IO[str]) -> None:
    """Serve one lab from its claim to its end."""
    held = claim_when_free()
    if isinstance(held, str):
        _tell(owner, {"error": held})
        return
    with held:
        removed, left = _clean_orphans()
        _tell(owner, {"claimed": True})
        line = lifeline.readline()
        if not line.endswith(b"\n"):  # what the lab needs is taken, or the owner died
            _tell(owner, {"left": left, "removed": removed})
            return
        state = _prepare(_orders(json.loads(line)))
        service: subprocess.Popen[bytes] | None = None
        try:
            if state.orders.serve:
                service = _start_service(state)
            _tell(owner, {"folder": state.folder})
            lifeline.read()
        finally:
            if not state.orders.lab and Path(state.orders.places[0]).exists():
                removed += _labelled(state)
            left += clean(state, service)
            _tell(owner, {"left": left, "removed": removed})


def _labelled(state: State) -> list[str]:
    """What is there of labs whose folder is gone too, such as after the machine was restarted."""
    words = ("--filter", f"label={LABEL}", "--format")
    return [f"container {name}" for name in _podman(state, "ps", "-a", *words, "{{.Names}}") or []] + [
        f"network {name}" for name in _podman(state, "network", "ls", *words, "{{.Name}}") or []
    ]


def main() -> None:
    """Cut every tie to the owner but the lifeline and one pipe back, then serve."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with os.fdopen(os.dup(0), "rb") as lifeline, os.fdopen(os.dup(1), "w", encoding="utf-8") as owner:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):  # what is started from here must hold none of the owner's pipes
            os.dup2(null, number)
        os.chdir("/")
        serve(lifeline, owner)
