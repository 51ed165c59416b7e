"""Requests about networks, security groups and what guests tell."""

from __future__ import annotations

from nova.context import RequestContext
from nova.objects.ids import InstanceId, NetworkId
from nova.objects.metadata import GuestMetadata
from nova.objects.network import Network, SecurityGroup, SecurityRule
from nova.rpc.contract import call
from nova.rpc.contracts.conductor.head import part


@part
class Networks:
    """Networks are the operator's, security groups belong to projects."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_networks(self, ctx: RequestContext) -> list[Network]:
        """List the networks the caller may use (administrators: all)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_network(self, ctx: RequestContext, network: NetworkId) -> Network:
        """Look up a network."""

    @call(since="1.0", timeout=60, idempotent=True)
    def create_network(self, ctx: RequestContext, network: Network) -> Network:
        """Make a network; Conflict if its range overlaps another or its label is taken."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_network(self, ctx: RequestContext, network: NetworkId) -> None:
        """Drop a network nobody uses."""

    @call(since="1.0", timeout=60, idempotent=True)
    def list_security_groups(self, ctx: RequestContext, all_projects: bool) -> list[SecurityGroup]:
        """List security groups with their rules; the default group is made when it is first needed."""

    @call(since="1.0", timeout=60, idempotent=True)
    def show_security_group(self, ctx: RequestContext, group: str) -> SecurityGroup:
        """Look up a security group by id."""

    @call(since="1.0", timeout=60, idempotent=True)
    def create_security_group(self, ctx: RequestContext, name: str, description: str) -> SecurityGroup:
        """Make a security group."""

    @call(since="1.0", timeout=60, idempotent=True)
    def update_security_group(
        self, ctx: RequestContext, group: str, name: str, description: str
    ) -> SecurityGroup:
        """Rename a security group."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_security_group(self, ctx: RequestContext, group: str) -> None:
        """Drop a security group nobody uses; never the default one."""

    @call(since="1.0", timeout=60, idempotent=True)
    def add_security_rule(self, ctx: RequestContext, group: str, rule: SecurityRule) -> SecurityRule:
        """Add an allowance; hosts follow at once."""

    @call(since="1.0", timeout=60, idempotent=True)
    def delete_security_rule(self, ctx: RequestContext, rule: str) -> None:
        """Take an allowance back; hosts follow at once."""

    @call(since="1.0", timeout=60, idempotent=True)
    def join_security_group(self, ctx: RequestContext, instance: InstanceId, name: str) -> None:
        """Put an instance into a group (name or id)."""

    @call(since="1.0", timeout=60, idempotent=True)
    def leave_security_group(self, ctx: RequestContext, instance: InstanceId, name: str) -> None:
        """Take an instance out of a group (name or id)."""

    @call(since="1.0", timeout=20, idempotent=True)
    def metadata_by_address(self, ctx: RequestContext, address: str) -> GuestMetadata | None:
        """Tell what the guest that holds this fixed address is told; none if nobody holds it."""

    @call(since="1.0", timeout=20, idempotent=True)
    def metadata_by_id(self, ctx: RequestContext, instance: InstanceId) -> GuestMetadata | None:
        """The same by instance id (a proxy proved it)."""

    @call(since="1.0", timeout=20, idempotent=True)
    def put_guest_password(self, ctx: RequestContext, address: str, password: str) -> bool:
        """A guest tells its encrypted password, once; False if there is one already."""

    @call(since="1.6", timeout=60, idempotent=True)
    def show_guest_password(self, ctx: RequestContext, instance: InstanceId) -> str:
        """Return the password that a guest told, to its users; empty if it told none."""

    @call(since="1.6", timeout=60, idempotent=True)
    def clear_guest_password(self, ctx: RequestContext, instance: InstanceId) -> None:
        """Forget the password that a guest told, if it told one; it may tell another then."""
