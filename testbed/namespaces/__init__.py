"""The only place that enters or makes a Linux namespace."""

from testbed.namespaces.init import Init
from testbed.namespaces.network import NetworkNamespace
from testbed.namespaces.user import become_root, is_root

__all__ = ["Init", "NetworkNamespace", "become_root", "is_root"]
