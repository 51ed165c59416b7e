"""The image store a configuration asks for; only that one is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nova.clock import Clock
from nova.conf import image as image_conf
from nova.image.base import ImageStore

if TYPE_CHECKING:
    from oslo_config import cfg


def image_store(conf: cfg.ConfigOpts, clock: Clock | None = None) -> ImageStore:
    """Return the store named by ``[image]store``."""
    settings = image_conf.read(conf)
    if settings.store == "directory":
        from nova.image.directory import DirectoryStore

        return DirectoryStore(settings.directory, clock or Clock())
    from nova.image.glance import GlanceStore, make_adapter

    return GlanceStore(lambda: make_adapter(conf), clock or Clock())
