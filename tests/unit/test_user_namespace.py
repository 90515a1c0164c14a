"""How a user namespace is made: by unshare, or by a program that AppArmor knows."""

from __future__ import annotations

import pytest

from testbed import machine, tools
from testbed.namespaces import user
from tests.unit.stand_ins import a_machine


@pytest.mark.parametrize(
    ("restricted", "command"),
    [
        (False, ["/bin/unshare", "--user", "--map-root-user", "--map-auto"]),
        (True, ["/bin/podman", "unshare"]),
    ],
    ids=["anybody may", "AppArmor lets known programs only"],
)
def test_the_namespace_is_made_by_a_program_that_may(
    monkeypatch: pytest.MonkeyPatch, restricted: bool, command: list[str]
) -> None:
    """Where AppArmor keeps user namespaces from unknown programs it is made by Podman, which has a profile."""
    here = a_machine(apparmor_restricts_user_namespaces=restricted)
    monkeypatch.setattr(machine, "read", lambda: here)
    monkeypatch.setattr(tools, "need", lambda program, package: f"/bin/{program}")
    assert user._holder() == command
