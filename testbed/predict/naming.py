"""Resolving a name at a place, service by service as nsswitch.conf(5) has them for the C library there. Pure.

What systemd's services answer by themselves is that of nss-myhostname(8); systemd-resolved is asked where it listens
(nss-resolve(8)), and multicast DNS for names below ``local`` alone (RFC 6762, 3; nss-mdns asks for no others).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from testbed.destination_order import Destination, ordered
from testbed.evidence import Evidence, Names, Namespace, Place, Protocol, RouteKind
from testbed.evidence.programs import DNS_PORT
from testbed.model import Address
from testbed.predict.ending import Left
from testbed.predict.questions import Answer, Questions, Said
from testbed.predict.routing import choose, source_for
from testbed.predict.steps import NameLookup, Step
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import (
    AnswersDiffer,
    AnswerUnknown,
    NameNotFound,
    NotAsked,
    Question,
    QuestionLeft,
    QuestionUnknown,
    ResolverFailed,
    SourceUnknown,
    Unresolved,
)
from testbed.resolver_files import LOOPBACKS, is_localhost

#: Where systemd-resolved listens (systemd-resolved.service(8)).
_RESOLVED: Final = ipaddress.ip_address("127.0.0.53")
#: Services of systemd that are silent about all that is not theirs.
_SILENT: Final = frozenset({"myhostname", "mymachines"})


@dataclass(frozen=True, slots=True)
class Resolved:
    """A name's addresses in the order in which they are tried, or why it has none."""

    addresses: tuple[Address, ...]
    failure: Unresolved | None = None
    steps: tuple[Step, ...] = ()


def resolve(evidence: Evidence, place: Place, here: Namespace, host: str) -> Resolved:
    """Resolve a name, or an address, which is itself.

    :param here: the namespace of the place
    """
    try:
        return Resolved((ipaddress.ip_address(host),))
    except ValueError:
        pass
    names = place.names
    if names.sources[:1] == ("files",) and (found := names.hosts.lookup(host)):  # as it is nearly always
        return Resolved(_tried(here, names, found), steps=(NameLookup(here, place.name, host, found, None),))
    return _Resolution(place, here, host, Questions(evidence, here.key, names)).resolve()


