"""The trust store of a place: of the container's own files and variables, and of the host's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.errors import UsageError
from testbed.host.private import PrivateHost
from testbed.probe.trust import Trust
from testbed.readers.sources import of_host
from testbed.readers.take import take
from testbed.readers.trust import trust_in, trust_of
from truth.faults.authority import Signed, signed

ONE, TWO = signed("one"), signed("two")


def store_of(host: PrivateHost, place: str) -> Trust:
    """The trust store of a place of a host."""
    source = of_host(host)
    return trust_of(source, take([source]).place(place))


def trusted(host: PrivateHost, image: str, *options: str) -> Trust:
    """The trust store of a container that was started with some options."""
    host.run(["podman", "run", "-d", "--name", "web", *options, image, "sleep", "infinity"])
    return store_of(host, "web")


def written(host: PrivateHost, name: str, *certificates: Signed) -> str:
    """A file of the host with some certificates, by its folder."""
    folder = host.path("/run/testbed/store")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(one.pem for one in certificates))
    return "/run/testbed/store"


def test_a_container_has_a_store_of_its_own(private_host: PrivateHost, testbed_image: Callable[[str], str]) -> None:
    """What is mounted over its list is what is read, and not the host's list."""
    folder = written(private_host, "list.crt", ONE)
    mount = f"{folder}/list.crt:/etc/ssl/certs/ca-certificates.crt:ro"
    found = trusted(private_host, testbed_image("base"), "-v", mount)
    assert found.said.startswith("the trust store of web, /etc/ssl/certs/ca-certificates.crt")
    assert ONE.pem.strip() in found.certificates
    assert ONE.pem.strip() not in store_of(private_host, private_host.name).certificates


def test_a_container_without_a_list_trusts_nobody(
    private_host: PrivateHost, testbed_image: Callable[[str], str]
) -> None:
    """As images made from scratch: that is said."""
    mounts = ("--tmpfs", "/etc/ssl", "--tmpfs", "/etc/pki")
    found = trusted(private_host, testbed_image("base"), *mounts)
    assert found.certificates == ()
    assert "has no certificates" in found.said


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_variable_of_the_main_process_is_followed(
    private_host: PrivateHost, testbed_image: Callable[[str], str], variable: str
) -> None:
    """Instead of the list that one file is read, or of the folder each file of that one."""
    folder = written(private_host, "first.pem", ONE)
    written(private_host, "second.pem", TWO)
    value = f"{folder}/first.pem" if variable == "SSL_CERT_FILE" else folder
    found = trusted(private_host, testbed_image("base"), "-v", f"{folder}:{folder}:ro", "-e", f"{variable}={value}")
    assert f"(set by {variable})" in found.said
    assert ONE.pem.strip() in found.certificates
    assert (TWO.pem.strip() in found.certificates) is (variable == "SSL_CERT_DIR")


def test_a_file_without_a_certificate_is_said(tmp_path: Path) -> None:
    """--cacert with something else: what it is to have."""
    (tmp_path / "empty.pem").write_text("nothing\n")
    with pytest.raises(UsageError, match=r"empty\.pem has no certificate in it"):
        trust_in(tmp_path / "empty.pem")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        trust_in(tmp_path / "missing.pem")
