"""Names: hosts files, resolv.conf, asking a resolver, and (in :mod:`testbed.names.server`) being one."""

from testbed.names.stub import NameFailure, Naming

__all__ = ["NameFailure", "Naming"]
