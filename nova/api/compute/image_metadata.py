"""``/images/{id}/metadata`` (until 2.38): the properties of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova.api.compute.images import own_image, seen_by
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import METADATA, wrapped
from nova.errors.http import InvalidInput
from nova.errors.servers import MetadataNotFound, QuotaExceededSimply
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image

Json = dict[str, Any]

_PATH = "/images/{image_id}/metadata"


def index(req: Request, image_id: str) -> Json:
    """List the properties of an image."""
    return {"metadata": req.images.show(ImageId(image_id), seen_by(req)).properties}


def show(req: Request, image_id: str, id: str) -> Json:
    """Show one property."""
    properties = req.images.show(ImageId(image_id), seen_by(req)).properties
    if id not in properties:
        raise MetadataNotFound()
    return {"meta": {id: properties[id]}}


def create(req: Request, image_id: str) -> Json:
    """Add or overwrite properties."""
    image = own_image(req, image_id)
    return {"metadata": _write(req, image, {**image.properties, **req.body["metadata"]})}


def update_all(req: Request, image_id: str) -> Json:
    """Replace all properties."""
    return {"metadata": _write(req, own_image(req, image_id), req.body["metadata"])}


def update(req: Request, image_id: str, id: str) -> Json:
    """Set the one property that the path names."""
    meta = req.body["meta"]
    if id not in meta:
        raise InvalidInput(reason="Request body and URI mismatch")
    image = own_image(req, image_id)
    _write(req, image, {**image.properties, **meta})
    return {"meta": meta}


def delete(req: Request, image_id: str, id: str) -> None:
    """Drop a property."""
    image = own_image(req, image_id)
    if id not in image.properties:
        raise MetadataNotFound()
    req.images.update(image.id, {key: value for key, value in image.properties.items() if key != id})


def _write(req: Request, image: Image, properties: Mapping[str, str]) -> dict[str, str]:
    limits = req.conductor.show_quotas(req.ctx, ProjectId(req.ctx.project_id), None).limits
    most = limits.get("metadata_items", -1)
    if 0 <= most < len(properties):
        raise QuotaExceededSimply(reason="Image metadata limit exceeded")
    return req.images.update(image.id, dict(properties)).properties


OPERATIONS = (
    Operation(name="image_metadata.index", method="GET", path=_PATH, handler=index, policy=None, query={}),
    Operation(
        name="image_metadata.create",
        method="POST",
        path=_PATH,
        handler=create,
        policy=None,
        body=wrapped("metadata", METADATA),
    ),
    Operation(
        name="image_metadata.update_all",
        method="PUT",
        path=_PATH,
        handler=update_all,
        policy=None,
        body=wrapped("metadata", METADATA),
    ),
    Operation(
        name="image_metadata.show",
        method="GET",
        path=_PATH + "/{id}",
        handler=show,
        policy=None,
        query={},
    ),
    Operation(
        name="image_metadata.update",
        method="PUT",
        path=_PATH + "/{id}",
        handler=update,
        policy=None,
        body=wrapped("meta", {**METADATA, "minProperties": 1, "maxProperties": 1}),
    ),
    Operation(
        name="image_metadata.delete",
        method="DELETE",
        path=_PATH + "/{id}",
        handler=delete,
        policy=None,
        success=204,
    ),
)
