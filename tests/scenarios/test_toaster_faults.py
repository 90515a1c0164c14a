"""What goes wrong in the shop: what Jack sees, what nginx writes in its log, and what ``explain`` names, each exactly.

Every test mends what it breaks.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pytest

from testbed import machine
from testbed.containers import configured
from testbed.diagnose import Told, why, why_pasted
from testbed.errors import CommandError
from testbed.explain.codes import Cause
from testbed.explain.explanation import Conclusion
from testbed.model import Observation, Outcome, Phase, Target
from testbed.probe import Ask
from testbed.processes import end
from testbed.readers.sources import of_host
from testbed.readers.take import Source
from testbed.readers.vantages import PATIENCE
from testbed.scenarios.toaster.lab import ToasterLab
from testbed.scenarios.toaster.topology import (
    FRONTEND,
    FRONTEND_PORT,
    JACK,
    LEDGER_PORT,
    ORDERS,
    ORDERS_PORT,
    PUBLISHED_PORT,
    SHOP,
    URL,
)
from testbed.waiting import wait_for
from truth.faults.publishing import FLUSH

STOCK: Final = f"{URL}/api/stock"
UPSTREAM: Final = f"http://{ORDERS}:{ORDERS_PORT}/api/stock"
#: Less than nginx's own patience (images/frontend/nginx.conf), where nothing answers anyway.
IMPATIENT: Final = 0.7
REASONS: Final = {502: "Bad Gateway", 504: "Gateway Time-out"}
#: What stands before an error's own words: time, level, process, connection (ngx_log.c).
_HEAD: Final = re.compile(r"[\d/]+ [\d:]+ \[error\] \d+#\d+: \*\d+ ")

ASKED: Final = (
    f'client: {JACK}, server: , request: "GET /api/stock HTTP/1.1", upstream: "{UPSTREAM}", host: "{URL[7:]}"'
)


# Orders is down.


def test_orders_is_stopped_a_moment_ago(toaster_lab: ToasterLab) -> None:
    """504 after nginx's two seconds to connect: its kernel still knows the MAC of orders, sends there, and is not told.

    Refused would need somebody at the address who refuses, and unreachable a question (ARP) that goes unanswered.
    """
    with stopped(toaster_lab, "orders"), nginx_writes(toaster_lab) as lines:
        told = from_jack(toaster_lab)
        (line,) = lines()
        page = toaster_lab.vantage("jack").connect(URL)
        pasted = of_line(toaster_lab, line)
    seen = seen_of(told)
    gateway_said(seen, 504)
    assert 2.0 <= seen.seconds < 3.0
    assert words(line) == f"upstream timed out (110: Connection timed out) while connecting to upstream, {ASKED}"
    assert page.outcome is Outcome.CONNECTED
    gateway_named(told, 504, "got no answer in time from", upstream="orders:PORT")
    assert "orders, which its hosts file names, does not run: it is exited." in told.explanation.sentence
    named(
        pasted, Cause.NOT_RUNNING, "The container orders on shop, which 10.88.0.11 leads to, does not run", "frontend"
    )


def test_orders_is_stopped_and_its_mac_forgotten(toaster_lab: ToasterLab) -> None:
    """The kernel asks for three seconds who has the address: who comes first waits two and has 504, who comes then 502.

    nginx's patience to connect (proxy_connect_timeout 2s) ends before the kernel's does; but the question of the first
    is the second one's too, and its end is his: no route to host.
    """
    with stopped(toaster_lab, "orders"), nginx_writes(toaster_lab) as lines:
        toaster_lab.command("frontend", ["ip", "neighbour", "flush", "dev", "eth0"])
        first, second = (toaster_lab.vantage("jack").connect(STOCK) for _ in range(2))
        early, late = lines(2)
        pasted = [of_line(toaster_lab, line) for line in (early, late)]
    gateway_said(first, 504)
    gateway_said(second, 502)
    assert first.seconds + second.seconds == pytest.approx(3.1, abs=0.3)
    assert words(early) == f"upstream timed out (110: Connection timed out) while connecting to upstream, {ASKED}"
    assert words(late) == f"connect() failed (113: No route to host) while connecting to upstream, {ASKED}"
    for told in pasted:
        named(told, Cause.NOT_RUNNING, "The container orders on shop, which 10.88.0.11 leads to, does not run")


def test_a_container_with_the_address_of_orders_and_nobody_who_listens(toaster_lab: ToasterLab) -> None:
    """502 at once: the container's kernel itself refuses, as when the program in it has died and the container not."""
    image = toaster_lab.containers["visitor"].image
    change = {"role": "base", "command": ("sleep", "infinity"), "secrets": (), "sealed": False}
    with nginx_writes(toaster_lab) as lines, instead(toaster_lab, "orders", change, image=image):
        told = from_jack(toaster_lab)
        (line,) = lines()
        page = toaster_lab.vantage("jack").connect(URL)
        pasted = of_line(toaster_lab, line)
    seen = seen_of(told)
    gateway_said(seen, 502)
    assert words(line) == f"connect() failed (111: Connection refused) while connecting to upstream, {ASKED}"
    assert page.outcome is Outcome.CONNECTED
    gateway_named(told, 502, "got no valid answer from", upstream="orders:PORT")
    named(pasted, Cause.NOBODY_LISTENS, "nobody listens on TCP port 8000 there", "frontend")


