"""Causes of a published port whose rules are gone, where nobody holds the port either. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.change.containers import ReloadNetworks, Restart
from testbed.explain import listening
from testbed.explain.by_ending import propose
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.predict.ending import NotTranslated
from testbed.predict.wording import why


@propose.register
def not_translated(ending: NotTranslated, case: Case) -> Iterator[Proposal]:
    """No rule rewrites what comes to a published port."""
    container, published, here = ending.container, ending.published, ending.namespace
    ports = f"{published.host_port}->{published.container_port}/{published.protocol} {container.name}"
    yield Proposal(
        Cause.PUBLISHED_NO_RULE,
        f"{why(ending)}: Podman's rules are gone, as after a firewall was reloaded or flushed.",
        (Row("published", here.label, ports),),
        (
            Remedy("Write Podman's rules anew", changes=(ReloadNetworks(container.host),)),
            Remedy(f"Restart {container.name}", changes=(Restart(container.host, container.id),)),
        ),
    )
    yield from listening.no_listener(ending, case)
