"""The conductor's options as one typed value."""

from __future__ import annotations

from nova.objects.base import Value


class Settings(Value, frozen=True, kw_only=True):
    """See ``nova/conf/conductor.py`` and ``nova/conf/quota.py`` for the options behind it."""

    engine_threads: int = 2
    lease_s: float = 6.0
    service_down_s: float = 60.0
    max_attempts: int = 3
    job_ask_s: float = 5.0
    """A job not reported after this is asked for; then after twice as long, and so on."""
    job_ask_most_s: float = 60.0
    away_s: float = 900.0
    """How long a workflow waits for a scheduler or a service that is away before it fails."""
    shutdown_s: int = 60
    """How long a guest may take to shut down before it is forced."""
    default_zone: str = "nova"
    internal_zone: str = "internal"
    dhcp_domain: str = "novalocal"
    quotas: dict[str, int] = {}
    image_cache_s: float = 30.0
    instance_name_template: str = "%(uuid)s"
    default_networks: str = "all"
    novnc_url: str = "http://127.0.0.1:6080/vnc_lite.html"
    console_token_s: float = 600.0
    max_metadata_items: int = 128
