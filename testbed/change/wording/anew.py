"""The commands that make a container anew with other options of podman-run(1). Pure.

No picture has a container's command line, which may hold passwords. Podman keeps it (podman-container-inspect(1),
CreateCommand), one argument a line here, and the shell runs it again, changed by sed(1). It is empty for a container
that was made through Podman's API, as by docker-compose: then nothing is removed. Its first argument is the program's
path, which may be that of another version, or be behind a script that is called podman: podman(1) takes its place.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from testbed.evidence import Container, Published
from testbed.model import bracketed

_READ = "podman container inspect --format '{{{{range .Config.CreateCommand}}}}{{{{println .}}}}{{{{end}}}}' {}"


def made_anew(container: Container, *, without: Iterable[str] = (), options: Iterable[str] = ()) -> str:
    """The command that removes a container and makes it again.

    :param without: what sed(1) does to its options before
    :param options: those that are added, such as ``--publish=8080:80``
    """
    added = "".join(rf"\n{_as_replacement(one)}" for one in options)
    edits = [*without, *([rf"0,/^\(run\|create\)$/s//&{added}/"] if added else [])]
    edited = "".join(f" -e {shlex.quote(one)}" for one in edits)
    read = _READ.format(container.name)
    again = f"{read} | sed{edited}" if edited else read
    return (
        f"( IFS='\n'; set -f; set -- $({again}); "
        f'[ $# -gt 0 ] && podman rm --force {container.name} && shift && podman "$@" && podman start {container.name} )'
    )


def dropped(*names: str) -> tuple[str, ...]:
    """Commands for sed(1) that remove options: their values are in the same argument, or the next one."""
    either = r"\|".join(names)
    return (rf"/^--\({either}\)=/d", rf"/^--\({either}\)$/,+1d")


def unpublished(published: Published) -> tuple[str, ...]:
    """Commands for sed(1) that remove one published port, in any of the ways in which it may be written."""
    protocol = rf"\(/{published.protocol}\)\{{0,1\}}" if published.protocol == "tcp" else f"/{published.protocol}"
    bare = f"{published.host_port}:{published.container_port}"
    text = (
        f"{bracketed(published.host_address)}:{bare}" if published.host_address else rf"\(0\.0\.0\.0:\)\{{0,1\}}{bare}"
    )
    pattern = f"{_as_pattern(text) if published.host_address else text}{protocol}".replace("/", r"\/")
    return (
        rf"/^\(-p\|--publish\)$/{{N;/^[^\n]*\n{pattern}$/d}}",
        rf"/^\(-p\|--publish=\){pattern}$/d",
    )


def publishing(published: Published) -> str:
    """The option that publishes a port."""
    where = f"{bracketed(published.host_address)}:" if published.host_address else ""
    protocol = "" if published.protocol == "tcp" else f"/{published.protocol}"
    return f"--publish={where}{published.host_port}:{published.container_port}{protocol}"


def _as_replacement(text: str) -> str:
    return re.sub(r"([\\/&])", r"\\\1", text)


def _as_pattern(text: str) -> str:
    return re.sub(r"([\\.*^$\[\]])", r"\\\1", text)
