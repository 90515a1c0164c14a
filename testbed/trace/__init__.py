"""Following one real request through the namespaces of some hosts, packet by packet, and back."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
