"""The whole picture: every namespace, host, container and network that could be seen, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from testbed.errors import UsageError
from testbed.evidence import lookup
from testbed.evidence.kernel import Forwarder, Namespace, Protocol
from testbed.evidence.lookup import Called
from testbed.evidence.podman import Container, HostFacts, Names, Network
from testbed.model import Scheme, Target

#: Raised whenever a reader of an older picture would misunderstand a newer one.
VERSION = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt starts: a host's own terminal, or a container."""

    host: HostFacts
    """The host that it is, or that the container is on."""
    container: Container | None = None

    @property
    def name(self) -> str:
        """Its name among people; another place may be called the same. An infra container is called as its pod is."""
        if self.container is None:
            return self.host.name
        return self.pod or self.container.name

    @property
    def pod(self) -> str:
        """The pod whose infra container it is, by name; empty for anything else."""
        return self.container.pod if self.container and self.container.infra else ""

    @property
    def namespace(self) -> str | None:
        """None for a container that does not run, or whose namespace is not in the picture."""
        return self.container.namespace if self.container else self.host.namespace

    @property
    def names(self) -> Names:
        """How names are resolved there."""
        return self.container.names if self.container else self.host.names


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try that is predicted or made."""

    place: Place
    target: Target

    @property
    def protocol(self) -> Protocol:
        """The transport protocol of its packets."""
        return Protocol.UDP if self.target.scheme is Scheme.UDP else Protocol.TCP


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

    def host(self, key: str) -> HostFacts:
        """A host by its key.

        :raises UsageError: there is none with that key
        """
        for host in self.hosts:
            if host.key == key:
                return host
        raise UsageError(f"there is no host {key!r} in the picture: there are {', '.join(h.key for h in self.hosts)}")

    def places(self) -> tuple[Place, ...]:
        """Every container, running or not, then every host.

        :raises UsageError: a container is on a host that is not in the picture
        """
        containers = (Place(self.host(container.host), container) for container in self.containers)
        return (*containers, *map(Place, self.hosts))

    def place(self, name: str) -> Place:
        """The place that a person means: where names are resolved, and nowhere below.

        :param name: in the notation of :mod:`testbed.evidence.lookup`
        :raises UsageError: there is none, or there are several
        """
        places = self.places()

        def missing() -> UsageError:
            known = ", ".join(lookup.spelled(place, places, called) for place in places)
            return UsageError(f"there is no container or host {name!r} here; there are: {known or 'none'}")

        return lookup.find(name, places, called, missing=missing)

    def spelled(self, place: Place) -> str:
        """The shortest words that :meth:`place` takes for a place of this picture."""
        return lookup.spelled(place, self.places(), called)


def called(place: Place) -> Called:
    """All that a place may be called."""
    host, container = place.host, place.container
    if container is None:
        return Called(host.name, host.name, host.lab, namespace=host.namespace)
    return Called(container.name, host.name, host.lab, container.id, pod=place.pod)
