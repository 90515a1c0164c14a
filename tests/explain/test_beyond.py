"""What is predicted from beyond a picture is what a real neighbour, and a real host behind a real router, see."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from testbed.evidence import Attempt
from testbed.evidence.beyond import remote
from testbed.host import PrivateHost
from testbed.host.links import CableEnd, join
from testbed.images import ImageStore
from testbed.model import Outcome, Target
from testbed.predict import predict
from testbed.probe import Vantage
from testbed.readers.sources import of_host
from testbed.readers.take import take
from truth.faults.stage import HOST, HOST_LAN, NEIGHBOUR_LAN, PORT, Stage

SECONDS = 1.0
#: Selects what does not come from the LAN.
ELSEWHERE = "! -s 203.0.113.0/27 -p tcp"
FAR, ROUTER = "198.51.100.7", "198.51.100.1"


@pytest.fixture(scope="module")
def yard(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[tuple[Stage, dict[str, Vantage]]]:
    """The stage's neighbour is the router of ``box``, and ``far`` is behind it; ``box`` publishes and listens."""
    image = testbed_image("base")
    with (
        Stage(image=image, image_store=testbed_image_store.storage) as stage,
        PrivateHost("far", with_engine=False) as far,
    ):
        join(CableEnd(stage.neighbour, "far0", f"{ROUTER}/24"), CableEnd(far, "eth0", f"{FAR}/24"))
        far.run(["ip", "route", "add", "default", "via", ROUTER])
        stage.run("sysctl -qw net.ipv4.ip_forward=1; ip route del default", on="neighbour")
        stage.run(f"ip route add default via {NEIGHBOUR_LAN}")
        stage.container("web", f"--publish=8080:{PORT}", f"--publish=127.0.0.1:8081:{PORT}", "--publish=8082:9")
        stage.listen("web")
        stage.listen(HOST, "0.0.0.0", 9000)
        stage.listen(HOST, "127.0.0.1", 9001)
        stage.listen(HOST, HOST_LAN, 9002)
        yield stage, {"lan": Vantage.on(stage.neighbour), "outside": Vantage.on(far)}


@pytest.mark.parametrize("where", ["lan", "outside"])
@pytest.mark.parametrize(
    ("rule", "undo", "open_to"),
    [
        ("true", "true", {"lan", "outside"}),
        (f"iptables -I INPUT {ELSEWHERE} -j DROP", f"iptables -D INPUT {ELSEWHERE} -j DROP", {"lan"}),
        (
            f"iptables -I FORWARD -i lan0 {ELSEWHERE} -j REJECT --reject-with tcp-reset",
            f"iptables -D FORWARD -i lan0 {ELSEWHERE} -j REJECT --reject-with tcp-reset",
            {"lan"},
        ),
        (
            "iptables -t nat -I POSTROUTING -o podman0 -j MASQUERADE",
            "iptables -t nat -D POSTROUTING -o podman0 -j MASQUERADE",
            {"lan", "outside"},
        ),
        (
            "sysctl -qw net.ipv4.conf.lan0.rp_filter=1",
            "sysctl -qw net.ipv4.conf.lan0.rp_filter=0",
            {"lan", "outside"},
        ),
        (
            f"sysctl -qw net.ipv4.conf.lan0.rp_filter=1; ip route add {FAR}/32 dev podman0",
            f"sysctl -qw net.ipv4.conf.lan0.rp_filter=0; ip route del {FAR}/32",
            {"lan"},
        ),
    ],
    ids=["none", "input from the LAN alone", "forward from the LAN alone", "masqueraded", "strict", "strict, astray"],
)
def test_from_beyond_it_is_as_a_real_host_there_sees_it(
    yard: tuple[Stage, dict[str, Vantage]], where: str, rule: str, undo: str, open_to: set[str]
) -> None:
    """Published and bound ports, each with rules that tell the LAN from the rest; the picture is of the host alone."""
    stage, vantages = yard
    stage.run(rule)
    try:
        evidence = take([of_host(stage.host)])
        there = remote(evidence, where)
        connected = set()
        for port in (8080, 8081, 8082, 9000, 9001, 9002):
            target = Target.parse(f"{HOST_LAN}:{port}")
            expected = predict(there.evidence, Attempt(there.place, target))
            seen = vantages[where].connect(target, seconds=SECONDS)
            assert (expected.outcome, expected.errno) == (seen.outcome, seen.errno), (port, expected.why)
            if seen.outcome is Outcome.CONNECTED:
                connected.add(port)
    finally:
        stage.run(undo)
    assert ({8080, 9000, 9002} <= connected) == (where in open_to)
    assert not connected & {8081, 8082, 9001}
