"""Asking resolvers for names: which are asked, whether the question arrives, and what is known of the answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from testbed.evidence import Evidence, HostFacts, Names, Protocol
from testbed.evidence.programs import DNS_PORT
from testbed.model import Address
from testbed.predict import aardvark
from testbed.predict.ending import Accepted, Left, PacketEnding
from testbed.predict.steps import Step
from testbed.predict.unknown import Unknown
from testbed.predict.unresolved import Question
from testbed.predict.userspace_proxy import connect
from testbed.resolver_files import candidates
from testbed.zone import lookup


@dataclass(frozen=True, slots=True)
class Said:
    """The word of a resolver that was reached about one name."""

    name: str
    """The name that it was asked for."""
    server: Address
    asked: Accepted
    """The ending of the question."""
    addresses: tuple[Address, ...] | None
    """None where the answer is not in the picture."""
    others: tuple[Address, ...] = ()
    """The servers that may answer in its place, and otherwise."""


#: The word about a name, or the question to the first server where none answers, None where there is none to ask.
Answer: TypeAlias = Said | Question | None

_UNDECIDED: Final = (Unknown, Left)


class Questions:
    """The questions of one place. Not a value: it remembers the way to each server, which is walked once.

    :param namespace: the key of the one that they are sent from
    """

    def __init__(self, evidence: Evidence, namespace: str, names: Names) -> None:
        self.evidence = evidence
        self.namespace = namespace
        self.names = names
        self.steps: list[Step] = []
        """The ways to the place's own servers that were walked."""
        self._ways: dict[tuple[str, Address], PacketEnding] = {}

    def search(self, name: str) -> tuple[Answer, tuple[str, ...]]:
        """Ask for each name that may be meant; returns what decides, and the names that were asked for.

        Once no server answers for one, glibc asks for no more of the search list, and takes the word about the name as
        it is for the whole (resolv/res_query.c, __res_context_search). musl gives up (src/network/lookup_name.c,
        name_from_dns_search).
        """
        bare = name.rstrip(".")
        silent, asked = False, []
        last: Answer = None
        for candidate in candidates(name, self.names.search, self.names.ndots, musl=self.names.musl):
            if silent and candidate != bare:
                continue
            asked.append(candidate)
            answer = self.ask(candidate.lower(), self.names.nameservers)
            if isinstance(answer, Said) and answer.addresses != ():
                return answer, tuple(asked)
            silent = silent or not isinstance(answer, Said)
            if candidate == bare or last is None:
                last = answer
            if silent and (self.names.musl or _is_undecided(answer)):
                return answer, tuple(asked)
        return last, tuple(asked)

    def ask(self, name: str, servers: tuple[Address, ...]) -> Answer:
        """Ask for one name: glibc and Go each server until one answers, musl all of them at once.

        :param name: in lower case, without a dot at the end
        """
        at_once = self.names.musl or self.names.rotate
        first: Question | None = None
        said: list[Said] = []
        for server in servers:
            answer = self._ask_server(name, server)
            if isinstance(answer, Said):
                said.append(answer)
                if not at_once:
                    break
            else:
                first = first or answer
                if _is_undecided(answer) and not at_once:
                    break
        if not said or (at_once and _is_undecided(first)):
            return first if first is not None else next(iter(said), None)
        if len({one.addresses for one in said}) > 1:
            return Said(name, said[0].server, said[0].asked, None, tuple(one.server for one in said[1:]))
        return said[0]

    def _ask_server(self, name: str, server: Address) -> Said | Question:
        ending = self._way(self.namespace, server, own=True)
        if not isinstance(ending, Accepted):
            return Question(server, ending)
        if not aardvark.is_aardvark(ending):
            return Said(name, server, ending, self._zone(ending, name))
        host = aardvark.host_of(self.evidence, ending)
        if host is None:
            return Said(name, server, ending, None)
        found = aardvark.addresses(self.evidence, host, ending, name)
        if found or not aardvark.hands_on(self.evidence, host, ending, name):
            return Said(name, server, ending, found)
        return self._handed_on(host, name, server, ending)

    def _handed_on(self, host: HostFacts, name: str, server: Address, asked: Accepted) -> Said | Question:
        """aardvark-dns asks other servers in turn, and is silent where none answers it."""
        servers = aardvark.upstream(self.evidence, host, asked)
        if host.rootless_namespace == asked.namespace.key and servers == host.names.nameservers:
            # By way of the program that holds the namespace's interface, whose resolver is the host's.
            return Said(name, server, asked, None if host.zone is None else lookup(host.zone, name) or ())
        first: PacketEnding | None = None
        for upstream in servers:
            ending = self._way(asked.namespace.key, upstream)
            if isinstance(ending, Accepted):
                return Said(name, server, asked, self._zone(ending, name))
            if isinstance(ending, _UNDECIDED):
                return Said(name, server, asked, None)
            first = first or ending
        return Said(name, server, asked, ()) if first is None else Question(server, first)

    def _way(self, namespace: str, server: Address, *, own: bool = False) -> PacketEnding:
        """The way of a question; the steps are kept of the place's own alone."""
        found = self._ways.get((namespace, server))
        if found is None:
            found, steps = connect(self.evidence, namespace, Protocol.UDP, server, DNS_PORT)
            self._ways[namespace, server] = found
            if own:
                self.steps += steps
        return found

    def _zone(self, reached: Accepted, name: str) -> tuple[Address, ...] | None:
        """The word of a resolver that a host's own resolv.conf names, where its zone is known; None where it is not."""
        for host in self.evidence.hosts:
            own = reached.namespace.key == host.namespace and reached.destination in host.names.nameservers
            if own and host.zone is not None:
                return lookup(host.zone, name) or ()
        return None


def _is_undecided(answer: Answer) -> bool:
    """Tell if it is not known whether a question arrives."""
    return isinstance(answer, Question) and isinstance(answer.ending, _UNDECIDED)
