"""Putting the machine back after a lab that ran with its own Podman: a process, and what it compares and undoes.

A package of its own that imports next to nothing: it is a program, and starts with every local host.
"""
