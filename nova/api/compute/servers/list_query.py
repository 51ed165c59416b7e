"""Lists of servers: the query string, who may filter by what, and the query it becomes.

Filters that only administrators may use are dropped without a word for everybody else, as clients expect.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from nova.api.compute.servers import rules, views
from nova.api.wsgi.formats import parse_date_time
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.paging import PageQuery, page_query
from nova.api.wsgi.request import Request
from nova.api.wsgi.schema_parts import (
    DATE_TIME,
    FALSE_WORDS,
    NON_NEGATIVE,
    REGEX,
    STRING,
    TRUE_WORDS,
    Json,
    many,
    one_of_words,
    query,
)
from nova.errors import Forbidden
from nova.errors.http import InvalidInput
from nova.lifecycle.status import states_of
from nova.objects.ids import InstanceId
from nova.objects.instance import Instance, InstanceQuery
from nova.objects.states import Task, Vm


def _words(text: str) -> list[str]:
    return text.split()


SORT_WORDS = _words(
    "power_state config_drive root_device_name created_at instance_type_id image_ref progress access_ip_v6 "
    "hostname launch_index terminated_at updated_at kernel_id display_name launched_at locked_by task_state "
    "ramdisk_id host locked auto_disk_config key_name project_id vm_state display_description node "
    "availability_zone access_ip_v4 user_id uuid"
)
_TEXTS = _words(
    "all_tenants block_device_mapping deleted host image image_ref info_cache launch_index locked marker "
    "metadata pci_devices project_id security_groups services soft_deleted sort_dir status system_metadata "
    "task_state tenant_id user_id uuid vm_state"
)
_PATTERNS = _words(
    "access_ip_v4 access_ip_v6 auto_disk_config availability_zone config_drive created_at description "
    "display_description display_name flavor hostname ip ip6 kernel_id key_name launched_at locked_by name "
    "node not-tags not-tags-any power_state progress ramdisk_id reservation_id root_device_name tags "
    "tags-any terminated_at"
)

QUERY: Json = {
    **query(
        {
            **{name: many(STRING) for name in _TEXTS},
            **{name: many(REGEX) for name in _PATTERNS},
            "changes-since": many(DATE_TIME),
            "changes-before": many(DATE_TIME),
            "limit": many(NON_NEGATIVE),
            "sort_key": many(one_of_words(*SORT_WORDS)),
        }
    ),
    "patternProperties": {"^_": many(STRING)},
}

_REFUSED = frozenset(
    _words("block_device_mapping services metadata system_metadata info_cache security_groups pci_devices")
)
_IGNORED_SORT = frozenset(
    _words(
        "architecture cell_name cleaned default_ephemeral_device default_swap_device deleted deleted_at "
        "disable_terminate ephemeral_gb ephemeral_key_uuid id key_data launched_on memory_mb os_type "
        "reservation_id root_gb shutdown_terminate user_data vcpus vm_mode"
    )
)
_ADMIN_SORT = frozenset({"host", "node"})

_FOR_ALL = frozenset(
    _words(
        "reservation_id name status image flavor ip changes-since changes-before tags tags-any not-tags "
        "not-tags-any locked"
    )
)
_WIDE = frozenset(
    _words(
        "availability_zone config_drive key_name created_at launched_at terminated_at power_state task_state "
        "vm_state progress user_id"
    )
)
_NOT_KEPT = frozenset({"kernel_id", "ramdisk_id"})
"""Columns in which no server has anything: filtering by them finds none."""
_VM_WORDS = frozenset(state.value for state in Vm)
_TASK_WORDS = frozenset(task.value for task in Task)
_PAGING = frozenset({"limit", "marker", "sort_key", "sort_dir", "all_tenants", "project_id", "tenant_id"})


class NothingFits(Exception):
    """The filters can be fulfilled by no server; never leaves this module."""


def _truth(name: str, text: str) -> bool:
    if text in TRUE_WORDS or text.lower() in ("t", "y"):
        return True
    if text in FALSE_WORDS or text.lower() in ("f", "n", ""):
        return False
    raise InvalidInput(reason=f"Invalid filter value for {name}: {text!r} is not a boolean.")


def _number(name: str, text: str) -> int:
    if not text.lstrip("-").isdecimal():
        raise InvalidInput(reason=f"Invalid filter value for {name}: {text!r} is not an integer.")
    return int(text[:18])


def _moment(name: str, text: str) -> datetime.datetime:
    try:
        return parse_date_time(text)
    except ValueError as error:
        raise InvalidInput(reason=f"Invalid filter value for {name}: {text!r} is not a time.") from error


def _same(name: str, text: str) -> str:  # noqa: ARG001
    return text


def _tags(name: str, text: str) -> tuple[str, ...]:  # noqa: ARG001
    return tuple(dict.fromkeys(text.split(",")))


def _ids(name: str, text: str) -> tuple[str, ...]:  # noqa: ARG001
    return (text,)


_FIELDS: Mapping[str, tuple[str, Callable[[str, str], Any]]] = {
    "reservation_id": ("reservation_id", _same),
    "name": ("name_regex", _same),
    "display_name": ("name_regex", _same),
    "image": ("image_id", _same),
    "image_ref": ("image_id", _same),
    "flavor": ("flavor_id", _same),
    "ip": ("ip_regex", _same),
    "ip6": ("ip6_regex", _same),
    "changes-since": ("changes_since", _moment),
    "changes-before": ("changes_before", _moment),
    "tags": ("tags", _tags),
    "tags-any": ("tags_any", _tags),
    "not-tags": ("not_tags", _tags),
    "not-tags-any": ("not_tags_any", _tags),
    "locked": ("locked", _truth),
    "availability_zone": ("zone_regex", _same),
    "config_drive": ("config_drive", _truth),
    "key_name": ("key_name_regex", _same),
    "created_at": ("created_at", _moment),
    "launched_at": ("launched_at", _moment),
    "terminated_at": ("terminated_at", _moment),
    "power_state": ("power_state", _number),
    "progress": ("progress", _number),
    "user_id": ("user_id", _same),
    "hostname": ("hostname_regex", _same),
    "host": ("host", _same),
    "node": ("node", _same),
    "deleted": ("deleted", _truth),
    "soft_deleted": ("soft_deleted", _truth),
    "uuid": ("ids", _ids),
    "description": ("description_regex", _same),
    "display_description": ("description_regex", _same),
    "access_ip_v4": ("access_ip_v4_regex", _same),
    "access_ip_v6": ("access_ip_v6_regex", _same),
    "auto_disk_config": ("auto_disk_config", _truth),
    "locked_by": ("locked_by", _same),
    "launch_index": ("launch_index", _number),
    "root_device_name": ("root_device_name", _same),
}


def allowed_filters(req: Request) -> frozenset[str] | None:
    """Return what the caller may filter by at this version; none means everything."""
    if req.may(rules.ALL_FILTERS):
        return None
    words = _FOR_ALL
    if req.has("filter_by_ip6"):
        words |= {"ip6"}
    if req.has("wide_filters"):
        words |= _WIDE
    if req.has("hostname_for_all"):
        words |= {"hostname"}
    return words


def instance_query(req: Request, page: PageQuery, *, detail: bool, all_rule: Any) -> InstanceQuery:
    """Turn the query string into a query.  Raises 400, 403 and :class:`NothingFits`."""
    fields: dict[str, Any] = {
        "detail": detail,
        "limit": page.limit,
        "marker": InstanceId(page.marker) if page.marker is not None else None,
        "sort": _sort(req),
        **_scope(req, all_rule),
    }
    allowed = allowed_filters(req)
    for name in req.query.keys():  # noqa: SIM118
        if name in _REFUSED or name.startswith("_"):
            raise InvalidInput(reason=f"Invalid filter field: {name}.")
        if name in _PAGING or (allowed is not None and name not in allowed):
            continue
        value = req.query.get(name) or ""
        if name in _NOT_KEPT:
            raise NothingFits
        field = _FIELDS.get(name)
        if field is not None:
            fields[field[0]] = field[1](name, value)
        elif name not in ("status", "vm_state", "task_state"):
            raise InvalidInput(reason=f"Servers cannot be filtered by {name}.")
    _add_states(req, fields, allowed)
    since, before = fields.get("changes_since"), fields.get("changes_before")
    if since is not None and before is not None and since > before:
        raise InvalidInput(reason="The value of changes-since must be less than or equal to changes-before.")
    return InstanceQuery(**fields)


def _scope(req: Request, all_rule: Any) -> dict[str, Any]:
    """Return whether all projects are asked, or one of them."""
    if "all_tenants" not in req.query:
        return {}
    text = req.query.get("all_tenants") or "1"
    if not _truth("all_tenants", text):
        return {}
    req.authorize(rule=all_rule)
    project = req.query.get("project_id") or req.query.get("tenant_id")
    return {"all_projects": True, "project_id": project}


def _sort(req: Request) -> tuple[tuple[str, str], ...]:
    directions = req.query.all("sort_dir")
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise InvalidInput(
                reason=f"Unknown sort direction, must be one of: asc, desc; not {direction!r}."
            )
    words = req.query.all("sort_key") or ["created_at"]
    if len(directions) > len(words):
        raise InvalidInput(reason="Sort direction size exceeds sort key size")
    default = directions[0] if directions else "desc"
    pairs: list[tuple[str, str]] = []
    for i, word in enumerate(words):
        if word in _ADMIN_SORT and not req.ctx.is_admin:
            raise Forbidden(reason=f"Only administrators can sort servers by {word}.")
        if word not in _IGNORED_SORT:
            pairs.append((word, directions[i] if i < len(directions) else default))
    return tuple(pairs) or (("created_at", "desc"),)


def _add_states(req: Request, fields: dict[str, Any], allowed: frozenset[str] | None) -> None:
    """Add ``status``, ``vm_state`` and ``task_state``."""
    vm_states: tuple[Vm, ...] = ()
    tasks: tuple[Task | None, ...] = ()
    if "status" in req.query:
        vm_states, tasks = _of_status(req, fields)
    if "vm_state" in req.query and (allowed is None or "vm_state" in allowed):
        wanted = tuple(Vm(word) for word in req.query.all("vm_state") if word in _VM_WORDS)
        vm_states = tuple(state for state in wanted if not vm_states or state in vm_states)
        if not vm_states:
            raise NothingFits
    if "task_state" in req.query and (allowed is None or "task_state" in allowed):
        words = req.query.all("task_state")
        named = tuple(None if word in ("", "None", "null") else word for word in words)
        wanted_tasks = tuple(
            word if word is None else Task(word) for word in named if word is None or word in _TASK_WORDS
        )
        tasks = tuple(task for task in wanted_tasks if not tasks or task in tasks)
        if not tasks:
            raise NothingFits
    fields["vm_states"], fields["task_states"] = vm_states, tasks


def _of_status(req: Request, fields: dict[str, Any]) -> tuple[tuple[Vm, ...], tuple[Task | None, ...]]:
    vm_states: list[Vm] = []
    tasks: list[Task | None] = []
    any_task = False
    for word in req.query.all("status"):
        states, of_word = states_of(word)
        if not states:
            if req.has("unknown_status_refused"):
                raise InvalidInput(reason="Invalid status value")
            continue
        if Vm.DELETED in states:
            if not req.ctx.is_admin:
                raise Forbidden(reason="Only administrators may list deleted instances")
            fields["deleted"] = True
        vm_states.extend(states)
        tasks.extend(of_word)
        any_task = any_task or not of_word
    if not vm_states:
        raise NothingFits
    return tuple(dict.fromkeys(vm_states)), () if any_task else tuple(dict.fromkeys(tasks))


def _page_of(req: Request, *, detail: bool, all_rule: Any) -> views.Page:
    page = page_query(req)
    try:
        wanted = instance_query(req, page, detail=detail, all_rule=all_rule)
    except NothingFits:
        return (), page
    if page.limit == 0:
        return (), page
    instances: tuple[Instance, ...] = req.conductor.list_instances(req.ctx, wanted).instances
    return instances, page


def index(req: Request) -> views.Page:
    """List ids and names of servers."""
    return _page_of(req, detail=False, all_rule=rules.INDEX_ALL)


def detail(req: Request) -> views.Page:
    """List servers with all their details."""
    return _page_of(req, detail=True, all_rule=rules.DETAIL_ALL)


OPERATIONS = (
    Operation(
        name="servers.index",
        method="GET",
        path="/servers",
        handler=index,
        view=views.short_list,
        policy=rules.INDEX,
        query=QUERY,
        rules=(rules.INDEX_ALL, rules.ALL_FILTERS),
    ),
    Operation(
        name="servers.detail",
        method="GET",
        path="/servers/detail",
        handler=detail,
        view=views.long_list,
        policy=rules.DETAIL,
        query=QUERY,
        rules=(rules.DETAIL_ALL, rules.ALL_FILTERS, *rules.VIEWS),
    ),
)
