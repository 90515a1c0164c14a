"""The rows that Podman, netavark, aardvark-dns and the rootless helpers add to a picture, and take away. Pure."""
