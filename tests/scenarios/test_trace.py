"""Jack's click, followed through the shop: what ``testbed trace`` shows of it on real containers."""

from __future__ import annotations

import pytest

from testbed.probe import Ask
from testbed.readers.sources import of_host
from testbed.report import journey as report
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.trace import Journey, LegEnd, follow

ORDER = Ask(
    "POST",
    (("Content-Type", "application/json"), ("Idempotency-Key", "trace-0001")),
    b'{"item": "toaster", "customer": "Jack"}',
)


def traced(lab: ToasterLab, place: str, target: str, ask: Ask | None = None) -> Journey:
    """A request in the lab."""
    return follow([of_host(host) for host in lab.hosts.values()], place, target, ask=ask)


@pytest.fixture(scope="module")
def click(toaster_lab: ToasterLab) -> Journey:
    """Jack buys a toaster."""
    return traced(toaster_lab, "jack", "http://shop/api/orders", ORDER)


def test_a_click_is_three_connections_each_for_the_sake_of_the_one_before(click: Journey) -> None:
    """Jack to the frontend, the frontend to the orders, the orders to the ledger."""
    assert [(leg.parent, leg.opener.split()[0], leg.delivered) for leg in click.legs] == [
        (None, "jack", "frontend (nginx)"),
        (1, "frontend", "orders (gunicorn)"),
        (2, "orders", "ledger (postgres)"),
    ]
    assert click.observation.answer is not None and click.observation.answer.status == 201
    assert [leg.said for leg in click.legs[:2]] == ["POST /api/orders HTTP/1.1", "POST /api/orders HTTP/1.0"]
    assert not click.notes


def test_the_published_port_is_dnat_by_podmans_own_rule(click: Journey) -> None:
    """In the shop, once: the rule on the way there, the entry on the way back; the two other connections have none."""
    there, back = click.legs[0].rewrites
    assert str(there) == "DNAT: destination 203.0.113.10:80 becomes 10.88.0.10:8080"
    assert there.rule is not None and there.rule.traced and there.rule.verdict == "accept"
    assert "10.88.0.10:8080" in there.rule.text
    assert str(back) == "un-DNAT: source 10.88.0.10:8080 becomes 203.0.113.10:80"
    assert all(leg.rewrites == () for leg in click.legs[1:])


def test_three_routers_are_passed_and_the_bridge_is_none(click: Journey) -> None:
    """64 less one for each courier and the shop; between containers the packet arrives as it was sent."""
    assert [leg.there[-1].ttl for leg in click.legs] == [61, 64, 64]
    assert [hop.namespace for hop in click.legs[0].there] == [
        "jack", "courier1", "courier1", "courier2", "courier2", "shop", "shop", "shop", "frontend",
    ]  # fmt: skip


def test_the_shop_itself_comes_masqueraded(toaster_lab: ToasterLab) -> None:
    """From 127.0.0.1 both ends are exchanged before any interface sees the packet, and put back behind the last one."""
    leg = traced(toaster_lab, "shop", "http://127.0.0.1/api/stock").legs[0]
    destination, source = leg.start.rewrites
    assert str(destination) == "DNAT: destination 127.0.0.1:80 becomes 10.88.0.10:8080"
    assert (source.kind, str(source.after.address)) == ("SNAT", "10.88.0.1")
    assert source.rule is not None and "masquerade" in source.rule.text.lower()
    assert [rewrite.kind for hop in leg.back for rewrite in hop.rewrites] == ["un-SNAT", "un-DNAT"]


def test_a_port_that_is_not_published_is_refused_by_the_shop(toaster_lab: ToasterLab) -> None:
    """It passes both couriers, and the shop's own kernel answers."""
    journey = traced(toaster_lab, "jack", "http://shop:8000/")
    assert journey.legs[0].end is LegEnd.REFUSED
    assert journey.ended == "refused: nobody listens on 203.0.113.10:8000: the kernel answers with a reset"
    assert journey.why is not None and journey.why.cause is not None


def test_the_picture_names_every_station(click: Journey) -> None:
    """There and back, and each further connection indented below the one that it was made for."""
    lines = report.lines(click)
    assert [line.strip() for line in lines if line.lstrip()[:2] in ("1.", "2.", "3.")] == [
        "1. jack → frontend (nginx)",
        "2. frontend (nginx) → orders (gunicorn), a new connection",
        "3. orders (gunicorn) → ledger (postgres), a new connection",
    ]
    assert [len(line) - len(line.lstrip()) for line in lines if line.lstrip()[:2] in ("1.", "2.", "3.")] == [0, 2, 4]
