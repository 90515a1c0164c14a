"""testcontainers' client for Podman's API, with what it would ask before each container left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import docker.errors
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import create_labels

if TYPE_CHECKING:
    from docker.models.containers import Container


class Client(DockerClient):
    """Creates containers of images that are there, where it is told to.

    testcontainers asks whether the image is there first, which costs Podman as much as the answer to the real question,
    and looks for the network of the machine that it runs on, which is none of a host's.
    """

    def create(self, image: str, *args: Any, **options: Any) -> Container:
        """Create a container without starting it; an image that is missing is pulled, where the host has a way out.

        :param options: those of docker-py's ``containers.create``
        :raises docker.errors.DockerException: Podman refused
        """
        options["labels"] = create_labels(image, options.get("labels"))
        try:
            return self.client.containers.create(image, *args, **options)
        except docker.errors.ImageNotFound:
            self.client.images.pull(image)
            return self.client.containers.create(image, *args, **options)
