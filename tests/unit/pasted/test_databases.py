"""Texts of databases' clients: PostgreSQL's, MySQL's and MariaDB's, Redis's and MongoDB's, in their bindings."""

from __future__ import annotations

import pytest

from testbed.explain.client_texts.said import Client
from tests.unit.pasted.texts import (
    CLOSED,
    LOST,
    NO_HOST,
    NO_NAME,
    NO_NETWORK,
    NO_RESOLVER,
    REFUSED,
    RESET,
    TIMED_OUT,
    UNCONNECTED,
    UNREACHED,
    UNRESOLVED,
    Said,
    found,
    name,
)

PG, MY, REDIS, MONGO, JAVA, NET = (
    Client.POSTGRESQL,
    Client.MYSQL,
    Client.REDIS,
    Client.MONGODB,
    Client.JAVA,
    Client.DOTNET,
)

#: libpq: fe-connect.c; in it psycopg, PHP, Ruby's pg, Diesel and SQLAlchemy put their own words in front.
POSTGRESQL = [
    Said(
        'psql: error: connection to server at "db" (10.89.0.3), port 5432 failed: Connection refused\n'
        "\tIs the server running on that host and accepting TCP/IP connections?",
        PG,
        REFUSED,
        "db",
        5432,
        "10.89.0.3",
    ),
    Said(
        'PG::ConnectionBad: connection to server at "10.11.211.12", port 5432 failed: Host is unreachable',
        PG,
        NO_HOST,
        None,
        5432,
        "10.11.211.12",
    ),
    Said(
        '(psycopg2.OperationalError) connection to server at "::1", port 5433 failed: Cannot assign requested address',
        PG,
        NO_NETWORK,
        None,
        5433,
        "::1",
    ),
    Said(
        'SQLSTATE[08006] [7] connection to server at "db" (10.89.0.3), port 5432 failed: timeout expired',
        PG,
        TIMED_OUT,
        "db",
        5432,
        "10.89.0.3",
    ),
    Said(
        'connection failed: connection to server at "db" (10.89.0.3), port 5432 failed: '
        "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally",
        PG,
        LOST,
        "db",
        5432,
        "10.89.0.3",
    ),
    Said(
        'psycopg2.OperationalError: could not translate host name "db" to address: Temporary failure in name'
        " resolution",
        PG,
        NO_RESOLVER,
        "db",
    ),
    Said(
        'could not translate host name "db" to address: Name does not resolve',
        PG,
        NO_NAME,
        "db",
    ),
    Said('could not translate host name "db" to address: Unknown error', PG, UNRESOLVED, "db"),
    Said(
        "SQLSTATE[08006] [7] could not connect to server: Connection timed out\n\tIs the server running on host "
        '"db" (10.89.0.3) and accepting\n\tTCP/IP connections on port 5432?',
        PG,
        TIMED_OUT,
        "db",
        5432,
        "10.89.0.3",
    ),
    Said("db:5432 - no response", PG, UNREACHED, "db", 5432),
    Said("couldn't get a connection after 30.00 sec", PG, UNREACHED),
    Said("failed to resolve host 'db': [Errno -2] Name or service not known", PG, NO_NAME, "db"),
]

