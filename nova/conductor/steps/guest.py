"""From an instance's row to the complete description of its guest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nova.db import security_groups
from nova.db.engine import Tx
from nova.objects.guest import GuestSpec
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance
from nova.objects.network import FilterRule, Topology


def guest_spec(
    instance: Instance,
    rules: tuple[FilterRule, ...] = (),
    personality: Mapping[str, str] | None = None,
) -> GuestSpec:
    """Return everything a host needs to build this instance."""
    return GuestSpec(
        id=instance.id,
        name=instance.display_name,
        hostname=instance.hostname,
        project_id=instance.project_id,
        user_id=instance.user_id,
        flavor=instance.flavor,
        image=instance.image,
        block_devices=instance.block_devices,
        vifs=instance.vifs,
        rules=rules,
        key_name=instance.key_name,
        key_data=instance.key_data,
        key_type=instance.key_type,
        user_data=instance.user_data,
        config_drive=instance.config_drive,
        metadata=instance.metadata,
        availability_zone=instance.availability_zone,
        launch_index=instance.launch_index,
        reservation_id=instance.reservation_id,
        personality=dict(personality or {}),
    )


def guest_specs(tx: Tx, instances: Iterable[Instance]) -> dict[InstanceId, GuestSpec]:
    """Return the specs of many instances with one look at the security groups of those with interfaces."""
    found = list(instances)
    with_vifs = [i.id for i in found if any(v.topology is not Topology.NONE for v in i.vifs)]
    rules = security_groups.filter_rules(tx, with_vifs) if with_vifs else {}
    return {i.id: guest_spec(i, rules.get(i.id, ())) for i in found}
