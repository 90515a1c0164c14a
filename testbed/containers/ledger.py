"""The shop's database (images/ledger)."""

from __future__ import annotations

from testbed.containers.container import HostContainer
from testbed.errors import EngineError


class LedgerContainer(HostContainer):
    """PostgreSQL with the shop's inventory and its orders."""

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        """Run a statement as the database's own administrator, from within the container; the rows, as text.

        :raises EngineError: psql says why
        """
        command = ["psql", "--host=/tmp", "--no-psqlrc", "--tuples-only", "--no-align", "--field-separator=\t"]
        code, output = self.exec([*command, "--set=ON_ERROR_STOP=1", "--command", statement, "postgres"])
        text = output.decode(errors="replace")
        if code:
            raise EngineError(f"{self.name!r} did not do {statement!r}: {text.strip()}")
        return [tuple(line.split("\t")) for line in text.splitlines() if line]
