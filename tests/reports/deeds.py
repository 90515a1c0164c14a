"""What a cure says, done on a site: its command as it is printed where that is whole, and else what its changes are."""

from __future__ import annotations

import re
from functools import singledispatch
from typing import Final

from testbed.change import Change
from testbed.change.containers import ContainerChange, ReloadNetworks, Restart, RestartAll, Start, Stop
from testbed.change.firewall import RuleChange
from testbed.change.macvlans import AddMacvlan
from testbed.change.naming import (
    AddAlias,
    HostNaming,
    NewWithHostsLine,
    NewWithoutHostsLine,
    NewWithoutSearchDomain,
    NewWithResolver,
    SetHostName,
    SetResolverPort,
)
from testbed.change.networks import (
    Connect,
    Disconnect,
    NewOnHostNetwork,
    NewOnNetwork,
    NewWithNetworkOf,
    RecreateNetwork,
)
from testbed.change.new_networks import CreateNetwork
from testbed.change.proxying import DropProxy, ExceptFromProxy
from testbed.change.publishing import Publish, Republish, Unpublish
from testbed.change.rootless import OpenHostLoopback
from testbed.change.routing import AddRoute, RemovePolicyRule, RemoveRoute, SetSysctl
from testbed.change.segments import ForgetNeighbour, LinkChange, RemoveAddress
from testbed.evidence import Evidence, Published
from testbed.explain.explanation import Cure
from testbed.model import bracketed
from tests.reports.site import Site
from truth.deeds import make
from truth.faults.stage import HOST

#: The changes whose command is whole: it is run as it is printed.
_COMMANDS: Final = (
    RuleChange,
    AddRoute,
    RemoveRoute,
    RemovePolicyRule,
    SetSysctl,
    LinkChange,
    ForgetNeighbour,
    RemoveAddress,
    ReloadNetworks,
    Restart,
    RestartAll,
    Start,
    Stop,
    Connect,
    Disconnect,
    CreateNetwork,
    HostNaming,
    AddMacvlan,
)
#: How a cure says on which host its command is run.
_RUN_ON: Final = re.compile(r"\(run on ([\w.-]+)")


def perform(site: Site, evidence: Evidence, cure: Cure) -> None:
    """Do what a cure says.

    :param evidence: the picture that it was found on
    :raises CommandError: a command failed
    """
    if all(isinstance(change, _COMMANDS) for change in cure.changes):
        found = _RUN_ON.search(cure.text)
        site.run(cure.command, on=found[1] if found else HOST)
    else:
        for change in cure.changes:
            do(change, site, evidence)
    if any(isinstance(change, LinkChange) for change in cure.changes):
        site.ask_neighbours_anew()
    site.start_programs_again()


@singledispatch
def do(change: Change, site: Site, evidence: Evidence) -> None:
    """Make one change, as the truth campaign makes it, where a site has nothing of its own to remember of it.

    :raises NotDoneError: it has no command, and is of no program that was started here
    """
    make(change, site, evidence)


@do.register
def _(change: Restart, site: Site, evidence: Evidence) -> None:
    site.podman("restart", "--time", "0", _name(evidence, change))


@do.register
def _(change: Connect, site: Site, evidence: Evidence) -> None:
    site.podman("network", "connect", change.network, _name(evidence, change))


@do.register
def _(change: CreateNetwork, site: Site, evidence: Evidence) -> None:
    del evidence
    site.podman("network", "create", change.name)


@do.register
def _(change: Publish, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), add=("-p", _spelled(change.published)))


@do.register
def _(change: Republish, site: Site, evidence: Evidence) -> None:
    name = _name(evidence, change)
    site.make_anew(name, remove=_is_port(change.old), add=("-p", _spelled(change.new)))


@do.register
def _(change: Unpublish, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), remove=_is_port(change.published))


@do.register
def _(change: NewWithHostsLine, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), add=("--add-host", f"{change.name}:{change.address}"))


@do.register
def _(change: NewWithoutHostsLine, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), remove=re.compile(rf"--add-host {re.escape(change.name)}:\S+"))


@do.register
def _(change: NewWithResolver, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), remove=re.compile(r"--dns \S+"), add=("--dns", str(change.address)))


@do.register
def _(change: NewWithoutSearchDomain, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), remove=re.compile(r"--dns-search \S+"), add=("--dns-search", "."))


@do.register
def _(change: NewOnNetwork, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), remove=re.compile(r"--ip \S+"), network=change.network)


@do.register
def _(change: NewOnHostNetwork, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), network="host")


@do.register
def _(change: NewWithNetworkOf, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), network=f"container:{change.other}")


@do.register
def _(change: OpenHostLoopback, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), network="slirp4netns:allow_host_loopback=true")


@do.register
def _(change: ExceptFromProxy, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), add=("-e", f"no_proxy={change.name}"))


@do.register
def _(change: DropProxy, site: Site, evidence: Evidence) -> None:
    site.make_anew(_name(evidence, change), remove=re.compile(r"-e \w+_proxy=\S+"))


@do.register
def _(change: AddAlias, site: Site, evidence: Evidence) -> None:
    name = next(c.name for c in evidence.containers if (c.host, c.id) == (change.host, change.container))
    site.podman("network", "disconnect", change.network, name)
    site.podman("network", "connect", "--alias", change.alias, change.network, name)


@do.register
def _(change: SetHostName, site: Site, evidence: Evidence) -> None:
    del evidence
    site.configure("containers", f'host_containers_internal_ip = "{change.address}"')
    site.podman("restart", "--time", "0", change.container)


@do.register
def _(change: SetResolverPort, site: Site, evidence: Evidence) -> None:
    site.configure("network", f"dns_bind_port = {change.port}")
    named = {network.name for network in evidence.networks if network.dns_enabled}
    names = [c.name for c in evidence.containers if any(one.network in named for one in c.attachments)]
    site.podman("stop", "--time", "0", *names)
    site.podman("start", *names)


@do.register
def _(change: RecreateNetwork, site: Site, evidence: Evidence) -> None:
    names = [c.name for c in evidence.containers if any(one.network == change.network for one in c.attachments)]
    words = [f"--subnet={subnet}" for subnet in change.subnets or ()]
    words += ["--internal"] if change.internal else []
    words += ["--opt=isolate=" + change.isolate] if change.isolate else []
    words += ["--disable-dns"] if change.dns_enabled is False else []
    site.podman("rm", "--force", "--time", "0", *names)
    site.podman("network", "rm", change.network)
    site.podman("network", "create", *words, change.network)
    for name in names:
        site.make_anew(name)


def _name(evidence: Evidence, change: ContainerChange) -> str:
    """The name of the container that a change is of."""
    return next(c.name for c in evidence.containers if (c.host, c.id) == (change.host, change.container))


def _spelled(published: Published) -> str:
    """A published port, as --publish takes it."""
    address = f"{bracketed(published.host_address)}:" if published.host_address else ""
    return f"{address}{published.host_port}:{published.container_port}/{published.protocol}"


def _is_port(published: Published) -> re.Pattern[str]:
    """The option by which a port was published."""
    return re.compile(rf"-p (?:\S+:)?{published.host_port}:{published.container_port}(?:/\w+)?(?!\S)")
