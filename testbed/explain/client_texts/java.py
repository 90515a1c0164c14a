"""The JDK and what is built on it: HTTP clients, Netty, JDBC drivers and pools, Jedis and Lettuce, ZooKeeper."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts.phrase import (
    CLOSED,
    LOST,
    PLACE,
    REFUSED,
    RESOLVER_FAILED,
    TIMED_OUT,
    TLS,
    UNCONNECTED,
    UNREACHED,
    UNRESOLVED,
    Family,
    Phrase,
)
from testbed.explain.client_texts.said import Client
from testbed.model import Phase

FAMILIES: Final = (
    Family(
        Client.JAVA,
        "pgjdbc, org/postgresql/core/v3/ConnectionFactoryImpl.java and QueryExecutorImpl.java",
        (
            Phrase(r"\bConnection to {java} refused\. Check that the hostname and port are correct", REFUSED),
            Phrase(r"\bPSQLException: The connection attempt failed\b", UNREACHED),
            Phrase(r"\bPSQLException: An I/O error occurred while sending to the backend\b", LOST),
        ),
        5432,
    ),
    Family(
        Client.JAVA,
        "MariaDB Connector/J, org/mariadb/jdbc/client/impl/ConnectionHelper.java; before 3.0"
        " AbstractConnectProtocol.java",
        (
            Phrase(
                r"\bSocket fail to connect to (?:host:)?(?:{host},"
                r" ?port:{port}|address=\(host={host}\)\(port={port}\)"
                r"\S{0,40}?)\. ?{words}"
            ),
            Phrase(r"\bCould not connect to address=\(host=\"?{host}\"?\)\(port={port}\)\S{0,40} ?: ?{words}"),
            Phrase(
                r"\bCould not connect to address=\(host=\"?{host}\"?\)\(port={port}\)\S{0,40} ?: ?"
                r"\"?(?P=host)\"?(?=\s|$)",
                UNRESOLVED,
            ),
            Phrase(r"\baddress=\(host=\"?{host}\"?\)\(port={port}\)", PLACE),
        ),
        3306,
    ),
    Family(
        Client.JAVA,
        "MySQL Connector/J, com/mysql/cj/LocalizedErrorMessages.properties",
        (Phrase(r"\bCommunications link failure\b", UNREACHED),),
        3306,
    ),
    Family(
        Client.JAVA,
        "Microsoft JDBC Driver, SQLServerResource.java, R_tcpipConnectionFailed",
        (
            Phrase(r"\bThe TCP/IP connection to the host {host}, port {port} has failed\. Error: \"{words}"),
            Phrase(r"\bThe TCP/IP connection to the host {host}, port {port} has failed\b", UNREACHED),
        ),
        1433,
    ),
    Family(
        Client.JAVA,
        "Oracle Database Error Messages, ORA-12170 to ORA-12545",
        (
            Phrase(
                r"\bORA-12541: (?:Cannot connect\. No listener at host {host} port {port}|TNS:no listener)", REFUSED
            ),
            Phrase(
                r"\bORA-12170: (?:Cannot connect\. {any}timeout of {any} for host {host} port {port}|TNS:)", TIMED_OUT
            ),
            Phrase(r"\bORA-1254[35]: ", UNREACHED),
            Phrase(r"\bThe Network Adapter could not establish the connection\b", UNREACHED),
        ),
        1521,
    ),
    Family(
        Client.JAVA,
        "HikariCP, HikariPool.java; Tomcat JDBC; Commons DBCP",
        (
            Phrase(r"\bConnection is not available, request timed out after [0-9]{1,9}ms", UNREACHED),
            Phrase(r"\bCannot create PoolableConnectionFactory \({words}\)"),
        ),
    ),
    Family(
        Client.REDIS,
        "Jedis, DefaultJedisSocketFactory.java; Lettuce, RedisConnectionException.java; Redisson, RedisClient.java",
        (
            Phrase(r"\bFailed connecting to (?:host )?['\"]?{java}['\"]?", UNCONNECTED),
            Phrase(r"\bJedisConnectionException: Failed to create socket\b", UNREACHED),
            Phrase(r"\bJedisConnectionException: Failed to connect to {host}:{port}\.", UNCONNECTED),
            Phrase(r"\bFailed to connect to any host resolved for DNS name\b", UNCONNECTED),
            Phrase(
                r"\bUnable to connect to (?:\[?Redis(?:URI| server:?)? ?)?(?:\[host='{host}', port={port})", UNREACHED
            ),
            Phrase(r"\bUnable to connect to (?:Redis server: )?(?:rediss?://)?\[?{java}", UNREACHED),
            Phrase(r"\bJedisConnectionException: Unexpected end of stream", CLOSED),
            Phrase(r"\bJedisConnectionException: Could not get a resource from the pool", UNREACHED),
        ),
        6379,
    ),
    Family(
        Client.JAVA,
        "Apache HttpClient 4 and 5, HttpHostConnectException.java; NoHttpResponseException",
        (
            Phrase(
                r"\bConnect to (?:https?://)?{host}:{port} \[(?:[\w.-]{0,255}/\[?{address}\]?"
                r"[^\]\n]{0,300})?\]? ?failed: "
                r"{words}"
            ),
            Phrase(r"\bConnect to (?:https?://)?{host}:{port} \[[^\n]{0,300}\] failed: {words}"),
            Phrase(r"(?<!\S){host}:{port} failed to respond\b", CLOSED),
        ),
    ),
    Family(
        Client.JAVA,
        "OkHttp, ConnectPlan.kt and Http1ExchangeCodec.kt; Android, libcore/io/IoBridge.java",
        (
            Phrase(
                r"\bfailed to connect to {host}/{address} \(port {port}\)(?: from \S{1,80} \(port [0-9]{1,5}\))?"
                r"(?: after [0-9]{1,9}ms)?: (?:isConnected failed: )?{words}"
            ),
            Phrase(r"\bfailed to connect to {host}/{address} \(port {port}\){any} after [0-9]{1,9}ms", TIMED_OUT),
            Phrase(r"\bFailed to connect to {java}(?=\s|$)", UNCONNECTED),
            Phrase(r"\bUnable to resolve host \"{host}\": {words}", otherwise=UNRESOLVED),
            Phrase(r"\bunexpected end of stream on {url}", CLOSED),
        ),
    ),
    Family(
        Client.JAVA,
        "Netty, AbstractChannel.java, AbstractEpollChannel.java, AbstractNioChannel.java, DnsResolveContext.java",
        (
            Phrase(r"\bConnection refused(?: \([\w ]{1,40}\))?: (?:no further information: )?{java}", REFUSED),
            Phrase(
                r"(?:\bfinishConnect\(\.\.\) failed(?: with error\(-?[0-9]{1,4}\))?: |Exception: |^)"
                r"{system}: {java}"
            ),
            Phrase(r"\bCannot connect to {java}", UNCONNECTED),
            Phrase(r"\bconnection timed out(?: after [0-9]{1,9} ?ms)?: {java}", TIMED_OUT),
            Phrase(
                r"\bDnsNameResolverTimeoutException: \[[0-9]{0,9}:? ?/?{resolver}:[0-9]{1,5}\]",
                RESOLVER_FAILED,
            ),
            Phrase(r"\bFailed to resolve '{host}'", UNRESOLVED),
            Phrase(r"\bConnection prematurely closed (?:BEFORE|DURING) response\b", CLOSED, Phase.HTTP),
        ),
    ),
    Family(
        Client.JAVA,
        "Spring Framework, RestTemplate and DefaultRestClient; OpenFeign, FeignException.errorExecuting",
        (
            Phrase(r"\bUnreachable: \[{url}\]\[Manticore::\w{3,40}\] {words}"),
            Phrase(r"\bI/O error on [A-Z]{3,7} request for \"{url}\": {words}"),
            Phrase(r"{system}\)? executing [A-Z]{3,7} {url}"),
        ),
    ),
    Family(
        Client.JAVA,
        "Apache Hadoop, NetUtils.java (wrapException); Apache Hive, HiveConnection.java; Apache Curator,"
        " ConnectionState.java; Nacos, NamingProxy.java",
        (
            Phrase(r"\bConnection timed out for connection string \({host}:{port}", TIMED_OUT),
            Phrase(r"\bafter all servers\(\[{host}:{port}[^\n)]{0,200}\) tried: (?:[\w.]{1,80}: )?{words}"),
            Phrase(
                r"\bCall From \S{1,300} to {host}:{port} failed on [\w ]{3,40} exception: (?:[\w.]{1,80}: )?{words}"
            ),
            Phrase(r"\bwith JDBC Uri: {url}: (?:[\w.]{1,80}: )?{words}"),
        ),
    ),
    Family(
        Client.JAVA,
        "Apache ZooKeeper, ClientCnxn.java; Apache Cassandra driver; ActiveMQ; Jakarta Mail, SMTPTransport.java",
        (
            Phrase(r"\bOpening socket connection to server {java}", PLACE),
            Phrase(r"\bCommunicationException: {host}:{port} \[Root exception", PLACE),
            Phrase(r"\bfor server {java}, (?:unexpected error, )?closing socket connection", LOST),
            Phrase(r"\(tried: {java} \({any}{words}\)\)"),
            Phrase(r"\[{java}\] Cannot connect\b", UNCONNECTED),
            Phrase(r"\bCould not connect to broker URL: {url}\. Reason: {words}"),
            Phrase(r"\bCouldn't connect to host, port: {host}, {port}\b", UNREACHED),
            Phrase(r"\bTimeout connecting to \[{java}\]", TIMED_OUT),
        ),
    ),
    Family(
        Client.JAVA,
        "OpenJDK, java.net: Net.c, NetworkInterface.c, Inet4AddressImpl.c; sun.security.ssl; java.net.http",
        (
            Phrase(r"\bUnknownHostException: \"?{host}\"?: {words}"),
            Phrase(r"\bUnknownHostException: \"?{host}\"?(?=[\s;,)\]]|$)", UNRESOLVED),
            Phrase(r"\bUnresolvedAddressException\b", UNRESOLVED),
            Phrase(r"\bHttpConnectTimeoutException: {any}timed out", TIMED_OUT, Phase.CONNECT),
            Phrase(r"\bHttpTimeoutException: request timed out", TIMED_OUT, Phase.HTTP),
            Phrase(r"\bHTTP/1\.1 header parser received no bytes", CLOSED, Phase.HTTP),
            Phrase(r"\bUnsupported or unrecognized SSL message", TLS),
            Phrase(r"\bRemote host (?:terminated the handshake|closed connection during handshake)", CLOSED, Phase.TLS),
            Phrase(r"\bPKIX path building failed[^\n]{0,200}", TLS),
            Phrase(r"\bNo (?:name matching|subject alternative (?:DNS )?names?)[^\n]{0,200} found", TLS),
            Phrase(r"\bdoesn't match any of the subject alternative names[^\n]{0,200}", TLS),
            Phrase(r"\bSSLHandshakeException: [^\n]{1,200}", TLS),
            Phrase(
                r"\b(?:java\.(?:net|io|nio\.channels)|javax\.net\.ssl)\.\w{2,40}(?:Exception|Error): {words}",
            ),
            Phrase(r"\bjava\.net\.ConnectException(?:: null)?(?=\s|$)(?!: )", UNCONNECTED),
        ),
    ),
)
