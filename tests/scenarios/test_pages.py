"""The pages, as whoever clicks sees them: in a real browser, on that person's own machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from testbed.model import Outcome
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.toaster.deeds import booked, first_day
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.story import CONFIRMED
from testbed.scenarios.toaster.topology import HOME_GATEWAY, URL
from testbed.waiting import wait_for
from tests.browser import Browse, _browsers, artefacts, browse, controls, pages, picture
from tests.scenarios.test_portainer import REFUSAL

__all__ = ["_browsers", "artefacts", "browse", "pages", "picture"]


SAFE: Final = "You can safely click Buy again: it is the same order, and is taken only once."
Picture = Callable[[Page, str], Path]


# --- Portainer --------------------------------------------------------------------------------------------------------


def press_connect(page: Page, name: str) -> None:
    """Do what the seed's reader did: fill in the form and click Connect."""
    page.goto("http://10.88.0.10:9000/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Environment address").fill("host.containers.internal:19001")
    page.get_by_role("button", name="Connect", exact=True).click()


def test_connect_shows_the_failure_word_for_word(portainer_lab: PortainerLab, browse: Browse, picture: Picture) -> None:
    """With the tunnel on 127.0.0.1 the user reads the seed's exact words, while the laptop's own terminal connects."""
    page = browse(portainer_lab.hosts["laptop"])
    with portainer_lab.forward(bind="127.0.0.1"):
        press_connect(page, "refused")
        notice = page.get_by_role("alert")
        expect(notice.get_by_role("paragraph")).to_have_text(["Failure", REFUSAL])
        control = portainer_lab.vantage("laptop").connect("https://127.0.0.1:19001/ping")
    picture(page, "failure")
    assert control.outcome is Outcome.CONNECTED
    expect(page.get_by_role("cell", name="refused")).to_have_count(0)


def test_connect_creates_the_environment(portainer_lab: PortainerLab, browse: Browse, picture: Picture) -> None:
    """With the tunnel on 10.88.0.1 the same clicks create the environment, and nothing is an alert."""
    page = browse(portainer_lab.hosts["laptop"])
    with portainer_lab.forward(bind="10.88.0.1"):
        press_connect(page, "created by hand")
        expect(page.get_by_role("status").get_by_role("paragraph")).to_have_text(
            ["Environment created", "created by hand"]
        )
    picture(page, "created")
    expect(page.get_by_role("row", name="created by hand")).to_contain_text("host.containers.internal:19001")
    expect(page.get_by_role("alert")).to_be_empty()


def test_portainers_controls_have_names(portainer_lab: PortainerLab, browse: Browse) -> None:
    """A screen reader has a name for every control of the Portainer page."""
    page = browse(portainer_lab.hosts["laptop"])
    page.goto("http://10.88.0.10:9000/")
    assert controls(page) == [("textbox", "Name"), ("textbox", "Environment address"), ("button", "Connect")]


# --- the shop ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(toaster_lab: ToasterLab) -> ToasterLab:
    """The shop with books as on the first day."""
    first_day(toaster_lab)
    return toaster_lab


def visit(page: Page) -> Locator:
    """Open the shop and wait for what it says of its stock; the button."""
    page.goto(f"{URL}/")
    expect(page.get_by_text(re.compile(r"\d+ left|Sold out|not known"))).to_be_visible()
    return page.get_by_role("button", name="Buy", exact=True)


def posts(page: Page) -> list[str]:
    """The Idempotency-Key of each order that a page sends from now on."""
    keys: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            keys.append(request.headers["idempotency-key"])

    page.on("request", note)
    return keys


def told(page: Page) -> Locator:
    """The lines of what Jack is told has gone wrong."""
    return page.get_by_role("alert").get_by_role("paragraph")


@contextmanager
def refusing(lab: ToasterLab) -> Iterator[None]:
    """Orders answers connections with a reset, as where nothing listens; its address and its process stay."""
    rule = ["INPUT", "-p", "tcp", "--dport", "8000", "-j", "REJECT", "--reject-with", "tcp-reset"]
    lab.command("orders", ["iptables", "-I", *rule])
    try:
        yield
    finally:
        lab.command("orders", ["iptables", "-D", *rule])


