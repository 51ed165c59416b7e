"""What guests are told: also while the database loses answers."""

from __future__ import annotations

import pytest

from nova.conductor.services import metadata_service
from nova.conductor.world import World
from nova.db import instances
from nova.errors.database import CommitUnknown
from tests.contract.db.makers import instance


@pytest.mark.parametrize(
    ("moment", "error"), [("committed", ConnectionResetError()), ("commit", CommitUnknown())]
)
def test_a_guest_is_told_its_metadata_though_the_answer_to_the_commit_of_its_number_is_lost(
    world: World, moment: str, error: Exception
) -> None:
    one = instance()
    world.db.run(lambda tx: instances.insert(tx, [one]))
    lost = iter([True])

    def disturb(at: str) -> None:
        if at == moment and next(lost, False):
            raise error

    world.db.disturb = disturb
    told = metadata_service.by_id(world, one.id)
    world.db.disturb = None
    assert next(lost, None) is None
    assert told is not None and told.ec2_instance_id.startswith("i-")
    assert metadata_service.by_id(world, one.id) == told
