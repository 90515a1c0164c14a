"""The places that an error text names: what can be a host and a port, and which URLs count.

A text has much that looks like host and port: source files with their lines (``Foo.java:42``), times (``12:30:45``),
the other end of a log line. So a place counts only where the grammar of the text makes it one: in a URL, where a known
client puts it (:mod:`~testbed.explain.client_texts.phrase`), or governed by a word of connecting.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from testbed.errors import UsageError
from testbed.model import Address, Scheme, Target, bracketed

#: The ports that are meant where a URL has none: IANA's registry, and each client's documentation.
DEFAULT_PORTS: Final = {
    "amqp": 5672,
    "amqps": 5671,
    "clickhouse": 9000,
    "ftp": 21,
    "kafka": 9092,
    "ldap": 389,
    "ldaps": 636,
    "mariadb": 3306,
    "mongodb": 27017,
    "mqtt": 1883,
    "mysql": 3306,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "rabbitmq": 5672,
    "redis": 6379,
    "rediss": 6379,
    "smtp": 25,
    "sqlserver": 1433,
    "ssh": 22,
    "ws": 80,
    "wss": 443,
}
#: Suffixes of source and configuration files that are no top-level domain (IANA, root zone database): a name that ends
#: in one is no host of the DNS, and a number behind it is a line.
_FILES: Final = frozenset(
    {
        "c",
        "cfg",
        "class",
        "clj",
        "cjs",
        "conf",
        "cpp",
        "cs",
        "cshtml",
        "erl",
        "ex",
        "exs",
        "fs",
        "go",
        "groovy",
        "gradle",
        "h",
        "hpp",
        "hs",
        "ini",
        "ipynb",
        "jar",
        "java",
        "js",
        "json",
        "jsx",
        "kt",
        "kts",
        "log",
        "lua",
        "mjs",
        "php",
        "phtml",
        "pyc",
        "pyx",
        "r",
        "rb",
        "sbt",
        "scala",
        "sql",
        "swift",
        "toml",
        "ts",
        "tsx",
        "txt",
        "vb",
        "vue",
        "xml",
        "yaml",
        "yml",
    }
)
#: A name as a resolver takes it (RFC 1123, 2.1, with the underscore that containers' names have), or an address.
HOST: Final = r"\[[0-9a-fA-F:.]{2,45}(?:%\w{1,15})?\]|[A-Za-z0-9_](?:[\w.-]{0,253}\w)?"
_URL: Final = re.compile(r"\b(?:jdbc:)?([a-z][a-z0-9]{1,11}(?:\+[a-z]{2,12})?)://[^\s\"'<>|`]{1,2048}", re.IGNORECASE)
#: Words in front of a URL that is for reading.
_TO_READ: Final = re.compile(
    r"\b(?:see|docs?|documentation|details?|information|guide|help|visit|refer|read|learn|troubleshoot\w{0,10}|manual"
    r"|bug|report|issues?|referr?er|website)\b[^\n]{0,40}$",
    re.IGNORECASE,
)
_MANUALS: Final = ("curl.se", "curl.haxx.se", "nodejs.org", "docs.python.org", "urllib3.readthedocs.io", "go.dev")
#: A host and port after a word that means the other end of a connection.
_TOWARDS: Final = (
    re.compile(r"\|([0-9a-fA-F:.]{2,45})\|:([0-9]{1,5})\b"),
    re.compile(r"/dev/tcp/([^\s/:]{1,255})/([0-9]{1,5})\b"),
    re.compile(rf"\bto ['\"]?({HOST})['\"]? (?:\(\S{{1,64}}\) )?(?:on )?port ([0-9]{{1,5}})\b"),
    re.compile(
        r"\b(?:to|with|reach|contact|dial|dialing|connecting|connect|server|broker|node|endpoint|backend|upstream|host"
        r"|proxy|peer|remote|tcp)[:=]? (?:server |host |tcp |address |broker |at |to )?['\"(]?"
        rf"(?:(?:{HOST})?/)?({HOST})"
        r":([0-9]{1,5})\b(?!:[0-9])",
        re.IGNORECASE,
    ),
)
#: An address with a port right before or after the reason. A name with a dot would be a source file as well.
_BESIDE: Final = (
    re.compile(r"(?<![\w.:/-])(\[[0-9a-fA-F:.]{2,45}\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}):([0-9]{1,5}): "),
    re.compile(
        r"(?:: |\(|\[| )(?:[\w.-]{1,255}/)?(\[[0-9a-fA-F:.]{2,45}\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}):([0-9]{1,5})[)\]]?"
    ),
)


def as_address(text: str) -> Address | None:
    """An address with or without brackets, an IPv4-mapped one (RFC 4291, 2.5.5.2) as IPv4; None for another text."""
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if mapped is None else mapped


def as_port(text: str) -> int | None:
    """A port from 1 to 65535; None for another text."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 1 << 16 else None


def can_be_host(text: str) -> bool:
    """True for an address, and for a name whose last label is no number (RFC 3696, 2) and no file's suffix.

    Times of day, counters and process ids, which stand in front of a colon as well, end in a number.
    """
    stem, _, last = text.rstrip(".").rpartition(".")
    return as_address(text) is not None or (bool(last) and not last.isdigit() and not (stem and last.lower() in _FILES))


def url(text: str) -> Target | None:
    """The target of a URL, of whatever scheme; None where neither it nor its scheme has a port."""
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower().removeprefix("jdbc:").partition("+")[0]
    if scheme not in set(Scheme):
        # Of several servers the first is asked first (MongoDB's and PostgreSQL's connection strings).
        authority = re.split(r"[/?#;,]", rest, maxsplit=1)[0].rpartition("@")[2]
        bare = as_address(authority) is not None or not re.search(r":[0-9]{1,5}$", authority)
        default = DEFAULT_PORTS.get(scheme)
        text = f"tcp://{bracketed(authority.strip('[]'))}:{default}" if bare and default else f"tcp://{authority}"
    try:
        found = Target.parse(text)
    except UsageError:
        return None
    return found if can_be_host(found.host) else None


def tcp(host: str, port: str | int) -> Target | None:
    """The target of a host and port that a text names without a scheme; None where they can be none."""
    bare = host.strip("[]")
    if not can_be_host(bare):
        return None
    try:
        return Target.parse(f"tcp://{bracketed(bare)}:{port}")
    except UsageError:
        return None


def urls(text: str) -> Iterator[Target]:
    """The targets of the URLs in a text, but for those that are there to be read."""
    for match in _URL.finditer(text):
        found = url(match.group().partition("][")[0].rstrip(".,;:)]}*\\"))
        before = text[max(0, match.start() - 80) : match.start()]
        if found is not None and found.host not in _MANUALS and not _TO_READ.search(before):
            yield found


def typed(text: str, found: Target | None = None) -> Target | None:
    """The URL in a text that names the same place as was found in the error, or the only URL; else what was found.

    An error with an address is about the URL with the same port, where that names a host: the address is what the name
    led to.
    """
    fitting = {target for target in urls(text) if _same_place(target, found)}
    return fitting.pop() if len(fitting) == 1 else found


def governed(text: str) -> Target | None:
    """The first place in a text that a word of connecting governs, or that stands beside the reason as an address."""
    for pattern in (*_TOWARDS, *_BESIDE):
        for match in pattern.finditer(text):
            if found := tcp(*match.groups()):
                return found
    return None


def _same_place(target: Target, found: Target | None) -> bool:
    if found is None or target == found:
        return True
    led_to = as_address(found.host) is not None and as_address(target.host) is None
    return target.port == found.port and (target.host == found.host or led_to)
