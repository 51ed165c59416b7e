"""What the conductor knows of images: asked of the store, believed for a short while."""

from __future__ import annotations

import threading

from nova.clock import Clock
from nova.context import RequestContext
from nova.errors import NotFound
from nova.errors.servers import ImageUnknown
from nova.image.base import ImageStore
from nova.objects.ids import ImageId
from nova.objects.image import Image

MOST = 1000
OPEN = frozenset({"public", "community", "shared"})


class ImageFacts:
    """A bounded cache in front of the store; also judges who may use an image."""

    def __init__(self, store: ImageStore, clock: Clock, believe_s: float) -> None:
        self._store = store
        self._clock = clock
        self._believe_s = believe_s
        self._known: dict[ImageId, tuple[float, Image]] = {}
        self._guard = threading.Lock()

    def usable(self, ctx: RequestContext, image_id: ImageId) -> Image:
        """Return an image that the caller may boot from; raises ImageUnknown."""
        image = self._find(image_id)
        if not (ctx.is_admin or image.visibility in OPEN or image.owner == ctx.project_id):
            raise ImageUnknown()
        return image

    def forget(self, image_id: ImageId) -> None:
        """Ask the store anew next time."""
        with self._guard:
            self._known.pop(image_id, None)

    def _find(self, image_id: ImageId) -> Image:
        now = self._clock.monotonic()
        with self._guard:
            known = self._known.get(image_id)
        if known is not None and now - known[0] < self._believe_s:
            return known[1]
        try:
            image = self._store.show(image_id)
        except NotFound:
            raise ImageUnknown() from None
        if image.status == "active":
            with self._guard:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[image_id] = (now, image)
        return image
