"""The trust store of a place: the certificates by which the programs there verify a server's.

It is that of the system, as OpenSSL, Go, GnuTLS and what is built on these read it. Java, Node.js and Python's certifi
bring lists of their own, and a program may be told another one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from testbed.errors import UsageError
from testbed.evidence import Place
from testbed.probe.trust import Trust
from testbed.readers.files import names_inside, read_inside
from testbed.readers.take import Source

#: Where distributions keep the list, and the folder of single ones (Go's crypto/x509/root_linux.go): Debian and Alpine,
#: Fedora and RHEL, openSUSE, OpenELEC, CentOS, Alpine.
FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
FOLDERS: Final = ("/etc/ssl/certs", "/etc/pki/tls/certs")
#: Instead of the file, and of the folder: several, between colons (SSL_CTX_set_default_verify_paths(3)).
_FILE: Final = "SSL_CERT_FILE"
_FOLDERS: Final = "SSL_CERT_DIR"
#: Of one folder.
MOST: Final = 2_000
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def trust_of(source: Source, place: Place) -> Trust:
    """The store of a place: the files of its main process, and the variables of that process.

    A client on the machine itself is taken to have this process's own variables, as one started beside it has.

    :param source: its host's
    """
    container = place.container
    if container is None:
        return _read(source.root, os.environ if source.root == Path("/") else {}, place.name)
    process = source.proc / str(container.pid)
    return _read(process / "root", _environment(source.proc, container.pid), place.name)


def trust_in(file: Path) -> Trust:
    """The certificates of a file, as ``curl --cacert`` takes one.

    :raises UsageError: it cannot be read, or has none
    """
    try:
        found = tuple(_certificates(file.read_text(errors="replace")))
    except OSError as exc:
        raise UsageError(f"--cacert {file} cannot be read: {exc.strerror}") from exc
    if not found:
        raise UsageError(f"--cacert {file} has no certificate in it: it takes PEM, which begins -----BEGIN CERTIFICATE")
    return Trust(str(file), found)


def _read(root: Path, variables: Mapping[str, str], name: str) -> Trust:
    files = (variables[_FILE],) if variables.get(_FILE) else FILES
    folders = tuple(variables[_FOLDERS].split(":")) if variables.get(_FOLDERS) else FOLDERS
    found: dict[str, None] = {}
    where = []
    for file in files:
        with suppress(OSError):
            found |= dict.fromkeys(_certificates(read_inside(root, file)))
            where.append(f"{file} (set by {_FILE})" if variables.get(_FILE) else file)
            break
    for folder in folders:
        single = dict.fromkeys(_in_folder(root, folder))
        if single.keys() - found.keys():
            found |= single
            where.append(f"{folder} (set by {_FOLDERS})" if variables.get(_FOLDERS) else folder)
    if not found:
        looked = ", ".join((*files[:1], *folders[:1])) if variables else f"{FILES[0]} and the like"
        return Trust(f"the trust store of {name}, which has no certificates ({looked})")
    return Trust(f"the trust store of {name}, {' and '.join(where)}", tuple(found))


def _in_folder(root: Path, folder: str) -> Iterator[str]:
    """The certificates of each file of a folder: OpenSSL finds them there by a hash in their names, Go reads all."""
    names: Iterable[str] = ()
    with suppress(OSError):
        names = names_inside(root, folder)[:MOST]
    for name in names:
        with suppress(OSError):
            yield from _certificates(read_inside(root, f"{folder}/{name}"))


def _certificates(text: str) -> Iterator[str]:
    yield from _PEM.findall(text)


def _environment(proc: Path, pid: int) -> dict[str, str]:
    with suppress(OSError):
        pairs = (entry.partition("=") for entry in read_inside(proc, f"{pid}/environ").split("\0"))
        return {name: value for name, _, value in pairs if name in (_FILE, _FOLDERS)}
    return {}
