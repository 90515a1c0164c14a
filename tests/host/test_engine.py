"""One Podman service for each host, and two libraries on its socket."""

from __future__ import annotations

import gc
import json
import resource
from collections.abc import Callable, Iterator

import pytest
from docker.models.images import ImageCollection

from testbed.containers import HostContainer
from testbed.errors import EngineError
from testbed.host.private import PrivateHost
from testbed.waiting import wait_for
from tests.host.placed import IDLE, Placement, place

Image = Callable[[str], str]


def test_both_libraries_see_the_same_container(private_host: PrivateHost, testbed_image: Image) -> None:
    """A container that testcontainers started is the one that podman-py lists, on one socket."""
    container = place(private_host, testbed_image("base"), Placement.DEFAULT)
    (listed,) = private_host.engine.client.containers.list()
    assert listed.id == container.get_wrapped_container().id
    assert listed.name == "box"
    assert container.get_docker_client().client.api.base_url.startswith("http+docker://")


@pytest.mark.parametrize(
    ("row", "limit"), [("Max open files", resource.RLIMIT_NOFILE), ("Max processes", resource.RLIMIT_NPROC)]
)
def test_a_container_has_no_more_than_the_machine_allows(
    private_host: PrivateHost, testbed_image: Image, row: str, limit: int
) -> None:
    """A container's limits are at most this machine's hard ones: setrlimit refuses more, and it would not start."""
    container = place(private_host, testbed_image("base"), Placement.DEFAULT)
    lines = (private_host.process(container.pid) / "limits").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith(row)]
    soft, hard = (int(word) for word in line.removeprefix(row).split()[:2])
    machine = resource.getrlimit(limit)[1]
    assert 0 < soft <= hard
    assert machine == resource.RLIM_INFINITY or hard <= machine


@pytest.mark.parametrize(
    ("privileged", "mode"), [(False, 2), (True, 0)], ids=["as usual", "privileged, which has none"]
)
def test_a_container_runs_under_a_seccomp_filter(
    private_host: PrivateHost, testbed_image: Image, privileged: bool, mode: int
) -> None:
    """The filter that is compiled for this machine's own architecture is in force, and only where Podman has one."""
    container = HostContainer(private_host, testbed_image("base"), "box").in_mode("none")
    container.with_kwargs(privileged=privileged).with_command(IDLE).start()
    profile = json.loads(private_host.path("/etc/containers/seccomp.json").read_text(encoding="utf-8"))
    assert {tuple(architecture["subArchitectures"]) for architecture in profile["archMap"]} == {()}
    status = (private_host.process(container.pid) / "status").read_text(encoding="ascii")
    assert f"\nSeccomp:\t{mode}\n" in status  # proc(5): 2 is SECCOMP_MODE_FILTER


def test_an_unknown_image_is_named(private_host: PrivateHost) -> None:
    """Starting a container of an image that is not there says which, for which container, on which host."""
    with pytest.raises(EngineError) as caught:
        HostContainer(private_host, "localhost/no/such:1", "app").start()
    # Podman 5 says what came of asking a registry for it, and not what it asked for.
    assert str(caught.value).startswith("container 'app' of the image 'localhost/no/such:1' on 'host' did not start: ")


