"""Every error the testbed raises on purpose.

::

    Error
    ├── UsageError            what was asked makes no sense: a target that is no URL, an unknown name
    ├── UnfitError            this machine cannot run it: a program, a right or a kernel feature is missing
    ├── HostError             a host did not start, or is gone
    │   └── CommandError      a command inside a host or container failed
    ├── EngineError           Podman refused, or its service does not answer
    ├── ImageError            an image could not be built or found
    ├── TunnelError           an SSH connection or forward could not be made
    │   ├── BindError         the forward's listener could not be bound
    │   └── HostKeyError      the server is not the one whose key is known
    ├── CaptureError          frames could not be captured or sent, or some were lost
    └── DeadlineError         something that was waited for did not happen in time

A message is one line (details may follow it): the thing, the value, the state it is in, the next step.
Each class has the exit code that the command line ends with.
"""

from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """Base of all errors of the testbed."""

    exit_code: ClassVar[int] = 2


class UsageError(Error):
    """The request itself is wrong; nothing was started."""


class UnfitError(Error):
    """This machine cannot run what was asked; the message says what to install or allow."""


class HostError(Error):
    """A host did not start, or no longer exists."""


class CommandError(HostError):
    """A command in a host or container ended with another status than 0.

    The standard error of the command is part of the message.
    """

    def __init__(self, command: str, status: int, stderr: str) -> None:
        super().__init__(f"{command!r} ended with status {status}: {stderr.strip() or '(nothing on stderr)'}")
        self.status = status
        self.stderr = stderr


class EngineError(Error):
    """Podman refused a request, or its API service does not answer."""


class ImageError(Error):
    """An image could not be built, or is not in the image store."""


class TunnelError(Error):
    """An SSH connection, or a forward over it, could not be made."""


class BindError(TunnelError):
    """No address of a forward could be bound; the message names who holds the port, where that is the reason."""


class HostKeyError(TunnelError):
    """The SSH server showed another host key than the one that is known."""


class CaptureError(Error):
    """Frames could not be captured or sent, or some were lost, so that what was not seen proves nothing."""


class DeadlineError(Error):
    """Something that was waited for did not happen before its deadline."""
