"""The words that clients take from their system, and what they mean: strerror(3), getaddrinfo(3), Winsock, libuv."""

from __future__ import annotations

import errno
import functools
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from testbed.errnos import ERRNO_WORDS, OUTCOMES
from testbed.explain.client_texts.translated import TRANSLATED_ERRNOS, TRANSLATED_LOOKUPS
from testbed.explain.client_texts.translated_winsock import WINSOCK_ERRNOS, WINSOCK_LOOKUPS
from testbed.model import Outcome, Phase

#: getaddrinfo(3): glibc still returns it (netdb.h), POSIX dropped it, and Python has no constant for it everywhere.
EAI_NODATA: Final = -5


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a few words or a number for a failure."""

    outcome: Outcome
    errno: int | None = None
    """errno(3) of Linux, or getaddrinfo(3)'s, which are negative; None where the words leave it open."""
    phase: Phase | None = None
    """The phase that the words are about; None where they leave it open."""


#: getaddrinfo(3)'s texts: glibc's gai_strerror, musl's (src/network/gai_strerror.c), macOS's.
LOOKUP_WORDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "name or service not known": socket.EAI_NONAME,
        "temporary failure in name resolution": socket.EAI_AGAIN,
        "non-recoverable failure in name resolution": socket.EAI_FAIL,
        "no address associated with hostname": EAI_NODATA,
        "name does not resolve": socket.EAI_NONAME,
        "name has no usable address": EAI_NODATA,
        "nodename nor servname provided, or not known": socket.EAI_NONAME,
        **{words: number for number, texts in TRANSLATED_LOOKUPS.items() for words in texts},
    }
)
#: strerror(3), also of other languages; Winsock's texts (FormatMessage, system errors 10013 to 10065 and 11001 to
#: 11004); libuv's (include/uv.h, UV_ERRNO_MAP).
CONNECT_WORDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **ERRNO_WORDS,
        **{words: number for number, texts in TRANSLATED_ERRNOS.items() if number in OUTCOMES for words in texts},
        **{words: number for number, texts in WINSOCK_ERRNOS.items() for words in texts},
        "no connection could be made because the target machine actively refused it": errno.ECONNREFUSED,
        "a connection attempt failed because the connected party did not properly respond": errno.ETIMEDOUT,
        "a connection attempt failed because the connected party did not properly respond after a period of time, or "
        "established connection failed because connected host has failed to respond": errno.ETIMEDOUT,
        "an existing connection was forcibly closed by the remote host": errno.ECONNRESET,
        "an established connection was aborted by the software in your host machine": errno.ECONNRESET,
        "a socket operation was attempted to an unreachable host": errno.EHOSTUNREACH,
        "a socket operation was attempted to an unreachable network": errno.ENETUNREACH,
        "an attempt was made to access a socket in a way forbidden by its access permissions": errno.EACCES,
        "the requested address is not valid in its context": errno.EADDRNOTAVAIL,
        "host is unreachable": errno.EHOSTUNREACH,
        "address not available": errno.EADDRNOTAVAIL,
        "software caused connection abort": errno.ECONNRESET,
    }
)
#: What a listener gets, in each language (bind(2), listen(2)).
LISTEN_WORDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **CONNECT_WORDS,
        "address already in use": errno.EADDRINUSE,
        "address in use": errno.EADDRINUSE,
        "only one usage of each socket address": errno.EADDRINUSE,
        **dict.fromkeys(TRANSLATED_ERRNOS[errno.EADDRINUSE], errno.EADDRINUSE),
    }
)
#: Texts of Winsock's resolver (11001, 11002, 11003, 11004).
_WINSOCK_LOOKUP: Final = {
    **{words: number for number, texts in WINSOCK_LOOKUPS.items() for words in texts},
    "no such host is known": socket.EAI_NONAME,
    "this is usually a temporary error during hostname resolution": socket.EAI_AGAIN,
    "this is usually a temporary error during hostname resolution and means that the local server did not receive a "
    "response from an authoritative server": socket.EAI_AGAIN,
    "a non-recoverable error occurred during a database lookup": socket.EAI_FAIL,
    "the requested name is valid, but no data of the requested type was found": EAI_NODATA,
}
#: Words of which the place in a client's text says that they are about connecting; alone they may be about anything.
_SHORT: Final = {
    # musl's gai_strerror.c of EAI_AGAIN and EAI_FAIL.
    "try again": Meaning(Outcome.RESOLVER_FAILED, socket.EAI_AGAIN),
    "non-recoverable error": Meaning(Outcome.RESOLVER_FAILED, socket.EAI_FAIL),
    "unknown host": Meaning(Outcome.NAME_NOT_FOUND),
    "host not found": Meaning(Outcome.NAME_NOT_FOUND),
    "no such host": Meaning(Outcome.NAME_NOT_FOUND),
    "nxdomain": Meaning(Outcome.NAME_NOT_FOUND),
    "non-existing domain": Meaning(Outcome.NAME_NOT_FOUND),
    "non existent domain": Meaning(Outcome.NAME_NOT_FOUND),
    "unknownhostexception": Meaning(Outcome.NAME_NOT_FOUND),
    "could not be resolved": Meaning(Outcome.NAME_NOT_FOUND),
    "servfail": Meaning(Outcome.RESOLVER_FAILED, socket.EAI_AGAIN),
    "connect timed out": Meaning(Outcome.TIMED_OUT, None, Phase.CONNECT),
    "read timed out": Meaning(Outcome.TIMED_OUT, None, Phase.TLS),
    "timed out": Meaning(Outcome.TIMED_OUT),
    "timed-out": Meaning(Outcome.TIMED_OUT),
    "timeout": Meaning(Outcome.TIMED_OUT),
    "time out": Meaning(Outcome.TIMED_OUT),
    "deadline has elapsed": Meaning(Outcome.TIMED_OUT),
    "refused": Meaning(Outcome.REFUSED),
    "connection reset": Meaning(Outcome.RESET, errno.ECONNRESET),
    "reset by peer": Meaning(Outcome.RESET, errno.ECONNRESET),
    "was reset": Meaning(Outcome.RESET, errno.ECONNRESET),
    "forcibly closed": Meaning(Outcome.RESET, errno.ECONNRESET),
    "unexpected eof": Meaning(Outcome.CLOSED),
    "unexpected end of file": Meaning(Outcome.CLOSED),
    "end of file": Meaning(Outcome.CLOSED),
    "connection closed": Meaning(Outcome.CLOSED),
    "closed the connection": Meaning(Outcome.CLOSED),
    "socket closed": Meaning(Outcome.CLOSED),
    "prematurely closed": Meaning(Outcome.CLOSED),
    "closed before message completed": Meaning(Outcome.CLOSED),
    "eof": Meaning(Outcome.CLOSED),
    "closed": Meaning(Outcome.CLOSED),
    "unreachable": Meaning(Outcome.HOST_UNREACHABLE),
}
#: Names of errno(3) and of getaddrinfo(3)'s errors, as libuv, Erlang and Ruby print them.
_NAMES: Final = {
    **{errno.errorcode[number].lower(): number for number in OUTCOMES},
    "eai_again": socket.EAI_AGAIN,
    "eai_fail": socket.EAI_FAIL,
    "eai_nodata": EAI_NODATA,
    "eai_noname": socket.EAI_NONAME,
    "enotfound": socket.EAI_NONAME,
}
#: Numbers of Winsock (winsock2.h), of macOS (sys/errno.h) and of libuv's lookups (uv/errno.h), for Linux's.
_FOREIGN_NUMBERS: Final = {
    10013: errno.EACCES,
    10049: errno.EADDRNOTAVAIL,
    10051: errno.ENETUNREACH,
    10053: errno.ECONNRESET,
    10054: errno.ECONNRESET,
    10060: errno.ETIMEDOUT,
    10061: errno.ECONNREFUSED,
    10064: errno.EHOSTDOWN,
    10065: errno.EHOSTUNREACH,
    11001: socket.EAI_NONAME,
    11002: socket.EAI_AGAIN,
    11003: socket.EAI_FAIL,
    11004: EAI_NODATA,
    -3001: socket.EAI_AGAIN,
    -3004: socket.EAI_FAIL,
    -3007: EAI_NODATA,
    -3008: socket.EAI_NONAME,
    # Linux's own resolver and .NET: SocketError.HostNotFound is -131073 there (SocketPal.Unix).
    -131073: socket.EAI_NONAME,
    61: errno.ECONNREFUSED,
    65: errno.EHOSTUNREACH,
    54: errno.ECONNRESET,
    60: errno.ETIMEDOUT,
    51: errno.ENETUNREACH,
}


