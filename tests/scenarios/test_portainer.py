"""The seed's failure and its cures, on real containers, word for word."""

from __future__ import annotations

import pytest

from testbed.bind import Bind, parse
from testbed.model import Outcome
from testbed.report.check import as_expected
from testbed.results import Cell
from testbed.scenarios.portainer import SCENARIO, matrix
from testbed.scenarios.portainer.lab import PortainerLab
from testbed.scenarios.portainer.topology import BINDS, TARGETS, URL, VANTAGES
from testbed.scenarios.shared_labs import SharedLabs
from testbed.scenarios.telling import tell
from tests.scenarios.cells_by_hand import BY_HAND

REFUSAL = 'Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused'


@pytest.fixture(scope="session")
def local(pytestconfig: pytest.Config) -> bool:
    """Whether the laptop is this machine, which has addresses and a resolver of its own."""
    return bool(pytestconfig.getoption("--testbed-host") == "local")


def test_a_loopback_forward_is_out_of_reach_of_a_container(portainer_lab: PortainerLab) -> None:
    """A forward bound to 127.0.0.1 refuses a container that dials the bridge, in the seed's exact words."""
    with portainer_lab.forward(bind="127.0.0.1"):
        seen = portainer_lab.portainer.connect(URL)
        control = portainer_lab.vantage("laptop").connect("https://127.0.0.1:19001/ping")
    assert seen.text == REFUSAL
    assert seen.outcome is Outcome.REFUSED
    assert control.outcome is Outcome.CONNECTED


@pytest.mark.parametrize("via", ["paramiko", "openssh"])
@pytest.mark.parametrize("bind", ["10.88.0.1", "0.0.0.0"])
def test_a_forward_on_the_bridge_or_everywhere_answers_the_container(
    portainer_lab: PortainerLab, bind: str, via: str
) -> None:
    """A forward bound to 10.88.0.1 or 0.0.0.0 gives Portainer the agent's answer, by either kind of tunnel."""
    with portainer_lab.forward(bind=bind, via=via):
        seen = portainer_lab.portainer.connect(URL)
    assert seen.outcome is Outcome.CONNECTED
    assert seen.answer is not None
    assert seen.answer.server == "Portainer-Agent 2.23.0"


def test_the_refusal_is_the_same_through_openssh(portainer_lab: PortainerLab) -> None:
    """OpenSSH's own forward on 127.0.0.1 gives the same words, and answers the laptop in the same moment."""
    with portainer_lab.forward(bind="127.0.0.1", via="openssh"):
        seen = portainer_lab.portainer.connect(URL)
        control = portainer_lab.vantage("laptop").connect("https://127.0.0.1:19001/ping")
    assert seen.text == REFUSAL
    assert control.outcome is Outcome.CONNECTED


def test_the_story_is_as_told(portainer_lab: PortainerLab) -> None:
    """Each scene of ``testbed run portainer`` sees what it says, and the whole matrix is as predicted."""
    report = tell(SCENARIO, portainer_lab)
    assert report.matrix is not None
    as_expected(report.matrix.cells)
    assert report.matrix.holes == 0
    assert [scene.title for scene in report.scenes if not scene.ok] == []
    assert report.ok


def test_without_a_tunnel_portainer_is_refused_in_the_same_words(portainer_lab: PortainerLab) -> None:
    """The story of the bind address ``none`` says so, and its 56 cells are as predicted."""
    report = tell(SCENARIO, portainer_lab, SCENARIO.read({"bind": "none"}))
    (check,) = report.scenes[-1].checks
    assert (check.ok, check.expected) == (True, REFUSAL)
    assert report.matrix is not None
    as_expected(report.matrix.cells)
    assert (report.ok, report.matrix.axes.size, report.options) == (True, 56, {"bind": "none"})


@pytest.fixture(scope="session")
def all_cells(shared_labs: SharedLabs) -> dict[tuple[Bind, str, str], Cell]:
    """The whole matrix, once."""
    lab = shared_labs.of(SCENARIO)
    assert isinstance(lab, PortainerLab)
    seen = {(cell.bind, cell.vantage, cell.target): cell for cell in matrix.cells(lab, BINDS)}
    lab.close_tunnels()
    return seen


def test_the_matrix_has_no_hole(all_cells: dict[tuple[Bind, str, str], Cell]) -> None:
    """Every bind, vantage and target has a cell: 9 x 8 x 7."""
    assert set(all_cells) == {(b, v, t) for b in BINDS for v in VANTAGES for t in TARGETS}
    assert len(all_cells) == 504


def test_every_refusal_has_its_control(all_cells: dict[tuple[Bind, str, str], Cell]) -> None:
    """Whenever a cell is refused, the same listener answered somebody else in the same moment."""
    refused = [cell for cell in all_cells.values() if cell.observed.outcome is Outcome.REFUSED]
    assert refused
    assert [c for c in refused if c.control is None or c.control.outcome is not Outcome.CONNECTED] == []


def test_portainers_own_client_says_every_cell_word_for_word(
    all_cells: dict[tuple[Bind, str, str], Cell],
) -> None:
    """All 63 cells of Portainer's row also went through the real Go client, with exactly the expected text."""
    checks = [cell.client for cell in all_cells.values() if cell.client is not None]
    assert len(checks) == len(BINDS) * len(TARGETS)
    assert [(check.expected, check.observed.text) for check in checks if not check.ok] == []


@pytest.mark.parametrize(
    ("bind", "vantage", "target", "outcome", "reason"), BY_HAND, ids=[f"{b}-{v}-{t}" for b, v, t, _, _ in BY_HAND]
)
def test_a_cell_written_by_hand(
    all_cells: dict[tuple[Bind, str, str], Cell],
    portainer_lab: PortainerLab,
    local: bool,
    bind: str,
    vantage: str,
    target: str,
    outcome: Outcome,
    reason: str,
) -> None:
    """A cell is observed as the hand-written table says."""
    if local:
        outcome = _on_this_machine(portainer_lab, bind, vantage, target, outcome)
    assert all_cells[parse(bind), vantage, target].observed.outcome is outcome, reason


def _on_this_machine(lab: PortainerLab, bind: str, vantage: str, target: str, outcome: Outcome) -> Outcome:
    """What becomes of a cell where the laptop is a machine with a hosts file, a resolver and addresses of its own."""
    names = lab.vantage(vantage).naming.names.hosts
    if (vantage, target) == ("laptop", "host.containers.internal"):
        return Outcome.RESOLVER_FAILED  # its resolver is out in the world, and is not asked
    if target == "localhost" and bind == "::1" and "::1" not in {str(a) for a in names.lookup("localhost")}:
        return Outcome.REFUSED  # its hosts file gives localhost no IPv6 address
    if (vantage, target) == ("hostnet", "host.containers.internal") and bind == "203.0.113.10":
        first = {str(a) for a in names.lookup(target)}
        return outcome if "203.0.113.10" in first else Outcome.REFUSED  # the name is its first address, not the lab's
    return outcome


def test_a_container_never_gets_a_public_resolver(portainer_lab: PortainerLab, local: bool) -> None:
    """Every resolver that a container of the lab was given is the host's own or its network's gateway."""
    allowed = {"203.0.113.253"}
    if local:
        allowed |= set(portainer_lab.hosts["laptop"].path("/etc/resolv.conf").read_text().split())
    gateways = {"10.88.0.1", "10.89.0.1", "10.89.1.1"}
    given = {
        name: set(map(str, portainer_lab.vantage(name).naming.names.nameservers)) - allowed - gateways
        for name in portainer_lab.containers
    }
    assert {name: servers for name, servers in given.items() if servers} == {}
