"""What every image store can do."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from nova.errors.servers import ImageNotFound
from nova.objects.base import Value
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image, NewImage

CHUNK_BYTES = 1 << 20
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class ImageQuery(Value, frozen=True, kw_only=True):
    """Which images to list; what is none does not matter."""

    name: str | None = None
    status: str | None = None
    """Glance's word."""
    min_disk_gb: int | None = None
    """Images that ask for at least this."""
    min_ram_mb: int | None = None
    changes_since: datetime.datetime | None = None
    properties: dict[str, str] = {}
    """Properties that must have these values."""
    limit: int | None = None
    marker: ImageId | None = None
    """Begin after this image."""


class ImageStore(Protocol):
    """Keeps images.  All methods may block, and raise ``errors.Unavailable`` when the store does not answer.

    ``project`` says for whom something is looked up: what that project may not see is not found.  None
    is for nova itself and for administrators, who see everything.
    """

    def show(self, image_id: ImageId, project: ProjectId | None = None) -> Image:
        """Look up an image; raise ``errors.servers.ImageNotFound``."""

    def list(self, query: ImageQuery, project: ProjectId | None = None) -> Sequence[Image]:
        """List images, newest first."""

    def create(
        self,
        image: NewImage,
        owner: ProjectId,
        properties: dict[str, str] | None = None,
        image_id: ImageId | None = None,
    ) -> Image:
        """Make an image without data (``queued``); ``properties`` come on top of those of ``image``.

        With an ``image_id`` of the caller's choice it may be repeated: what is there already is returned.
        """

    def update(self, image_id: ImageId, properties: dict[str, str]) -> Image:
        """Make the image's properties exactly these."""

    def upload(self, image_id: ImageId, data: BinaryIO) -> None:
        """Give a queued image its data, from where ``data`` stands (it must be able to seek)."""

    def download(self, image_id: ImageId, offset: int = 0) -> Iterator[bytes]:
        """Yield the data from a byte on; raise ``errors.servers.ImageNotFound``."""

    def delete(self, image_id: ImageId) -> None:
        """Remove an image; raise ``errors.servers.ImageNotFound``, or ``Forbidden`` if it is protected."""


def refuse_strange(image_id: str) -> None:
    """Raise ``errors.servers.ImageNotFound`` for what is no id: ids come from users, and become paths."""
    if not _ID.fullmatch(image_id):
        raise ImageNotFound(id=image_id)


def matches(image: Image, query: ImageQuery) -> bool:
    """Tell whether an image is one of those a query asks for (its page aside)."""
    if query.name is not None and image.name != query.name:
        return False
    if query.status is not None and image.status != query.status:
        return False
    if query.min_disk_gb is not None and image.min_disk_gb < query.min_disk_gb:
        return False
    if query.min_ram_mb is not None and image.min_ram_mb < query.min_ram_mb:
        return False
    if query.changes_since is not None and (
        image.updated_at is None or image.updated_at < query.changes_since
    ):
        return False
    return all(image.properties.get(key) == value for key, value in query.properties.items())
