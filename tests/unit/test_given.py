"""What explain is given: a URL or a text, as words, through a pipe, or in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from testbed.cli.group import group
from testbed.evidence import Attachment, Container, HostFacts, Listener, Names, Network, Process, Protocol, codec
from testbed.evidence.declared import Seat, Stack, picture
from testbed.hosts_file import HostsFile

REFUSED = "Error: connect ECONNREFUSED 10.88.0.11:80"
GATEWAY = ip_address("10.88.0.1")

Explain = Callable[..., Result]


def container(name: str, address: str, network: str = "podman") -> Container:
    """A running container on a network of box."""
    attached = (Attachment(network, (ip_address(address),), (GATEWAY,) if network == "podman" else ()),)
    names = Names(HostsFile.parse(f"{address} {name}\n"))
    return Container(name, name, "box", "running", "bridge", 9, name, attachments=attached, names=names)


@pytest.fixture
def explain(tmp_path: Path) -> Explain:
    """Run ``testbed explain`` on a picture of a host with the containers client and web on podman0, where nobody
    listens, and orders on another network, where a program listens on port 8000.
    """
    seats = {"client": "10.88.0.10/16", "web": "10.88.0.11/16"}
    evidence = picture(
        [
            Stack(
                "box",
                (
                    Seat("podman0", ip_interface("10.88.0.1/16"), True),
                    Seat("podman1", ip_interface("10.89.0.1/24"), True),
                ),
                forwards=True,
            ),
            Stack(
                "orders",
                (Seat("podman1", ip_interface("10.89.0.2/24"), False),),
                ip_address("10.89.0.1"),
                listeners=(Listener(Protocol.TCP, ip_address("0.0.0.0"), 8000, process=Process(7, "orders")),),
            ),
            *(Stack(name, (Seat("podman0", ip_interface(at), False),), GATEWAY) for name, at in seats.items()),
        ],
        [HostFacts("box", "box", "box", Names(HostsFile.parse("127.0.0.1 localhost\n")), podman="4")],
        [
            *(container(name, at.partition("/")[0]) for name, at in seats.items()),
            container("orders", "10.89.0.2", "shop"),
        ],
        [
            Network("podman", "box", "bridge", "podman0", (ip_network("10.88.0.0/16"),), (GATEWAY,)),
            Network(
                "shop",
                "box",
                "bridge",
                "podman1",
                (ip_network("10.89.0.0/24"),),
                (ip_address("10.89.0.1"),),
                dns_enabled=True,
            ),
        ],
    )
    file = tmp_path / "picture.json"
    codec.write(file, evidence)

    def run(*words: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(group, ["explain", "--evidence", str(file), *words], input=stdin)

    return run


def cause(done: Result) -> Any:
    """The code of the cause in what --json printed."""
    return json.loads(done.stdout)["cause"]


def test_a_text_is_read_from_the_words(explain: Explain) -> None:
    """One quoted word is the text."""
    assert cause(explain("--json", "--from", "client", REFUSED)) == "nobody-listens"


@pytest.mark.parametrize("words", [(), ("-",)], ids=["through a pipe", "a dash"])
def test_a_text_is_read_from_standard_input(explain: Explain, words: tuple[str, ...]) -> None:
    """With - and, where standard input is no terminal, without anything the text comes from there."""
    assert cause(explain("--json", "--from", "client", *words, stdin=f"{REFUSED}\n".encode())) == "nobody-listens"


def test_a_url_is_read_from_standard_input(explain: Explain) -> None:
    """A pipe may have a URL as well, with the line end that echo(1) puts behind it."""
    assert cause(explain("--json", "--from", "client", stdin=b"tcp://10.88.0.11:80\n")) == "nobody-listens"


def test_a_text_is_read_from_a_file(explain: Explain, tmp_path: Path) -> None:
    """--file names it, and bytes that are no UTF-8 do not matter."""
    file = tmp_path / "error.log"
    file.write_bytes(b"\xff\xfe noise\n" + REFUSED.encode() + b"\n")
    assert cause(explain("--json", "--from", "client", "--file", str(file))) == "nobody-listens"


@pytest.mark.parametrize("words", [("--from", "client"), ()], ids=["options in front", "no options"])
def test_a_text_may_begin_with_a_dash(explain: Explain, words: tuple[str, ...]) -> None:
    """A shell's own error begins with one, and is no option."""
    done = explain("--json", *words, "-bash: connect to 10.88.0.11:80 failed: Connection refused", "--no-attempt")
    assert cause(done) == "nobody-listens"


