"""Words and commands of changes of published ports, for podman(1). Pure."""

from __future__ import annotations

from testbed.change.publishing import Publish, Republish, Unpublish
from testbed.change.wording.anew import made_anew, publishing, unpublished
from testbed.change.wording.places import container, name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence, Published
from testbed.model import bracketed


@words.register
def _(change: Publish, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Publish port {change.published.container_port} of {of} {_where(change.published)} (a new container)"


@command.register
def _(change: Publish, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, options=[publishing(change.published)]) if found else ""


@words.register
def _(change: Republish, evidence: Evidence) -> str:
    of, new = name(evidence, change.host, change.container), change.new
    instead = f", instead of its port {change.old.container_port} {_where(change.old)}"
    return f"Publish port {new.container_port} of {of} {_where(new)}{instead} (a new container)"


@command.register
def _(change: Republish, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=unpublished(change.old), options=[publishing(change.new)]) if found else ""


@words.register
def _(change: Unpublish, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Do not publish port {change.published.container_port} of {of} any more (a new container)"


@command.register
def _(change: Unpublish, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=unpublished(change.published)) if found else ""


def _where(published: Published) -> str:
    protocol = "" if published.protocol == "tcp" else f" ({published.protocol.upper()})"
    if published.host_address in ("", "0.0.0.0", "::"):
        return f"on every address of the host, as port {published.host_port}{protocol}"
    return f"on {bracketed(published.host_address)}:{published.host_port}{protocol}"
