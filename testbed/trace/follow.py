"""Making one real request while every interface of the picture and the firewalls are listened to."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from testbed.errors import CaptureError, HostError, UsageError
from testbed.evidence import Attempt, Evidence, Namespace, Place
from testbed.evidence.beyond import is_remote
from testbed.explain.explain import explain
from testbed.frames import Capture, Frame, Tap
from testbed.model import Observation, Target
from testbed.namespaces import NetworkNamespace
from testbed.probe import Ask
from testbed.readers.conntrack import read_conntrack
from testbed.readers.firewall import read_firewall, read_handles
from testbed.readers.links import read_links
from testbed.readers.take import Source, take
from testbed.readers.vantages import PATIENCE, files, is_private, source_of, vantage_in
from testbed.trace import judge
from testbed.trace.conversations import ArpShown, TapSite, conversations, errors, shown
from testbed.trace.events import TABLE, Event
from testbed.trace.hops import Hit, TraceInput
from testbed.trace.nftrace import FirewallTrace
from testbed.trace.rules import counted, traced
from testbed.trace.values import Journey, LegEnd

_KINDS: Final = frozenset({"tcp", "icmp", "icmpv6"})
#: Characters of a MAC address; what has another kind of address, or none, has no Ethernet header.
_ETHERNET_ADDRESS: Final = len("02:00:00:00:00:01")


def follow(
    sources: Sequence[Source],
    place: str,
    target: Target | str,
    *,
    ask: Ask | None = None,
    seconds: float = PATIENCE,
    say: Callable[[str], None] = lambda line: None,
) -> Journey:
    """Make one request from a place, and follow its packets to where they end, and the answer back.

    On hosts that a testbed made the kernel is told to tell which rules look at them, until this returns. On all others
    nothing is changed: there the counters of the rules are compared.

    :param sources: the hosts to look at
    :param place: a host or container, in the notation of :mod:`testbed.evidence.lookup`
    :param target: a URL (http, https, tcp) or host:port
    :param ask: what to ask for by HTTP, where that is more than a GET
    :param seconds: how long the request may take
    :param say: told what takes long, a line at a time
    :raises UsageError: there is no such place, or it does not run
    :raises CaptureError: nothing can be captured there, or frames were lost
    :raises HostError: its namespace is gone, or not ours to enter
    """
    began = time.monotonic()
    goal = Target.parse(target) if isinstance(target, str) else target
    say("taking the picture")
    evidence = take(sources)
    if is_remote(place, [one.name for one in evidence.places()]):
        raise UsageError(
            f"nothing can be sent from {place}, so that there is nothing to follow: "
            f"'testbed explain --from {place} {goal}' predicts it"
        )
    found = evidence.place(place)
    if found.namespace is None:
        raise UsageError(f"{found.name} does not run, so that nothing can be sent from it: start it first")
    with ExitStack() as stack:
        watching = _Watching(stack, sources, evidence, found, goal.port)
        say(f"asking {goal} from {found.name}")
        observation, ports = watching.attempt(goal, ask or Ask(), seconds)
        say("putting the packets together")
        frames = watching.capture.frames()
        after, hits = watching.evidence_after(), watching.hits()
    scene = TraceInput(after, hits)
    request = judge.Request(found, goal, ports, observation)
    listed = conversations(shown(frames, watching.taps))
    legs, unsure = judge.legs(scene, listed, errors(frames, watching.taps), request)
    questions = tuple(ArpShown(frame, watching.taps[frame.tap]) for frame in frames if frame.arp is not None)
    failed = not legs or legs[0].end is not LegEnd.ANSWERED
    return Journey(
        place=found.name,
        target=str(goal),
        observation=observation,
        legs=legs,
        ended=judge.sentence(scene, legs, request, questions),
        notes=(*unsure, *watching.notes),
        neighbours=tuple(one.frame for one in questions),
        why=explain(evidence, Attempt(found, goal), observation) if failed else None,
        frames=frames,
        seconds=time.monotonic() - began,
    )


class _Noting(NetworkNamespace):
    """A namespace that notes which ports its connections begin at."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(path, what)
        self.ports: list[int] = []

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
        """A new socket; one of TCP has its port from the start, and not only once it connects."""
        made = super().socket(family, kind, protocol)
        if kind == socket.SOCK_STREAM:
            with suppress(OSError):  # none is free: connecting will say so
                made.bind(("", 0))
            self.ports.append(made.getsockname()[1])
        return made


@dataclass(slots=True)
class _Net:
    """A namespace that is looked at."""

    net: NetworkNamespace
    namespace: Namespace
    private: bool
    trace: FirewallTrace | None = None