#: libmysql/errmsg.cc, MariaDB's ma_errmsg.c, PyMySQL's connections.py, Connector/Python's errors.
MYSQL = [
    Said("ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (113)", MY, NO_HOST, "db", 3306),
    Said("ERROR 2003 (HY000): Can't connect to MySQL server on 'db:3307' (111)", MY, REFUSED, "db", 3307),
    Said("ERROR 2002 (HY000): Can't connect to server on 'db' (115)", MY, UNCONNECTED, "db", 3306),
    Said(
        "ERROR 2003 (HY000): Can't connect to MySQL server on '10.0.0.9' (110)", MY, TIMED_OUT, None, 3306, "10.0.0.9"
    ),
    Said("ERROR 2003 (HY000): Can't connect to MySQL server on 'db' (10061)", MY, REFUSED, "db", 3306),
    Said(
        "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' ([Errno 111]"
        ' Connection refused)")',
        MY,
        REFUSED,
        "db",
        3306,
    ),
    Said(
        "(pymysql.err.OperationalError) (2003, \"Can't connect to MySQL server on 'db' (timed out)\")",
        MY,
        TIMED_OUT,
        "db",
        3306,
    ),
    Said(
        "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' "
        '([Errno -3] Temporary failure in name resolution)")',
        MY,
        NO_RESOLVER,
        "db",
        3306,
    ),
    Said(
        "mysql.connector.errors.DatabaseError: 2003 (HY000): Can't connect to MySQL server on 'db:3306' (111)",
        MY,
        REFUSED,
        "db",
        3306,
    ),
    Said("ERROR 2005 (HY000): Unknown MySQL server host 'db' (-2)", MY, NO_NAME, "db", 3306),
    Said("ERROR 2005 (HY000): Unknown MySQL server host 'db' (2)", MY, UNRESOLVED, "db", 3306),
    Said("Mysql2::Error::ConnectionError: Unknown MySQL server host 'db' (-3)", MY, NO_RESOLVER, "db", 3306),
    Said(
        "ERROR 2013 (HY000): Lost connection to MySQL server at 'reading initial communication packet',"
        " system error: 104",
        MY,
        RESET,
    ),
    Said(
        "ERROR 2013 (HY000): Lost connection to server at 'handshake: reading initial communication packet', "
        "system error: 0",
        MY,
        LOST,
    ),
    Said("Error: Connection lost: The server closed the connection.", MY, LOST),
    Said(
        "mysqladmin: connect to server at 'db' failed\nerror: 'Can't connect to MySQL server on 'db'"
        " (115)'\nCheck that "
        "mysqld is running on db and that the port is 3307.",
        MY,
        UNCONNECTED,
        "db",
        3306,
    ),
    Said("trilogy_connect - unable to connect to db:3306: Connection refused", MY, REFUSED, "db", 3306),
]

#: redis/connection.py, redis-cli.c, redis-rb's client.rb, redis-client, Predis, Jedis, Lettuce, StackExchange.Redis.
REDIS_CLIENTS = [
    Said(
        "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.",
        REDIS,
        REFUSED,
        "redis",
        6379,
    ),
    Said(
        "redis.exceptions.ConnectionError: Error -3 connecting to redis:6379. Temporary failure in name resolution.",
        REDIS,
        NO_RESOLVER,
        "redis",
        6379,
    ),
    Said("Error 113 connecting to 10.0.0.9:6379. No route to host.", REDIS, NO_HOST, None, 6379, "10.0.0.9"),
    Said("redis.exceptions.ConnectionError: Connection closed by server.", REDIS, CLOSED),
    Said("redis.exceptions.TimeoutError: Timeout connecting to server", REDIS, TIMED_OUT),
    Said(
        "Error while reading from redis:6379 : (104, 'Connection reset by peer')",
        REDIS,
        RESET,
        "redis",
        6379,
    ),
    Said("Could not connect to Redis at redis:6379: Name does not resolve", REDIS, NO_NAME, "redis", 6379),
    Said(
        "Could not connect to Redis at 127.0.0.1:6379: Connection refused",
        REDIS,
        REFUSED,
        None,
        6379,
        "127.0.0.1",
    ),
    Said(
        "Redis::CannotConnectError: Error connecting to Redis on redis:6379 (Errno::ECONNREFUSED)",
        REDIS,
        REFUSED,
        "redis",
        6379,
    ),
    Said("Error connecting to Redis on redis:6379 (SocketError)", REDIS, UNRESOLVED, "redis", 6379),
    Said("Error connecting to Redis on localhost:6379 (Redis::TimeoutError)", REDIS, TIMED_OUT, "localhost", 6379),
    Said(
        "RedisClient::CannotConnectError: Connection refused - connect(2) for 10.89.0.4:6379 (redis://redis:6379)",
        Client.RUBY,
        REFUSED,
        "redis",
        6379,
        "10.89.0.4",
    ),
    Said(
        "Predis\\Connection\\ConnectionException: Connection refused [tcp://redis:6379]",
        REDIS,
        REFUSED,
        "redis",
        6379,
    ),
    Said(
        "redis.clients.jedis.exceptions.JedisConnectionException: Failed connecting to redis:6379\n"
        "Caused by: java.net.ConnectException: Connection refused (Connection refused)",
        JAVA,
        REFUSED,
        "redis",
        6379,
    ),
    Said(
        "io.lettuce.core.RedisConnectionException: Unable to connect to redis/<unresolved>:6379\n"
        "Caused by: java.net.UnknownHostException: redis",
        JAVA,
        UNRESOLVED,
        "redis",
        6379,
    ),
    Said(
        "io.lettuce.core.RedisConnectionException: Unable to connect to localhost/127.0.0.1:6379\nCaused by: "
        "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: localhost/127.0.0.1:6379",
        JAVA,
        REFUSED,
        "localhost",
        6379,
        "127.0.0.1",
    ),
    Said(
        "StackExchange.Redis.RedisConnectionException: No connection is active/available to service this"
        " operation: PING;"
        " UnableToConnect on redis-primary:6379/Interactive, Initializing/NotStarted, last: NONE",
        REDIS,
        UNREACHED,
        "redis-primary",
        6379,
    ),
    Said(
        "MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20).",
        REDIS,
        UNREACHED,
    ),
]

