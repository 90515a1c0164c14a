"""Where a container's proxy variables send its clients. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from testbed.change.containers import ContainerChange
from testbed.change.proxying import DropProxy, ExceptFromProxy
from testbed.change.wording import words
from testbed.evidence import Attempt, Container
from testbed.explain.case import Case, as_address, as_subnet
from testbed.explain.codes import Cause
from testbed.explain.counterfactual import Counterfactuals
from testbed.explain.explanation import Cure, Diagnosis, Row
from testbed.model import Outcome, Scheme, Target
from testbed.predict import predict


def proxy_of(case: Case) -> str | None:
    """The proxy that a client in the container would take for the target; None for a direct connection.

    The variables are those that curl(1) and Go's http.ProxyFromEnvironment read; no_proxy has names, domains,
    addresses and, for Go, subnets.
    """
    container, target = case.place.container, case.attempt.target
    if container is None or not target.scheme.is_http:
        return None
    found = container.proxies.get(f"{target.scheme}_proxy") or container.proxies.get("all_proxy")
    if not found or _excepted(target.host, container.proxies.get("no_proxy", "")):
        return None
    return found


def astray(case: Case) -> Diagnosis | None:
    """The container's clients go to a proxy, and that one is not reached from there, or not what was meant."""
    proxy = proxy_of(case)
    container = case.place.container
    if proxy is None or container is None:
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if not parts.hostname:
        return None
    goal = Attempt(case.attempt.place, Target(Scheme.TCP, parts.hostname, parts.port or 80))
    end = predict(case.evidence, goal)
    if end.outcome in (Outcome.CONNECTED, Outcome.INCONCLUSIVE):
        return None
    host = case.attempt.target.host
    return Diagnosis(
        Cause.PROXY,
        f"{container.name} has {case.attempt.target.scheme}_proxy={proxy}, so its clients do not go to {host} but to "
        f"that proxy, which they do not reach: {end.why}. Directly, {host} would be reached.",
        (Row("environment", container.name, f"{case.attempt.target.scheme}_proxy={proxy}"),),
        tuple(_cures(case, container)),
        ("Podman copies the host's proxy variables into containers by default (podman-run(1), --http-proxy).",),
    )


def _cures(case: Case, container: Container) -> Iterator[Cure]:
    """Changes that make the container's clients go there themselves, as far as they are predicted to connect then."""
    host, trials = case.attempt.target.host, Counterfactuals(case)
    changes: tuple[tuple[ContainerChange, str], ...] = (
        (ExceptFromProxy(container.host, container.id, host), f"--env no_proxy={host}"),
        (DropProxy(container.host, container.id), "--http-proxy=false"),
    )
    for change, option in changes:
        after = trials.after((change,))
        if after is not None and proxy_of(after) is None and after.prediction.outcome is Outcome.CONNECTED:
            text = words(change, case.evidence).removesuffix(" (a new container)")
            yield Cure(text, f"podman run {option} ... (a new container)", changes=(change,))


def _excepted(host: str, no_proxy: str) -> bool:
    address = as_address(host)
    if host.lower() == "localhost" or (address is not None and address.is_loopback):
        return True
    for entry in (word.strip().lower().lstrip(".") for word in no_proxy.split(",")):
        subnet = as_subnet(entry)
        if address is not None and subnet is not None and address in subnet:
            return True
        if entry == "*" or (entry and (host.lower() == entry or host.lower().endswith(f".{entry}"))):
            return True
    return False
