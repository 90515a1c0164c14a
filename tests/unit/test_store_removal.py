"""Removing the image store, cut off at any moment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from testbed.images import ImageStore
from testbed.images.store import Built

IMAGE = Built("localhost/testbed/agent:0123456789ab", "the packages of bookworm", 9_000_000, 1.5)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """A store with an image, and with what a removal that was cut off left."""
    store = ImageStore(tmp_path / "store")
    for folder in (store.storage, store.folder / "removed"):
        (folder / "overlay").mkdir(parents=True)
        (folder / "overlay/layer").touch()
    store.add(IMAGE)
    return store


def test_it_is_removed_whole(store: ImageStore) -> None:
    """Nothing is left of its folder, nor of an earlier removal."""
    store.remove()
    assert not store.folder.exists()


@pytest.mark.parametrize("number", range(3))
def test_an_image_is_recorded_only_while_all_of_it_is_there(
    monkeypatch: pytest.MonkeyPatch, store: ImageStore, number: int
) -> None:
    """Cut off in the first, second or third folder it leaves no record of what is not there, and no half storage."""
    remove, done = shutil.rmtree, 0

    def cut_off(path: Path, **options: Any) -> None:
        nonlocal done
        if done == number:
            next(found for found in path.rglob("*") if found.is_file()).unlink()
            raise KeyboardInterrupt
        done += 1
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", cut_off)
    with pytest.raises(KeyboardInterrupt):
        store.remove()
    assert store.all_built() == [] or (store.storage / "overlay/layer").exists()
    assert not store.storage.exists() or (store.storage / "overlay/layer").exists()
