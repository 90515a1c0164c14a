"""Random worlds as values: what is drawn can be built."""

from __future__ import annotations

from hypothesis import given, settings

from truth.worlds import HOST_LAN, NEIGHBOUR_LAN, World, worlds

SOME = 25


@settings(max_examples=SOME, database=None, derandomize=True)
@given(worlds())
def test_no_two_of_a_world_have_one_address(world: World) -> None:
    """Containers on a macvlan network are on the LAN beside the host and its neighbour."""
    taken = [HOST_LAN, NEIGHBOUR_LAN]
    taken += [world.nets[number].address_of(box) for box in world.boxes for number in box.nets]
    assert len(taken) == len(set(taken))


@settings(max_examples=SOME, database=None, derandomize=True)
@given(worlds())
def test_podman_would_make_every_container(world: World) -> None:
    """A member of a pod has its networks from there, and one without a network has no options of names."""
    for box in world.boxes:
        assert not (box.pod and box.options), box
        assert box.nets or not (box.pod or box.options or box.published), box
