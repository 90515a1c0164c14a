"""Where an ordinary user's Podman keeps its containers: whose user namespace owns them, and where its bridges are."""

from testbed.namespaces.rootless import owner_namespace, rootless_netns

__all__ = ["owner_namespace", "rootless_netns"]
