from __future__ import annotations

import pytest

from nova.conductor.endpoints.projects import ProjectsEndpoint
from nova.conductor.services import quotas as quota_rules
from nova.conductor.world import World
from nova.context import RequestContext
from nova.db import quotas
from nova.errors.admin import OutOfQuota, QuotaBelowUse, QuotaUnknown
from nova.errors.database import MarkerNotFound
from nova.errors.servers import ServerGroupNotFound
from nova.objects.page import Page


@pytest.fixture
def projects(world: World) -> ProjectsEndpoint:
    made = ProjectsEndpoint()
    made.world = world
    return made


class TestQuotas:
    def test_options_are_below_the_class_and_that_below_the_project(
        self, projects: ProjectsEndpoint, admin: RequestContext
    ) -> None:
        usual = projects.world.settings.quotas
        assert projects.show_quotas(admin, "p1", None).limits == usual
        assert projects.put_quota_class(admin, "default", {"cores": 8, "ram": 9}).limits["cores"] == 8
        assert projects.put_quotas(admin, "p1", {"cores": 7}, False).limits["cores"] == 7
        assert projects.show_quotas(admin, "p1", None).limits == usual | {"cores": 7, "ram": 9}
        assert projects.default_quotas(admin).limits == usual | {"cores": 8, "ram": 9}
        projects.reset_quotas(admin, "p1")
        projects.reset_quotas(admin, "p1")
        assert projects.show_quotas(admin, "p1", None).limits["cores"] == 8

    def test_limits_below_the_use_need_force(self, projects: ProjectsEndpoint, admin: RequestContext) -> None:
        projects.world.db.run(lambda tx: quotas.reserve(tx, "p1", {"cores": 3}, {}))
        with pytest.raises(QuotaBelowUse, match=r"limit 2 for cores .* already used and reserved"):
            projects.put_quotas(admin, "p1", {"cores": 2}, False)
        assert projects.put_quotas(admin, "p1", {"cores": 3}, False).used["cores"] == 3
        assert projects.put_quotas(admin, "p1", {"cores": 2}, True).limits["cores"] == 2
        assert projects.put_quotas(admin, "p1", {"cores": -1}, False).limits["cores"] == -1

    def test_unknown_resources_are_refused(self, projects: ProjectsEndpoint, admin: RequestContext) -> None:
        for change in (
            lambda: projects.put_quotas(admin, "p1", {"wheels": 4}, False),
            lambda: projects.put_quota_class(admin, "default", {"wheels": 4}),
        ):
            with pytest.raises(QuotaUnknown, match="wheels"):
                change()

    def test_the_sentence_lists_what_is_short(self, projects: ProjectsEndpoint) -> None:
        short = quotas.Shortage(
            over=("cores", "instances"),
            requested={"cores": 50, "instances": 50, "ram": 1},
            used={"cores": 2, "instances": 2, "ram": 1},
            limits={"cores": 20, "instances": 10, "ram": -1},
        )
        assert str(quota_rules.exceeded(short)) == (
            "Quota exceeded for cores, instances: Requested 50, 50, "
            "but already used 2, 2 of 20, 10 cores, instances"
        )


class TestServerGroups:
    def test_groups_belong_to_projects(
        self, projects: ProjectsEndpoint, ctx: RequestContext, other: RequestContext, admin: RequestContext
    ) -> None:
        made = [projects.create_server_group(ctx, n, "anti-affinity", 2) for n in ("a", "b", "c")]
        assert made[0].max_per_host == 2 and made[0].user_id == "u1"
        assert projects.show_server_group(ctx, made[0].id) == made[0]
        assert projects.show_server_group(admin, made[0].id) == made[0]

        def names(who: RequestContext, page: Page, everywhere: bool = False) -> list[str]:
            return [group.name for group in projects.list_server_groups(who, page, everywhere)]

        assert names(ctx, Page()) == ["a", "b", "c"]
        assert names(ctx, Page(offset=1, limit=1)) == ["b"]
        assert names(ctx, Page(marker=made[1].id)) == ["c"]
        assert names(other, Page(), True) == [], "only administrators see all projects"
        assert names(admin, Page()) == []
        assert names(admin, Page(), True) == ["a", "b", "c"]
        with pytest.raises(MarkerNotFound):
            names(ctx, Page(marker="x"))
        for wrong in (projects.show_server_group, projects.delete_server_group):
            with pytest.raises(ServerGroupNotFound):
                wrong(other, made[0].id)

    def test_the_quota_counts_and_deleting_gives_back(
        self, projects: ProjectsEndpoint, ctx: RequestContext, admin: RequestContext
    ) -> None:
        projects.put_quotas(admin, "p1", {"server_groups": 1}, False)
        made = projects.create_server_group(ctx, "a", "affinity", None)
        with pytest.raises(OutOfQuota, match="Quota exceeded, too many server groups"):
            projects.create_server_group(ctx, "b", "affinity", None)
        projects.delete_server_group(admin, made.id)
        with pytest.raises(ServerGroupNotFound):
            projects.delete_server_group(ctx, made.id)
        projects.create_server_group(ctx, "b", "affinity", None)
