"""Names: hosts files, resolv.conf, asking a resolver, and being one."""

from testbed.names.server import NameServer
from testbed.names.stub import NameFailure, Naming

__all__ = ["NameFailure", "NameServer", "Naming"]
