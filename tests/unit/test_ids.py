"""Identifiers have the forms that clients expect."""

from __future__ import annotations

import re
import uuid

from nova import ids

_OURS = uuid.UUID("6b1c2a52-3a0e-5d51-9d57-6d5a8f0c9b1e")


def test_derived_uuids_are_those_of_version_5() -> None:
    for number in range(64):
        assert ids.derived_uuid("req-1", number, "ü") == str(uuid.uuid5(_OURS, f"req-1/{number}/ü"))


def test_reservations_have_eight_letters_each_drawn() -> None:
    drawn = [ids.new_reservation_id() for _ in range(500)]
    assert all(re.fullmatch("r-[a-z0-9]{8}", one) for one in drawn)
    assert len(set(drawn)) == len(drawn)
    for place in range(2, 10):
        assert len({one[place] for one in drawn}) > 30
