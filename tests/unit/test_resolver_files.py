"""resolv.conf, nsswitch.conf and gai.conf as values, and the names that a search list makes of one."""

from __future__ import annotations

import pytest

from testbed.resolver_files import DEFAULT_SOURCES, ResolvConf, candidates, gai_rows, host_sources


@pytest.mark.parametrize(
    ("text", "ndots", "rotate"),
    [
        ("", 1, False),
        ("options ndots:5 rotate\n", 5, True),
        ("options ndots:0\n", 0, False),
        ("options ndots:99\n", 15, False),
        ("options ndots:many edns0\n", 1, False),
        ("options ndots:2\noptions rotate\n", 2, True),
    ],
    ids=["none", "both", "never the list first", "fifteen at the most", "no number", "options of several lines add up"],
)
def test_options_are_read_as_resolv_conf_5_says(text: str, ndots: int, rotate: bool) -> None:
    """What decides what is asked for and of whom is read, and the rest passed over."""
    conf = ResolvConf.parse(text)
    assert (conf.ndots, conf.rotate) == (ndots, rotate)


def test_three_servers_count() -> None:
    """No C library asks a fourth (resolv.conf(5), MAXNS)."""
    conf = ResolvConf.parse("".join(f"nameserver 10.0.0.{number}\n" for number in range(1, 6)))
    assert [str(server) for server in conf.nameservers] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("hosts: files dns\n", ("files", "dns")),
        ("passwd: files\nhosts:\tdns files # first\n", ("dns", "files")),
        ("hosts: files mdns4_minimal [NOTFOUND=return] dns\n", ("files", "mdns4_minimal", "[NOTFOUND=return]", "dns")),
        ("hosts: resolve [ !UNAVAIL=return ] files\n", ("resolve", "[ !UNAVAIL=return ]", "files")),
        ("# hosts: dns\n", DEFAULT_SOURCES),
        ("hosts:\n", DEFAULT_SOURCES),
        ("", DEFAULT_SOURCES),
    ],
    ids=["usual", "order", "an action", "an action with spaces", "comment", "no service", "no file"],
)
def test_services_are_read_in_their_order(text: str, sources: tuple[str, ...]) -> None:
    """The services of the hosts line, and the actions between them (nsswitch.conf(5))."""
    assert host_sources(text) == sources


def test_rows_of_gai_conf_are_read_and_nonsense_passed_over() -> None:
    """Labels and precedences are kept, comments and lines without a prefix are not."""
    text = "#precedence ::1/128 50\nprecedence ::ffff:0:0/96 100\nlabel fec0::/10 5\nreload yes\nlabel here 3\n"
    assert [(str(row.table), str(row.prefix), row.value) for row in gai_rows(text)] == [
        ("precedence", "::ffff:0:0/96", 100),
        ("label", "fec0::/10", 5),
    ]


@pytest.mark.parametrize(
    ("name", "ndots", "musl", "asked"),
    [
        ("db", 1, False, ["db.a", "db.b", "db"]),
        ("db", 1, True, ["db.a", "db.b", "db"]),
        ("db", 0, False, ["db", "db.a", "db.b"]),
        ("db", 0, True, ["db"]),
        ("db.lab", 1, False, ["db.lab", "db.lab.a", "db.lab.b"]),
        ("db.lab", 1, True, ["db.lab"]),
        ("db.lab", 2, False, ["db.lab.a", "db.lab.b", "db.lab"]),
        ("db.", 5, False, ["db"]),
        ("db.", 5, True, ["db"]),
    ],
)
def test_search_list_makes_the_names_that_the_c_library_asks_for(
    name: str, ndots: int, musl: bool, asked: list[str]
) -> None:
    """resolv.conf(5): below ndots dots the list comes first; else the name does, and for musl it is the only one."""
    assert list(candidates(name, ("a", "b"), ndots, musl=musl)) == asked