def test_orders_is_bound_to_its_own_loopback(toaster_lab: ToasterLab) -> None:
    """502 at once: 127.0.0.1 of orders is nobody else's, and at 10.88.0.11 its kernel refuses."""
    loopback = f"127.0.0.1:{ORDERS_PORT}"
    environment = {"ORDERS_FRONTEND": FRONTEND, "ORDERS_BIND": loopback}
    with nginx_writes(toaster_lab) as lines, instead(toaster_lab, "orders", {"environment": environment}):
        told = from_jack(toaster_lab)
        (line,) = lines()
        pid = toaster_lab.shop.run(["podman", "inspect", "--format", "{{.State.Pid}}", "orders"]).strip()
        inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
        itself = toaster_lab.shop.run([*inside, f"http://{loopback}/healthy"])
        pasted = of_line(toaster_lab, line)
    seen = seen_of(told)
    gateway_said(seen, 502)
    assert words(line) == f"connect() failed (111: Connection refused) while connecting to upstream, {ASKED}"
    assert itself == "204"
    gateway_named(told, 502, "got no valid answer from", upstream=f"orders:{ORDERS_PORT}")
    named(pasted, Cause.LOOPBACK_IN_CONTAINER, f"in the container orders listens only on {loopback}", "frontend")
    assert cure(pasted) == f"0.0.0.0:{ORDERS_PORT}"


def test_orders_is_slow(toaster_lab: ToasterLab) -> None:
    """504 after the three seconds that nginx waits for an answer: its kernel took the request, and nobody reads."""
    master = str(toaster_lab.orders.pid)
    with nginx_writes(toaster_lab) as lines:
        toaster_lab.shop.run(["pkill", "-STOP", "-P", master])
        try:
            told = from_jack(toaster_lab)
            (line,) = lines()
            page = toaster_lab.vantage("jack").connect(URL)
            pasted = of_line(toaster_lab, line)
        finally:
            toaster_lab.shop.run(["pkill", "-CONT", "-P", master])
    seen = seen_of(told)
    gateway_said(seen, 504)
    assert 3.0 <= seen.seconds < 4.0
    assert words(line) == (
        f"upstream timed out (110: Connection timed out) while reading response header from upstream, {ASKED}"
    )
    assert page.outcome is Outcome.CONNECTED
    gateway_named(told, 504, "got no answer in time from", upstream=f"orders:{ORDERS_PORT}")
    # The words alone do not tell a silent program from a lost packet: only the sockets of both ends would.
    assert (pasted.explanation.verdict, pasted.place.name) == (Conclusion.CANNOT_TELL, "frontend")
    assert "of orders, listening on 0.0.0.0:8000, is reached, and nothing came in time" in pasted.explanation.sentence
    answers(toaster_lab)


# The ledger is down.


