"""Every client that the phrases are known of, in the order in which their words count."""

from __future__ import annotations

from typing import Final

from testbed.explain.client_texts import (
    amqp,
    browsers,
    databases,
    dotnet,
    downloads,
    erlang,
    java,
    kafka,
    mongodb,
    mysql,
    orchestrators,
    php,
    postgresql,
    proxies,
    redis,
    resolvers,
    ruby,
    rust,
    terminals,
)
from testbed.explain.client_texts.phrase import Family

#: The particular before the general: a database's client before the language that it is written in.
FAMILIES: Final[tuple[Family, ...]] = (
    *postgresql.FAMILIES,
    *mysql.FAMILIES,
    *redis.FAMILIES,
    *mongodb.FAMILIES,
    *databases.FAMILIES,
    *kafka.FAMILIES,
    *amqp.FAMILIES,
    *proxies.FAMILIES,
    *orchestrators.FAMILIES,
    *downloads.FAMILIES,
    *terminals.FAMILIES,
    *browsers.FAMILIES,
    *erlang.FAMILIES,
    *php.FAMILIES,
    *ruby.FAMILIES,
    *rust.FAMILIES,
    *java.FAMILIES,
    *dotnet.FAMILIES,
    *resolvers.FAMILIES,
)
