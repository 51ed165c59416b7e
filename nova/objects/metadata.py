"""What the metadata service and config drives tell a guest."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.guest import GuestSpec
from nova.objects.ids import InstanceId


class GuestMetadata(Value, frozen=True, kw_only=True):
    """All that the metadata trees are made of."""

    guest: GuestSpec
    security_groups: tuple[str, ...] = ()
    ec2_instance_id: str = ""
    """``i-`` and eight hexadecimal digits."""
    ec2_image_id: str = ""
    public_ipv4: str | None = None
    password: str = ""
    instance_id: InstanceId