def test_the_ledger_is_down(toaster_lab: ToasterLab) -> None:
    """Jack is told so with 503, in the shop's own words; nothing is debited, and no order is written down."""
    order = Ask(
        "POST",
        (("Idempotency-Key", "while-it-is-down"), ("Content-Type", "application/json")),
        json.dumps({"item": "toaster", "customer": "Jack"}).encode(),
    )
    before = books(toaster_lab)
    with stopped(toaster_lab, "ledger"):
        refused = toaster_lab.vantage("jack").connect(f"{URL}/api/orders", ask=order)
        told = from_jack(toaster_lab)
        beyond = why(sources(toaster_lab), "orders", Target.parse(f"tcp://ledger:{LEDGER_PORT}"), seconds=IMPATIENT)
    error = (
        "the ledger cannot be reached: nothing was ordered and nothing was charged; "
        "the same order is never taken twice: try again"
    )
    assert (refused.outcome, refused.phase, refused.text) == (Outcome.HTTP_STATUS, Phase.HTTP, "HTTP 503")
    assert refused.answer
    assert json.loads(refused.answer.excerpt) == {"error": error}
    assert books(toaster_lab) == before
    named(told, Cause.HTTP_STATUS, "answered, with HTTP status 503")
    assert told.explanation.diagnosis
    assert error in told.explanation.diagnosis.rows[-1].text
    named(beyond, Cause.NOT_RUNNING, "The container ledger on shop does not run")
    # Orders may still have the hardware address of before then, which it is told to forget.
    assert cure(beyond).splitlines()[0] == "podman start ledger"


# The frontend does not start.


def test_the_frontend_does_not_know_the_name_of_orders(toaster_lab: ToasterLab) -> None:
    """nginx looks the name up once, as it starts, and ends: the port is nobody's, and Jack is refused."""
    with instead(toaster_lab, "frontend", {"names": {}}, ready=False):
        line = wait_for(lambda: log(toaster_lab)[-1:], "nginx's last word")[0]
        wait_for(lambda: state(toaster_lab, "frontend") == "exited 1", "the frontend to end")
        told = from_jack(toaster_lab)
        pasted = of_line(toaster_lab, line)
        control = toaster_lab.vantage("shop").connect(UPSTREAM)
    assert re.fullmatch(
        r'[\d/]+ [\d:]+ \[emerg\] 1#1: host not found in upstream "orders" in /etc/nginx/nginx\.conf:\d+', line
    )
    refused(seen_of(told))
    assert control.text == "HTTP 403"
    named(told, Cause.NOT_RUNNING, "The container frontend on shop, which publishes port 80 there, does not run")
    named(pasted, Cause.DNS_DISABLED, "ended as it started, with status 1, over the name orders", "frontend")
    assert pasted.explanation.diagnosis
    again = f"podman start frontend\n# and then call {ORDERS}:{ORDERS_PORT}"
    assert again in [cure.command for cure in pasted.explanation.diagnosis.cures]


@pytest.mark.parametrize("address", ["0.0.0.0", SHOP])
def test_the_published_port_is_taken(toaster_lab: ToasterLab, address: str) -> None:
    """Podman holds the port on every address, which it cannot beside anybody; Jack gets that one's answer."""
    shop = toaster_lab.shop
    with stopped(toaster_lab, "frontend"):
        squatter = shop.popen(["python3", "-m", "http.server", "--bind", address, str(PUBLISHED_PORT)])
        try:
            wait_for(lambda: tcp(toaster_lab) is Outcome.CONNECTED, f"somebody to listen on {address}")
            with pytest.raises(CommandError) as error:
                shop.run(["podman", "start", "frontend"])
            told = from_jack(toaster_lab)
            pasted = of_line(toaster_lab, str(error.value))
        finally:
            end(squatter)
    assert re.search(
        rf"unable to start container .*: cannot listen on the TCP port: listen tcp4 :{PUBLISHED_PORT}: "
        "bind: address already in use",
        str(error.value),
    )
    seen = seen_of(told)
    assert (seen.outcome, seen.text) == (Outcome.HTTP_STATUS, "HTTP 404")
    assert seen.answer
    assert seen.answer.server.startswith("SimpleHTTP/")
    holder = rf"python3 \(pid \d+\) of shop, listening on {re.escape(address)}:80, answered, with HTTP status 404"
    assert re.match(holder, told.explanation.sentence)
    named(told, Cause.PORT_TAKEN, "It is the container frontend that publishes port 80 there")
    named(pasted, Cause.PORT_TAKEN, "Port 80 of shop is taken: python3", "shop")


