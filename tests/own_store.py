"""An image store of a test's own: what is built into the one that everybody uses may stop all others for a minute.

Who builds and who starts a container take the store's locks in another order (containers/storage, layers and images).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.images import ImageStore, base
from testbed.images.builder import Builder


@contextmanager
def with_image(shared: ImageStore, tag: str, folder: Path) -> Iterator[ImageStore]:
    """A store in a folder that has a copy of an image, and is gone afterwards.

    :param tag: the image's, in the store that has it
    """
    record = shared.built(tag)
    assert record is not None
    store = ImageStore(folder)
    try:
        with store.building(lambda line: None), Builder(store) as builder:
            base._copy(builder, tag, shared.storage, tag)
        store.add(record)
        yield store
    finally:
        shutil.rmtree(store.folder, ignore_errors=True)
