"""A complete little resource with a history of its own, to try the kit on."""

from __future__ import annotations

from typing import Any

from nova.api.compute.versions.base import Change, History, Was
from nova.api.wsgi.operation import Operation, Rule, removed
from nova.api.wsgi.paging import next_links, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import (
    LOOSE_NAME,
    NAME,
    NO_QUERY,
    NON_NEGATIVE,
    STRING,
    UUID,
    body,
    closed,
    many,
    query,
    wrapped,
)
from nova.api.wsgi.version import Version
from nova.errors import Conflict, NotFound
from nova.policy import ADMIN, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN

LIST = Rule("test:boxes:index", PROJECT_READER_OR_ADMIN, "List boxes.")
SHOW = Rule("test:boxes:show", PROJECT_READER_OR_ADMIN, "Show a box.")
CREATE = Rule("test:boxes:create", PROJECT_MEMBER_OR_ADMIN, "Make a box.")
PAINT = Rule("test:boxes:paint", PROJECT_MEMBER_OR_ADMIN, "Paint a box.")
BREAK = Rule("test:boxes:break", ADMIN, "Break a box.")
WEIGHT = Rule("test:boxes:weight", ADMIN, "See the weight of a box.")


class BoxMissing(NotFound):
    template = "Box {id} could not be found."


class Shelf:
    """Stands where the conductor's client stands."""

    def __init__(self, boxes: list[dict[str, Any]]) -> None:
        self.boxes = boxes

    def one(self, id: str) -> dict[str, Any]:
        for box in self.boxes:
            if box["id"] == id:
                return box
        raise BoxMissing(id=id)


def index(req: Request) -> Any:
    """List boxes, a page at a time."""
    page = page_query(req)
    rows = [box for box in req.conductor.boxes if box["project"] == req.ctx.project_id]
    ids = [box["id"] for box in rows]
    start = ids.index(page.marker) + 1 if page.marker else 0
    return rows[start : start + page.limit], page


def show(req: Request, id: str) -> Any:
    """Show one box."""
    box = req.conductor.one(id)
    req.authorize(target_project_id=box["project"])
    return box


def create(req: Request) -> Any:
    """Make a box."""
    box = {"id": f"b{len(req.conductor.boxes)}", "project": req.ctx.project_id, **req.body["box"]}
    req.conductor.boxes.append(box)
    req.respond_at(req.links.to(f"boxes/{box['id']}"))
    return box


def delete(req: Request, id: str) -> None:
    """Throw a box away."""
    req.conductor.boxes.remove(req.conductor.one(id))


def paint(req: Request, id: str) -> None:
    """Paint a box."""
    if not req.has("repaint") and req.conductor.one(id).get("color"):
        raise Conflict(reason="painted already")
    req.conductor.one(id)["color"] = req.argument["color"]


def smash(req: Request, id: str) -> None:
    """Break a box; it breaks the server."""
    raise RuntimeError("secret inside of box")


def entry(req: Request, box: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "id": box["id"],
        "name": box["name"],
        "note": box.get("note"),
        "size": {"w": 1, "h": 2},
        "links": req.links.pair(f"boxes/{box['id']}"),
        "tape": "brown",
    }
    if req.may(WEIGHT):
        shown["weight"] = 7
    return shown


def box_list(req: Request, value: Any) -> dict[str, Any]:
    rows, page = value
    document: dict[str, Any] = {"boxes": [entry(req, box) for box in rows]}
    links = next_links(req, rows, page.limit, rows[-1]["id"] if rows else None)
    if links:
        document["boxes_links"] = links
    return document


def one_box(req: Request, box: dict[str, Any]) -> dict[str, Any]:
    return {"box": entry(req, box)}


OPERATIONS = (
    Operation(
        name="boxes.index",
        method="GET",
        path="/boxes",
        handler=index,
        view=box_list,
        policy=LIST,
        query=query({"limit": many(NON_NEGATIVE), "marker": many(STRING)}),
        rules=(WEIGHT,),
    ),
    Operation(
        name="boxes.create",
        method="POST",
        path="/boxes",
        handler=create,
        view=one_box,
        policy=CREATE,
        success=202,
        body=wrapped("box", body(("name", "note"), name=NAME, note={"type": ["string", "null"]})),
        query=NO_QUERY,
    ),
    Operation(
        name="boxes.special",
        method="GET",
        path="/boxes/special",
        handler=lambda req: {"special": 1},
        policy=None,
    ),
    Operation(
        name="boxes.show",
        method="GET",
        path="/boxes/{id}",
        handler=show,
        view=one_box,
        policy=SHOW,
        own_project=False,
    ),
    Operation(
        name="boxes.delete", method="DELETE", path="/boxes/{id}", handler=delete, policy=PAINT, success=204
    ),
    Operation(
        name="boxes.paint",
        method="POST",
        path="/boxes/{id}/action",
        action="paint",
        handler=paint,
        policy=PAINT,
        success=202,
        body=wrapped("paint", closed({"color": STRING, "brush": UUID}, ("color",))),
    ),
    Operation(
        name="boxes.smash",
        method="POST",
        path="/boxes/{id}/action",
        action="smash",
        handler=smash,
        policy=BREAK,
    ),
    removed("boxes.burn", "POST", "/boxes/{id}/action", "burn"),
    removed("crates.index", "GET", "/crates"),
    Operation(
        name="boxes.old", method="GET", path="/old-boxes", handler=lambda req: {"old": True}, policy=None
    ),
    Operation(
        name="boxes.lids",
        method="GET",
        path="/boxes/{box_id}/lids/{id}",
        policy=None,
        handler=lambda req, box_id, id: {"box": box_id, "lid": id},
    ),
)


def noted_by_name(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "box": {**body["box"], "note": body["box"]["name"]}}


def flat_size(box: dict[str, Any]) -> None:
    box["size"] = f"{box['size']['w']}x{box['size']['h']}"


CHANGES = (
    Change(
        version="2.1",
        summary="strict names",
        alters_request={"boxes.create": {"box.name": Was(LOOSE_NAME, required=True)}},
    ),
    Change(
        version="2.3",
        summary="boxes have notes",
        adds_request={"boxes.create": ("box.note",)},
        adds_response={
            "boxes.index": ("boxes[].note",),
            "boxes.show": ("box.note",),
            "boxes.create": ("box.note",),
        },
        lift={"boxes.create": noted_by_name},
        success={"boxes.create": 200},
    ),
    Change(version="2.4", summary="painting twice", features=("repaint",), ends_operations=("boxes.old",)),
    Change(version="2.9", summary="lids", adds_operations=("boxes.lids",), closes_query=("boxes.index",)),
    Change(
        version="2.10",
        summary="size is an object, tape is gone, brushes",
        adds_request={"boxes.paint": ("paint.brush",)},
        drops_response={"boxes.show": ("box.tape",), "boxes.index": ("boxes[].tape",)},
        step_down={"boxes.show": {"box": flat_size}, "boxes.index": {"boxes[]": flat_size}},
    ),
)


def box_history() -> History:
    return History(CHANGES, Version(2, 1))
