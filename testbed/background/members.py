"""The hosts and containers of labs that run in the background, found by what a person calls them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from testbed.background.find import Running
from testbed.errors import EngineError, UsageError
from testbed.evidence import lookup
from testbed.evidence.lookup import Called
from testbed.namespaces.user import is_root, join_user_namespace


@dataclass(frozen=True, slots=True)
class Member:
    """A host of a lab, or a container on one."""

    lab: Running
    host: str
    """The name of the host that it is, or is on."""
    pid: int
    """The first process of a host; the main process of a container, by its host's count, 0 where it does not run."""
    container: str | None = None
    """A container's name; None for a host."""
    container_id: str = ""
    """Empty for a host."""
    pod: str = ""
    """The pod whose infra container it is, by name; empty for anything else."""

    @property
    def name(self) -> str:
        """Its name among people."""
        return self.host if self.container is None else self.container


def called(member: Member) -> Called:
    """All that a member may be called."""
    container_id = None if member.container is None else member.container_id
    return Called(member.name, member.host, member.lab.name, container_id, pod=member.pod)


def described(labs: Iterable[Running]) -> tuple[Member, ...]:
    """Hosts and containers that the keepers of labs tell of: all that the labs were made with."""
    return tuple(
        member
        for lab in labs
        for member in (
            *(Member(lab, name, pid) for name, pid in lab.hosts.items()),
            *(Member(lab, host, pid, name, lab.ids.get(name, "")) for name, (host, pid) in lab.containers.items()),
        )
    )


def living(labs: Iterable[Running]) -> tuple[Member, ...]:
    """The containers that Podman knows on the hosts of labs, whoever made them, as far as it answers.

    This process must be root of the user namespace that owns the labs.
    """
    return tuple(member for lab in labs for member in _living(lab))


def _living(lab: Running) -> Iterable[Member]:
    from testbed.readers.containers import ByService  # noqa: PLC0415 - a name that the keeper knows need not wait
    from testbed.readers.sources import of_running_lab  # noqa: PLC0415 - the same

    for source in of_running_lab(lab.hosts):
        if isinstance(source.podman, ByService):
            with suppress(EngineError):
                yield from (
                    Member(lab, source.name, one.pid, one.name, one.id, one.pod) for one in source.podman.listed()
                )


def known(text: str, labs: Sequence[Running], *, join: bool) -> tuple[Member, ...]:
    """Hosts and containers among which to look for the one that a person means.

    Podman is asked only where what the keepers know does not decide it, such as for a container that somebody ran by
    hand.

    :param text: in the notation of :mod:`testbed.evidence.lookup`
    :param join: whether this process may join the user namespace of the one lab, where it is not root
    """
    members = described(labs)
    if len(lookup.matching(text, members, called)) == 1:
        return members
    if not is_root():
        if not join or len(labs) > 1:
            return members
        join_user_namespace(labs[0].keeper)
    had = {(member.lab.name, member.host, member.container) for member in members}
    new = (member for member in living(labs) if (member.lab.name, member.host, member.container) not in had)
    return (*members, *new)


def find(text: str, labs: Sequence[Running], *, lab: str | None = None) -> Member:
    """The one host or container of running labs that a person means.

    This process joins the user namespace of a lab's owner where Podman has to be asked, and it is not root.

    :param text: in the notation of :mod:`testbed.evidence.lookup`
    :param lab: look in this lab only
    :raises UsageError: none is called so, or several are; or no lab runs
    """
    considered = [one for one in labs if lab in (None, one.name)]
    if not considered:
        named = "" if lab is None else f" called {lab!r}"
        raise UsageError(f"no lab{named} is running: start one with 'testbed up portainer'")
    members = known(text, considered, join=True)
    return lookup.find(text, members, called, missing=lambda: missing(text, members))


def missing(text: str, members: Sequence[Member]) -> UsageError:
    """The error that none is called so, with those that there are."""
    names = ", ".join(lookup.spelled(member, members, called) for member in members)
    return UsageError(f"no running lab has a host or container {text!r}: there are {names}")
