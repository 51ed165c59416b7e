"""``/images`` (until 2.35): what the image store has, as clients of the first years asked for it."""

from __future__ import annotations

from typing import Any

from nova.api.compute.moments import whole
from nova.api.wsgi.formats import parse_date_time
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.paging import next_links
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import ANYTHING, POSITIVE, many, query
from nova.errors.compute_api import ImageForbidden
from nova.errors.http import InvalidInput
from nova.image.base import ImageQuery
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image

Json = dict[str, Any]

_STATUS = {
    "active": "ACTIVE",
    "queued": "SAVING",
    "saving": "SAVING",
    "importing": "SAVING",
    "uploading": "SAVING",
    "deleted": "DELETED",
    "pending_delete": "DELETED",
    "killed": "ERROR",
}
_PROGRESS = {"queued": 25, "saving": 50, "active": 100}
_ASKED_STATUS = {"ACTIVE": "active", "SAVING": "saving", "DELETED": "deleted", "ERROR": "killed"}
_PROPERTY = "property-"
_CHANGE = "project_member_or_admin"


def seen_by(req: Request) -> ProjectId | None:
    """Return the project whose images are looked at; administrators see all."""
    return None if req.ctx.is_admin else ProjectId(req.ctx.project_id)


def own_image(req: Request, id: str) -> Image:
    """Return an image that the caller may change; raise 404 or 403.

    The store is asked in our own name: nobody but us looks at the caller's roles.
    """
    image = req.images.show(ImageId(id), seen_by(req))
    owner = image.owner == req.ctx.project_id and req.may(_CHANGE)
    if not req.ctx.is_admin and not owner:
        raise ImageForbidden(id=id)
    return image


def index(req: Request) -> tuple[list[Image], int]:
    """List images."""
    limit = min(_number(req, "limit", req.settings.max_limit), req.settings.max_limit)
    offset = _number(req, "offset", 0)
    found = req.images.list(_query(req, limit + offset), seen_by(req))
    return list(found)[offset : offset + limit], limit


def _query(req: Request, most: int) -> ImageQuery:
    asked = req.query
    properties = {
        key.removeprefix(_PROPERTY): values[-1]
        for key, values in req.raw_query.items()
        if key.startswith(_PROPERTY)
    }
    if server := asked.get("server"):
        properties["instance_uuid"] = server.rstrip("/").rpartition("/")[2]
    if kind := asked.get("type"):
        properties["image_type"] = kind
    status, marker, since = asked.get("status"), asked.get("marker"), asked.get("changes-since")
    try:
        moment = parse_date_time(since) if since else None
    except ValueError:
        raise InvalidInput(reason=f"Invalid changes-since [{since}]") from None
    return ImageQuery(
        name=asked.get("name"),
        status=_ASKED_STATUS.get(status.upper(), status.lower()) if status else None,
        min_disk_gb=_number(req, "minDisk", 0) or None,
        min_ram_mb=_number(req, "minRam", 0) or None,
        changes_since=moment,
        properties=properties,
        limit=most,
        marker=ImageId(marker) if marker else None,
    )


def _number(req: Request, key: str, default: int) -> int:
    text = req.query.get(key)
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(reason=f"Invalid {key} filter [{text}]")
    return int(text[:18])


def show(req: Request, id: str) -> Image:
    """Show an image."""
    return req.images.show(ImageId(id), seen_by(req))


def delete(req: Request, id: str) -> None:
    """Remove an image."""
    req.images.delete(own_image(req, id).id)


def short_entry(req: Request, image: Image) -> Json:
    """Render an image for the short list."""
    (bookmark,) = req.links.image(image.id)
    return {
        "id": image.id,
        "name": image.name,
        "links": [
            {"rel": "self", "href": req.links.to(f"images/{image.id}")},
            bookmark,
            {"rel": "alternate", "type": "application/vnd.openstack.image", "href": bookmark["href"]},
        ],
    }


def entry(req: Request, image: Image) -> Json:
    """Render an image in full."""
    shown = {
        **short_entry(req, image),
        "metadata": image.properties,
        "minDisk": image.min_disk_gb,
        "minRam": image.min_ram_mb,
        "status": _STATUS.get(image.status, "UNKNOWN"),
        "progress": _PROGRESS.get(image.status, 0),
        "created": whole(image.created_at),
        "updated": whole(image.updated_at),
        "OS-EXT-IMG-SIZE:size": image.size_bytes,
    }
    if server := image.properties.get("instance_uuid"):
        shown["server"] = {"id": server, "links": req.links.pair(f"servers/{server}")}
    if disk := image.properties.get("auto_disk_config"):
        shown["OS-DCF:diskConfig"] = "AUTO" if disk.lower() in ("true", "1", "yes") else "MANUAL"
    return shown


def _listed(req: Request, entries: list[Json], value: tuple[list[Image], int]) -> Json:
    rows, limit = value
    document: Json = {"images": entries}
    links = next_links(req, rows, limit, rows[-1].id if rows else None)
    if links:
        document["images_links"] = links
    return document


def short_list(req: Request, value: tuple[list[Image], int]) -> Json:
    """Render a page of short entries."""
    return _listed(req, [short_entry(req, image) for image in value[0]], value)


def full_list(req: Request, value: tuple[list[Image], int]) -> Json:
    """Render a page of full entries."""
    return _listed(req, [entry(req, image) for image in value[0]], value)


def one(req: Request, image: Image) -> Json:
    """Render one image."""
    return {"image": entry(req, image)}


_LIST: Json = {
    **query(
        {
            **dict.fromkeys(("limit", "offset", "page_size"), many(POSITIVE)),
            **dict.fromkeys(
                ("changes-since", "marker", "minDisk", "minRam", "name", "server", "status", "type"), ANYTHING
            ),
        },
        more=True,
    ),
    "patternProperties": {f"^{_PROPERTY}.*$": ANYTHING},
}

OPERATIONS = (
    Operation(
        name="images.index",
        method="GET",
        path="/images",
        handler=index,
        view=short_list,
        policy=None,
        query=_LIST,
    ),
    Operation(
        name="images.detail",
        method="GET",
        path="/images/detail",
        handler=index,
        view=full_list,
        policy=None,
        query=_LIST,
    ),
    Operation(
        name="images.show",
        method="GET",
        path="/images/{id}",
        handler=show,
        view=one,
        policy=None,
        query=query(more=True),
    ),
    Operation(
        name="images.delete", method="DELETE", path="/images/{id}", handler=delete, policy=None, success=204
    ),
)
