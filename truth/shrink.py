"""Making a world smaller that still shows a disagreement. Hypothesis would try hundreds, and each takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from truth.worlds import World

T = TypeVar("T")


def shrunk(world: World, shows: Callable[[World], bool], *, tries: int) -> World:
    """The smallest world that is found by leaving out one thing after the other.

    :param shows: builds a world, and says whether the disagreement is still there
    :param tries: how many worlds to build at most
    """
    going = True
    while going:
        going = False
        for smaller in _smaller(world):
            if tries == 0:
                return world
            tries -= 1
            if shows(smaller):
                world, going = smaller, True
                break
    return world


def _smaller(world: World) -> Iterator[World]:
    """Worlds with one thing less, the largest things first."""
    for n in range(len(world.host_commands)):
        yield replace(world, host_commands=_without(world.host_commands, n))
    for n in range(len(world.box_commands)):
        yield replace(world, box_commands=_without(world.box_commands, n))
    used = {number for number, _ in world.box_commands}
    for n, box in enumerate(world.boxes):
        if len(world.boxes) > 1 and box.number not in used:
            yield replace(world, boxes=_without(world.boxes, n))
    last = world.nets[-1]
    if last.number and not any(last.number in box.nets for box in world.boxes):
        yield replace(world, nets=world.nets[:-1])
    yield from _plainer(world)


def _plainer(world: World) -> Iterator[World]:
    """Worlds of the same hosts and containers, with less on them."""
    if world.listens:
        yield replace(world, listens=())
    if world.neighbour_listens:
        yield replace(world, neighbour_listens=())
    for n, box in enumerate(world.boxes):
        for plainer in (
            replace(box, listens=()),
            replace(box, published=()),
            replace(box, link_down=False, pod=False),
            replace(box, options=()),
        ):
            if plainer != box:
                yield replace(world, boxes=(*world.boxes[:n], plainer, *world.boxes[n + 1 :]))
    for n, net in enumerate(world.nets):
        plain = replace(net, internal=False, isolated=False, ipv6=False)
        if plain != net:
            yield replace(world, nets=(*world.nets[:n], plain, *world.nets[n + 1 :]))


def _without(things: tuple[T, ...], n: int) -> tuple[T, ...]:
    return (*things[:n], *things[n + 1 :])
