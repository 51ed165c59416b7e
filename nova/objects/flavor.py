"""Flavors: the sizes of instances."""

from __future__ import annotations

import datetime

from nova.objects.base import Value
from nova.objects.ids import FlavorId, ProjectId


class Flavor(Value, frozen=True, kw_only=True):
    """A flavor as the operator made it; a copy of it stays with each instance."""

    id: FlavorId
    name: str
    vcpus: int
    ram_mb: int
    root_gb: int = 0
    """0: the root disk is as large as the image asks for."""
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    disabled: bool = False
    description: str | None = None
    extra_specs: dict[str, str] = {}
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def disk_gb(self) -> int:
        """Whole gigabytes that a guest of this flavor takes from its host (swap rounded up)."""
        return self.root_gb + self.ephemeral_gb + (self.swap_mb + 1023) // 1024


class FlavorAccess(Value, frozen=True, kw_only=True):
    """A project that may use a private flavor."""

    flavor_id: FlavorId
    project_id: ProjectId
