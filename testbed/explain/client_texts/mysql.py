"""MySQL's and MariaDB's clients in every binding: mysql(1), PHP, PyMySQL, Connector/Python, mysql2, Trilogy."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import LOST, PLACE, UNCONNECTED, UNREACHED, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client

_IN_PROGRESS: Final = (
    "115 is EINPROGRESS, the number before the connecting ended: it stands for a refusal, no route and a time-out."
)
_SERVER: Final = r"\bCan'?t connect to (?:MySQL |MariaDB )?server on '{host}(?::{port})?'"

FAMILIES: Final = (
    Family(
        Client.MYSQL,
        "MySQL, libmysql/errmsg.cc and MariaDB Connector/C, libmariadb/ma_errmsg.c: CR_CONN_HOST_ERROR 2003, "
        "CR_UNKNOWN_HOST 2005, CR_SERVER_LOST 2013; PyMySQL, connections.py; Connector/Python, network.py",
        (
            Phrase(_SERVER + r" \((?:115|10035)\)", UNCONNECTED, hint=_IN_PROGRESS),
            Phrase(_SERVER + r" \({number}\)"),
            Phrase(_SERVER + r" \(\[Errno {number}\] {words}\)"),
            Phrase(_SERVER + r" \({number} {words}\)"),
            Phrase(_SERVER + r" \({words}\)"),
            Phrase(_SERVER, UNREACHED),
            Phrase(r"\bUnknown (?:MySQL |MariaDB )?server host '{host}' \((?P<number>-[0-9]{1,5}|110[0-9]{2})\)"),
            Phrase(r"\bUnknown (?:MySQL |MariaDB )?server host '{host}'", UNRESOLVED),
            Phrase(
                r"\bLost connection to (?:MySQL |MariaDB )?server at '[^'\n]{1,80}', system error: {number}\b",
                otherwise=LOST,
            ),
            Phrase(r"\bLost connection to (?:MySQL |MariaDB )?server\b", LOST),
            Phrase(r"\b(?:MySQL |MariaDB )?server has gone away\b", LOST),
            Phrase(r"\bConnection lost: The server closed the connection\b", LOST),
            # go-sql-driver, packets.go and errors.go; database/sql.
            Phrase(r"\bpackets\.go:[0-9]{1,5}: unexpected EOF|\bdriver: bad connection\b", LOST),
            Phrase(r"\bunable to connect to {host}:{port}: {words}"),
            # mysqladmin(1), client/mysqladmin.cc.
            Phrase(r"\bCheck that (?:mysqld|mariadbd) is running on {host} and that the port is {port}\b", PLACE),
            Phrase(
                r"\b(?:mysql|mariadb)(?:admin|dump)? {any}(?:-h ?|--host[= ]){host} {any}(?:-P ?|--port[= ]){port}\b",
                PLACE,
            ),
        ),
        3306,
    ),
)
