"""Bringing a picture of an older version to the present one, before it is turned into values. Pure.

A picture is what somebody kept of a failure that is over, so that it goes on being read as long as nothing has to be
guessed for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from testbed.errors import UsageError


def _from_1(picture: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew hosts by their names, which are their keys then, where no two are called the same.

    What is not of version 1's shape is left as it is: whoever reads the result says where it is wrong.

    :raises UsageError: two hosts have one name, so that nobody can say which of them a container is on
    """
    hosts = picture.get("hosts")
    if not isinstance(hosts, list):
        return {**picture, "version": 2}
    names = Counter(name for host in hosts if isinstance(name := _name(host), str))
    twice = sorted(name for name, times in names.items() if times > 1)
    if twice:
        raise UsageError(
            f"it is of version 1, which tells hosts apart by their names, and {names[twice[0]]} hosts in it are called "
            f"{twice[0]!r}: take the picture anew with 'testbed evidence'"
        )
    return {**picture, "version": 2, "hosts": [{**h, "key": _name(h)} if isinstance(h, dict) else h for h in hosts]}


def _name(host: Any) -> Any:
    return host.get("name", "") if isinstance(host, dict) else None


def _from_2(picture: dict[str, Any]) -> dict[str, Any]:
    """Version 3 adds keys, and each has a value that means what version 2 did without it."""
    return {**picture, "version": 3}


#: What brings a picture of a version to the next one.
TO_NEXT: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = MappingProxyType({1: _from_1, 2: _from_2})
