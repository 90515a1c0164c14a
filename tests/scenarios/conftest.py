"""Labs that several modules here use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from testbed.images import ImageStore
from testbed.scenarios.toaster.lab import ToasterLab


@pytest.fixture(scope="module")
def toaster_lab(
    testbed_session: None, testbed_image_store: ImageStore, testbed_say: Callable[[str], None]
) -> Iterator[ToasterLab]:
    """The shop, for the tests of a module; whatever one of them breaks it mends."""
    with ToasterLab(store=testbed_image_store, say=testbed_say) as lab:
        yield lab