#: PyMongo's pool.py, the Node.js driver's connection.ts, libmongoc, mongo(1), the Java driver's BaseCluster.
MONGODB = [
    Said(
        "pymongo.errors.ServerSelectionTimeoutError: mongo:27017: [Errno -2] Name or service not known",
        MONGO,
        NO_NAME,
        "mongo",
        27017,
    ),
    Said("pymongo.errors.ServerSelectionTimeoutError: mongo:27017: timed out", MONGO, TIMED_OUT, "mongo", 27017),
    Said("pymongo.errors.AutoReconnect: mongo:27017: connection closed", MONGO, CLOSED, "mongo", 27017),
    Said("MongoNetworkError: connection <monitor> to 10.0.0.9:27017 closed", MONGO, CLOSED, None, 27017, "10.0.0.9"),
    Said("MongoServerSelectionError: Server selection timed out after 30000 ms", MONGO, UNREACHED),
    Said(
        "No suitable servers found (`serverSelectionTryOnce` set): [connection refused calling hello on 'mongo:27017']",
        MONGO,
        REFUSED,
        "mongo",
        27017,
    ),
    Said(
        "MongoDB\\Driver\\Exception\\ConnectionTimeoutException: No suitable servers found "
        "(`serverSelectionTryOnce` set): [Failed to resolve 'mongo']",
        MONGO,
        UNRESOLVED,
        "mongo",
        27017,
    ),
    Said(
        "Error: couldn't connect to server mongo:27017, connection attempt failed: SocketException: Error"
        " connecting to "
        "mongo:27017 (10.89.0.3:27017) :: caused by :: Connection refused :",
        MONGO,
        REFUSED,
        "mongo",
        27017,
        "10.89.0.3",
    ),
    Said(
        "com.mongodb.MongoTimeoutException: Timed out after 30000 ms while waiting to connect. Client view of cluster "
        "state is {type=UNKNOWN, servers=[{address=mongo:27017, type=UNKNOWN, state=CONNECTING, "
        "exception={com.mongodb.MongoSocketOpenException: Exception opening socket}, caused by "
        "{java.net.ConnectException: Connection refused (Connection refused)}}]",
        JAVA,
        REFUSED,
        "mongo",
        27017,
    ),
    Said(
        "server selection error: server selection timeout, current topology: { Type: Unknown, Servers: [{ Addr: "
        "mongo:27017, Type: Unknown, Last error: dial tcp: lookup mongo on 127.0.0.11:53: no such host }, ] }",
        Client.GO,
        NO_NAME,
        "mongo",
        27017,
    ),
]

#: Several addresses and servers in one text, connection pools, and what only says that it is over.
MORE = [
    Said(
        'pg_dump: error: connection to database "x" failed: could not connect to server: Connection timed out '
        '(0x0000274C/10060)\n\tIs the server running on host "db" (10.0.0.9) and accepting\n'
        "\tTCP/IP connections on port 5432?",
        PG,
        TIMED_OUT,
        "db",
        5432,
        "10.0.0.9",
    ),
    Said("Cannot connect to localhost/<unresolved>:5432", JAVA, UNCONNECTED, "localhost", 5432),
    Said("com.mongodb.MongoSocketException: mongo: Name or service not known", MONGO, NO_NAME, "mongo", 27017),
    Said("[mysql] 2020/01/01 00:00:00 packets.go:36: unexpected EOF", MY, LOST),
    Said("ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1' (61)", MY, REFUSED, None, 3306, "127.0.0.1"),
    Said("** (Redix.ConnectionError) the connection to Redis is closed", REDIS, LOST),
    Said("Npgsql.NpgsqlException: Exception while connecting ---> Timeout during connection attempt", NET, TIMED_OUT),
    Said("StackExchange.Redis.RedisTimeoutException: Timeout performing GET (5000ms)", REDIS, TIMED_OUT),
    Said("Error: getaddrinfo ENOTFOUND postgres postgres:5432", Client.NODE, NO_NAME, "postgres", 5432),
]

