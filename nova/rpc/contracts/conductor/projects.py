"""Requests about projects: quotas and server groups."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.ids import GroupId, ProjectId, UserId
from nova.objects.page import Page
from nova.objects.quota import QuotaSet
from nova.objects.server_group import ServerGroup
from nova.rpc.contract import call
from nova.rpc.contracts.conductor.head import part


@part
class Projects:
    """What belongs to a project."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_quotas(self, ctx: RequestContext, project: ProjectId, user_id: str | None) -> QuotaSet:
        """Return limits and use of a project."""

    @call(since="1.0", timeout=60, idempotent=True)
    def default_quotas(self, ctx: RequestContext) -> QuotaSet:
        """Return the limits of projects without limits of their own."""

    @call(since="1.5", timeout=60, idempotent=True)
    def show_quota_class(self, ctx: RequestContext, name: str) -> QuotaSet:
        """Return the limits of a quota class; those in force by default where it has none of its own."""

    @call(since="1.0", timeout=60, idempotent=True)
    def put_quotas(
        self, ctx: RequestContext, project: ProjectId, limits: dict[str, int], force: bool
    ) -> QuotaSet:
        """Change limits; below the use only with ``force``."""

    @call(since="1.0", timeout=60, idempotent=True)
    def reset_quotas(self, ctx: RequestContext, project: ProjectId) -> None:
        """Drop the project's own limits."""

    @call(since="1.1", timeout=60, idempotent=True)
    def put_user_quotas(
        self, ctx: RequestContext, project: ProjectId, user_id: UserId, limits: dict[str, int], force: bool
    ) -> QuotaSet:
        """Change limits of one user; below the use or above the project's only with ``force``."""

    @call(since="1.1", timeout=60, idempotent=True)
    def reset_user_quotas(self, ctx: RequestContext, project: ProjectId, user_id: UserId) -> None:
        """Drop a user's own limits in a project."""

    @call(since="1.0", timeout=60, idempotent=True)
    def put_quota_class(self, ctx: RequestContext, name: str, limits: dict[str, int]) -> QuotaSet:
        """Change the limits of a quota class (``default``)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_server_groups(self, ctx: RequestContext, page: Page, all_projects: bool) -> list[ServerGroup]:
        """List server groups."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_server_group(self, ctx: RequestContext, group: GroupId) -> ServerGroup:
        """Look up a server group."""

    @call(since="1.0", timeout=60, idempotent=True)
    def create_server_group(
        self, ctx: RequestContext, name: str, policy: str, max_per_host: int | None
    ) -> ServerGroup:
        """Make a server group."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_server_group(self, ctx: RequestContext, group: GroupId) -> None:
        """Drop a server group; its members stay."""
