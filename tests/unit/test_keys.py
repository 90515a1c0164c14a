"""Keys made for a run, as OpenSSH sees them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from testbed.tunnel.keys import KeyPair


def test_openssh_reads_the_private_key(tmp_path: Path) -> None:
    """ssh-keygen finds in the private key the public one that goes with it."""
    pair = KeyPair.make()
    identity = tmp_path / "id"
    identity.touch(mode=0o600)
    identity.write_text(pair.private)
    done = subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", identity], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == pair.public.split()


def test_public_key_is_one_line_of_type_and_base64() -> None:
    """The public key stands in authorized_keys and known_hosts as it is: two words, no comment, no newline."""
    kind, base64 = KeyPair.make().public.split(" ")
    assert kind == "ssh-ed25519"
    assert base64.startswith("AAAAC3NzaC1lZDI1NTE5")
    assert not base64.endswith("\n")


def test_private_key_is_not_shown() -> None:
    """A key pair in a log or a failing assertion shows its public half only."""
    pair = KeyPair.make()
    assert repr(pair) == f"KeyPair(public={pair.public!r})"


def test_every_key_is_new() -> None:
    """Two runs never share a key."""
    assert KeyPair.make().public != KeyPair.make().public
