"""Quotas and server groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import quotas, server_groups
from nova.context import RequestContext
from nova.objects.ids import GroupId, ProjectId, UserId
from nova.objects.page import Page
from nova.objects.quota import QuotaSet
from nova.objects.server_group import ServerGroup

if TYPE_CHECKING:
    from nova.conductor.world import World


class ProjectsEndpoint:
    """Answers :class:`nova.rpc.contracts.conductor.projects.Projects`."""

    world: World

    def show_quotas(self, ctx: RequestContext, project: ProjectId, user_id: str | None) -> QuotaSet:
        return quotas.show(self.world, project, user_id)

    def default_quotas(self, ctx: RequestContext) -> QuotaSet:
        return quotas.defaults(self.world)

    def show_quota_class(self, ctx: RequestContext, name: str) -> QuotaSet:
        return quotas.show_class(self.world, name)

    def put_quotas(
        self, ctx: RequestContext, project: ProjectId, limits: dict[str, int], force: bool
    ) -> QuotaSet:
        return quotas.put(self.world, ctx, project, limits, force)

    def reset_quotas(self, ctx: RequestContext, project: ProjectId) -> None:
        quotas.reset(self.world, ctx, project)

    def put_user_quotas(
        self, ctx: RequestContext, project: ProjectId, user_id: UserId, limits: dict[str, int], force: bool
    ) -> QuotaSet:
        return quotas.put_user(self.world, ctx, project, user_id, limits, force)

    def reset_user_quotas(self, ctx: RequestContext, project: ProjectId, user_id: UserId) -> None:
        quotas.reset_user(self.world, ctx, project, user_id)

    def put_quota_class(self, ctx: RequestContext, name: str, limits: dict[str, int]) -> QuotaSet:
        return quotas.put_class(self.world, ctx, name, limits)

    def list_server_groups(self, ctx: RequestContext, page: Page, all_projects: bool) -> list[ServerGroup]:
        return server_groups.list_groups(self.world, ctx, page, all_projects)

    def show_server_group(self, ctx: RequestContext, group: GroupId) -> ServerGroup:
        return server_groups.show(self.world, ctx, group)

    def create_server_group(
        self, ctx: RequestContext, name: str, policy: str, max_per_host: int | None
    ) -> ServerGroup:
        return server_groups.create(self.world, ctx, name, policy, max_per_host)

    def delete_server_group(self, ctx: RequestContext, group: GroupId) -> None:
        server_groups.delete(self.world, ctx, group)
