"""Who the tests run as: root of the machine, or an ordinary user, who is root of a user namespace at most."""

from __future__ import annotations

from typing import Final

from testbed.namespaces import in_initial_namespace, is_root

ROOT_OF_THE_MACHINE: Final = in_initial_namespace() and is_root()
