"""Many rows in one statement, each with its own long texts."""

from __future__ import annotations

import pytest

from nova.db import workflows
from nova.db.engine import Database, Tx
from nova.db.workflows import Advance
from nova.objects.workflow import WorkflowState
from tests.contract.db.makers import workflow

ME = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_row_gets_its_own_long_text(db: Database, count: int) -> None:
    rows = [workflow(owner=ME, notes=b"{}") for _ in range(count + 1)]
    db.run(lambda tx: workflows.insert(tx, rows))
    notes = [f'{{"row": "{n} it\'s \\\\ % ü"}}'.encode() * 500 for n in range(count)]
    moves = [
        Advance(
            id=row.id,
            fence=row.fence,
            state=WorkflowState.READY,
            step=n,
            notes=one,
            message=f"message {n} " * 100,
        )
        for n, (row, one) in enumerate(zip(rows, notes, strict=False))
    ]
    # One that somebody else took meanwhile is left as it is, the others are not.
    moves.append(
        Advance(id=rows[-1].id, fence=99, state=WorkflowState.READY, step=9, notes=b"x", message="x")
    )
    won = db.run(lambda tx: workflows.advance(tx, ME, moves))
    assert won == {row.id for row in rows[:-1]}
    found = db.read(lambda tx: workflows.get_many(tx, [row.id for row in rows]))
    for n, (row, one) in enumerate(zip(rows, notes, strict=False)):
        assert (found[row.id].notes, found[row.id].step) == (one, n)
        assert found[row.id].message == f"message {n} " * 100
    assert found[rows[-1].id].notes == b"{}"


def test_long_texts_make_no_files_on_the_servers_disk(db: Database) -> None:
    if db.backend not in {"mysql", "mariadb"}:
        return  # only there are derived tables with long texts files
    rows = [workflow(owner=ME, notes=b"{}") for _ in range(5)]
    db.run(lambda tx: workflows.insert(tx, rows))
    moves = [
        Advance(id=row.id, fence=row.fence, state=WorkflowState.READY, step=1, notes=b"x" * 2000)
        for row in rows
    ]

    def made(tx: Tx) -> int:
        return int(tx.driver("SHOW SESSION STATUS LIKE 'Created_tmp_disk_tables'", []).fetchone()[1])

    def work(tx: Tx) -> tuple[int, int]:
        first, second = made(tx), made(tx)
        assert len(workflows.advance(tx, ME, moves)) == 5
        return made(tx) - second, second - first

    after, asking = db.run(work)
    assert after == asking
