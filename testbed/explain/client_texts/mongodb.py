"""MongoDB's drivers and shells: PyMongo, Node.js, Java, libmongoc (PHP, C), Ruby, Rust, mongo(1)."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import CLOSED, NO_NAME, PLACE, TIMED_OUT, UNREACHED, UNRESOLVED, Family, Phrase
from testbed.explain.client_texts.said import Client

FAMILIES: Final = (
    Family(
        Client.MONGODB,
        "PyMongo, pymongo/pool.py (_raise_connection_failure) and topology.py (_error_message)",
        (
            # Of several servers each has its own reason, and a comma stands between them.
            Phrase(r"(?<![\w./-]){host}:{port}: \[Errno {number}\] (?P<words>[^\n,(]{1,80})"),
            Phrase(r"\b(?:ServerSelectionTimeoutError|AutoReconnect|NetworkTimeout): {host}:{port}: {words}"),
            Phrase(r"\bServerSelectionTimeoutError: (?:{words}|No servers found yet)", otherwise=UNREACHED),
            Phrase(r"\bNo servers found yet\b", UNREACHED),
            Phrase(r"<ServerDescription \('{host}', {port}\) server_type: Unknown", PLACE),
        ),
        27017,
    ),
    Family(
        Client.MONGODB,
        "MongoDB Node.js driver, cmap/connection.ts and sdam/topology.ts; Mongoose, collection.js",
        (
            Phrase(r"\bconnection (?:[0-9]{1,9}|<monitor>) to {host}:{port} (?:was )?closed", CLOSED),
            Phrase(r"\bconnection (?:[0-9]{1,9}|<monitor>) to {host}:{port} {words}"),
            Phrase(r"\bfailed to connect to server \[{host}:{port}\] on first connect", PLACE),
            Phrase(r"'{host}:{port}' => (?:\[?ServerDescription)", PLACE),
            Phrase(r"\bServer selection timed out after [0-9]{1,9} ms", UNREACHED),
            Phrase(r"\bbuffering timed out after [0-9]{1,9}ms", UNREACHED),
        ),
        27017,
    ),
    Family(
        Client.MONGODB,
        "MongoDB Java driver, SocketStream.java, BaseCluster.java; Go driver, topology.go; Rust driver, sdam",
        (
            Phrase(r"\bwhile connecting to server {host}:{port}", PLACE),
            Phrase(r"\baddress={host}:{port}, type=UNKNOWN", PLACE),
            Phrase(r"\bAddr(?:ess)?: {host}:{port}, Type: ", PLACE),
            Phrase(r"\bMongoSocketException: {host}: {words}"),
            Phrase(r"\bMongoSocketOpenException: Exception opening socket", UNREACHED),
            Phrase(r"\bTimed out (?:after|while waiting) [^\n]{0,80}(?:connect|server)\b", UNREACHED),
            Phrase(r"\bserver selection (?:error|timeout)\b", UNREACHED),
        ),
        27017,
    ),
    Family(
        Client.MONGODB,
        "MongoDB, src/mongo/transport and src/mongo/util/net; libmongoc, mongoc-topology-scanner.c; Ruby"
        " driver, cluster.rb",
        (
            Phrase(
                r"\bError connecting to {host}:{port} \({address}:[0-9]{1,5}\) :: caused by :: {words}",
            ),
            Phrase(r"\bError connecting to {host}:{port} :: caused by :: {words}"),
            Phrase(r"\bcouldn't connect to server {host}:{port}\b", PLACE),
            Phrase(r"(?P<words>[\w ]{5,60}?) calling (?:hello|ismaster)(?: on)? '?{host}:{port}'?"),
            Phrase(r"\bconnection timeout calling (?:hello|ismaster)(?: on)? '?{host}:{port}'?", TIMED_OUT),
            Phrase(r"\[Failed to resolve '{host}'\]", UNRESOLVED),
            Phrase(r"\bNo suitable servers found\b", UNREACHED),
            Phrase(r"\bNo (?:primary |)server is available in cluster: [^\n]{0,200}?address={host}:{port}", UNREACHED),
        ),
        27017,
    ),
    Family(
        Client.MONGODB,
        "dnspython, dns/resolver.py (NXDOMAIN), of the SRV record that PyMongo asks for: its port is in the record",
        (Phrase(r"\bThe DNS query name does not exist: (?:_mongodb\._tcp\.)?{host}", NO_NAME),),
    ),
)
