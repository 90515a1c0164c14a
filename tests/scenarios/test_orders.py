"""The order is right: debited once and numbered, never oversold, and whoever is killed, nothing is lost or doubled."""

from __future__ import annotations

import errno
import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Final

import pytest

from testbed.errors import EngineError
from testbed.scenarios.toaster.deeds import booked, first_day, net
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.topology import (
    FRONTEND,
    FRONTEND_PORT,
    JACK,
    LEDGER,
    LEDGER_PORT,
    ORDERS,
    ORDERS_PORT,
    PODMAN0,
    VISITOR,
)
from testbed.waiting import wait_for
from tests.scenarios.buyers import (
    CONFIRMED,
    Attempt,
    Books,
    all_at_once,
    attempt,
    books,
    insist,
    note,
    request,
)
from tests.scenarios.kills import (
    BACKEND,
    CONTAINERS,
    VICTIMS,
    WORKERS,
    await_backend,
    await_no_backend,
    freezing,
    frozen,
    held,
    kill,
    mend,
    times_said,
    unacknowledged,
)

STOCK: Final = 25
KEY: Final = "jacks-click"
TOAST: Final = "Order confirmed. Your toaster is on its way. Thank you for shopping with us."
NOTHING: Final = "nothing was ordered and nothing was charged"
AGAIN: Final = "the same order is never taken twice: try again"


@pytest.fixture
def shop(toaster_lab: ToasterLab) -> ToasterLab:
    """The shop on its first day: 25 toasters, no orders, nobody at it."""
    await_no_backend(toaster_lab)
    first_day(toaster_lab, stock=STOCK)
    return toaster_lab


def buy(lab: ToasterLab, key: str = KEY, *, sent: bytes | None = None) -> Attempt:
    """Jack's one click."""
    return attempt(lab.jack.net, key, sent=sent)


# One click


def test_buying_debits_one_and_returns_the_orders_number(shop: ToasterLab) -> None:
    """201 and 42, the essay's number; the row in the ledger has Jack's name and his machine's address."""
    bought = buy(shop)
    assert (bought.outcome, bought.body) == ("201", {"order": 42, "item": "toaster", "message": TOAST})
    assert booked(shop) == (("42", "toaster", "Jack", JACK),)
    assert books(shop) == Books(STOCK - 1, {KEY: 42})


def test_the_same_key_again_is_the_same_order(shop: ToasterLab) -> None:
    """200 in place of 201, the body to the letter, and one toaster less as before."""
    first, second = buy(shop), buy(shop)
    assert (second.outcome, second.body) == ("200", first.body)
    assert books(shop) == Books(STOCK - 1, {KEY: 42})


def test_clicks_at_the_same_time_are_one_order(shop: ToasterLab) -> None:
    """Of ten with one key one is new, and all have its number."""
    clicks = all_at_once(shop.jack.net, [KEY] * 10)
    assert Counter(click.outcome for click in clicks) == {"201": 1, "200": 9}
    assert {click.number for click in clicks} == set(books(shop).numbers.values())
    assert books(shop).left == STOCK - 1


def test_a_key_belongs_to_one_order(shop: ToasterLab) -> None:
    """Somebody else's order under it is 422, and changes nothing."""
    buy(shop)
    other = buy(shop, sent=note(KEY, customer="Jill"))
    assert (other.outcome, other.body) == ("422", {"error": "this Idempotency-Key is that of another order"})
    assert booked(shop) == (("42", "toaster", "Jack", JACK),)
    assert books(shop).left == STOCK - 1


WHICH_KEY: Final = "an order needs an Idempotency-Key of 8 to 64 letters, digits, - and _"
WHICH_ORDER: Final = 'an order is {"item": "toaster", "customer": NAME}'
GOOD: Final = json.dumps({"item": "toaster", "customer": "Jack"})


