"""Names that the search list of resolv.conf completes before they are asked for as they are. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from testbed.change import Change
from testbed.change.naming import NewWithoutSearchDomain, RemoveSearchDomain
from testbed.explain.case import Case
from testbed.explain.codes import Cause
from testbed.explain.counterfactual import Counterfactuals
from testbed.explain.explanation import Proposal, Remedy, Row
from testbed.predict.steps import NameLookup


def proposals(case: Case) -> Iterator[Proposal]:
    """The name with a domain of the search list is somebody else's than the name as it is (resolv.conf(5), search)."""
    step = _completed(case)
    if step is None:
        return
    place, host = case.place, step.host
    dotted = replace(case.attempt.target, host=f"{host}.")
    yield Proposal(
        Cause.SEARCH_DOMAIN,
        f"{place.name} asks for {host} as {step.asked} first, by the search list of its resolv.conf, and that is "
        f"{' and '.join(map(str, step.addresses))}: {host} as it is, which is another one, is not asked for then.",
        (Row("resolv.conf", place.name, f"search {' '.join(place.names.search)}", _without(case, step)),),
        (
            Remedy(
                f"Take the domain out of the search list of {place.name}",
                "podman run --dns-search=. ... (a new container)" if place.container else "",
                (_without(case, step),),
            ),
            Remedy("Call it with a dot at its end, which is asked for as it is", str(dotted), target=dotted),
        ),
        ("A wildcard of the domain answers for every name: getent ahosts shows which address a name has.",),
    )


def warnings(case: Case) -> tuple[str, ...]:
    """The name is another address than it would be without the search list."""
    step = _completed(case)
    if step is None:
        return ()
    after = Counterfactuals(case).after((_without(case, step),))
    bare = after.prediction.address if after else None
    if bare is None or bare in step.addresses:
        return ()
    found, place = " and ".join(map(str, step.addresses)), case.place.name
    asked = f"{step.host} was asked for as {step.asked}, by the search list of {place}, and is {found}"
    return (f"{asked}; as it is written it would be {bare}.",)


def _completed(case: Case) -> NameLookup | None:
    """The step in which a domain of the search list was put behind the name; None where none was."""
    return next((step for step in case.prediction.steps if isinstance(step, NameLookup) and step.asked), None)


def _without(case: Case, step: NameLookup) -> Change:
    place = case.place
    if place.container is not None:
        return NewWithoutSearchDomain(place.host.key, place.container.id)
    return RemoveSearchDomain(place.host.key, step.asked.removeprefix(f"{step.host}."))
