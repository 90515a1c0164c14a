"""The shop's database (images/ledger)."""

from __future__ import annotations

from typing import Final

from testbed.containers.container import HostContainer
from testbed.containers.role import Need, Role
from testbed.errors import CommandError, EngineError
from testbed.topology import DEFAULT_NETWORK, AttachmentSpec, ContainerSpec

_CREDENTIAL: Final = "ledger-password"
_CLIENT: Final = "LEDGER_CLIENT"


class LedgerContainer(HostContainer):
    """PostgreSQL with the shop's inventory and its orders."""

    def client(self, *commands: str) -> list[str]:
        """Psql's command line, for its host: as the database's own administrator, in the container's file system.

        That is a quarter of what ``podman exec`` takes.

        :param commands: SQL, each of them a transaction of its own, or commands of psql's
        :raises EngineError: the container does not run
        """
        pid = self.pid
        user = self.host.process(pid).stat().st_uid
        entering = ["nsenter", f"--target={pid}", "--mount", f"--setuid={user}", f"--setgid={user}"]
        psql = ["psql", "--host=/tmp", "--no-psqlrc", "--tuples-only", "--no-align", "--field-separator=\t"]
        said = [f"--command={command}" for command in commands]
        return [*entering, *psql, "--set=ON_ERROR_STOP=1", *said, "postgres"]

    def sql(self, *statements: str) -> list[tuple[str, ...]]:
        """Run statements, each of them in a transaction of its own; the rows, as text.

        :raises EngineError: psql says why
        """
        try:
            output = self.host.run(self.client(*statements))
        except CommandError as exc:
            raise EngineError(f"{self.name!r} did not do {'; '.join(statements)!r}: {exc}") from exc
        return [tuple(line.split("\t")) for line in output.splitlines() if line]


ROLE: Final = Role(
    "ledger",
    LedgerContainer,
    (
        Need(
            "secrets",
            lambda spec: _CREDENTIAL in spec.secrets,
            f"needs {_CREDENTIAL!r} among them: the password of its one client (images/ledger/start)",
        ),
        Need(
            "environment",
            lambda spec: bool(spec.environment.get(_CLIENT)),
            f"needs {_CLIENT} in it: the one address that its client comes from (images/ledger/start)",
        ),
    ),
    ContainerSpec(
        "host",
        "ledger",
        "ledger",
        (AttachmentSpec(DEFAULT_NETWORK),),
        secrets=(_CREDENTIAL,),
        environment={_CLIENT: "10.88.0.11"},
    ),
)