class _Watching:
    """Everything that is listened to, from construction until the stack is closed."""

    def __init__(
        self, stack: ExitStack, sources: Sequence[Source], evidence: Evidence, place: Place, port: int
    ) -> None:
        self._sources = sources
        self._evidence = evidence
        self._place = place
        self.notes: list[str] = list(evidence.missing)
        self.nets: dict[str, _Net] = {}
        reached = files(sources, evidence)
        assert place.namespace is not None
        for key, namespace in evidence.namespaces.items():
            source, path = reached[key]
            kind = _Noting if key == place.namespace else NetworkNamespace
            net = stack.enter_context(kind(path, namespace.label))
            self.nets[key] = _Net(net, namespace, is_private(source))
        own = self.nets[place.namespace].net
        assert isinstance(own, _Noting)
        self._own = own
        taps = list(self._taps())
        self.taps: Mapping[str, TapSite] = {tap.name: where for tap, where in taps}
        self.capture = stack.enter_context(Capture([tap for tap, _ in taps], wanted=_is_wanted))
        for one in self.nets.values():
            if one.private:
                try:
                    one.trace = stack.enter_context(FirewallTrace(one.net, port))
                except (CaptureError, HostError) as exc:
                    self.notes.append(str(exc))

    def _taps(self) -> Iterator[tuple[Tap, TapSite]]:
        labels: dict[str, str] = {}
        for key, one in self.nets.items():
            label = one.namespace.label
            # Containers of two hosts may be called the same.
            called = label if labels.setdefault(label, key) == key else f"{label}-{key.strip('net:[]')}"
            try:
                one.net.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
            except (HostError, PermissionError) as exc:
                text = f"the interfaces of {label} cannot be captured on: do it as root, or as their owner"
                if key == self._place.namespace:
                    raise CaptureError(text) from exc
                self.notes.append(text)
                continue
            for link in one.namespace.links:
                if link.up and len(link.mac) == _ETHERNET_ADDRESS:
                    yield Tap(f"{link.name}@{called}", one.net, link.name), TapSite(key, called, link.name)

    def attempt(self, goal: Target, ask: Ask, seconds: float) -> tuple[Observation, tuple[int, ...]]:
        """Make the request, and tell the ports that it was made from."""
        vantage = vantage_in(source_of(self._sources, self._place.host), self._place, self._own)
        observation = vantage.connect(goal, seconds=seconds, ask=ask)
        return observation, tuple(self._own.ports)

    def evidence_after(self) -> Evidence:
        """The picture with what the request itself may have changed: neighbours, FDB, tracked connections."""
        seen = {}
        for key, one in self.nets.items():
            links = one.net.run(read_links)
            tracked, cut = one.net.run(read_conntrack)
            self.notes += cut
            seen[key] = replace(one.namespace, neighbours=links.neighbours, fdb=links.fdb, conntrack=tracked)
        return replace(self._evidence, namespaces=seen)

    def hits(self) -> Mapping[str, Sequence[Hit]]:
        """The rules that matched, by the key of their namespace. After this no firewall tells anything any more."""
        events = {key: self._events(one.trace) for key, one in self.nets.items() if one.trace is not None}
        traces = [one.trace for one in self.nets.values() if one.trace is not None]
        if traces:
            # Removing a table waits until no processor uses it; those that are removed at once wait together. What is
            # listed must not have one in it: nft 1.0.6 prints the flag of such a table as what it finds in its memory.
            with ThreadPoolExecutor(len(traces), thread_name_prefix="trace-close") as pool:
                list(pool.map(FirewallTrace.close, traces))
        return {
            key: self._traced(one, events[key]) if key in events else self._counted(one)
            for key, one in self.nets.items()
        }

    def _events(self, trace: FirewallTrace) -> Sequence[Event]:
        try:
            return trace.events()
        except CaptureError as exc:
            self.notes.append(str(exc))
            return ()

    @staticmethod
    def _traced(one: _Net, events: Sequence[Event]) -> Sequence[Hit]:
        asked = any(event.handle is not None and not event.table.startswith(TABLE) for event in events)
        numbered = read_handles(one.net) if asked else {}
        return traced(events, numbered, one.namespace.firewall, one.namespace.label)

    def _counted(self, one: _Net) -> Sequence[Hit]:
        before = one.namespace.firewall
        if one.private or not any(chain.rules for chain in before.chains):
            return ()
        after, unread = read_firewall(one.net)
        self.notes += unread
        return counted(before, after, one.namespace.label)


def _is_wanted(frame: Frame) -> bool:
    return frame.arp is not None or (frame.ip is not None and frame.ip.protocol in _KINDS)
