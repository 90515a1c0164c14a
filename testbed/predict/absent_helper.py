"""What of Podman's is behind an ending of the kernel's: a helper or a rule that is gone, a copied address. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.evidence import Container, Evidence, HostFacts, Namespace, Published
from testbed.evidence.programs import PASTA, ROOTLESSPORT, SLIRP
from testbed.predict import pasta
from testbed.predict.ending import NoListener, NoRoute, NotTranslated, PacketEnding
from testbed.predict.rootless import CopiedAddress, ForwarderGone, HelperGone
from testbed.predict.routing import own_addresses

_FIRST_WITH_PASTA = 5


def named(evidence: Evidence, ending: PacketEnding) -> PacketEnding:
    """Return the ending with what of Podman's is behind it; as it is where nothing is."""
    if isinstance(ending, NoRoute):
        program = _gone(evidence, ending.namespace)
        if program:
            return HelperGone(ending.trail, ending.routed, program, errno=ending.errno, there=ending.there)
    if isinstance(ending, NoListener):
        return _copied(evidence, ending) or _unforwarded(evidence, ending) or ending
    return ending


def _gone(evidence: Evidence, here: Namespace) -> str:
    """The program whose interface a namespace must have had, and has no more; empty where it is not so."""
    if any(link.kind == "tun" for link in here.links):
        return ""
    for container in evidence.containers:
        if container.namespace == here.key and (program := _of_mode(container.mode)):
            return program
    for host in evidence.hosts:
        if host.rootless_namespace == here.key:
            return _of_version(host.podman)
    return ""


def _of_mode(mode: str) -> str:
    """The program of a network mode, which may have options behind a colon (podman-run(1), --network)."""
    word = mode.partition(":")[0]
    return word if word in (PASTA, SLIRP) else ""


def _of_version(version: str) -> str:
    """The program of rootless bridges, by Podman's version (its release notes, 5.0.0)."""
    major = version.partition(".")[0]
    if not major.isdecimal():
        return ""
    return PASTA if int(major) >= _FIRST_WITH_PASTA else SLIRP


def _copied(evidence: Evidence, ending: NoListener) -> CopiedAddress | None:
    """The address is the copy that pasta has given to the namespace where the packet ended."""
    here, address = ending.namespace, ending.destination
    link = pasta.held_link(here)
    if link is None or address not in own_addresses(here, address.version, link.index):
        return None
    for host in _hosts_behind(evidence, here):
        there = evidence.namespaces.get(host.namespace)
        if there is not None and address in own_addresses(there, address.version):
            return CopiedAddress(ending.trail, there, errno=ending.errno, there=ending.there)
    return None


def _hosts_behind(evidence: Evidence, here: Namespace) -> Iterator[HostFacts]:
    """The hosts whose user has a namespace other than the host's own."""
    keys = {container.host for container in evidence.containers if container.namespace == here.key}
    for host in evidence.hosts:
        if host.namespace != here.key and (host.rootless_namespace == here.key or host.key in keys):
            yield host


def _unforwarded(evidence: Evidence, ending: NoListener) -> ForwarderGone | NotTranslated | None:
    """A running container publishes the port, and no socket at all is on it, nor was the packet translated."""
    here, packet = ending.namespace, ending.packet
    port, protocol = packet.destination_port, packet.protocol
    if any(entry.port == port and entry.protocol == protocol for entry in here.listeners):
        return None
    for host in evidence.hosts:
        if host.namespace != here.key:
            continue
        for container, published in _publishing(evidence, host):
            if (published.host_port, published.protocol) != (port, protocol) or not _is_for(published, ending):
                continue
            errno, there = ending.errno, ending.there
            if host.rootless:
                who = _forwarder(evidence, container)
                return ForwarderGone(ending.trail, who, container, published, errno=errno, there=there)
            if _is_translated_for(container, ending):
                return NotTranslated(ending.trail, container, published, errno=errno, there=there)
    return None


def _publishing(evidence: Evidence, host: HostFacts) -> Iterator[tuple[Container, Published]]:
    """The running containers of a host that have a network of their own, with the ports that they publish."""
    for container in evidence.containers:
        if container.host == host.key and container.namespace not in (None, host.namespace):
            yield from ((container, published) for published in container.published)


def _is_for(published: Published, ending: NoListener) -> bool:
    return published.host_address in ("", str(ending.destination))


def _is_translated_for(container: Container, ending: NoListener) -> bool:
    """Netavark translates to an address of the same family, and the kernel nothing that is for ::1."""
    to = ending.destination
    own = {address.version for attachment in container.attachments for address in attachment.addresses}
    return to.version in own and not (to.version == 6 and to.is_loopback)


def _forwarder(evidence: Evidence, container: Container) -> str:
    """The program that listened for a container's ports.

    pasta for those on its own network; slirp4netns where it is gone with the interface that it held, as its own port
    handler goes with it; else rootlessport, which lives on without slirp4netns.
    """
    program = _of_mode(container.mode)
    if program == PASTA:
        return PASTA
    there = evidence.namespaces.get(container.namespace or "")
    return SLIRP if program == SLIRP and there is not None and _gone(evidence, there) else ROOTLESSPORT
