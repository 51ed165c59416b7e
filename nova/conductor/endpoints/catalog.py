"""Flavors and key pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.conductor.services import flavors, keypairs
from nova.context import RequestContext
from nova.objects.flavor import Flavor, FlavorAccess
from nova.objects.ids import FlavorId, ProjectId
from nova.objects.keypair import KeyPair, NewKeyPair
from nova.objects.page import Page

if TYPE_CHECKING:
    from nova.conductor.world import World


class CatalogEndpoint:
    """Answers :class:`nova.rpc.contracts.conductor.catalog.Catalog`."""

    world: World

    def list_flavors(
        self, ctx: RequestContext, page: Page, is_public: bool | None, min_ram_mb: int, min_disk_gb: int
    ) -> list[Flavor]:
        return flavors.list_flavors(self.world, ctx, page, is_public, (min_ram_mb, min_disk_gb))

    def show_flavor(self, ctx: RequestContext, flavor: FlavorId) -> Flavor:
        return flavors.show(self.world, ctx, flavor)

    def create_flavor(self, ctx: RequestContext, flavor: Flavor) -> Flavor:
        return flavors.create(self.world, ctx, flavor)

    def update_flavor(self, ctx: RequestContext, flavor: FlavorId, description: str | None) -> Flavor:
        return flavors.update(self.world, ctx, flavor, description)

    def delete_flavor(self, ctx: RequestContext, flavor: FlavorId) -> None:
        flavors.delete(self.world, ctx, flavor)

    def put_extra_specs(self, ctx: RequestContext, flavor: FlavorId, specs: dict[str, str]) -> dict[str, str]:
        return flavors.put_extra_specs(self.world, ctx, flavor, specs)

    def delete_extra_spec(self, ctx: RequestContext, flavor: FlavorId, key: str) -> None:
        flavors.delete_extra_spec(self.world, ctx, flavor, key)

    def list_flavor_access(self, ctx: RequestContext, flavor: FlavorId) -> list[FlavorAccess]:
        return flavors.list_access(self.world, flavor)

    def add_flavor_access(self, ctx: RequestContext, flavor: FlavorId, project: ProjectId) -> None:
        flavors.add_access(self.world, ctx, flavor, project)

    def remove_flavor_access(self, ctx: RequestContext, flavor: FlavorId, project: ProjectId) -> None:
        flavors.remove_access(self.world, ctx, flavor, project)

    def list_keypairs(self, ctx: RequestContext, user_id: str | None, page: Page) -> list[KeyPair]:
        return keypairs.list_keypairs(self.world, ctx, user_id, page)

    def show_keypair(self, ctx: RequestContext, name: str, user_id: str | None) -> KeyPair:
        return keypairs.show(self.world, ctx, name, user_id)

    def create_keypair(
        self, ctx: RequestContext, name: str, public_key: str | None, kind: str, user_id: str | None
    ) -> NewKeyPair:
        return keypairs.create(self.world, ctx, name, public_key, kind, user_id)

    def delete_keypair(self, ctx: RequestContext, name: str, user_id: str | None) -> None:
        keypairs.delete(self.world, ctx, name, user_id)
