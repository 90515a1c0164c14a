"""``--from lan`` and ``--from outside``: what the commands say, and that nothing is tried from there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from testbed.cli.explain import explain
from testbed.diagnose import offline, pasted_offline
from testbed.errors import UsageError
from testbed.evidence import Act, Backend, Chain, Evidence, Hook, Ruleset, codec
from testbed.explain.explanation import Conclusion
from testbed.explain.pasted import read
from testbed.model import Target
from testbed.trace import follow
from tests.unit.test_beyond import LAN, PORT, machine
from tests.unit.test_predict import tcp, world


def run(tmp_path: Path, *words: str, evidence: Evidence | None = None) -> Result:
    """Explain from a picture in a file."""
    file = tmp_path / "picture.json"
    file.write_text(codec.to_json(evidence or machine()))
    return CliRunner().invoke(explain, ["--evidence", str(file), *words], catch_exceptions=False)


@pytest.mark.parametrize(
    ("where", "who"), [("lan", "a neighbour on lan"), ("lan:lan", "a neighbour on lan"), ("outside", "a host outside")]
)
def test_what_is_said_names_who_it_is(tmp_path: Path, where: str, who: str) -> None:
    """The sentence is of a neighbour or of a host outside, and says that it was not tried."""
    done = run(tmp_path, "--from", where, f"{LAN}:{PORT}")
    assert done.exit_code == 0
    assert f"{who} should connect to {LAN}" in " ".join(done.output.split())
    assert f"Nothing was tried: {who} is predicted" in " ".join(done.output.split())


def test_a_listener_on_the_loopback_is_refused_from_there(tmp_path: Path) -> None:
    """What works on the host does not from the LAN: exit code 1, and a cause."""
    evidence = machine(world(host_listens=(tcp("127.0.0.1"),)))
    done = run(tmp_path, "--from", "lan", f"{LAN}:{PORT}", evidence=evidence)
    assert (done.exit_code, "cause: loopback-only" in done.output) == (1, True)


def test_a_router_that_translates_is_warned_of_outside_alone() -> None:
    """NAT at a home's router is no part of the picture."""
    told = {where: offline(machine(), where, Target.parse(f"{LAN}:{PORT}")) for where in ("lan", "outside")}
    warned = {where: any("(NAT)" in text for text in one.explanation.warnings) for where, one in told.items()}
    assert warned == {"lan": False, "outside": True}


def test_the_hosts_own_name_is_known_there_and_no_other() -> None:
    """Another name may be anybody's out there: an address is asked for, in one line."""
    assert offline(machine(), "lan", Target.parse(f"box:{PORT}")).explanation.verdict is Conclusion.CONNECTS
    with pytest.raises(UsageError, match=rf"'db' is called by a neighbour on lan is not known: .* {LAN}"):
        offline(machine(), "lan", Target.parse(f"db:{PORT}"))


def test_an_error_that_was_said_on_the_lan_is_read() -> None:
    """Somebody at a laptop pastes what its client said."""
    evidence = machine(world(host_listens=(tcp("127.0.0.1"),)))
    told = pasted_offline(evidence, read(f"dial tcp {LAN}:{PORT}: connect: connection refused"), "lan")
    assert told.explanation.verdict is Conclusion.EXPLAINED
    assert told.place.name == "a neighbour on lan"


def test_a_place_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """Exit code 3, what lacks, and what there is."""
    done = run(tmp_path, "--from", "lan:eth7", f"{LAN}:{PORT}")
    assert done.exit_code == 3


def test_nothing_can_be_followed_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trace makes a real request, and there is nobody there to make it."""
    monkeypatch.setattr(sys.modules[follow.__module__], "take", lambda sources: machine())
    with pytest.raises(UsageError, match=re.escape(f"'testbed explain --from lan tcp://{LAN}:{PORT}' predicts it")):
        follow([], "lan", f"{LAN}:{PORT}")


@pytest.mark.parametrize(
    ("where", "senders", "exposes"),
    [
        ("lan", "-s 203.0.113.0/27 ", "the LAN on lan of box"),
        ("outside", "", "the LAN on lan of box, the containers of the network podman"),
    ],
)
def test_a_firewall_is_opened_to_those_that_the_place_stands_for(where: str, senders: str, exposes: str) -> None:
    """The neighbour that was added has an address that nobody has: all of its LAN are let in, or everybody."""
    chain = Chain(Backend.IPTABLES, "ip", "filter", "INPUT", (), Hook.INPUT, "filter", 0, policy=Act.DROP)
    evidence = machine(world(host_listens=(tcp("0.0.0.0"),), host_rules=Ruleset((chain,))))
    found = offline(evidence, where, Target.parse(f"{LAN}:{PORT}")).explanation.diagnosis
    assert found is not None
    assert found.cures[0].command == f"iptables -I INPUT 1 {senders}-d {LAN} -p tcp --dport {PORT} -j ACCEPT"
    assert found.cures[0].exposes == exposes
