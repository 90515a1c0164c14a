# ruff: noqa: RUF001 - the letters of other scripts are meant
"""Winsock's texts in other languages than English: what FormatMessage(3) gives for system errors 10054 to 11001.

In lower case, in the order German, French, Spanish, Italian, Brazilian Portuguese, Russian, Japanese, simplified
Chinese, as .NET, Python and Go print them. Apostrophes are straight, as :mod:`.lines` makes them. Of a long text its
beginning is enough.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: errno(3): the texts of its Winsock error.
WINSOCK_ERRNOS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {
        # 10061, WSAECONNREFUSED
        errno.ECONNREFUSED: (
            "es konnte keine verbindung hergestellt werden, da der zielcomputer die verbindung verweigerte",
            "aucune connexion n'a pu être établie car l'ordinateur cible l'a expressément refusée",
            "no se puede establecer una conexión ya que el equipo de destino denegó expresamente dicha conexión",
            "impossibile stabilire la connessione. rifiuto persistente del computer di destinazione",
            "nenhuma conexão pôde ser feita porque a máquina de destino as recusou ativamente",
            "подключение не установлено, т.к. конечный компьютер отверг запрос на подключение",
            "対象のコンピューターによって拒否されたため、接続できませんでした",
            "由于目标计算机积极拒绝，无法连接",
        ),
        # 10060, WSAETIMEDOUT
        errno.ETIMEDOUT: (
            "ein verbindungsversuch ist fehlgeschlagen, da die gegenstelle nach einer bestimmten zeitspanne nicht",
            "une tentative de connexion a échoué car le parti connecté n'a pas répondu convenablement",
            "se produjo un error durante el intento de conexión ya que la parte conectada no respondió adecuadamente",
            "impossibile stabilire la connessione. risposta non corretta della parte connessa",
            "uma tentativa de conexão falhou porque o componente conectado não respondeu corretamente",
            "попытка установить соединение была безуспешной",
            "接続済みの呼び出し先が一定の時間を過ぎても正しく応答しなかったため、接続できませんでした",
            "由于连接方在一段时间后没有正确答复或连接的主机没有反应，连接尝试失败",
        ),
        # 10054, WSAECONNRESET
        errno.ECONNRESET: (
            "eine vorhandene verbindung wurde vom remotehost geschlossen",
            "une connexion existante a dû être fermée par l'hôte distant",
            "se ha forzado la interrupción de una conexión existente por el host remoto",
            "connessione in corso interrotta forzatamente dall'host remoto",
            "foi forçado o cancelamento de uma conexão existente pelo host remoto",
            "удаленный хост принудительно разорвал существующее подключение",
            "既存の接続はリモート ホストに強制的に切断されました",
            "远程主机强迫关闭了一个现有的连接",
        ),
    }
)
#: getaddrinfo(3)'s errors: the texts of 11001, WSAHOST_NOT_FOUND.
WINSOCK_LOOKUPS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {
        socket.EAI_NONAME: (
            "es ist kein solcher host bekannt",
            "der angegebene host ist unbekannt",
            "hôte inconnu",
            "host desconocido",
            "host sconosciuto",
            "este host não é conhecido",
            "этот хост неизвестен",
            "そのようなホストは不明です",
            "不知道这样的主机",
        ),
    }
)
