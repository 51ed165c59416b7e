"""From the names and ids of a create request to the things themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from nova.conductor.services.services import zones_of_hosts
from nova.context import RequestContext
from nova.db import fixed_ips, flavors, hosts, keypairs, networks, quotas, security_groups, server_groups
from nova.db.engine import Tx
from nova.errors.servers import (
    FlavorUnusable,
    HostUnknown,
    KeyPairUnknown,
    NetworkUnknown,
    PortUnknown,
    SecurityGroupUnknown,
    ServerGroupUnknown,
    ZoneUnknown,
)
from nova.objects.flavor import Flavor
from nova.objects.ids import GroupId, ProjectId, UserId
from nova.objects.image import Image
from nova.objects.instance import BootWish
from nova.objects.keypair import KeyPair
from nova.objects.network import Network, NetworkChoice, NetworkWish

if TYPE_CHECKING:
    from nova.conductor.world import World

R = TypeVar("R")


class Look:
    """The reads of one transaction: what several requests ask for is read once."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx
        self._seen: dict[tuple[str, ...], Any] = {}

    def once(self, key: tuple[str, ...], read: Callable[[Tx], R]) -> R:
        """Return what was read under this key before, or read it."""
        if key not in self._seen:
            self._seen[key] = read(self.tx)
        found: R = self._seen[key]
        return found


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """What a create request means."""

    flavor: Flavor
    image: Image | None
    keypair: KeyPair | None
    networks: tuple[tuple[Network, NetworkWish], ...]
    groups: dict[str, str]
    """Security groups: name to id, in the order asked for."""
    server_group: GroupId | None
    limits: dict[str, int]
    """Of the project; the user's own for what is not counted (metadata items, members of a group)."""
    own_limits: dict[str, int]
    """Of the user, where he has any."""


def resolve(world: World, look: Look, ctx: RequestContext, wish: BootWish, image: Image | None) -> Resolved:
    """Look everything up, a statement a kind; raises the 400 of the first that is missing."""
    tx = look.tx
    project, user = ProjectId(ctx.project_id), UserId(ctx.user_id)
    flavor = look.once(("flavor", wish.flavor_id), lambda tx: flavors.get(tx, wish.flavor_id))
    if flavor is None or flavor.disabled or not _may_use(look, ctx, flavor):
        raise FlavorUnusable(id=wish.flavor_id)
    _check_destination(tx, wish)
    _check_zone(world, tx, wish)
    keypair = None
    if wish.key_name is not None:
        key_name = wish.key_name
        keypair = look.once(("key pair", user, key_name), lambda tx: keypairs.get(tx, user, key_name))
        if keypair is None:
            raise KeyPairUnknown()
    names = list(dict.fromkeys(wish.security_groups or ("default",)))
    groups = look.once(
        ("security groups", project, *names), lambda tx: security_groups.resolve(tx, project, names)
    )
    for name in names:
        if name not in groups:
            raise SecurityGroupUnknown(name=name)
    groups = _by_name(tx, groups)
    defaults = world.settings.quotas
    limits, own = look.once(
        ("limits", project, user), lambda tx: quotas.limits_with_user(tx, project, defaults, user)
    )
    return Resolved(
        flavor=flavor,
        image=image,
        keypair=keypair,
        networks=_networks(look, project, wish),
        groups=groups,
        server_group=_server_group(tx, ctx, wish),
        limits=limits | {name: most for name, most in own.items() if name not in quotas.COUNTED},
        own_limits=own,
    )


def _check_zone(world: World, tx: Tx, wish: BootWish) -> None:
    """Raise for a zone that no host is in; a forced host counts more than its zone."""
    zone = wish.availability_zone
    if zone is None or zone == world.settings.default_zone or wish.forced_host or wish.forced_node:
        return
    if zone not in zones_of_hosts(tx).values():
        raise ZoneUnknown()


def _by_name(tx: Tx, groups: dict[str, str]) -> dict[str, str]:
    """Name the groups that were asked for by id: servers show names."""
    by_id = [group_id for asked, group_id in groups.items() if asked == group_id]
    names = {group.id: group.name for group in security_groups.get(tx, by_id)}
    return {names.get(asked, asked): group_id for asked, group_id in groups.items()}


def _may_use(look: Look, ctx: RequestContext, flavor: Flavor) -> bool:
    if flavor.is_public or ctx.is_admin:
        return True
    project = ProjectId(ctx.project_id)
    granted = look.once(("access", flavor.id, project), lambda tx: flavors.granted(tx, [flavor.id], project))
    return bool(granted)


def _networks(look: Look, project: ProjectId, wish: BootWish) -> tuple[tuple[Network, NetworkWish], ...]:
    if wish.network_choice is NetworkChoice.NONE:
        return ()
    known = look.once(("networks", project), lambda tx: networks.usable_by(tx, project))
    usable = {network.id: network for network in known}
    if wish.network_choice is not NetworkChoice.LISTED:
        return tuple((network, NetworkWish(network_id=network.id)) for network in usable.values())
    chosen = []
    for one in wish.networks:
        if one.network_id is None:
            raise PortUnknown(id=one.port_id or "")
        network = usable.get(one.network_id)
        if network is None:
            raise NetworkUnknown(id=one.network_id)
        chosen.append((network, one))
    for network in {network.id: network for network, one in chosen if one.fixed_ip is not None}.values():
        named = [one.fixed_ip for of, one in chosen if of.id == network.id and one.fixed_ip is not None]
        fixed_ips.require_free(look.tx, network, named)
    return tuple(chosen)


def _check_destination(tx: Tx, wish: BootWish) -> None:
    """Raise ``HostUnknown`` unless the host and node that were named are there."""
    for host, node in (
        (wish.requested_host, wish.requested_node),
        (wish.forced_host, wish.forced_node),
    ):
        if host is None and node is None:
            continue
        found = hosts.hypervisors(tx, None if host is None else [host])
        if not any(node is None or one.inventory.node == node for one in found):
            raise HostUnknown(host=host if not found and host else node or host)


def _server_group(tx: Tx, ctx: RequestContext, wish: BootWish) -> GroupId | None:
    named = wish.scheduler_hints.get("group")
    if not named:
        return None
    group = server_groups.get(tx, GroupId(named[0]))
    if group is None or not (ctx.is_admin or group.project_id == ctx.project_id):
        raise ServerGroupUnknown(id=named[0])
    return group.id