@contextmanager
def standing_still(lab: ToasterLab) -> Iterator[None]:
    """Orders takes connections (its kernel does) and does nothing with them until the end of the block."""
    lab.orders.exec(["sh", "-c", "kill -STOP -1"])  # all but the first process, which only looks after the others
    try:
        yield
    finally:
        lab.orders.exec(["sh", "-c", "kill -CONT -1"])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_buy_turns_into_ordered(shop: ToasterLab, browse: Browse, picture: Picture, *, dark: bool) -> None:
    """Jack clicks Buy: it turns into "✓ Ordered", he reads the confirmation, and the ledger has his order."""
    page = browse(shop.jack, dark=dark)
    buy = visit(page)
    picture(page, "before")
    buy.click()
    done = page.get_by_role("button", name="✓ Ordered", exact=True)
    expect(done).to_be_disabled()
    expect(page.get_by_role("status").get_by_role("paragraph")).to_have_text([CONFIRMED, "Your order number is 42."])
    expect(page.get_by_text("24 left", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    picture(page, "ordered")
    assert booked(shop) == (("42", "toaster", "Jack", "198.51.100.20"),)


def test_a_double_click_is_one_order(shop: ToasterLab, browse: Browse) -> None:
    """A second click while the first one's order is under way sends nothing."""
    page = browse(shop.jack)
    buy, sent = visit(page), posts(page)
    buy.dblclick()
    expect(page.get_by_role("button", name="✓ Ordered", exact=True)).to_be_visible()
    assert len(sent) == 1
    assert len(booked(shop)) == 1


def test_jack_is_told_that_orders_is_down_and_clicks_again(shop: ToasterLab, browse: Browse, picture: Picture) -> None:
    """nginx's 502 is shown as what it is, Buy stays, and the click that follows is the same order, taken once."""
    page = browse(shop.jack)
    buy, sent = visit(page), posts(page)
    with refusing(shop):
        buy.click()
        expect(told(page)).to_have_text(
            [
                "Your order is not confirmed.",
                "Instead of a confirmation the shop answered 502 Bad Gateway.",
                SAFE,
            ]
        )
        expect(page.get_by_text("How many are left is not known just now")).to_be_visible()
        picture(page, "down")
        expect(page.get_by_role("status")).to_be_empty()
    assert booked(shop) == ()
    buy.click()
    expect(page.get_by_role("button", name="✓ Ordered", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    assert sent == [sent[0]] * 2
    assert len(booked(shop)) == 1


def test_an_answer_that_was_lost_is_no_second_order(shop: ToasterLab, browse: Browse, picture: Picture) -> None:
    """An order that was taken after nginx had given up (504) is confirmed by the next click, and not taken again."""
    page = browse(shop.jack)
    buy, sent = visit(page), posts(page)
    with standing_still(shop):
        buy.click()
        expect(told(page)).to_have_text(
            [
                "Your order is not confirmed.",
                "Instead of a confirmation the shop answered 504 Gateway Time-out.",
                SAFE,
            ]
        )
        picture(page, "lost")
    wait_for(lambda: booked(shop), "orders to take what it was asked while it stood still")
    page.reload()  # which is what people do
    buy.click()
    expect(page.get_by_role("status")).to_contain_text("Your order number is 42.")
    assert sent == [sent[0]] * 2
    assert [row[0] for row in booked(shop)] == ["42"]


def test_jack_is_told_that_it_is_sold_out(shop: ToasterLab, browse: Browse, picture: Picture) -> None:
    """Where others bought the last one after the page was opened, the shop's own words of refusal are shown."""
    page = browse(shop.jack)
    buy = visit(page)
    shop.ledger.sql("UPDATE inventory SET remaining = 0")
    buy.click()
    expect(told(page)).to_have_text(
        [
            "Your order is not confirmed.",
            "The shop answered: “sold out: nothing was ordered and nothing was charged” (409).",
        ]
    )
    expect(page.get_by_text("Sold out", exact=True)).to_be_visible()
    expect(buy).to_be_enabled()
    picture(page, "sold out")
    assert booked(shop) == ()


def test_jack_is_told_that_no_answer_came(shop: ToasterLab, browse: Browse) -> None:
    """Where his own cable is out, the page says that no answer came, and that clicking again is safe."""
    page = browse(shop.jack)
    buy = visit(page)
    shop.jack.run(["ip", "link", "set", "wan0", "down"])
    try:
        buy.click()
        expect(told(page)).to_have_text(
            ["Your order is not confirmed.", "No answer came from the shop (Failed to fetch).", SAFE]
        )
    finally:
        shop.jack.run(["ip", "link", "set", "wan0", "up"])
        shop.jack.run(["ip", "route", "add", "default", "via", HOME_GATEWAY])  # it went with the link


def test_the_shops_page_stands_for_itself(shop: ToasterLab, browse: Browse) -> None:
    """Its one control has a name, its price is the one in the books, and it asks nobody but the shop."""
    page = browse(shop.jack)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page)
    assert controls(page) == [("button", "Buy")]
    ((cents,),) = shop.ledger.sql("SELECT cents FROM inventory")
    expect(page.get_by_text(f"€ {int(cents) / 100:.2f}", exact=True)).to_be_visible()
    assert asked == [f"{URL}/", f"{URL}/api/stock"]
