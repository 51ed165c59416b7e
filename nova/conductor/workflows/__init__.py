"""The workflows: one module each, a list of steps that can be read aloud.

``CATALOG`` names them all; the tests that kill every step are made from it.
"""

from __future__ import annotations

from nova.conductor.engine.step import Workflow
from nova.conductor.workflows.act import Act
from nova.conductor.workflows.boot import Boot
from nova.conductor.workflows.delete import Delete
from nova.conductor.workflows.snapshot import Snapshot

CATALOG: tuple[type[Workflow], ...] = (Boot, Delete, Act, Snapshot)
