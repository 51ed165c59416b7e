"""Requests about what users choose from: flavors and key pairs."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.flavor import Flavor, FlavorAccess
from nova.objects.ids import FlavorId, ProjectId
from nova.objects.keypair import KeyPair, NewKeyPair
from nova.objects.page import Page
from nova.rpc.contract import call
from nova.rpc.contracts.conductor.head import part


@part
class Catalog:
    """Flavors are the operator's, key pairs belong to users."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_flavors(
        self, ctx: RequestContext, page: Page, is_public: bool | None, min_ram_mb: int, min_disk_gb: int
    ) -> list[Flavor]:
        """List flavors the caller may see (``is_public`` none: also private ones, for administrators)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_flavor(self, ctx: RequestContext, flavor: FlavorId) -> Flavor:
        """Look up a flavor that the caller may see."""

    @call(since="1.0", timeout=60, idempotent=True)
    def create_flavor(self, ctx: RequestContext, flavor: Flavor) -> Flavor:
        """Make a flavor; FlavorExists if id or name are taken."""

    @call(since="1.0", timeout=60, idempotent=True)
    def update_flavor(self, ctx: RequestContext, flavor: FlavorId, description: str | None) -> Flavor:
        """Change the description."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_flavor(self, ctx: RequestContext, flavor: FlavorId) -> None:
        """Drop a flavor; instances keep their copies."""

    @call(since="1.0", timeout=60, idempotent=True)
    def put_extra_specs(self, ctx: RequestContext, flavor: FlavorId, specs: dict[str, str]) -> dict[str, str]:
        """Add or overwrite extra specs; return them all."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_extra_spec(self, ctx: RequestContext, flavor: FlavorId, key: str) -> None:
        """Drop an extra spec; NotFound if it is not there."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_flavor_access(self, ctx: RequestContext, flavor: FlavorId) -> list[FlavorAccess]:
        """List the projects that may use a private flavor."""

    @call(since="1.0", timeout=60, idempotent=True)
    def add_flavor_access(self, ctx: RequestContext, flavor: FlavorId, project: ProjectId) -> None:
        """Let a project use a private flavor."""

    @call(since="1.0", timeout=60, idempotent=True)
    def remove_flavor_access(self, ctx: RequestContext, flavor: FlavorId, project: ProjectId) -> None:
        """Take a private flavor away from a project."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_keypairs(self, ctx: RequestContext, user_id: str | None, page: Page) -> list[KeyPair]:
        """List the caller's key pairs, or another user's."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_keypair(self, ctx: RequestContext, name: str, user_id: str | None) -> KeyPair:
        """Look up a key pair."""

    @call(since="1.0", timeout=60)
    def create_keypair(
        self, ctx: RequestContext, name: str, public_key: str | None, kind: str, user_id: str | None
    ) -> NewKeyPair:
        """Import a public key, or make a pair when none is given."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_keypair(self, ctx: RequestContext, name: str, user_id: str | None) -> None:
        """Drop a key pair."""
