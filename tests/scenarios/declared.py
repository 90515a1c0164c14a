"""What a topology, a compose file and Podman itself say of containers and networks, as the same values. Pure.

Each reader raises where it finds something that a topology has no word for: nothing is passed over in silence.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_interface
from typing import Any, Final

from testbed.topology import AttachmentSpec, ContainerSpec, NetworkSpec, Publish, Topology

#: What makes a container sealed; a sealed one has all of it, any other has none.
_SEAL: Final = {"read-only", "/tmp in memory", "no capability", "no new privileges"}
#: Podman's own network, which nobody makes.
_DEFAULT: Final = "podman"
_SECRETS: Final = "/run/secrets/"
#: The key files of sshd: they come with its class, and a topology has no word for them.
_KEYS: Final = "/etc/ssh/testbed/"
_EVERYWHERE: Final = "0.0.0.0"
_IMAGE: Final = re.compile(r"\$\{TESTBED_IMAGE_([A-Z]+):\?[^}]*\}")
#: What Podman puts into every container's environment (podman-run(1), "Environment").
_PODMANS: Final = frozenset({"PATH", "HOME", "HOSTNAME", "TERM", "container"})
#: Keys of a service that say nothing of what is compared.
_HOW: Final = frozenset({"pull_policy"})


def of_topology(topology: Topology) -> dict[str, ContainerSpec]:
    """A topology's containers, with those fields sorted that nobody else has in its order."""
    return {spec.name: _sorted(spec) for spec in topology.containers}


def _sorted(spec: ContainerSpec) -> ContainerSpec:
    by_name = sorted(spec.networks, key=lambda attachment: attachment.network)
    return replace(spec, secrets=tuple(sorted(spec.secrets)), networks=tuple(by_name))


def difference(said: Mapping[str, ContainerSpec], found: Mapping[str, ContainerSpec]) -> list[str]:
    """One line for each value that is not what it is said to be, and for each container that only one side has."""
    lines = [f"{name}: missing" for name in said if name not in found]
    lines += [f"{name}: is too many" for name in found if name not in said]
    for name in said:
        if name in found:
            wanted, there = _rows(said[name]), _rows(found[name])
            for field in dict.fromkeys([*wanted, *there]):
                if wanted.get(field) != there.get(field):
                    lines.append(f"{name}.{field}: {wanted.get(field)!r} in the topology, {there.get(field)!r} here")
    return lines


def _rows(spec: ContainerSpec) -> dict[str, object]:
    """Every value of a specification by where it stands: those of an attachment each by its network."""
    rows = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec) if field.name != "networks"}
    for attachment in spec.networks:
        for field in dataclasses.fields(attachment):
            rows[f"networks.{attachment.network}.{field.name}"] = getattr(attachment, field.name)
    return rows


# A compose file


def of_compose(file: Mapping[str, Any], host: str | None = None) -> dict[str, ContainerSpec]:
    """The services of a compose file.

    :param host: whose they are; by default a service's one profile names it
    """
    return {name: _service(name, service, file, host) for name, service in file["services"].items()}