#: pgjdbc, MariaDB Connector/J, Connector/J, Microsoft's and Oracle's drivers, Npgsql, MySqlConnector, SqlClient.
DRIVERS = [
    Said(
        "org.postgresql.util.PSQLException: Connection to db:5432 refused. Check that the hostname and port"
        " are correct "
        "and that the postmaster is accepting TCP/IP connections.\n\tat org.postgresql.Driver.connect(Driver.java:261)",
        JAVA,
        REFUSED,
        "db",
        5432,
    ),
    Said(
        "org.postgresql.util.PSQLException: The connection attempt failed.\n\tat"
        " org.postgresql.Driver.x(Driver.java:42)\n"
        "Caused by: java.net.UnknownHostException: db",
        JAVA,
        UNRESOLVED,
        "db",
    ),
    Said(
        "org.postgresql.util.PSQLException: The connection attempt failed.\nCaused by:"
        " java.net.SocketTimeoutException: "
        "connect timed out",
        JAVA,
        TIMED_OUT,
    ),
    Said(
        "java.sql.SQLNonTransientConnectionException: Could not connect to address=(host=db)(port=3306)(type=master) : "
        "Socket fail to connect to host:db, port:3306. Connection refused (Connection refused)",
        JAVA,
        REFUSED,
        "db",
        3306,
    ),
    Said(
        "java.sql.SQLNonTransientConnectionException: Socket fail to connect to address=(host=db)(port=3306)"
        "(type=primary). db: Name or service not known",
        JAVA,
        NO_NAME,
        "db",
        3306,
    ),
    Said(
        "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure\n\nThe last packet sent "
        "successfully to the server was 0 milliseconds ago. The driver has not received any packets from the server.\n"
        "Caused by: java.net.ConnectException: Connection refused (Connection refused)\n"
        "\tat java.base/java.net.PlainSocketImpl.socketConnect(Native Method)",
        JAVA,
        REFUSED,
    ),
    Said("com.mysql.cj.exceptions.CJCommunicationsException: Communications link failure", JAVA, UNREACHED),
    Said(
        "com.microsoft.sqlserver.jdbc.SQLServerException: The TCP/IP connection to the host db, port 1433 has failed. "
        'Error: "Connection refused (Connection refused). Verify the connection properties."',
        JAVA,
        REFUSED,
        "db",
        1433,
    ),
    Said(
        'The TCP/IP connection to the host db, port 1433 has failed. Error: "connect timed out. Verify the connection '
        'properties."',
        JAVA,
        TIMED_OUT,
        "db",
        1433,
    ),
    Said("java.sql.SQLException: ORA-12541: TNS:no listener", JAVA, REFUSED),
    Said("ORA-12541: Cannot connect. No listener at host db port 1521.", JAVA, REFUSED, "db", 1521),
    Said(
        "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
        JAVA,
        UNREACHED,
    ),
    Said(
        "Npgsql.NpgsqlException (0x80004005): Failed to connect to 172.20.0.2:5432\n"
        " ---> System.Net.Sockets.SocketException (111): Connection refused",
        NET,
        REFUSED,
        None,
        5432,
        "172.20.0.2",
    ),
    Said(
        "Npgsql.NpgsqlException (0x80004005): Failed to connect to 127.0.0.1:5432\n ---> "
        "System.Net.Sockets.SocketException (10061): No se puede establecer una conexión ya que el equipo de destino "
        "denegó expresamente dicha conexión.",
        NET,
        REFUSED,
        None,
        5432,
        "127.0.0.1",
    ),
    Said("MySqlConnector.MySqlException: Unable to connect to any of the specified MySQL hosts.", NET, UNREACHED),
    Said(
        "Microsoft.Data.SqlClient.SqlException (0x80131904): A network-related or instance-specific error"
        " occurred while "
        "establishing a connection to SQL Server. (provider: TCP Provider, error: 0 - No connection could be"
        " made because "
        "the target machine actively refused it.)",
        NET,
        REFUSED,
    ),
    Said(
        "(provider: TCP Provider, error: 40 - Could not open a connection to SQL Server)",
        NET,
        UNREACHED,
    ),
    Said(
        "Can't reach database server at `db:5432`\n\nPlease make sure your database server is running",
        Client.RUST,
        UNCONNECTED | UNRESOLVED,
        "db",
        5432,
    ),
    Said("P1001: Can't reach database server at `db`:`5432`", Client.RUST, UNCONNECTED | UNRESOLVED, "db", 5432),
]


@pytest.mark.parametrize("row", [*POSTGRESQL, *MYSQL, *REDIS_CLIENTS, *MONGODB, *MORE, *DRIVERS], ids=name)
def test_text_of_a_database_client_says_outcome_and_place(row: Said) -> None:
    """Each text of a database's client says its outcomes, and the host, port and address that it has, and no other."""
    assert found(row.text) == row
