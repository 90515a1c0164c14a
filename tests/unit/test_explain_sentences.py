"""Sentences that go on from another one are written as one sentence, and names in them as they are."""

from __future__ import annotations

import pytest

from testbed.explain.sentences import continued


@pytest.mark.parametrize(
    ("sentence", "goes_on"),
    [
        ("The bridge podman1 is gone.", "the bridge podman1 is gone."),
        ("Port 8080 is published by web.", "port 8080 is published by web."),
        ("Rootless Podman's rootlessport takes it.", "rootless Podman's rootlessport takes it."),
        ("UDP port 53 is published.", "UDP port 53 is published."),
        ("Web has no network.", "Web has no network."),
        ("10.88.0.1 is box.", "10.88.0.1 is box."),
    ],
)
def test_only_an_ordinary_word_loses_its_capital(sentence: str, goes_on: str) -> None:
    """The capital of a sentence's first word is dropped where that is no name, address or acronym."""
    assert continued(sentence) == goes_on