def _service(name: str, service: Mapping[str, Any], file: Mapping[str, Any], host: str | None) -> ContainerSpec:
    rest = {key: value for key, value in service.items() if key not in _HOW}
    image = _IMAGE.fullmatch(rest.pop("image"))
    assert image, f"{name}: the image is not one of TESTBED_IMAGE_..."
    profiles = rest.pop("profiles", [host])
    assert len(profiles) == 1, f"{name} is in {len(profiles)} profiles: its host is one"
    networks = rest.pop("networks", {})
    mac = rest.pop("mac_address", None)
    assert mac is None or len(networks) == 1, f"{name}: mac_address is of which of {', '.join(networks)}?"
    mode = rest.pop("network_mode", None)
    # A name of its own goes with a namespace of its own (podman-run(1), --hostname).
    hostname = None if mode and mode != "none" else name
    assert (rest.pop("container_name"), rest.pop("hostname", None)) == (name, hostname), f"{name} has another name"
    found = ContainerSpec(
        profiles[0],
        name,
        image[1].lower(),
        networks=tuple(
            _attachment(name, file["networks"][key]["name"], dict(options or {}), mac)
            for key, options in networks.items()
        ),
        mode=mode and mode.replace("service:", "container:"),
        publish=tuple(map(_port, rest.pop("ports", []))),
        command=tuple(rest.pop("command", [])),
        names=_pairs(rest.pop("extra_hosts", [])),
        environment=rest.pop("environment", {}),
        secrets=tuple(sorted(_secrets(rest.pop("secrets", [])))),
        sealed=_sealed(
            name,
            [
                *(["read-only"] if rest.pop("read_only", False) else []),
                *(["/tmp in memory"] if rest.pop("tmpfs", []) == ["/tmp"] else []),
                *(["no capability"] if rest.pop("cap_drop", []) == ["all"] else []),
                *(["no new privileges"] if rest.pop("security_opt", []) == ["no-new-privileges"] else []),
            ],
        ),
        volumes={file["volumes"][volume]["name"]: at for volume, at in _pairs(rest.pop("volumes", [])).items()},
    )
    assert not rest, f"{name} has what no topology says: {rest}"
    return _sorted(found)


def _attachment(name: str, network: str, options: dict[str, str], mac: str | None) -> AttachmentSpec:
    found = AttachmentSpec(network, options.pop("ipv4_address", None), options.pop("ipv6_address", None), mac)
    assert not options, f"{name}: its network has what no topology says: {options}"
    return found


def _port(short: str) -> Publish:
    """The short syntax: ``[HOST:]PORT:CONTAINER``."""
    *address, host_port, port = short.split(":")
    return Publish(int(port), address[0] if address else _EVERYWHERE, int(host_port))


def _pairs(short: Sequence[str]) -> dict[str, str]:
    return {left: right for left, _, right in (line.partition(":") for line in short)}


def _secrets(mounted: Sequence[str | Mapping[str, str]]) -> Iterable[str]:
    for secret in mounted:
        if isinstance(secret, str):
            yield secret
        else:
            assert secret["target"].startswith(_KEYS), f"{secret['target']} is neither a secret nor a key of sshd's"


def networks_of_compose(file: Mapping[str, Any], host: str) -> set[NetworkSpec]:
    """The networks that a compose file makes, on the one host that has any."""
    found = set()
    for network in file["networks"].values():
        if network.get("external"):
            assert network["name"] == _DEFAULT, f"{network['name']} is nobody's to make"
            continue
        (subnet,) = network["ipam"]["config"]
        found.add(
            NetworkSpec(host, network["name"], subnet["subnet"], subnet["gateway"], network.get("internal", False))
        )
    return found


# Podman


def of_podman(
    host: str,
    containers: Sequence[Mapping[str, Any]],
    images: Mapping[str, Mapping[str, Any]],
    roles: Mapping[str, str],
) -> dict[str, ContainerSpec]:
    """What ``podman container inspect`` says of a host's containers.

    :param images: what ``podman image inspect`` says, by tag
    :param roles: the role of each tag
    """
    names = {container["Id"]: container["Name"] for container in containers}
    return {
        container["Name"]: _container(host, container, images[container["ImageName"]]["Config"], names, roles)
        for container in containers
    }


