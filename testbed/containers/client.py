"""testcontainers' client for Podman's API, with what it would ask before each container left out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import docker.errors
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import create_labels

if TYPE_CHECKING:
    from docker.models.containers import Container

NO_NETWORKS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({})


class Client(DockerClient):
    """Creates containers of images that are there, where it is told to.

    testcontainers asks whether the image is there first, which costs Podman as much as the answer to the real question,
    and looks for the network of the machine that it runs on, which is none of a host's.
    """

    #: False while containers are only to be created.
    starts = True

    def create(
        self, image: str, *args: Any, further_networks: Mapping[str, Mapping[str, str]] = NO_NETWORKS, **options: Any
    ) -> Container:
        """Create a container without starting it; an image that is missing is pulled, where the host has a way out.

        :param further_networks: those beside the first, to docker-py's options of ``connect_container_to_network``;
            Podman numbers interfaces in the order of attachment, and at random where several are given at once
            (libpod/runtime_ctr.go goes through a map)
        :param options: those of docker-py's ``containers.create``
        :raises docker.errors.DockerException: Podman refused
        """
        options["labels"] = create_labels(image, options.get("labels"))
        try:
            container = self.client.containers.create(image, *args, **options)
        except docker.errors.ImageNotFound:
            self.client.images.pull(image)
            container = self.client.containers.create(image, *args, **options)
        for network, endpoint in further_networks.items():
            self.client.api.connect_container_to_network(container.id, network, **endpoint)
        return container

    def start(self, container: Container) -> None:
        """Start a created container, unless it is only to be created."""
        if self.starts:
            super().start(container)
