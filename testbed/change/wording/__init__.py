"""What changes are called, and the commands that make them: both from the change itself. Pure."""

from testbed.change.wording import (
    containers,
    firewall,
    listening,
    macvlans,
    naming,
    networks,
    new_networks,
    proxying,
    publishing,
    resuming,
    rootless,
    routing,
    segments,
)
from testbed.change.wording.words import command, words

#: Imported for the words and commands that they register.
REGISTERED = (
    containers,
    firewall,
    listening,
    macvlans,
    naming,
    networks,
    new_networks,
    proxying,
    publishing,
    resuming,
    rootless,
    routing,
    segments,
)

__all__ = ["command", "words"]