def _container(
    host: str,
    container: Mapping[str, Any],
    image: Mapping[str, Any],
    names: Mapping[str, str],
    roles: Mapping[str, str],
) -> ContainerSpec:
    name, config, how = container["Name"], container["Config"], container["HostConfig"]
    mode = _mode(how["NetworkMode"], names)
    ends = {} if mode else container["NetworkSettings"]["Networks"]
    found = ContainerSpec(
        host,
        name,
        roles[container["ImageName"]],
        networks=tuple(
            AttachmentSpec(network, end["IPAddress"], end["GlobalIPv6Address"] or None, end["MacAddress"])
            for network, end in ends.items()
        ),
        mode=mode,
        publish=tuple(_published(how["PortBindings"] or {})),
        command=() if (config["Cmd"] or []) == (image.get("Cmd") or []) else tuple(config["Cmd"]),
        names=_pairs(how["ExtraHosts"] or []),
        environment=dict(
            line.split("=", 1)
            for line in config["Env"]
            if line.partition("=")[0] not in _PODMANS and line not in image.get("Env", [])
        ),
        secrets=tuple(sorted(_mounted(name, container["Mounts"]))),
        sealed=_sealed(
            name,
            [
                *(["read-only"] if how["ReadonlyRootfs"] else []),
                *(
                    ["/tmp in memory"] if "/tmp" in how["Tmpfs"] else []
                ),  # /run and /var/tmp too (podman-run(1), --read-only-tmpfs)
                *(["no capability"] if not container["BoundingCaps"] else []),
                *(["no new privileges"] if "no-new-privileges" in how["SecurityOpt"] else []),
            ],
        ),
        volumes={mount["Name"]: mount["Destination"] for mount in container["Mounts"] if mount["Type"] == "volume"},
        add_capabilities=_capabilities(how["CapAdd"]),
        drop_capabilities=_capabilities(how["CapDrop"]) if container["BoundingCaps"] else (),  # else it is sealed
        restart=how["RestartPolicy"]["Name"] or "no",
    )
    return _sorted(found)


def _capabilities(names: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(name.removeprefix("CAP_") for name in names or ())


def _mode(mode: str, names: Mapping[str, str]) -> str | None:
    """A mode by the name of the container that it shares with, None for a bridge network."""
    kind, _, whose = mode.partition(":")
    return f"{kind}:{names[whose]}" if whose else None if kind == "bridge" else kind


def _published(bindings: Mapping[str, Sequence[Mapping[str, str]] | None]) -> Iterable[Publish]:
    for port, wheres in bindings.items():
        number, protocol = port.split("/")
        assert protocol == "tcp", f"{port} is published, and topologies know TCP only"
        for where in wheres or []:  # a port that the image exposes and nobody published
            yield Publish(int(number), where["HostIp"] or _EVERYWHERE, int(where["HostPort"]))


def _mounted(name: str, mounts: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for mount in mounts:
        at = mount["Destination"]
        if mount["Type"] == "volume":
            continue
        assert not mount["RW"], f"{name} may write {at}"
        if not at.startswith(_KEYS):
            assert at.startswith(_SECRETS), f"{name} has {mount['Source']} at {at}, which no topology says"
            yield at.removeprefix(_SECRETS)


def _sealed(name: str, found: Sequence[str]) -> bool:
    assert not found or set(found) == _SEAL, f"{name} is half sealed: {', '.join(found)}"
    return bool(found)


def networks_of_podman(host: str, networks: Sequence[Mapping[str, Any]]) -> set[NetworkSpec]:
    """What ``podman network inspect`` says of a host's networks but the default one."""
    found = set()
    for network in networks:
        if network["name"] != _DEFAULT:
            (subnet,) = network["subnets"]
            found.add(
                NetworkSpec(
                    host,
                    network["name"],
                    str(ip_interface(subnet["subnet"]).network),
                    subnet["gateway"],
                    network["internal"],
                )
            )
    return found


def like(said: Mapping[str, ContainerSpec], found: Mapping[str, ContainerSpec]) -> dict[str, ContainerSpec]:
    """What was found, without the addresses that Podman chose because nobody said them."""
    return {
        name: replace(
            spec,
            networks=tuple(_without_chosen(one, said.get(name)) for one in spec.networks),
        )
        for name, spec in found.items()
    }


def _without_chosen(found: AttachmentSpec, said: ContainerSpec | None) -> AttachmentSpec:
    there = [one for one in said.networks if one.network == found.network] if said else []
    if not there:
        return found
    return replace(
        found,
        address=found.address if there[0].address else None,
        ipv6_address=found.ipv6_address if there[0].ipv6_address else None,
        mac=found.mac if there[0].mac else None,
    )
