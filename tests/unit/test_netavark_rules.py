"""The rules that a picture gets for a container are those that netavark was seen to make."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from testbed.change.podman import iptables, nftables
from testbed.change.podman.plan import Leg, laid, lifted
from testbed.evidence import Act, Backend, Chain, Network, Published, Ruleset
from testbed.readers import iptables_text, nft_json
from tests.unit.recorded import recorded

DEFAULT: Final = Network(
    "podman", "box", "bridge", "podman0", (ipaddress.ip_network("10.88.0.0/16"),), (ipaddress.ip_address("10.88.0.1"),)
)
USER: Final = Network(
    "user",
    "box",
    "bridge",
    "podman1",
    (ipaddress.ip_network("10.89.5.0/24"),),
    (ipaddress.ip_address("10.89.5.1"),),
    dns_enabled=True,
)
#: The containers of the recordings.
LEGS: Final = (
    Leg(
        DEFAULT,
        DEFAULT.subnets[0],
        "3fa19b2d1e0a8dcac2f1c687c391ac1e20e3fac3c1cab83e6188e106115ab2cc",
        ipaddress.ip_address("10.88.0.2"),
        (Published("tcp", 80, 8080, ""),),
        (4, 3, 1),
    ),
    Leg(
        USER,
        USER.subnets[0],
        "545deca6132b18ac4ca94769ddd64adee0f85d05c4f2bc37fdc61b11272bcdc2",
        ipaddress.ip_address("10.89.5.2"),
        (Published("tcp", 5432, 5432, "127.0.0.1"),),
        (4, 3, 1),
    ),
)


def with_iptables(legs: Iterable[Leg] = LEGS) -> Ruleset:
    """A ruleset with the rules of some containers, one after the other."""
    ruleset = Ruleset()
    for leg in legs:
        ruleset = laid(ruleset, iptables.plan(leg, Backend.IPTABLES))
    return ruleset


def told(chains: Iterable[Chain]) -> dict[str, object]:
    """Chains by their names, each with all that decides."""
    return {
        f"{chain.family} {chain.table} {chain.name}": (
            (chain.backend, chain.hook, chain.kind, chain.priority, chain.policy),
            [(rule.text, frozenset(rule.matches), rule.actions) for rule in chain.rules],
        )
        for chain in chains
    }


def test_netavark_with_iptables() -> None:
    """Two containers with published ports have the rules, in the order and the words, that Podman 4.3.1 made."""
    text = recorded("podman-4.3.iptables")
    assert told(with_iptables().chains) == told(iptables_text.parse(text, family="ip", backend=Backend.IPTABLES))


def test_netavark_with_nftables() -> None:
    """A container with a published port has the rules that netavark 1.14 made, the isolation of others aside."""
    own = told(laid(Ruleset(), nftables.plan(LEGS[0], Ruleset())).chains)
    real = told(nft_json.parse(recorded("netavark-1.14.json")))
    assert own.keys() == real.keys()
    assert {name: one for name, one in own.items() if "ISOLATION" not in name} == {
        name: one for name, one in real.items() if "ISOLATION" not in name
    }


@pytest.mark.parametrize("isolate", ["false", "true", "strict"])
@pytest.mark.parametrize("podman", [(4, 3, 1), (5, 2)], ids=str)
def test_every_rule_reads_as_its_text(isolate: str, podman: tuple[int, ...]) -> None:
    """What a rule of iptables' is taken to mean is what its own words mean to the reader of iptables-save."""
    network = Network(
        "user", "box", "bridge", "podman1", USER.subnets, USER.gateways, options={"isolate": isolate}, dns_enabled=True
    )
    leg = Leg(network, USER.subnets[0], "ab" * 32, ipaddress.ip_address("10.89.5.2"), LEGS[1].published, podman)
    chains = laid(Ruleset(), iptables.plan(leg, Backend.IPTABLES)).chains
    text = "\n".join(as_saved(chains))
    assert told(chains) == told(iptables_text.parse(text, family="ip", backend=Backend.IPTABLES))


def as_saved(chains: Iterable[Chain]) -> Iterator[str]:
    """Chains as iptables-save(8) prints them."""
    found = tuple(chains)
    for table in dict.fromkeys(chain.table for chain in found):
        yield f"*{table}"
        yield from (f":{c.name} {'ACCEPT' if c.hook else '-'} [0:0]" for c in found if c.table == table)
        yield from (rule.text for c in found if c.table == table for rule in c.rules)
        yield "COMMIT"


def test_a_rule_is_laid_once() -> None:
    """A container that is set up again where its rules are still there does not have them twice."""
    assert with_iptables((*LEGS, LEGS[0])) == with_iptables()


def test_a_container_that_is_not_the_last_takes_its_own_ports_along() -> None:
    """Without a container its network's rules stay, and only those of its ports go."""
    left = lifted(with_iptables(), iptables.plan(LEGS[0], Backend.IPTABLES), last=False)
    texts = [rule.text for chain in left.chains for rule in chain.rules]
    assert not any("8080" in text for text in texts)
    assert any("-s 10.88.0.0/16 -j ACCEPT" in text for text in texts)


def test_the_last_container_takes_the_network_along() -> None:
    """Without its last container a network has no rule and no chain, and what all networks share is left."""
    left = with_iptables()
    for leg in LEGS:
        left = lifted(left, iptables.plan(leg, Backend.IPTABLES), last=True)
    texts = [rule.text for chain in left.chains for rule in chain.rules]
    assert not any("10.8" in text for text in texts)
    assert {chain.name for chain in left.chains if "1D8721804F16F" in chain.name} == set()
    assert any(action.act is Act.SET_MARK for c in left.chains for rule in c.rules for action in rule.actions)


def test_questions_are_led_to_another_port_first() -> None:
    """The rule that leads to a resolver on another port goes before a container's published port 53."""
    published = Leg(
        USER, USER.subnets[0], "ab" * 32, ipaddress.ip_address("10.89.5.2"), (Published("udp", 53, 53, ""),), (4, 3, 1)
    )
    ruleset = laid(with_iptables((published,)), iptables.redirection(USER.gateways[0], 1053, Backend.IPTABLES))
    chain = next(chain for chain in ruleset.chains if chain.name == "NETAVARK-HOSTPORT-DNAT")
    assert [rule.actions[0].act for rule in chain.rules] == [Act.DNAT, Act.DNAT, Act.JUMP]
