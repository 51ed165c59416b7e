"""The conductor's options as one typed value."""

from __future__ import annotations

from typing import Any

import msgspec

from nova.conf.quota import DEFAULTS
from nova.objects.base import Value


class Settings(Value, frozen=True, kw_only=True):
    """See ``nova/conf/conductor.py`` and ``nova/conf/quota.py`` for the options behind it; seconds."""

    engine_threads: int = 2
    lease_s: float = 3.0
    service_down_s: float = 60.0
    max_attempts: int = 3
    job_ask_s: float = 5.0
    job_ask_most_s: float = 60.0
    away_s: float = 900.0
    shutdown_s: int = 60
    default_zone: str = "nova"
    internal_zone: str = "internal"
    quotas: dict[str, int] = msgspec.field(default_factory=DEFAULTS.copy)
    image_cache_s: float = 30.0
    novnc_url: str = "http://127.0.0.1:6080/vnc_lite.html"
    console_token_s: float = 600.0


def read(conf: Any) -> Settings:
    """Take the settings from a configuration."""
    group = conf.conductor
    return Settings(
        engine_threads=group.engine_threads,
        lease_s=group.lease,
        service_down_s=conf.service_down_time,
        max_attempts=group.max_attempts,
        job_ask_s=group.job_ask,
        job_ask_most_s=group.job_ask_most,
        away_s=group.away,
        shutdown_s=conf.shutdown_timeout,
        default_zone=conf.default_availability_zone,
        internal_zone=conf.internal_service_availability_zone,
        quotas={name: getattr(conf.quota, name) for name in DEFAULTS},
        image_cache_s=group.image_cache,
        novnc_url=conf.vnc.novncproxy_base_url,
        console_token_s=conf.consoleauth.token_ttl,
    )