def test_a_missing_image_is_pulled_and_then_used(
    private_host: PrivateHost, testbed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a registry is at hand, its images serve; here a tag stands for what a pull brings."""
    pulled: list[str] = []

    def pull(_: ImageCollection, name: str) -> None:
        pulled.append(name)
        private_host.run(["podman", "tag", testbed_image("base"), name])

    monkeypatch.setattr(ImageCollection, "pull", pull)
    container = HostContainer(private_host, "localhost/from/afar:1", "box").in_mode("none").with_command(IDLE).start()
    assert pulled == ["localhost/from/afar:1"]
    assert container.pid > 0


def test_what_a_container_would_share_is_named_when_it_is_missing(
    private_host: PrivateHost, testbed_image: Image
) -> None:
    """Podman's own words, and no talk of images: that one is there."""
    container = HostContainer(private_host, testbed_image("base"), "box").in_mode("container:nobody")
    with pytest.raises(EngineError, match='no container with name or ID "nobody" found'):
        container.with_command(IDLE).start()


def test_a_subnet_in_use_is_refused(private_host: PrivateHost) -> None:
    """A second network on the same subnet is refused, with its name, its subnet and Podman's reason."""
    private_host.engine.create_network("one", subnet="10.89.5.0/24", gateway="10.89.5.1")
    with pytest.raises(EngineError) as caught:
        private_host.engine.create_network("other", subnet="10.89.5.0/24", gateway="10.89.5.1")
    assert str(caught.value) == (
        "network 'other' (10.89.5.0/24) was not created: "
        "subnet 10.89.5.0/24 is already used on the host or by another config"
    )


def test_a_network_is_listed_with_its_gateway(private_host: PrivateHost) -> None:
    """A network that was created is among the host's, with its gateway, beside the default one."""
    private_host.engine.create_network("one", subnet="10.89.5.0/24", gateway="10.89.5.1")
    found = {network.name: [str(gateway) for gateway in network.gateways] for network in private_host.engine.networks()}
    assert found == {"podman": ["10.88.0.1"], "one": ["10.89.5.1"]}


def test_a_container_that_ended_at_once_shows_its_log(private_host: PrivateHost, testbed_image: Image) -> None:
    """Asking for the process of a container that ended says so, with the end of its log."""
    container = HostContainer(private_host, testbed_image("base"), "hasty").with_command(
        ["sh", "-c", "echo no such setting: colour >&2; exit 3"]
    )
    container.start()
    wait_for(lambda: status(container) == "exited", "the container to end", state=lambda: status(container))
    with pytest.raises(EngineError) as caught:
        _ = container.pid
    assert str(caught.value) == "container 'hasty' does not run (exited): no such setting: colour"


def status(container: HostContainer) -> str:
    """What Podman says of a container now."""
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    return str(wrapped.status)


@pytest.fixture
def dead_service(private_host: PrivateHost) -> Iterator[PrivateHost]:
    """A host whose Podman service was killed after it had answered."""
    private_host.engine.ready()
    (service,) = [pid for pid, words in processes(private_host).items() if "system service" in words]
    private_host.run(["kill", "-KILL", str(service)])
    wait_for(lambda: service not in processes(private_host), "the service to end")
    yield private_host
    gc.collect()  # podman-py and docker-py leave a refused socket open: the warning is this test's, not the next one's


def processes(host: PrivateHost) -> dict[int, str]:
    """The command lines of a host's processes, by pid; one that has ended has none."""
    found = {}
    for folder in host.path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
            except OSError:
                continue  # it has ended
            if words:
                found[int(folder.name)] = words
    return found


@pytest.mark.filterwarnings("ignore:unclosed <.*ocket:ResourceWarning")
@pytest.mark.parametrize(
    "use",
    [
        lambda host: host.engine.networks(),
        lambda host: host.engine.create_network("one", subnet="10.89.5.0/24", gateway="10.89.5.1"),
        lambda host: HostContainer(host, "localhost/no/such:1", "app").start(),
    ],
    ids=["networks", "create_network", "container"],
)
def test_a_dead_service_is_named(dead_service: PrivateHost, use: Callable[[PrivateHost], object]) -> None:
    """Whatever is asked of a Podman whose service ended is an error that says it does not answer, and where it was."""
    with pytest.raises(EngineError, match="does not answer") as caught:
        use(dead_service)
    assert dead_service.engine.url in str(caught.value)


def test_an_engine_of_a_closed_host_is_gone(private_host: PrivateHost) -> None:
    """A host that was closed has no engine to ask any more, and says so at once."""
    engine = private_host.engine
    private_host.close()
    with pytest.raises(EngineError) as caught:
        engine.networks()
    assert str(caught.value) == f"Podman at {engine.url} is gone: its host was closed"
