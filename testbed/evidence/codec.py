"""A picture as JSON and back. What comes back equals what went out.

Apart from the values, so that whoever only needs those does not wait for pydantic.
"""

from __future__ import annotations

import functools
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator
from pydantic_core import from_json as parsed
from pydantic_core import to_json as printed

from testbed.errors import UsageError
from testbed.evidence.older import TO_NEXT
from testbed.evidence.picture import VERSION, Evidence

#: A host with a hundred containers makes about two megabytes.
LONGEST: Final = 64 << 20
_LONGEST_WORD: Final = 80
#: Above that, telling them one from another takes longer than it is worth.
_MOST_ERRORS: Final = 1000


@dataclass(frozen=True, slots=True)
class _Head:
    """What is looked at first: the rest of another version need not have the shape of this one."""

    version: int


def to_json(evidence: Evidence) -> str:
    """A picture as one JSON object."""
    return _adapter().dump_json(evidence, indent=1).decode()


def from_json(text: bytes | str) -> Evidence:
    """The picture that a JSON object holds, of this version or an older one.

    :raises UsageError: it is too long, no JSON, of a version that is not known or cannot be brought to this one, or not
        of a picture's shape
    """
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(data) > LONGEST:
        raise UsageError(f"an evidence file has at most {LONGEST >> 20} MiB, and this one has {len(data) / 2**20:.1f}")
    try:
        version = TypeAdapter(_Head).validate_json(data, strict=True).version
        if version not in (*TO_NEXT, VERSION):
            raise UsageError(
                f"the evidence file is of version {version}, and this testbed reads {min(TO_NEXT)} to {VERSION}"
            )
        evidence: Evidence = _validator().validate_json(_brought(data, version))
    except ValidationError as exc:
        raise UsageError(f"this is no evidence file: {_first(exc)}") from exc
    _check_hosts(evidence)
    return evidence


def _brought(data: bytes, version: int) -> bytes:
    """The JSON of a picture of an older version as one of this version."""
    if version == VERSION:
        return data
    picture = parsed(data)
    for step in range(version, VERSION):
        picture = TO_NEXT[step](picture)
    return printed(picture)


def _check_hosts(evidence: Evidence) -> None:
    """Check that hosts can be told apart, and that containers and networks are on hosts of the picture.

    :raises UsageError: not so
    """
    keys: set[str] = set()
    for host in evidence.hosts:
        if host.key in keys:
            raise UsageError(f"this is no evidence file: two of its hosts have the key '{_one_line(host.key)}'")
        keys.add(host.key)
    for kind, rows in (("container", evidence.containers), ("network", evidence.networks)):
        for row in rows:
            if row.host not in keys:
                name, where = _one_line(row.name), _one_line(row.host)
                raise UsageError(f"this is no evidence file: the {kind} '{name}' is on a host '{where}' not in it")


def read(path: Path) -> Evidence:
    """The picture in a file.

    :raises UsageError: it cannot be read, or as :func:`from_json` says
    """
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST + 1)
    except OSError as exc:
        raise UsageError(f"{str(path)!r} cannot be read: {exc.strerror}") from exc
    try:
        return from_json(text)
    except UsageError as exc:
        raise UsageError(f"{str(path)!r}: {exc}") from exc


def write(path: Path, evidence: Evidence) -> None:
    """Put a picture into a file, readable for its owner only. There is the whole of it, or what was there before.

    :raises UsageError: it cannot be written
    """
    text = to_json(evidence)
    part = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            part = file.name
            file.write(text)
            file.write("\n")
        Path(part).replace(path)
    except BaseException as exc:
        if part:
            with suppress(OSError):
                Path(part).unlink()
        if isinstance(exc, OSError):
            raise UsageError(f"{str(path)!r} cannot be written: {os.strerror(exc.errno or 0)}") from exc
        raise


@functools.cache
def _adapter() -> TypeAdapter[Evidence]:
    return TypeAdapter(Evidence)


@functools.cache
def _validator() -> SchemaValidator:
    return SchemaValidator(_failing_fast(_adapter().core_schema))


def _failing_fast(schema: Any) -> Any:
    """The schema with lists that stop at their first wrong member: a file of millions would fill memory with errors."""
    if isinstance(schema, dict):
        changed = {key: _failing_fast(value) for key, value in schema.items()}
        return {**changed, "fail_fast": True} if schema.get("type") == "tuple" else changed
    if isinstance(schema, list):
        return [_failing_fast(value) for value in schema]
    return schema


def _first(exc: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    if exc.error_count() > _MOST_ERRORS:
        return f"{exc.error_count()} things in it are wrong"
    error = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(_one_line(str(part)) for part in error["loc"])
    return f"{where}: {_one_line(error['msg'])}" if where else _one_line(error["msg"])


def _one_line(text: str) -> str:
    """Foreign words, cut where they are long, with everything but printable characters escaped."""
    cut = text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in cut)
