"""The whole picture: every namespace, host, container and network that could be seen, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from testbed.errors import UsageError
from testbed.evidence.kernel import Forwarder, Namespace
from testbed.evidence.podman import Container, HostFacts, Names, Network
from testbed.model import Target

#: Raised whenever a reader of an older picture would misunderstand a newer one.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt starts: a host's own terminal, or a container."""

    name: str
    host: str
    namespace: str | None
    """None for a container that does not run, or whose namespace is not in the picture."""
    names: Names
    container: Container | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that is predicted or made."""

    place: str
    """The name of a container or a host of the picture."""
    target: Target


@dataclass(frozen=True, slots=True)
class Evidence:
    """A picture of one or more hosts."""

    taken: str
    """When, by ISO 8601 in UTC."""
    hosts: tuple[HostFacts, ...]
    containers: tuple[Container, ...] = ()
    networks: tuple[Network, ...] = ()
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    """By their keys."""
    forwards: tuple[Forwarder, ...] = ()
    """What ssh processes were told to forward."""
    missing: tuple[str, ...] = ()
    """What could not be read, and why, a sentence each."""
    version: int = VERSION
    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid", "strict": True}
    """How the codec reads one back, and all that is in it: a word that it does not know is an error."""

    def host(self, name: str) -> HostFacts:
        """A host by its name.

        :raises UsageError: there is none of that name
        """
        for host in self.hosts:
            if host.name == name:
                return host
        raise UsageError(f"there is no host {name!r} here: there are {', '.join(h.name for h in self.hosts)}")

    def place(self, name: str) -> Place:
        """The container or host of a name; a container may be called by the first letters of its name or id too.

        The word ``host`` is the first host, where nothing else is called so.

        :raises UsageError: there is none, or there are several
        """
        exact = [c for c in self.containers if name in (c.name, c.id)]
        if not exact:
            for host in self.hosts:
                if name in (host.name, "host"):
                    return Place(host.name, host.name, host.namespace, host.names)
        found = exact or [c for c in self.containers if name and (c.name.startswith(name) or c.id.startswith(name))]
        if len(found) == 1:
            (container,) = found
            return Place(container.name, container.host, container.namespace, container.names, container)
        known = ", ".join([*(c.name for c in self.containers), *(h.name for h in self.hosts)])
        if not found:
            raise UsageError(f"there is no container or host {name!r} here; there are: {known or 'none'}")
        several = ", ".join(f"{c.name} ({c.host})" for c in found)
        raise UsageError(f"{name!r} may be any of {several}: give the whole name")
