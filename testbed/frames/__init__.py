"""Frames as they pass an interface, and the tables that decide where they go: captured, decoded, sent, read."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