@pytest.mark.parametrize(
    ("key", "body", "why"),
    [
        # A key, long enough not to be met by chance, and short.
        pytest.param(None, GOOD, WHICH_KEY, id="no key"),
        pytest.param("7letter", GOOD, WHICH_KEY, id="short key"),
        pytest.param("k" * 65, GOOD, WHICH_KEY, id="long key"),
        pytest.param("jack's click", GOOD, WHICH_KEY, id="key of other characters"),
        # An order, in JSON, of what there is, for somebody.
        pytest.param(KEY, "", WHICH_ORDER, id="no body"),
        pytest.param(KEY, "a toaster, please", WHICH_ORDER, id="no JSON"),
        pytest.param(KEY, '["toaster"]', WHICH_ORDER, id="no object"),
        pytest.param(KEY, json.dumps({"item": "kettle", "customer": "Jack"}), WHICH_ORDER, id="another item"),
        pytest.param(KEY, json.dumps({"item": "toaster"}), WHICH_ORDER, id="nobody"),
        pytest.param(KEY, json.dumps({"item": "toaster", "customer": ""}), WHICH_ORDER, id="empty name"),
        pytest.param(KEY, json.dumps({"item": "toaster", "customer": "J" * 101}), WHICH_ORDER, id="long name"),
        # What JSON can say and PostgreSQL cannot keep (its manual, 8.3).
        pytest.param(KEY, json.dumps({"item": "toaster", "customer": "Ja\0ck"}), WHICH_ORDER, id="NUL"),
        pytest.param(KEY, json.dumps({"item": "toaster", "customer": "\ud83d"}), WHICH_ORDER, id="half a character"),
    ],
)
def test_what_is_no_order_is_refused(shop: ToasterLab, key: str | None, body: str, why: str) -> None:
    """400 and the reason, and nothing in the ledger."""
    refused = buy(shop, sent=request(key, body))
    assert (refused.outcome, refused.body) == ("400", {"error": why})
    assert books(shop) == Books(STOCK, {})


def test_a_name_of_any_script_is_kept_as_it_is(shop: ToasterLab) -> None:
    """Up to 100 characters, whatever bytes they take."""
    name = "Ж" * 50 + "🍞" * 50
    assert buy(shop, sent=note(KEY, customer=name)).outcome == "201"
    assert booked(shop) == (("42", "toaster", name, JACK),)


# The last toasters


def test_sold_out(shop: ToasterLab) -> None:
    """409, and nothing is debited; whose order was taken before still gets his number."""
    first_day(shop, stock=1)
    bought, refused, again = buy(shop), buy(shop, "too-late"), buy(shop)
    assert (refused.outcome, refused.body) == ("409", {"error": f"sold out: {NOTHING}"})
    assert (again.outcome, again.body) == ("200", bought.body)
    assert books(shop) == Books(0, {KEY: 42})


def test_never_oversold(shop: ToasterLab) -> None:
    """Of sixty buyers at the same time for twenty toasters twenty get one each, and forty are told no."""
    first_day(shop, stock=20)
    keys = [f"buyer-{number:02}" for number in range(60)]
    ends = all_at_once(shop.jack.net, keys)
    assert Counter("confirmed" if end.outcome in CONFIRMED else end.outcome for end in ends) == {
        "confirmed": 20,
        "409": 40,
    }
    assert books(shop) == Books(0, {end.key: end.number for end in ends if end.number is not None})


# Who may ask whom


STRANGER: Final = "orders are taken from the frontend only, and {} is not it"
NO_TOKEN: Final = "the frontend's address, and not its token"


