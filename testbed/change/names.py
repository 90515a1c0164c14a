"""What takes a name out of a picture, to see what rests on it: no repair that anybody makes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from testbed.change.change import Change, apply
from testbed.evidence import Evidence, Names
from testbed.hosts_file import HostsFile


@dataclass(frozen=True, slots=True)
class ForgetName(Change):
    """The hosts files of whoever is in a namespace lose a name."""

    effort = 1

    namespace: str
    """The key of the namespace."""
    name: str


@apply.register
def _forget(change: ForgetName, evidence: Evidence) -> Evidence:
    def without(names: Names) -> Names:
        left = {name: known for name, known in names.hosts.addresses.items() if name != change.name.lower()}
        return replace(names, hosts=HostsFile(left))

    return replace(
        evidence,
        hosts=tuple(
            replace(h, names=without(h.names)) if h.namespace == change.namespace else h for h in evidence.hosts
        ),
        containers=tuple(
            replace(c, names=without(c.names)) if c.namespace == change.namespace else c for c in evidence.containers
        ),
    )
