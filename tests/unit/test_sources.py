"""Where a picture of the machine itself is taken."""

from __future__ import annotations

import pytest

from testbed import tools
from testbed.readers.sources import of_machine


def test_the_terminals_proxies_are_known_without_their_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client in the terminal goes by the variables of this very environment; nothing else of that is kept."""
    monkeypatch.setattr(tools, "find", lambda _: None)
    for name in ("HTTPS_PROXY", "https_proxy", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://ana:secret@proxy.example:3128/")
    monkeypatch.setenv("no_proxy", "localhost,10.0.0.0/8")
    monkeypatch.setenv("TOKEN", "secret")
    assert of_machine().proxies == {"https_proxy": "http://***@proxy.example:3128", "no_proxy": "localhost,10.0.0.0/8"}