def of_errno(number: int) -> Outcome:
    """The outcome of an errno or of a getaddrinfo(3) error, which are negative."""
    if number in (socket.EAI_NONAME, EAI_NODATA):
        return Outcome.NAME_NOT_FOUND
    if number in (socket.EAI_AGAIN, socket.EAI_FAIL):
        return Outcome.RESOLVER_FAILED
    return OUTCOMES.get(number, Outcome.INCONCLUSIVE)


def of_number(number: int) -> Meaning | None:
    """The meaning of a number that a client prints: Linux's errno, Winsock's, macOS's or libuv's; None for others."""
    known = number if of_errno(number) is not Outcome.INCONCLUSIVE else _FOREIGN_NUMBERS.get(number)
    if known is None and of_errno(-number) is not Outcome.INCONCLUSIVE:
        known = -number if number < 0 else None
    return None if known is None else Meaning(of_errno(known), known)


def of_words(words: str) -> Meaning | None:
    """The meaning of the first words of an error that are known; None where none is.

    :param words: what stands in a client's text where it gives the reason: where it has none of the system's texts,
        short words such as ``timeout`` count too
    """
    # Envoy's response details have no spaces.
    lower = words.lower() if " " in words.strip() else words.lower().replace("_", " ")
    if system := next(whole_words(lower), None):
        return Meaning(of_errno(system[1]), system[1])
    if numbered := _BRACKETED.search(words):
        return of_number(int(numbered.group(1)))
    pattern, meanings = _short_vocabulary()
    match = pattern.search(words.lower())
    return meanings[match.group()] if match else None