@pytest.mark.parametrize(
    ("sender", "token", "status", "error"),
    [
        pytest.param("visitor", None, 403, STRANGER.format(VISITOR), id="another container"),
        pytest.param("shop", None, 403, STRANGER.format(PODMAN0), id="the shop's own terminal"),
        pytest.param("frontend", None, 401, NO_TOKEN, id="the frontend's address without a token"),
        pytest.param("frontend", "0", 401, NO_TOKEN, id="the frontend's address with another token"),
    ],
)
def test_only_the_frontend_may_order(shop: ToasterLab, sender: str, token: str | None, status: int, error: str) -> None:
    """From elsewhere the very same order is refused, and in that moment it is taken through nginx from there."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": KEY}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    options = [option for name, value in headers.items() for option in ("--header", f"{name}: {value}")]
    order = ["curl", "--silent", "--include", "--data", GOOD, *options]
    head, _, body = shop.command(sender, [*order, f"http://{ORDERS}:{ORDERS_PORT}/api/orders"]).partition("\r\n\r\n")
    assert head.split()[1] == str(status)
    assert json.loads(body) == {"error": error}
    assert ("WWW-Authenticate: Bearer" in head.splitlines()) == (status == 401)  # RFC 9110, 15.5.2
    assert books(shop) == Books(STOCK, {})
    taken = shop.command(sender, [*order, f"http://{FRONTEND}:{FRONTEND_PORT}/api/orders"])
    assert taken.split()[1] == "201"


def knock(lab: ToasterLab, sender: str) -> bytes:
    """Ask the ledger to be let in as orders, and take its first answer (PostgreSQL, 55.2.1, protocol 3.0)."""
    wanted = b"\0\3\0\0user\0orders\0database\0postgres\0\0"
    with net(lab, sender).socket() as asking:
        asking.settimeout(2)
        asking.connect((LEDGER, LEDGER_PORT))
        asking.sendall((len(wanted) + 4).to_bytes(4, "big") + wanted)
        return asking.recv(4096)


@pytest.mark.parametrize(
    ("sender", "address"), [("visitor", VISITOR), ("frontend", FRONTEND), ("shop", PODMAN0)], ids=lambda value: value
)
def test_only_orders_may_ask_the_ledger(toaster_lab: ToasterLab, sender: str, address: str) -> None:
    """PostgreSQL ends it by its host-based authentication, while from the address of orders it asks for a password."""
    refused = knock(toaster_lab, sender)
    fields = {part[:1]: part[1:].decode() for part in refused[5:].split(b"\0") if part}
    assert refused[:1] == b"E"
    assert (fields[b"V"], fields[b"C"], fields[b"M"]) == (
        "FATAL",
        "28000",
        f'no pg_hba.conf entry for host "{address}", user "orders", database "postgres", no encryption',
    )
    asked = knock(toaster_lab, "orders")
    assert asked[:1] == b"R"
    assert asked[9:].startswith(b"SCRAM-SHA-256\0")


# What they may do


def status_of(lab: ToasterLab, name: str) -> dict[str, str]:
    """/proc/PID/status of a container's main process, as the shop sees it (proc(5))."""
    lines = (lab.shop.process(lab.containers[name].pid) / "status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


@pytest.mark.parametrize("name", CONTAINERS)
def test_they_are_nobody_special(toaster_lab: ToasterLab, name: str) -> None:
    """Not root, in all four of the kernel's user ids; without a capability, and with no way to gain one."""
    status = status_of(toaster_lab, name)
    assert {int(uid) for uid in status["Uid"].split()}.isdisjoint({0})
    assert [status[kind].strip("0") for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd")] == [""] * 5
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("name", CONTAINERS)
def test_their_files_are_not_theirs_to_change(toaster_lab: ToasterLab, name: str) -> None:
    """Even root could not, for want of a file system that is written to; /tmp is one, in memory."""
    root = toaster_lab.shop.process(toaster_lab.containers[name].pid) / "root"
    with pytest.raises(OSError, match="Read-only file system") as caught:
        (root / "usr/local/bin/mine").touch()
    assert caught.value.errno == errno.EROFS
    (root / "tmp/mine").touch()
    (root / "tmp/mine").unlink()


@pytest.mark.parametrize("name", CONTAINERS)
def test_their_health_checks_pass(toaster_lab: ToasterLab, name: str) -> None:
    """Podman has one for each image, and runs it now (podman-healthcheck-run(1), which ends with 1 where it fails)."""
    toaster_lab.shop.run(["podman", "healthcheck", "run", name])


def test_a_health_check_tells_who_does_not_answer(toaster_lab: ToasterLab) -> None:
    """With its workers stopped the frontend is unhealthy, while its container runs."""
    with frozen(toaster_lab, "frontend"):
        said = toaster_lab.shop.run(["sh", "-c", "podman healthcheck run frontend || echo $?"])
    assert said.split() == ["unhealthy", "1"]
    toaster_lab.shop.run(["podman", "healthcheck", "run", "frontend"])


# Killed, at a known point

AWAY: Final = f"the ledger cannot be reached: {NOTHING}; {AGAIN}"
UNKNOWN: Final = f"the ledger went away while it wrote; {AGAIN}"
GONE: Final = "RemoteDisconnected"


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of an order in which somebody was killed."""

    outcome: str
    """What Jack saw of his click: the answer's status, or that there was none."""
    said: str | None
    """The shop's own words in that answer; None in nginx's own page."""
    written: int
    """How many orders were in the books when all was over and Jack had not clicked again."""
    again: str
    """What his next click got."""


def keep_at(lab: ToasterLab, point: str) -> AbstractContextManager[Callable[[], None]]:
    """Have an order stop there: at its first question, at its change of the inventory, when it is told to be kept."""
    if point == "COMMIT":
        return unacknowledged(lab)
    # The mildest lock that keeps a reader out, and a change that changes nothing.
    return held(lab, "LOCK orders" if point == "PARSE" else "UPDATE inventory SET remaining = remaining")


def at_last(lab: ToasterLab, click: Attempt) -> Killed:
    """Look into the books when nobody writes in them any more, and let Jack click again: that is settled for good."""
    await_no_backend(lab)
    written = wait_for(lambda: books_or_none(lab), "the ledger to be itself again").numbers
    last = insist(lab.jack.net, KEY)[-1]
    assert {last.number} >= {click.number, *written.values()} - {None}
    after = books(lab)
    assert (after.left, after.numbers) == (STOCK - 1, {KEY: last.number})
    return Killed(click.outcome, click.body.get("error") or click.body.get("message"), len(written), last.outcome)


def books_or_none(lab: ToasterLab) -> Books | None:
    """The books, unless the ledger is not there for anybody yet."""
    with suppress(EngineError):
        return books(lab)
    return None


@pytest.mark.parametrize(
    ("point", "victim", "expected"),
    [
        # The first question, whether the key is known, waits for the table: nothing is begun.
        ("PARSE", "orders", Killed("502", None, 0, "201")),
        ("PARSE", "ledger", Killed("503", AWAY, 0, "201")),
        # It is written down and waits for the inventory's row: it goes on when only the frontend is gone.
        ("UPDATE", "frontend", Killed(GONE, None, 1, "200")),
        ("UPDATE", "orders", Killed("502", None, 0, "201")),
        ("UPDATE", WORKERS, Killed("502", None, 0, "201")),
        ("UPDATE", "ledger", Killed("503", AWAY, 0, "201")),
        ("UPDATE", BACKEND, Killed("503", AWAY, 0, "201")),
        # It is kept, and orders has not heard of it: Jack is told neither that it is nor that it is not.
        ("COMMIT", "frontend", Killed(GONE, None, 1, "200")),
        ("COMMIT", "orders", Killed("502", None, 1, "200")),
        ("COMMIT", WORKERS, Killed("502", None, 1, "200")),
        ("COMMIT", "ledger", Killed("503", UNKNOWN, 1, "200")),
        ("COMMIT", BACKEND, Killed("503", UNKNOWN, 1, "200")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_killed_while_an_order_is_written(shop: ToasterLab, point: str, victim: str, expected: Killed) -> None:
    """Jack is told the truth or nothing, and his next click with the same key has the one order."""
    with ThreadPoolExecutor(1) as jack, keep_at(shop, point) as let_go:
        clicking = jack.submit(buy, shop)
        await_backend(shop, f"{point} waiting")
        kill(shop, victim)
        click = clicking.result()
        if victim != "ledger":  # whoever still waits has a second (images/orders/ledger.py)
            let_go()
        mend(shop, victim)
        let_go()
        assert at_last(shop, click) == expected


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        ("frontend", Killed(GONE, None, 1, "200")),
        ("orders", Killed("201", TOAST, 1, "200")),
        ("ledger", Killed("201", TOAST, 1, "200")),
    ],
    ids=CONTAINERS,
)
def test_killed_when_the_answer_is_at_the_frontends_door(shop: ToasterLab, victim: str, expected: Killed) -> None:
    """Its kernel has it, and nginx has not read it: only with the frontend is it lost, and the order never."""
    with ThreadPoolExecutor(1) as jack, keep_at(shop, "UPDATE") as let_go:
        with freezing(shop, "frontend") as (freeze, _):
            clicking = jack.submit(buy, shop)
            await_backend(shop, "UPDATE waiting")
            freeze()
            let_go()
            wait_for(lambda: is_answered(shop), "the answer to be at the frontend's door")
            kill(shop, victim)
        click = clicking.result()
        mend(shop, victim)
        assert at_last(shop, click) == expected


def is_answered(lab: ToasterLab) -> bool:
    """Whether orders has closed a connection of the frontend's, as it does behind its answer (HTTP/1.0)."""
    table = (lab.shop.process(lab.frontend.pid) / "net/tcp").read_text().splitlines()
    to_orders = f"0B00580A:{ORDERS_PORT:04X}"  # 10.88.0.11, as proc_net_tcp(5) has it
    close_wait = "08"  # net/tcp_states.h
    return any(row.split()[2:4] == [to_orders, close_wait] for row in table)


def test_orders_is_frozen_with_the_inventorys_row_in_its_hands(shop: ToasterLab) -> None:
    """The ledger takes it back after a second, so that the shop is not shut: that order is not taken, the next is."""
    taken_back = "terminating connection due to idle-in-transaction timeout"
    before = times_said(shop, taken_back)
    with ThreadPoolExecutor(1) as jack, keep_at(shop, "UPDATE") as let_go:
        with freezing(shop, "orders") as (freeze, _):
            clicking = jack.submit(buy, shop)
            await_backend(shop, "UPDATE waiting")
            freeze()
            let_go()
            wait_for(lambda: times_said(shop, taken_back) > before, "the ledger to take the row back")
            await_no_backend(shop)
        click = clicking.result()
    assert at_last(shop, click) == Killed("503", UNKNOWN, 0, "201")


# Killed again and again

BUYERS: Final = 8
ORDERED: Final = 200
MANY: Final = 1000
SEED: Final = 5


def is_hit(click: Attempt, kill_began: float, kill_ended: float) -> bool:
    """Whether a click was under way when somebody was killed, and got no confirmation."""
    return click.began < kill_ended and click.ended > kill_began and click.outcome not in CONFIRMED


def test_killed_again_and_again(shop: ToasterLab) -> None:
    """Two hundred orders of eight buyers while everything is killed in turn: the books are what they were told."""
    first_day(shop, stock=MANY)
    victims = random.Random(SEED).sample(VICTIMS, len(VICTIMS))  # noqa: S311 - to be repeated, not to be secret
    keys = [f"order-{number:03}" for number in range(ORDERED)]
    clicks: list[Attempt] = []
    kills: list[tuple[str, float, float]] = []

    def buys(mine: list[str]) -> None:
        for key in mine:
            clicks.extend(insist(shop.jack.net, key))

    def are_confirmed(count: int) -> bool:
        return sum(click.outcome in CONFIRMED for click in list(clicks)) >= count

    with ThreadPoolExecutor(BUYERS, thread_name_prefix="buyer") as pool:
        buying = [pool.submit(buys, keys[first::BUYERS]) for first in range(BUYERS)]
        for number, victim in enumerate(victims, 1):
            share = number * ORDERED // (len(victims) + 1)
            wait_for(partial(are_confirmed, share), f"{share} orders", state=lambda: str(clicks[-9:]), seconds=30)
            began = monotonic()
            kill(shop, victim)
            kills.append((victim, began, monotonic()))
            mend(shop, victim)
        for one in buying:
            one.result()
    numbers = {click.key: click.number for click in clicks if click.number is not None}
    assert books(shop) == Books(MANY - ORDERED, {key: numbers[key] for key in keys})
    hits = {victim: sum(is_hit(click, began, ended) for click in clicks) for victim, began, ended in kills}
    assert sum(hits.values()) >= len(kills), f"the kills met hardly an order: {hits}"
    again = all_at_once(shop.jack.net, keys[:: ORDERED // 20])
    assert {click.key: click.number for click in again if click.outcome == "200"} == {
        key: numbers[key] for key in keys[:: ORDERED // 20]
    }
