"""Hosts: machines as far as networking goes, each with a Podman of its own."""
