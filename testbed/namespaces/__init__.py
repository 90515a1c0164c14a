"""The only place that enters or makes a Linux namespace."""

from testbed.namespaces.init import Init
from testbed.namespaces.network import NetworkNamespace
from testbed.namespaces.user import become_root, in_initial_namespace, is_root

__all__ = ["Init", "NetworkNamespace", "become_root", "in_initial_namespace", "is_root"]
