"""The story on the terminal: the notebook filling, frame by frame, with the ports that each left by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from testbed.errors import CommandError
from testbed.frames import BROADCAST, Frame, fdb
from testbed.results import Check, Scene
from testbed.scenarios.switch import judgement
from testbed.scenarios.switch.deeds import ask, speak
from testbed.scenarios.switch.judgement import Delivery
from testbed.scenarios.switch.lab import SwitchLab
from testbed.scenarios.switch.topology import ADDRESSES, BADGES, BRIDGE, ESSAYS_BADGE, LAPTOP, PEOPLE
from testbed.waiting import wait_for

#: In hundredths of a second.
_SHORT: Final = 20


def scenes(lab: SwitchLab) -> Iterator[Scene]:
    """Tell it, a scene at a time.

    :raises Error: something could not be done or seen at all
    """
    lab.forget()
    yield _before(lab)
    yield _stranger(lab)
    yield _answer(lab)
    yield _broadcast(lab)
    yield _question(lab)
    yield _moves(lab)
    yield _ages(lab)
    yield _badge(lab)


def _before(lab: SwitchLab) -> Scene:
    own = [row for row in fdb(lab.laptop.net, BRIDGE) if not row.learned]
    return Scene(
        "Three people sit down at a switch, and nobody has said a word",
        (
            Check("the notebook knows nobody", not lab.notebook()),
            Check("each port has an address of its own in it, which it did not learn", len(own) >= len(PEOPLE)),
        ),
        (
            *(f"{name:<8}{ADDRESSES[name]:<13}badge {BADGES[name]}  port {lab.ports[name]}" for name in PEOPLE),
            *_table(lab),
        ),
        f"The switch is {BRIDGE}, a bridge in the kernel. Its notebook is the forwarding table: badge, and port.",
    )


def _stranger(lab: SwitchLab) -> Scene:
    note = speak(lab, "alice", BADGES["bob"])
    return Scene(
        "Alice writes to Bob, whom the switch has never heard",
        (
            Check("it leaves by every port but hers, once by each", judgement.flooded(note, PEOPLE), _where(lab, note)),
            Check("and her badge is in the notebook now, at her port", lab.known() == ("alice",)),
        ),
        _table(lab),
        "It learns from where a frame comes, and from nothing else. What it does not know goes to everybody.",
    )


def _answer(lab: SwitchLab) -> Scene:
    back, again = speak(lab, "bob", BADGES["alice"]), speak(lab, "alice", BADGES["bob"])
    return Scene(
        "Bob writes back, and Alice once more",
        (
            Check("his leaves by her port alone", judgement.left_by_one_port(back, "alice"), _where(lab, back)),
            Check(
                "hers by his alone, and Carlos sees nothing",
                judgement.left_by_one_port(again, "bob"),
                _where(lab, again),
            ),
            Check("the notebook knows both", lab.known() == ("alice", "bob")),
        ),
        _table(lab),
    )


def _broadcast(lab: SwitchLab) -> Scene:
    note = speak(lab, "alice", BROADCAST)
    return Scene(
        "Alice writes to everybody: ff:ff:ff:ff:ff:ff",
        (
            Check(
                "all others get it, and the laptop, which has a seat there too",
                judgement.reached_all(note, PEOPLE, LAPTOP),
                _where(lab, note),
            ),
        ),
        remark="These frames carry no IP at all: the switch looks at the two addresses, and at nothing above them.",
    )


def _question(lab: SwitchLab) -> Scene:
    frames = ask(lab, "alice", "carlos")
    told = judgement.answered(frames)
    return Scene(
        f"Alice wants {ADDRESSES['carlos']} and does not know whose badge that is (ARP)",
        (
            Check("her question goes to everybody", judgement.asked(frames, LAPTOP) == {"bob", "carlos", LAPTOP}),
            Check(
                "only Carlos answers, and to her alone",
                told == (("alice", BADGES["carlos"], BADGES["alice"]),),
                "; ".join(f"at {tap}: {source} > {to}" for tap, source, to in told),
            ),
            Check("his answer has taught the switch where he sits", "carlos" in lab.known()),
        ),
        (*(f"{_way(f):<8}{f.tap:<8}{f.summary}" for f in frames), *_table(lab)),
    )


def _moves(lab: SwitchLab) -> Scene:
    speak(lab, "carlos", BADGES["alice"], badge=BADGES["bob"])
    moved = lab.notebook().get(BADGES["bob"])
    speak(lab, "bob", BADGES["alice"])
    return Scene(
        "Carlos puts on Bob's badge and says a word",
        (
            Check("the notebook has Bob's badge at Carlos's port at once", moved == "carlos", f"at {moved}"),
            Check("until Bob speaks again", lab.notebook().get(BADGES["bob"]) == "bob"),
        ),
        remark="The newest frame is right. Nobody proves a badge to a switch.",
    )


def _ages(lab: SwitchLab) -> Scene:
    with lab.ageing(_SHORT):
        wait_for(lambda: not lab.notebook(), "the notebook to forget everybody", seconds=3.0)
    return Scene(
        "Everybody is silent for a fifth of a second, which is how long the notebook keeps a line now",
        (Check("it has forgotten them all", not lab.notebook()),),
        _table(lab),
        "A real one keeps a line for five minutes.",
    )


def _badge(lab: SwitchLab) -> Scene:
    said = refused(lab, "bob", ESSAYS_BADGE)
    return Scene(
        f"Could Bob wear {ESSAYS_BADGE}?",
        (
            Check(
                "no: its first byte is odd, a group's, which no interface may have",
                judgement.is_for_group(ESSAYS_BADGE) and "Cannot assign requested address" in said,
                said,
            ),
            Check(f"{BADGES['bob']}, which he wears, is not", not judgement.is_for_group(BADGES["bob"])),
        ),
    )


def refused(lab: SwitchLab, name: str, badge: str) -> str:
    """What the kernel says to a MAC address that somebody's interface shall have; empty where it takes it."""
    try:
        lab.command(name, ["ip", "link", "set", "dev", "eth0", "address", badge])
    except CommandError as exc:
        return exc.stderr.strip()
    return ""


def _way(frame: Frame) -> str:
    """Which way a frame went at a tap; what the laptop's own seat receives is what the switch hands to the laptop."""
    return "out to" if frame.outgoing != (frame.tap == LAPTOP) else "in from"


def _where(lab: SwitchLab, note: Delivery) -> str:
    ports = [f"{lab.ports.get(name, BRIDGE)} ({name})" for name in note.reached]
    return f"it left by {', '.join(ports) or 'no port'}"


def _table(lab: SwitchLab) -> tuple[str, ...]:
    written = lab.notebook()
    rows = [(badge, lab.ports.get(name, name), name) for badge, name in sorted(written.items())]
    if not rows:
        return ("notebook: empty",)
    return ("notebook:", *(f"  {badge:<19}{port:<8}{who}" for badge, port, who in (("badge", "port", "who"), *rows)))