def test_a_misspelt_option_is_no_text(explain: Explain) -> None:
    """Without white space a word that begins with a dash is an option, and an unknown one is refused."""
    done = explain("--form", "client", "tcp://10.88.0.11:80")
    assert (done.exit_code, "No such option" in done.stderr) == (3, True)


def test_one_word_may_be_an_error(explain: Explain) -> None:
    """A browser's code has no white space and is no URL: it is read, and asks for the place that it lacks."""
    done = explain("ERR_EMPTY_RESPONSE")
    assert done.stderr == "testbed: the text names no URL and no host:port: give one, with --from NAME URL\n"


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        ((), b"", "standard input is empty: give a URL, or an error text"),
        (("-",), b" \n", "standard input is empty: give a URL, or an error text"),
        (("--file", "/nonexistent"), b"", "/nonexistent cannot be read: No such file or directory"),
        (("--file", "x", "tcp://a:1"), b"", "there are both --file x and 'tcp://a:1': leave out one"),
        (("nonsense",), b"", "'nonsense' is no URL and no host:port"),
        (("Error: connect ECONNREFUSED db:80x",), b"", "the text names no URL and no host:port"),
        (("getaddrinfo ENOTFOUND web", "--from", "web"), b"", "web knows web now (10.88.0.11), and the text names no"),
        (("wget: can't connect to remote host (10.88.0.11): Connection refused",), b"", "names 10.88.0.11 and no port"),
    ],
)
def test_what_cannot_be_explained_is_one_line_and_3(
    explain: Explain, words: tuple[str, ...], stdin: bytes, said: str
) -> None:
    """Nothing, two things, an unreadable file, or a text without a place: what it is and what to do."""
    done = explain(*words, stdin=stdin)
    assert (done.exit_code, done.stdout) == (3, "")
    assert said in " ".join(done.stderr.split())


def test_a_name_without_a_port_is_explained(explain: Explain) -> None:
    """A lookup has no port: that the name is not known is explained, and the cure has the port of its listener."""
    done = explain("--json", "--from", "client", "getaddrinfo EAI_AGAIN orders")
    assert cause(done) == "resolver-down"
    assert ("10.89.0.2:8000" in done.stdout, ':80"' in done.stdout) == (True, False)


def test_a_name_that_nobody_has_is_asked_for_without_a_port(explain: Explain) -> None:
    """Where no container has the name, what would decide it is who is to have it: the text has no port to ask about."""
    done = explain("--from", "client", "getaddrinfo EAI_AGAIN nobody")
    assert "Who is to be called nobody" in done.stdout
    assert "80" not in done.stdout


def test_a_text_that_fits_several_places_says_which(explain: Explain) -> None:
    """Where host and container would get it for one cause, the first is explained, and the others are named."""
    done = explain("connection to 10.88.0.11:80 refused")
    assert "The text fits client, web alike, for one cause; this is about the first: choose with --from" in done.stdout


def test_two_places_in_a_text_are_both_said(explain: Explain) -> None:
    """The name led elsewhere when that was said: both addresses are named."""
    text = "request to http://web:80/ failed, reason: connect ECONNREFUSED 10.88.0.99:80"
    done = explain("--from", "web", text)
    assert "http://web:80/ was asked for, and 10.88.0.99 was dialled; from web web is 10.88.0.11 now" in done.stdout


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_localhost_fits_either_loopback_address(explain: Explain, address: str) -> None:
    """A client says the address that it tried last; both are localhost's."""
    text = f"FetchError: request to http://localhost:3000/ failed, reason: connect ECONNREFUSED {address}:3000"
    done = explain("--json", "--from", "host", text)
    assert (cause(done), "two places" in done.stdout) == ("nobody-listens", False)


def test_what_would_decide_about_a_name_is_seen_on_port_53(explain: Explain) -> None:
    """A text that says no where the picture says nobody answers is decided by the question, which has its own port."""
    done = explain("--from", "client", 'Get "http://nobody:8080/": dial tcp: lookup nobody: no such host')
    assert "tcpdump -ni any port 53" in done.stdout
