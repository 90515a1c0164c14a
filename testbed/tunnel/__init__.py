"""SSH local forwards: what one is, and two ways to make one."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