# The shop's host is in the way.


def test_the_shop_does_not_forward(toaster_lab: ToasterLab) -> None:
    """The packet is rewritten for 10.88.0.10 and then kept: Jack waits in vain, the shop itself needs no forwarding."""
    toaster_lab.shop.run(["sysctl", "-qw", "net.ipv4.ip_forward=0"])
    try:
        told = from_jack(toaster_lab, seconds=IMPATIENT)
        control = toaster_lab.vantage("shop").connect(f"http://{FRONTEND}:{FRONTEND_PORT}/")
    finally:
        toaster_lab.shop.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"])
    seen = seen_of(told)
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.TIMED_OUT, Phase.CONNECT, None)
    assert control.outcome is Outcome.CONNECTED
    named(told, Cause.FORWARDING_OFF, f"shop does not forward: what wan0 brings for {FRONTEND} ends there")
    assert cure(told) == "sysctl -w net.ipv4.ip_forward=1"
    answers(toaster_lab)


def test_the_rule_of_the_published_port_is_gone(toaster_lab: ToasterLab) -> None:
    """Connecting succeeds, since Podman's conmon holds the port, and nobody answers; with the rules anew he does."""
    shop = toaster_lab.shop
    shop.run(["sh", "-ec", FLUSH[machine.read().firewall]])
    try:
        connects = tcp(toaster_lab)
        told = from_jack(toaster_lab, seconds=IMPATIENT)
        control = toaster_lab.vantage("shop").connect(f"http://{FRONTEND}:{FRONTEND_PORT}/")
    finally:
        shop.run(["podman", "network", "reload", "--all"])
    assert connects is Outcome.CONNECTED
    seen = seen_of(told)
    assert (seen.outcome, seen.phase, seen.errno) == (Outcome.TIMED_OUT, Phase.HTTP, None)
    assert control.outcome is Outcome.CONNECTED
    named(told, Cause.PUBLISHED_NO_RULE, "Port 80 is published by frontend, but the firewall rule")
    assert cure(told) == "podman network reload --all"
    answers(toaster_lab)


# Breaking.


@contextmanager
def stopped(lab: ToasterLab, name: str) -> Iterator[None]:
    """A container that is killed, and started again after; the shop answers before and after."""
    answers(lab)
    lab.shop.run(["podman", "stop", "--time", "0", name])
    try:
        yield
    finally:
        lab.shop.run(["podman", "start", name])
        lab.containers[name].await_ready()
        answers(lab)


@contextmanager
def instead(
    lab: ToasterLab, name: str, change: Mapping[str, Any], *, image: str = "", ready: bool = True
) -> Iterator[None]:
    """Another container in the place, and by the name, of one that is put aside and comes back after.

    :param change: fields of its :class:`ContainerSpec` that are others
    :param ready: whether its health check is to pass
    """
    aside = f"{name}-aside"
    with stopped(lab, name):
        (spec,) = (spec for spec in lab.topology.containers if spec.name == name)
        lab.shop.run(["podman", "rename", name, aside])
        other = configured(
            lab.shop, image or lab.containers[name].image, dataclasses.replace(spec, **change), by_hand=""
        )
        try:
            other.start()
            if ready:
                other.await_ready()
            yield
        finally:
            other.close()
            lab.shop.run(["podman", "rm", "--force", "--time", "0", name])
            lab.shop.run(["podman", "rename", aside, name])


# Looking.


def answers(lab: ToasterLab) -> None:
    """Wait until Jack is told how many are left."""
    wait_for(
        lambda: lab.vantage("jack").connect(STOCK).outcome is Outcome.CONNECTED,
        "the shop to answer",
        state=lambda: str(lab.vantage("jack").connect(STOCK)),
    )


