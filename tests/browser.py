"""A real browser on a host: headless Chromium in the host's own namespaces, driven by Playwright.

The person who clicks sits at a host, so the browser is a process of it: its connections are born in the host's network
namespace, its names come from the host's own hosts file and resolver, and it ends with the host's first process, in
whatever way the tests end. Playwright speaks to it over two pipes (``--remote-debugging-pipe``: descriptors 3 and 4,
which nsenter passes on), so that nothing has to reach into the host.

A file that wants the fixtures imports them by name.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from testbed import tools
from testbed.errors import UnfitError
from testbed.host import Host
from testbed.namespaces.enter import environment, host_command

#: Debian's package, and Google's, which CI's machines have. Not looked for in /snap: a snap cannot be entered.
_PROGRAMS: Final = ("chromium", "google-chrome-stable", "google-chrome")
#: Nothing of its own on the wire (beside what Playwright turns off already), and no sandbox, which root has not.
_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: How long an action or a page may take, in milliseconds: more than the shop's front desk waits for its backend.
_PATIENCE: Final = 10_000
_SIZE: Final = 880, 620


class Browse(Protocol):
    """Opens pages on hosts."""

    def __call__(self, host: Host, *, dark: bool = False) -> Page:
        """An empty page of a browser on a host; it has a profile of its own and is closed with the test."""


def program() -> str:
    """The path of Chromium.

    :raises UnfitError: it is not installed
    """
    for name in _PROGRAMS:
        if path := shutil.which(name, path=tools.SEARCH_PATH):
            return path
    raise UnfitError("no Chromium is installed: run 'scripts/setup test'")


class Browsers:
    """One browser on each host that is asked for, until :meth:`close`.

    :param folder: for files of Playwright's
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._browsers: dict[int, Browser] = {}
        self._closing = ExitStack()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", str(folder))  # a killed one leaves nothing where nobody looks
            self._playwright = self._closing.enter_context(sync_playwright())

    def on(self, host: Host) -> Browser:
        """The browser on a host; started when first asked for."""
        if host.pid not in self._browsers:
            # In the host's own memory, which goes with it.
            profile = Path(tempfile.mkdtemp(prefix="browser-", dir=host.path(host.scratch)))
            self._closing.callback(shutil.rmtree, profile, ignore_errors=True)
            inside = f"{host.scratch}/{profile.name}"
            # Playwright makes a profile of its own, outside; of two the last one is taken.
            command = shlex.join(host_command(host.pid, [program()]))
            start = self._folder / profile.name
            start.write_text(f'#!/bin/sh\nexec {command} "$@" --user-data-dir={inside}\n', encoding="utf-8")
            start.chmod(0o755)
            browser = self._playwright.chromium.launch(
                executable_path=start,
                args=_OPTIONS,
                env={**environment(), "HOME": inside, "TMPDIR": inside},
                chromium_sandbox=False,
            )
            self._closing.callback(browser.close)
            self._browsers[host.pid] = browser
        return self._browsers[host.pid]

    def close(self) -> None:
        """End them all; one whose host has ended before is gone already."""
        self._closing.close()


@dataclass(slots=True)
class Pages:
    """The pages of one test, and the pictures of them."""

    browsers: Browsers
    pictures: Path
    test: str
    errors: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, host: Host, *, dark: bool = False) -> Page:
        """An empty page on a host."""
        context = self.browsers.on(host).new_context(
            viewport={"width": _SIZE[0], "height": _SIZE[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
        )
        self.contexts.append(context)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def picture(self, page: Page, step: str) -> Path:
        """Keep what a page looks like now."""
        file = self.pictures / f"{_as_file_name(self.test)}-{_as_file_name(step)}.png"
        page.screenshot(path=file, full_page=True, animations="disabled")
        return file

    def close(self) -> None:
        """Close them, with a last picture of each: it shows where a failed test stood."""
        for context in self.contexts:
            with suppress(PlaywrightError):  # its host may have ended before
                for number, page in enumerate(context.pages):
                    self.picture(page, f"end{number or ''}")
                context.close()


def _as_file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "_", text).strip("_")


@pytest.fixture(scope="module")
def _browsers(testbed_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    browsers = Browsers(tmp_path_factory.mktemp("browsers"))
    yield browsers
    browsers.close()


@pytest.fixture(scope="session")
def artefacts(pytestconfig: pytest.Config) -> Path:
    """Where what a test leaves to be looked at is kept: $TESTBED_ARTEFACTS, or artefacts/ of this checkout."""
    folder = Path(os.environ.get("TESTBED_ARTEFACTS") or pytestconfig.rootpath / "artefacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def pages(request: pytest.FixtureRequest, _browsers: Browsers, artefacts: Path) -> Iterator[Pages]:
    """The pages of this test; none of them may have had an error of its own script."""
    pages = Pages(_browsers, artefacts, request.node.name)
    yield pages
    pages.close()
    assert pages.errors == []


@pytest.fixture
def browse(pages: Pages) -> Browse:
    """Opens pages in a browser that is on a host: ``browse(lab.jack).goto("http://shop/")``."""
    return pages.open


@pytest.fixture
def picture(pages: Pages) -> Callable[[Page, str], Path]:
    """Keeps what a page looks like, as an artefact: ``picture(page, "ordered")``."""
    return pages.picture


def controls(page: Page) -> list[tuple[str, str]]:
    """What can be operated on a page, as Chromium tells a screen reader: the role and accessible name of each."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if node["role"]["value"] != "RootWebArea"
        and any(known["name"] == "focusable" and known["value"]["value"] for known in node.get("properties", ()))
    ]
