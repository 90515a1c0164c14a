"""testbed: why a container cannot connect."""