def of_system(words: str) -> Meaning | None:
    """The meaning of words that end in the system's text; None for others."""
    bare = words.rstrip(" .\N{IDEOGRAPHIC FULL STOP}")
    number = next((number for match, number in whole_words(bare) if match.end() == len(bare)), None)
    return None if number is None else Meaning(of_errno(number), number)


def errno_of(words: str) -> int | None:
    """The errno or getaddrinfo(3) number that words begin with, in any language; None for others."""
    lower = words.strip().lower()
    return next((number for word, number in {**LISTEN_WORDS, **_LOOKUPS}.items() if lower.startswith(word)), None)


def whole_words(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Where in a text strerror(3)'s or getaddrinfo(3)'s words stand whole, with their numbers, in order."""
    pattern, numbers = _strict_vocabulary()
    lowered = text.lower()
    # Lowering changes the length of some letters (Turkish): without them positions in both are the same.
    shown = lowered if len(lowered) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    for match in pattern.finditer(shown):
        yield match, numbers[match.group()]


_LOOKUPS: Final = {**LOOKUP_WORDS, **_WINSOCK_LOOKUP}
#: Python's OSError names the number in front of the system's words, whatever their language (Objects/exceptions.c).
_BRACKETED: Final = re.compile(r"\[(?:WinError|Errno) (-?[0-9]{1,6})\]")


@functools.cache
def _strict_vocabulary() -> tuple[re.Pattern[str], Mapping[str, int]]:
    numbers = {**CONNECT_WORDS, **_LOOKUPS}
    return _alternatives(numbers), numbers


@functools.cache
def _short_vocabulary() -> tuple[re.Pattern[str], Mapping[str, Meaning]]:
    meanings = {**_SHORT, **{name: Meaning(of_errno(number), number) for name, number in _NAMES.items()}}
    return _alternatives(meanings), meanings


def _alternatives(words: Mapping[str, object]) -> re.Pattern[str]:
    """Any of some words, the longer first, not in the middle of a Latin word."""
    longest = sorted(words, key=len, reverse=True)
    ended = {word: re.escape(word) + (r"\b" if word[-1].isascii() else "") for word in longest}
    latin = "|".join(pattern for word, pattern in ended.items() if word[0].isascii())
    others = "|".join(pattern for word, pattern in ended.items() if not word[0].isascii())
    # Where no word can begin, none of the hundreds is tried: a log has tens of thousands of such places.
    return re.compile(rf"\b(?:{latin})" + (rf"|(?=[^\x00-\x7f])(?:{others})" if others else ""))
