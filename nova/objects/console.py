"""Console access."""

from __future__ import annotations

from nova.objects.base import Value
from nova.objects.ids import InstanceId


class ConsoleLink(Value, frozen=True, kw_only=True):
    """What a user opens in the browser."""

    protocol: str
    """vnc, spice, serial, mks, webmks."""
    type: str
    """novnc, xvpvnc, spice-html5, serial, ..."""
    url: str


class ConsoleAuthorization(Value, frozen=True, kw_only=True):
    """What a valid token stands for."""

    instance_id: InstanceId
    protocol: str
    type: str
    host: str
    port: int
    internal_path: str | None = None
    expires_in_s: float = 0.0
    revision: int = 0
    """The instance's when its host was asked; 0 where that is not known."""
