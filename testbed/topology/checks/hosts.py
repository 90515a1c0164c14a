"""Contradictions of a host, in itself and with the rest of a topology."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.topology.checks.index import Index
from testbed.topology.checks.shared import of_names, of_routes, of_sysctls
from testbed.topology.checks.syntax import name_fault, twice
from testbed.topology.specs import HostSpec


def of_host(spec: HostSpec, index: Index) -> Iterator[str]:
    """One sentence for each field of a host that cannot be honoured."""
    who = f"host {spec.name!r}"
    if why := name_fault(spec.name):
        yield f"{who}: its name cannot be that: {why}"
    yield from of_names(who, spec.names)
    yield from of_routes(who, spec.routes, list(index.on_link(spec.name)), "cables")
    if spec.secrets and not spec.with_engine:
        yield f"{who}: secrets {spec.secrets!r} are for containers, and it has no engine: leave them out"
    for name in spec.secrets:
        if why := name_fault(name):
            yield f"{who}: no secret can be called {name!r}: {why}"
    for name in twice(spec.secrets):
        yield f"{who}: the secret {name!r} is given twice"
    yield from of_sysctls(who, spec.sysctls, index.links(spec.name))
    for name in spec.sysctls:
        if not name.startswith("net."):
            yield f"{who}: sysctls: {name!r} is the machine's: only those of 'net.' are a host's own"
