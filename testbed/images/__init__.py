"""Container images: what they are made from, where they are kept, and making them once."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
