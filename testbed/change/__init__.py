"""Changes of a picture, as values: what a repair does to namespaces, rules, networks, names and containers. Pure."""

from testbed.change.change import Change, ImpossibleChangeError, apply, apply_all

__all__ = ["Change", "ImpossibleChangeError", "apply", "apply_all"]
