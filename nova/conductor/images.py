"""What the conductor knows of images: asked of the store, believed for a short while."""

from __future__ import annotations

import threading

from nova.clock import Clock
from nova.context import RequestContext
from nova.errors import NotFound
from nova.errors.servers import ImageUnknown
from nova.image.base import ImageStore
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image

MOST = 1000


class ImageFacts:
    """A bounded cache in front of the store; the store judges who may see an image."""

    def __init__(self, store: ImageStore, clock: Clock, believe_s: float) -> None:
        self._store = store
        self._clock = clock
        self._believe_s = believe_s
        self._known: dict[tuple[ImageId, ProjectId | None], tuple[float, Image]] = {}
        self._guard = threading.Lock()

    def usable(self, ctx: RequestContext, image_id: ImageId) -> Image:
        """Return an image that the caller may boot from; raises ImageUnknown."""
        return self._find(image_id, None if ctx.is_admin else ProjectId(ctx.project_id))

    def _find(self, image_id: ImageId, project: ProjectId | None) -> Image:
        now = self._clock.monotonic()
        key = (image_id, project)
        with self._guard:
            known = self._known.get(key)
        if known is not None and now - known[0] < self._believe_s:
            return known[1]
        try:
            image = self._store.show(image_id, project)
        except NotFound:
            raise ImageUnknown() from None
        if image.status == "active":
            with self._guard:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[key] = (now, image)
        return image
