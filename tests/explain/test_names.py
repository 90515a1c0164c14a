"""What is predicted of names is what getent(1) of glibc prints in a container, by the kernel and aardvark-dns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from testbed.evidence import Attempt
from testbed.host import PrivateHost
from testbed.images import ImageStore
from testbed.model import Target
from testbed.predict import predict
from testbed.readers.sources import of_host
from testbed.readers.take import take

#: Outside of every network of the host.
ELSEWHERE: Final = "192.0.2.20"
ZONE: Final = {
    "*.lab.example": [ELSEWHERE],
    "real.lab.example": ["192.0.2.30"],
    "two.example": ["10.89.9.77", ELSEWHERE],
}
FILES: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf")


@pytest.fixture(scope="module")
def box(
    testbed_session: None, testbed_image_store: ImageStore, testbed_image: Callable[[str], str]
) -> Iterator[PrivateHost]:
    """A host whose resolver knows a wildcard, with containers ``c``, ``db``, ``both`` and ``apart`` on two networks."""
    image = testbed_image("base")
    with PrivateHost("box", image_store=testbed_image_store.storage, zone=ZONE) as host:
        host.engine.ready()
        host.run(
            ["podman", "network", "create", "--ipv6", "--subnet", "10.89.9.0/24", "--subnet", "fd00:9::/64", "one"]
        )
        host.run(["podman", "network", "create", "--subnet", "10.89.8.0/24", "two"])
        host.run(["podman", "network", "create", "--internal", "--subnet", "10.89.7.0/24", "inner"])
        for name, networks in (
            ("c", "one,two"),
            ("db", "one"),
            ("both", "one,two"),
            ("apart", "inner"),
            ("in", "inner"),
        ):
            alias = ["--network-alias", f"{name}-alias"]
            host.run(["podman", "run", "-d", "--name", name, "--network", networks, *alias, image, "sleep", "infinity"])
        options = ["--name", "given", "--network", "one", "--dns", "10.89.9.77"]
        host.run(["podman", "run", "-d", *options, image, "sleep", "infinity"])
        host.run(["podman", "pod", "create", "--name", "pod", "--network", "one"])
        for name in ("left", "right"):
            host.run(["podman", "run", "-d", "--name", name, "--pod", "pod", image, "sleep", "infinity"])
        host.run(["podman", "run", "-d", "--name", "beside", "--network", "container:c", image, "sleep", "infinity"])
        yield host


@pytest.fixture
def files(box: PrivateHost) -> Iterator[Callable[[str, dict[str, str]], None]]:
    """Write files of a container; each is as it was afterwards."""
    before: list[tuple[str, str, str | None]] = []

    def write(container: str, texts: dict[str, str]) -> None:
        root = box.process(pid(box, container)) / "root"
        for name, text in texts.items():
            path = root / name.lstrip("/")
            before.append((container, name, path.read_text() if path.exists() else None))
            path.write_text(text)

    yield write
    for container, name, text in reversed(before):
        path = box.process(pid(box, container)) / "root" / name.lstrip("/")
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


def pid(box: PrivateHost, container: str) -> int:
    """Its main process, as the host counts."""
    return int(box.run(["podman", "inspect", "--format", "{{.State.Pid}}", container]))


def printed(box: PrivateHost, container: str, name: str) -> list[str]:
    """The addresses that getaddrinfo(3) gives, each once, in its order."""
    text = box.run(["sh", "-c", f"podman exec {container} getent ahosts '{name}' || true"])
    return list(dict.fromkeys(line.split()[0] for line in text.splitlines() if "STREAM" in line))


def predicted(box: PrivateHost, container: str, name: str) -> list[str]:
    """The addresses that a client would try, by the picture alone."""
    evidence = take([of_host(box)])
    seen = predict(evidence, Attempt(evidence.place(container), Target.parse(f"{name}:80")))
    return [str(one.address) for one in seen.tried]


NAMES: Final = [
    "db",
    "db.",
    "both",
    "db-alias",
    "apart",
    "real.lab.example",
    "nobody",
    "x.y",
    "two.example",
    "localhost",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "files_of_c",
    [
        {},
        {"/etc/resolv.conf": "search lab.example\nnameserver 10.89.9.1\n"},
        {"/etc/resolv.conf": "search dns.podman lab.example\nnameserver 10.89.9.1\n"},
        {"/etc/resolv.conf": "search lab.example\noptions ndots:2\nnameserver 10.89.9.1\n"},
        {"/etc/resolv.conf": "search lab.example\noptions ndots:0\nnameserver 10.89.8.1\n"},
        {"/etc/resolv.conf": "nameserver 203.0.113.253\n"},
        {
            "/etc/hosts": f"{ELSEWHERE} db\n127.0.0.1 both\n10.89.9.1 both\n::1 both\n",
            "/etc/nsswitch.conf": "hosts: files\n",
        },
        {"/etc/hosts": f"{ELSEWHERE} db\n", "/etc/nsswitch.conf": "hosts: dns files\n"},
        {"/etc/gai.conf": "precedence ::ffff:0:0/96 100\n"},
    ],
    ids=[
        "as Podman writes it",
        "a search domain with a wildcard",
        "Podman's domain in front",
        "two dots wanted",
        "no dot wanted, by the other gateway",
        "the host's resolver alone",
        "files alone",
        "dns before files",
        "IPv4 preferred",
    ],
)
def test_a_name_has_the_addresses_that_getent_prints_and_in_its_order(
    box: PrivateHost, files: Callable[[str, dict[str, str]], None], files_of_c: dict[str, str], name: str
) -> None:
    """Search list, ndots, a last dot, services, aliases, shared networks and RFC 6724 are as glibc has them."""
    files("c", files_of_c)
    assert predicted(box, "c", name) == printed(box, "c", name)


@pytest.mark.parametrize("name", ["in", "apart", "db", "real.lab.example", "nobody"])
def test_a_container_on_an_internal_network_is_told_what_it_is(box: PrivateHost, name: str) -> None:
    """aardvark-dns before 1.11 hands on for it too, and later it does not."""
    assert predicted(box, "in", name) == printed(box, "in", name)


@pytest.mark.parametrize("name", ["left", "right", "pod", "pod-infra", "db", "localhost", "real.lab.example"])
@pytest.mark.parametrize("container", ["left", "c"])
def test_a_pod_and_its_members_are_known_by_the_names_that_podman_gives_them(
    box: PrivateHost, container: str, name: str
) -> None:
    """Members have each other in their hosts file; others are told of the container that has the pod's network."""
    assert predicted(box, container, name) == printed(box, container, name)


@pytest.mark.parametrize("name", ["db", "real.lab.example"])
def test_a_container_with_a_resolver_of_its_own_has_no_other(box: PrivateHost, name: str) -> None:
    """Of ``--dns`` with an address where nobody is: Podman 4.3 writes it in the place of its own, later ones behind."""
    assert predicted(box, "given", name) == printed(box, "given", name)


@pytest.mark.parametrize("name", ["db", "both", "apart", "c", "beside"])
def test_a_container_in_anothers_namespace_is_told_what_that_one_is(box: PrivateHost, name: str) -> None:
    """aardvark-dns knows callers by their addresses, and it has none of its own."""
    assert predicted(box, "beside", name) == printed(box, "beside", name)
