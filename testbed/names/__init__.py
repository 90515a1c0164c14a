"""Names: hosts files, resolv.conf, asking a resolver, and (in :mod:`testbed.names.server`) being one."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
