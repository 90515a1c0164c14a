"""Of all that clients' words say in a text, what counts: the reading that says most, with the places of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from testbed.explain.client_texts.phrase import Naming
from testbed.explain.client_texts.places import as_address, typed
from testbed.explain.client_texts.said import Pasted, with_also
from testbed.model import Target


def best(readings: Sequence[Pasted]) -> Pasted | None:
    """The reading that says most: the fewer outcomes it leaves, then a place, then an address, then an errno.

    Of two that say as much the first: clients are asked in the order in which their words count.
    """
    return max(readings, key=_weight, default=None)


def _weight(said: Pasted) -> tuple[int, bool, bool, bool]:
    return (
        -max(1, len(said.possible)),
        said.target is not None or bool(said.name),
        said.address is not None,
        said.errno is not None,
    )


def completed(said: Pasted, readings: Sequence[Pasted], namings: Sequence[Naming], text: str) -> Pasted:
    """A reading with the place that other words of the text give it, and with the other places that were tried.

    A driver names the place and the system below it the reason, in lines of their own: they belong together where they
    do not contradict each other.
    """
    named = [Naming(one.name or _host(one), one.address, one.port, one.target) for one in readings if one is not said]
    for other in (*namings, *named):
        said = _with(said, other)
    if said.target is None or as_address(said.target.host) is not None:
        said = _with_url(said, typed(text, said.target))
    return _with_others(said, [one for one in readings if one.outcome in (said.outcome, *said.possible)])


def _host(said: Pasted) -> str:
    return said.target.host if said.target else ""


def _with(said: Pasted, other: Naming) -> Pasted:
    """A reading with what another place adds to it; unchanged where they are two places."""
    if not _agree(said, other):
        return said
    if said.target is None:
        target = other.target
        port = said.port or other.port
        name = said.name or (other.host if target is None and as_address(other.host) is None else "")
        return replace(said, target=target, address=said.address or other.address, port=port, name=name)
    # The text that was found had the address, and the other one the name that led to it.
    if as_address(said.target.host) is not None and other.target and as_address(other.host) is None:
        return replace(said, target=other.target)
    return said if said.address else replace(said, address=other.address)


def _agree(said: Pasted, other: Naming) -> bool:
    if not other.host or (said.port and other.port and said.port != other.port):
        return False
    host = said.name or _host(said)
    led_to = bool(host) and as_address(host) is not None and as_address(other.host) is None
    same_name = not host or host.lower() == other.host.lower() or led_to
    return same_name and (said.address is None or other.address in (None, said.address))


def _with_url(said: Pasted, target: Target | None) -> Pasted:
    if target is None or target == said.target or (said.name and target.host.lower() != said.name.lower()):
        return said
    address = said.address or as_address(target.host)
    return replace(said, target=target, address=address, port=said.port or target.port)


def _with_others(said: Pasted, readings: Sequence[Pasted]) -> Pasted:
    """The other places at which the same was tried: the next address of a name, another server of a list."""
    found = with_also(said, [one.address for one in readings if one.address not in said.also])
    named = {one.target.authority for one in readings if one.target and one.address is None and _is_another(said, one)}
    if not named:
        return found
    return replace(found, hint=f"{found.hint} The text names {', '.join(sorted(named))} too.".strip())


def _is_another(said: Pasted, other: Pasted) -> bool:
    """Tell if two readings are of two names, each with its port: servers of a list."""
    hosts = (_host(said), _host(other))
    return hosts[0] != hosts[1] and not any(host == "" or as_address(host) for host in hosts)