class _Resolution:
    """The services on their turn. Not a value: it notes what each came to."""

    def __init__(self, place: Place, here: Namespace, host: str, questions: Questions) -> None:
        self.place = place
        self.here = here
        self.host = host
        self.questions = questions
        self.failure: Unresolved | None = None
        """Why the resolvers have no address for it."""
        self.unmodelled = ""
        """A service whose word is not known."""
        self._last = ""
        """The status of the last service, by the word of nsswitch.conf(5)."""

    def resolve(self) -> Resolved:
        for word in self.place.names.sources:
            if word.startswith("["):
                if _returns(word, self._last):
                    break
                continue
            found = self._by(word)
            if found is not None:
                return found
        if self.unmodelled and not isinstance(self.failure, QuestionUnknown | QuestionLeft):
            self.failure = SourceUnknown(self.host, self.place.name, self.unmodelled)
        return Resolved((), self.failure or NotAsked(self.host, self.place.name), tuple(self.questions.steps))

    def _by(self, service: str) -> Resolved | None:
        """One service: what ends the search, or None."""
        self._last = "NOTFOUND"
        names, on_host = self.place.names, self.place.container is None
        if service == "dns":
            return self._asked(*self.questions.search(self.host))
        resolved = service == "resolve" and on_host and _listens(self.here, _RESOLVED)
        own: tuple[Address, ...] = ()
        if service == "files" or resolved:
            own = names.hosts.lookup(self.host)
        if (service == "myhostname" or resolved) and not own:
            own = _by_systemd(self.here, self.place, self.host)
        if service == "files" or (own and on_host):
            return self._found(own) if own else None
        if resolved:
            return self._asked(self.questions.ask(self.host.rstrip(".").lower(), (_RESOLVED,)), (self.host,))
        self._last = "UNAVAIL"
        multicast = service.startswith("mdns") and self.host.rstrip(".").lower().endswith(".local")
        other = not service.startswith("mdns") and service != "resolve" and service not in _SILENT
        if (own or on_host) and (own or multicast or other):
            # In a container such a service may be missing, and nobody may be there to be asked by it.
            self.unmodelled = self.unmodelled or service
        return None

    def _found(self, addresses: tuple[Address, ...]) -> Resolved:
        step = NameLookup(self.here, self.place.name, self.host, addresses, None)
        return Resolved(_tried(self.here, self.place.names, addresses), steps=(*self.questions.steps, step))

    def _asked(self, answer: Answer, names: tuple[str, ...]) -> Resolved | None:
        """The word of the resolvers: an address ends the search, and so does what is not known."""
        host, place, steps = self.host, self.place.name, self.questions.steps
        match answer:
            case Said(addresses=None, others=()):
                return Resolved((), AnswerUnknown(host, place, answer.server, answer.asked), tuple(steps))
            case Said(addresses=None, others=others):
                differ = AnswersDiffer(host, place, answer.server, answer.asked, others)
                return Resolved((), differ, tuple(steps))
            case Said(addresses=found) if found:
                asked = answer.name if answer.name != host.rstrip(".").lower() else ""
                step = NameLookup(self.here, place, host, found, answer.server, asked)
                return Resolved(_tried(self.here, self.place.names, found), steps=(*steps, step))
            case Said():
                self.failure = NameNotFound(host, place, answer.server, answer.asked, names)
                return None
        self._last = "TRYAGAIN" if answer else "UNAVAIL"
        self.failure = _unanswered(host, place, answer)
        return None


def _unanswered(host: str, place: str, lost: Question | None) -> Unresolved:
    if lost is not None and isinstance(lost.ending, Unknown):
        return QuestionUnknown(host, place, lost)
    if lost is not None and isinstance(lost.ending, Left):
        return QuestionLeft(host, place, lost)
    return ResolverFailed(host, place, lost)


def _returns(action: str, status: str) -> bool:
    """Tell if an action such as ``[!UNAVAIL=return]`` ends the search after a service (nsswitch.conf(5))."""
    for word in action.strip("[]").upper().split():
        negated = word.startswith("!")
        which, _, what = word.removeprefix("!").partition("=")
        if what == "RETURN" and (which == status) != negated:
            return True
    return False


def _by_systemd(here: Namespace, place: Place, host: str) -> tuple[Address, ...]:
    """The names that nss-myhostname(8) knows: localhost and all below it, the host's own, and its gateway."""
    if is_localhost(host):
        return LOOPBACKS
    name = host.rstrip(".").lower()
    if name == "_gateway":
        return tuple(r.gateway for r in here.routes if r.gateway is not None and r.destination.prefixlen == 0)
    if place.container is None and name == place.host.name.lower():
        own = (row.address.ip for row in here.addresses if row.scope == "global" and row.usable)
        return tuple(own)
    return ()


def _listens(here: Namespace, server: Address) -> bool:
    return any(
        one.protocol is Protocol.UDP and one.port == DNS_PORT and one.address == server for one in here.listeners
    )


def _tried(here: Namespace, names: Names, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """The addresses of a name in the order in which they are tried (RFC 6724, 6)."""
    if not addresses[1:]:
        return addresses
    lengths = {row.address.ip: row.address.network.prefixlen for row in here.addresses}
    found = []
    for address in addresses:
        chosen = choose(here, address)
        source = source_for(here, address, chosen) if chosen.kind in (RouteKind.UNICAST, RouteKind.LOCAL) else None
        found.append(Destination(address, source, lengths.get(source, 0) if source else 0))
    return ordered(found, names.gai, musl=names.musl)
