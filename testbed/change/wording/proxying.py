"""Words and commands of changes of proxy variables, for podman(1). Pure."""

from __future__ import annotations

from testbed.change.proxying import DropProxy, ExceptFromProxy
from testbed.change.wording.anew import made_anew
from testbed.change.wording.places import container, name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence


@words.register
def _(change: ExceptFromProxy, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Let clients in {of} call {change.name} without a proxy (a new container)"


@command.register
def _(change: ExceptFromProxy, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    if found is None:
        return ""
    known = found.proxies.get("no_proxy", "")
    listed = f"{known},{change.name}" if known else change.name
    return made_anew(found, options=[f"--env=no_proxy={listed}", f"--env=NO_PROXY={listed}"])


@words.register
def _(change: DropProxy, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Keep the host's proxy variables out of {of} (a new container)"


@command.register
def _(change: DropProxy, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, options=["--http-proxy=false"]) if found else ""
