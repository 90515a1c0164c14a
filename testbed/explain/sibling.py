"""A further container on the networks of one: who is asked whether a change lets in more than that one. Pure."""

from __future__ import annotations

from dataclasses import replace

from testbed.change import ImpossibleChangeError
from testbed.change.podman.attaching import BRIDGE
from testbed.change.podman.lifecycle import started
from testbed.evidence import Attachment, Container, Evidence

#: The id of the container that is added; one of Podman's has 64 hexadecimal digits.
SIBLING = "sibling"


def with_sibling(evidence: Evidence, container: Container) -> Evidence:
    """A picture with one more container on the networks of another, with its own addresses; as it was if none may be.

    :param container: runs on bridges
    """
    if container.mode != BRIDGE or not container.attachments:
        return evidence
    bare = tuple(Attachment(one.network, aliases=(SIBLING,)) for one in container.attachments)
    other = Container(SIBLING, SIBLING, container.host, "created", BRIDGE, attachments=bare)
    try:
        return started(replace(evidence, containers=(*evidence.containers, other)), other)
    except ImpossibleChangeError:
        return evidence
