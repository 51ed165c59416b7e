"""Packet rules by nftables: one table at a time, replaced as a whole in one transaction of the kernel."""

from __future__ import annotations

from collections.abc import Iterable

from nova.errors.host import CommandFailed
from nova.privsep.run import run

TIMEOUT_S = 20.0


class Nft:
    """The packet rules of this network namespace."""

    def __init__(self, program: str = "nft") -> None:
        self._program = program

    def replace(self, family: str, table: str, body: str) -> None:
        """Put a table in place of the one of that name, atomically.

        ``body`` is what stands between the table's braces.  Other tables are left alone.  Raises
        :class:`CommandFailed` with the kernel's or the parser's reason; nothing is changed then.
        """
        # Declaring it first makes the removal succeed whether or not it is there.
        script = (
            f"table {family} {table}\ndelete table {family} {table}\ntable {family} {table} {{\n{body}\n}}\n"
        )
        run([self._program, "-f", "-"], stdin=script.encode(), timeout_s=TIMEOUT_S)

    def change_set(
        self, family: str, table: str, name: str, wanted: Iterable[str], before: Iterable[str]
    ) -> None:
        """Make a named set that holds ``before`` hold ``wanted``, atomically; the rest stays untouched."""
        new, old = set(wanted), set(before)
        script = ""
        for verb, elements in (("add", new - old), ("delete", old - new)):
            if elements:
                script += f"{verb} element {family} {table} {name} {{ {', '.join(sorted(elements))} }}\n"
        if script:
            run([self._program, "-f", "-"], stdin=script.encode(), timeout_s=TIMEOUT_S)

    def remove(self, family: str, table: str) -> None:
        """Take a table away; none there is fine."""
        script = f"table {family} {table}\ndelete table {family} {table}\n"
        run([self._program, "-f", "-"], stdin=script.encode(), timeout_s=TIMEOUT_S)

    def listing(self, family: str, table: str) -> str | None:
        """Return the kernel's words for a table, to compare with an earlier listing; none when it is gone."""
        try:
            return run([self._program, "list", "table", family, table], timeout_s=TIMEOUT_S).text
        except CommandFailed as error:
            if "No such file" in str(error.facts["stderr"]):
                return None
            raise
