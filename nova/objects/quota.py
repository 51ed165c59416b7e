"""Quotas: limits and use."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.ids import ProjectId


class QuotaSet(Value, frozen=True, kw_only=True):
    """Limits of a project, each resource by the API's name; -1 = unlimited."""

    project_id: ProjectId
    limits: dict[str, int] = {}
    used: dict[str, int] = {}
