"""Words and commands of changes of names, for the files of a host and for podman(1). Pure."""

from __future__ import annotations

import re

from testbed.change.naming import (
    AddAlias,
    AddHostsLine,
    NewWithHostsLine,
    NewWithoutHostsLine,
    NewWithoutSearchDomain,
    NewWithResolver,
    RemoveHostsLine,
    RemoveSearchDomain,
    SetHostName,
    SetResolver,
    SetResolverPort,
)
from testbed.change.podman.attaching import on
from testbed.change.podman.lifecycle import is_up
from testbed.change.wording.anew import dropped, made_anew
from testbed.change.wording.places import container, name
from testbed.change.wording.words import command, words
from testbed.evidence import Evidence
from testbed.evidence.programs import AARDVARK

#: Neither file is replaced by another: either may be a symbolic link, or a mount.
_EDIT = "sed -i --follow-symlinks"
_HOSTS = "/etc/hosts"
_RESOLV_CONF = "/etc/resolv.conf"


@words.register
def _(change: AddHostsLine, evidence: Evidence) -> str:
    return f"Name {change.address} {change.name} in the hosts file of {evidence.host(change.host).name}"


@command.register
def _(change: AddHostsLine, evidence: Evidence) -> str:  # noqa: ARG001 - every host has the same file
    return f"{_EDIT} '1i {change.address} {change.name}' {_HOSTS}"


@words.register
def _(change: RemoveHostsLine, evidence: Evidence) -> str:
    return f"Remove {change.address} {change.name} from the hosts file of {evidence.host(change.host).name}"


@command.register
def _(change: RemoveHostsLine, evidence: Evidence) -> str:  # noqa: ARG001
    line = rf"^\s*{re.escape(str(change.address))}\s"
    return rf"{_EDIT} -E '/{line}/s/\s{re.escape(change.name)}(\s|$)/\1/I' {_HOSTS}"


@words.register
def _(change: SetResolver, evidence: Evidence) -> str:
    return f"Let {evidence.host(change.host).name} ask the resolver {change.address}"


@command.register
def _(change: SetResolver, evidence: Evidence) -> str:  # noqa: ARG001
    return f"{_EDIT} -e '/^nameserver/d' -e '$a nameserver {change.address}' {_RESOLV_CONF}"


@words.register
def _(change: RemoveSearchDomain, evidence: Evidence) -> str:
    return f"Remove the search domain {change.domain} from {evidence.host(change.host).name}"


@command.register
def _(change: RemoveSearchDomain, evidence: Evidence) -> str:  # noqa: ARG001
    return rf"{_EDIT} -E '/^(search|domain)\s/s/\s{re.escape(change.domain)}(\s|$)/\1/' {_RESOLV_CONF}"


@words.register
def _(change: NewWithHostsLine, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Name {change.address} {change.name} in the hosts file of {of} (a new container)"


@command.register
def _(change: NewWithHostsLine, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, options=[f"--add-host={change.name}:{change.address}"]) if found else ""


@words.register
def _(change: NewWithoutHostsLine, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Leave {change.name} out of the hosts file of {of} (a new container)"


@command.register
def _(change: NewWithoutHostsLine, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    told = rf"{re.escape(change.name)}:[^ ]*"
    without = (rf"/^--add-host={told}$/d", rf"/^--add-host$/{{N;/\n{told}$/d}}")
    return made_anew(found, without=without) if found else ""


@words.register
def _(change: NewWithResolver, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Let {of} ask the resolver {change.address} (a new container)"


@command.register
def _(change: NewWithResolver, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=dropped("dns"), options=[f"--dns={change.address}"]) if found else ""


@words.register
def _(change: NewWithoutSearchDomain, evidence: Evidence) -> str:
    return f"Let {name(evidence, change.host, change.container)} search no domain (a new container)"


@command.register
def _(change: NewWithoutSearchDomain, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    return made_anew(found, without=dropped("dns-search"), options=["--dns-search=."]) if found else ""


@words.register
def _(change: AddAlias, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Give {of} the name {change.alias} on the network {change.network}"


@command.register
def _(change: AddAlias, evidence: Evidence) -> str:
    found = container(evidence, change.host, change.container)
    if found is None:
        return ""
    place = on(found, change.network)
    aliases = [*(alias for alias in place.aliases if not found.id.startswith(alias))] if place else []
    options = "".join(f"--alias {alias} " for alias in (*aliases, change.alias))
    off = [f"podman network disconnect {change.network} {found.name}"] if place else []
    return "\n".join([*off, f"podman network connect {options}{change.network} {found.name}"])


@words.register
def _(change: SetHostName, evidence: Evidence) -> str:
    of = name(evidence, change.host, change.container)
    return f"Fix host.containers.internal to {change.address}, in containers.conf(5), and restart {of}"


@command.register
def _(change: SetHostName, evidence: Evidence) -> str:
    line = f'host_containers_internal_ip = "{change.address}"'
    restart = f"podman restart {name(evidence, change.host, change.container)}"
    return "\n".join([*_configured(change.host, evidence, "containers", line), restart])


@words.register
def _(change: SetResolverPort, evidence: Evidence) -> str:  # noqa: ARG001 - it is one for all networks
    return f"Give {AARDVARK} the port {change.port}, in containers.conf(5), and start the containers with DNS again"


@command.register
def _(change: SetResolverPort, evidence: Evidence) -> str:
    with_dns = {n.name for n in evidence.networks if n.host == change.host and n.dns_enabled}
    names = " ".join(
        one.name
        for one in evidence.containers
        if one.host == change.host and is_up(one) and any(place.network in with_dns for place in one.attachments)
    )
    configured = _configured(change.host, evidence, "network", f"dns_bind_port = {change.port}")
    return "\n".join([f"podman stop {names}", *configured, f"podman start {names}"])


def _configured(host: str, evidence: Evidence, table: str, line: str) -> tuple[str, str]:
    """Put a setting into a file of its own beside containers.conf, where no other one is in the way."""
    rootless = evidence.host(host).rootless
    folder = "~/.config/containers/containers.conf.d" if rootless else "/etc/containers/containers.conf.d"
    return f"mkdir -p {folder}", rf"printf '[{table}]\n{line}\n' >>{folder}/{line.partition(' ')[0]}.conf"
