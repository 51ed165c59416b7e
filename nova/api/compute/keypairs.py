"""``/os-keypairs``: public keys that a user's new servers accept."""

from __future__ import annotations

from typing import Any

from nova.api.compute.moments import micros
from nova.api.wsgi.operation import Operation, Rule
from nova.api.wsgi.paging import PageQuery, next_links, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import NAME, NON_NEGATIVE, STRING, body, many, one_of_words, query, wrapped
from nova.objects.keypair import KeyPair, NewKeyPair
from nova.objects.page import Page
from nova.policy import ADMIN_OR_OWNING_USER

Json = dict[str, Any]

_NAME = "os_compute_api:os-keypairs:"
LIST = Rule(f"{_NAME}index", ADMIN_OR_OWNING_USER, "List key pairs.")
CREATE = Rule(f"{_NAME}create", ADMIN_OR_OWNING_USER, "Import or make a key pair.")
SHOW = Rule(f"{_NAME}show", ADMIN_OR_OWNING_USER, "Show a key pair.")
DELETE = Rule(f"{_NAME}delete", ADMIN_OR_OWNING_USER, "Drop a key pair.")


def _whose(req: Request, user_id: str | None) -> str:
    """Return whose key pairs are meant; raise 403 if they are not the caller's business."""
    owner = user_id or req.ctx.user_id
    req.authorize(target_user_id=owner)
    return owner


def index(req: Request) -> tuple[list[KeyPair], PageQuery | None]:
    """List key pairs, by name."""
    owner = _whose(req, req.query.get("user_id"))
    if not req.has("keypairs_paged"):
        return req.conductor.list_keypairs(req.ctx, owner, Page()), None
    page = page_query(req)
    if page.limit == 0:
        return [], page
    return req.conductor.list_keypairs(req.ctx, owner, Page(limit=page.limit, marker=page.marker)), page


def show(req: Request, id: str) -> KeyPair:
    """Show a key pair."""
    return req.conductor.show_keypair(req.ctx, id, _whose(req, req.query.get("user_id")))


def create(req: Request) -> NewKeyPair:
    """Import a public key, or make a pair when none is given."""
    wish = req.body["keypair"]
    owner = _whose(req, wish.get("user_id"))
    kind = wish.get("type", "ssh")
    return req.conductor.create_keypair(req.ctx, wish["name"].strip(), wish.get("public_key"), kind, owner)


def delete(req: Request, id: str) -> None:
    """Drop a key pair."""
    req.conductor.delete_keypair(req.ctx, id, _whose(req, req.query.get("user_id")))


def entry(pair: KeyPair) -> Json:
    """Render what all views show of a key pair."""
    return {
        "name": pair.name,
        "public_key": pair.public_key,
        "fingerprint": pair.fingerprint,
        "type": pair.type,
    }


def listed(req: Request, value: tuple[list[KeyPair], PageQuery | None]) -> Json:
    """Render a list of key pairs; each is wrapped once more."""
    rows, page = value
    document: Json = {"keypairs": [{"keypair": entry(pair)} for pair in rows]}
    if page is not None:
        links = next_links(req, rows, page.limit, rows[-1].name if rows else None)
        if links:
            document["keypairs_links"] = links
    return document


def one(_: Request, pair: KeyPair) -> Json:
    """Render one key pair."""
    return {
        "keypair": {
            **entry(pair),
            "user_id": pair.user_id,
            "id": pair.id,
            "created_at": micros(pair.created_at),
            "updated_at": None,
            "deleted": False,
            "deleted_at": None,
        }
    }


def new(_: Request, made: NewKeyPair) -> Json:
    """Render a key pair just made, with its private key if it was made here."""
    shown = {**entry(made.keypair), "user_id": made.keypair.user_id}
    if made.private_key is not None:
        shown["private_key"] = made.private_key
    return {"keypair": shown}


_KEY_NAME: Json = {
    "allOf": [
        NAME,
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[_\\-\\@\\. a-zA-Z0-9]+$"},
    ]
}
_OF_USER = query({"user_id": many(STRING)})

OPERATIONS = (
    Operation(
        name="keypairs.index",
        method="GET",
        path="/os-keypairs",
        handler=index,
        view=listed,
        policy=LIST,
        own_project=False,
        query=query({"limit": many(NON_NEGATIVE), "marker": many(STRING), "user_id": many(STRING)}),
    ),
    Operation(
        name="keypairs.create",
        method="POST",
        path="/os-keypairs",
        handler=create,
        view=new,
        policy=CREATE,
        own_project=False,
        success=201,
        body=wrapped(
            "keypair",
            body(
                ("name", "public_key"),
                name=_KEY_NAME,
                public_key=STRING,
                type=one_of_words("ssh", "x509"),
                user_id=STRING,
            ),
        ),
    ),
    Operation(
        name="keypairs.show",
        method="GET",
        path="/os-keypairs/{id}",
        handler=show,
        view=one,
        policy=SHOW,
        own_project=False,
        query=_OF_USER,
    ),
    Operation(
        name="keypairs.delete",
        method="DELETE",
        path="/os-keypairs/{id}",
        handler=delete,
        policy=DELETE,
        own_project=False,
        success=204,
        query=_OF_USER,
    ),
)