def tcp(lab: ToasterLab) -> Outcome:
    """What becomes of Jack's TCP connection to the shop, and of nothing on it."""
    return lab.vantage("jack").connect(f"tcp://{URL[7:]}:{PUBLISHED_PORT}").outcome


def books(lab: ToasterLab) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """All that the ledger has."""
    return lab.ledger.sql("SELECT * FROM inventory"), lab.ledger.sql("SELECT * FROM orders ORDER BY number")


def state(lab: ToasterLab, name: str) -> str:
    """Podman's word for a container, and its exit status."""
    return lab.shop.run(["podman", "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name]).strip()


def log(lab: ToasterLab) -> list[str]:
    """The lines that nginx wrote."""
    return lab.shop.run(["sh", "-c", "podman logs frontend 2>&1"]).splitlines()


@contextmanager
def nginx_writes(lab: ToasterLab) -> Iterator[Callable[..., list[str]]]:
    """What waits for the next errors in nginx's log, one or as many as it is asked for, and returns just these."""

    def errors() -> list[str]:
        return [line for line in log(lab) if "[error]" in line]

    before = len(errors())

    def next_ones(count: int = 1) -> list[str]:
        wait_for(lambda: len(errors()) >= before + count, "nginx to write it down")
        return errors()[before:]

    yield next_ones


def words(line: str) -> str:
    """An error of nginx's without when and where it was written."""
    assert _HEAD.match(line), line
    return _HEAD.sub("", line)


def sources(lab: ToasterLab) -> list[Source]:
    """What a picture is taken of."""
    return [of_host(host) for host in lab.hosts.values()]


def from_jack(lab: ToasterLab, *, seconds: float = PATIENCE) -> Told:
    """``testbed explain --from jack http://shop/api/stock``: Jack's attempt, and what is said about it."""
    return why(sources(lab), "jack", Target.parse(STOCK), seconds=seconds)


def seen_of(told: Told) -> Observation:
    """The attempt that was made for an explanation."""
    assert told.explanation.observation is not None
    return told.explanation.observation


def of_line(lab: ToasterLab, line: str) -> Told:
    """``testbed explain --no-attempt 'LINE'``: what is said about somebody's words, and whose they are."""
    return why_pasted(sources(lab), line, attempt=False)


# Judging.


def gateway_said(seen: Observation, status: int) -> None:
    """A page of nginx's own, word for word (ngx_http_special_response.c, with server_tokens off)."""
    title = f"{status} {REASONS[status]}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    assert (seen.outcome, seen.phase, seen.text) == (Outcome.HTTP_STATUS, Phase.HTTP, f"HTTP {status}")
    assert seen.answer
    assert (seen.answer.peer, seen.answer.server) == (f"{SHOP}:{PUBLISHED_PORT}", "nginx")
    assert seen.answer.excerpt == page


def refused(seen: Observation) -> None:
    """Nobody listens at the shop's address: its kernel's reset."""
    assert (seen.outcome, seen.phase, seen.text) == (Outcome.REFUSED, Phase.CONNECT, "[Errno 111] Connection refused")


def named(told: Told, cause: Cause, sentence: str, place: str = "") -> None:
    """The cause, a part of the sentence, and where it is said that the words are from."""
    explained = told.explanation
    assert (explained.verdict, explained.cause) == (Conclusion.EXPLAINED, cause), explained.sentence
    assert sentence in explained.sentence
    assert place in ("", told.place.name)


def gateway_named(told: Told, status: int, meaning: str, *, upstream: str) -> None:
    """Jack's explanation leads on: whose word it is, in which log its reason stands, and what to type next."""
    named(
        told,
        Cause.HTTP_STATUS,
        f"of frontend, listening on 0.0.0.0:{FRONTEND_PORT}, which answered with HTTP status {status}: the word of a "
        f"gateway that it {meaning} the server behind it.",
    )
    decide = told.explanation.decide
    assert "podman logs frontend" in decide
    assert f"testbed explain --from frontend http://{upstream}" in decide


def cure(told: Told) -> str:
    """The command to prefer."""
    assert told.explanation.diagnosis
    return told.explanation.diagnosis.cures[0].command
