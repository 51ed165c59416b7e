"""The OpenStack image service, asked with nova's own credentials (``[glance]``, named as by keystoneauth)."""

from __future__ import annotations

import logging
import re
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import requests
from keystoneauth1 import exceptions as ksa
from keystoneauth1 import loading
from keystoneauth1.adapter import Adapter

from nova.clock import Clock
from nova.errors import BadRequest, Conflict, Forbidden, NotFound, NovaError, Unavailable
from nova.errors.servers import ImageNotFound
from nova.image.base import CHUNK_BYTES, ImageQuery, matches, refuse_strange
from nova.image.glance_form import MEMBERS, read_image, write_image, write_patch
from nova.objects.ids import ImageId, ProjectId
from nova.objects.image import Image, NewImage

if TYPE_CHECKING:
    from oslo_config import cfg

LOG = logging.getLogger(__name__)

GROUP = "glance"
_PART = "the image service"
_TRIES = 3
_PAUSE_S = 0.5
_PAGE = 100
_NOT_PROPERTIES = MEMBERS | {"limit", "marker", "sort", "sort_key", "sort_dir", "tag", "member_status"}
"""Words that mean something else in a query for images."""
_TAG = re.compile(r"<head>.*?</head>|<h1>.*?</h1>|<[^>]*>", re.DOTALL)
_PATCH = "application/openstack-images-v2.1-json-patch"


def make_adapter(conf: cfg.ConfigOpts) -> Adapter:
    """Make what talks to Glance; asks nobody anything yet.

    Options of group ``glance`` are keystoneauth's: ``auth_url``, ``username``, ``password``,
    ``project_name``, ``user_domain_name``, ``project_domain_name``, ``region_name``,
    ``endpoint_override``, ``cafile`` and so on.
    """
    loading.register_auth_conf_options(conf, GROUP)
    loading.register_session_conf_options(conf, GROUP)
    loading.register_adapter_conf_options(conf, GROUP)
    conf.set_default("auth_type", "password", group=GROUP)
    conf.set_default("service_type", "image", group=GROUP)
    conf.set_default("valid_interfaces", ["internal", "public"], group=GROUP)
    conf.set_default("timeout", 60, group=GROUP)
    auth = loading.load_auth_from_conf_options(conf, GROUP)
    session = loading.load_session_from_conf_options(conf, GROUP, auth=auth)
    return loading.load_adapter_from_conf_options(conf, GROUP, session=session, auth=auth)


class GlanceStore:
    """An ``ImageStore``.  For many threads."""

    def __init__(self, make: Callable[[], Adapter], clock: Clock) -> None:
        self._make = make
        self._made: Adapter | None = None
        self._clock = clock

    def show(self, image_id: ImageId, project: ProjectId | None = None) -> Image:
        image = _read(self._ask("GET", _path(image_id), image=image_id))
        if project is not None and not self._visible(image, project):
            raise ImageNotFound(id=image_id)
        return image

    def list(self, query: ImageQuery, project: ProjectId | None = None) -> Sequence[Image]:
        path: str | None = "/v2/images?" + urllib.parse.urlencode(_parameters(query))
        found: list[Image] = []
        while path is not None:
            answer = self._ask("GET", path, image=query.marker)
            page = _json(answer)
            for entry in page.get("images") or []:
                image = read_image(entry)
                if matches(image, query) and (project is None or self._visible(image, project)):
                    found.append(image)
                    if query.limit is not None and len(found) >= query.limit:
                        return found
            path = page.get("next")
        return found

    def create(
        self,
        image: NewImage,
        owner: ProjectId,
        properties: dict[str, str] | None = None,
        image_id: ImageId | None = None,
    ) -> Image:
        body = write_image(image, owner, properties, image_id)
        try:
            # Without an id of ours a second try could make a second image.
            tries = _TRIES if image_id is not None else 1
            return _read(self._ask("POST", "/v2/images", image=image_id, tries=tries, json=body))
        except Conflict:
            if image_id is None:
                raise
            return self.show(image_id)

    def update(self, image_id: ImageId, properties: dict[str, str]) -> Image:
        before = self.show(image_id)
        patch = write_patch(before.properties, properties)
        if not patch:
            return before
        headers = {"Content-Type": _PATCH}
        return _read(self._ask("PATCH", _path(image_id), image=image_id, json=patch, headers=headers))

    def upload(self, image_id: ImageId, data: BinaryIO) -> None:
        start = data.tell()
        headers = {"Content-Type": "application/octet-stream"}
        path = f"{_path(image_id)}/file"

        def send() -> requests.Response:
            data.seek(start)
            return self._once("PUT", path, image_id, data=data, headers=headers)

        try:
            self._repeat(send, _TRIES)
        except Conflict:
            # An answer was lost and the data of the try before is there.
            if self.show(image_id).status != "active":
                raise

    def download(self, image_id: ImageId, offset: int = 0) -> Iterator[bytes]:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        answer = self._ask("GET", f"{_path(image_id)}/file", image=image_id, headers=headers, stream=True)
        if answer.status_code == 204:
            raise ImageNotFound(id=image_id)
        skip = offset if answer.status_code != 206 else 0
        return self._chunks(answer, skip)

    def delete(self, image_id: ImageId) -> None:
        self._ask("DELETE", _path(image_id), image=image_id)

    def _adapter(self) -> Adapter:
        # Made when it is first needed: a daemon that never needs images starts without credentials for them.
        if self._made is None:
            self._made = self._make()
        return self._made

    def _chunks(self, answer: requests.Response, skip: int) -> Iterator[bytes]:
        with answer:
            try:
                for chunk in answer.iter_content(CHUNK_BYTES):
                    cut = min(skip, len(chunk))
                    skip -= cut
                    if cut < len(chunk):
                        yield chunk[cut:]
            except requests.RequestException as error:
                LOG.warning("a download from Glance broke off: %s", error)
                raise Unavailable(part=_PART) from error

    def _visible(self, image: Image, project: ProjectId) -> bool:
        if image.visibility in ("public", "community") or image.owner == project:
            return True
        if image.visibility != "shared":
            return False
        try:
            path = f"{_path(image.id)}/members/{urllib.parse.quote(project, safe='')}"
            member = _json(self._ask("GET", path, image=image.id))
        except (NotFound, Forbidden):
            return False
        return member.get("status") != "rejected"

    def _ask(
        self, method: str, path: str, *, image: str | None, tries: int = _TRIES, **more: Any
    ) -> requests.Response:
        return self._repeat(lambda: self._once(method, path, image, **more), tries)

    def _repeat(self, ask: Callable[[], requests.Response], tries: int) -> requests.Response:
        """Ask again with growing pauses while Glance does not answer."""
        for number in range(1, tries):
            try:
                return ask()
            except Unavailable as error:
                LOG.warning("Glance does not answer (try %d of %d): %s", number, tries, error.__cause__)
                self._clock.sleep(_PAUSE_S * 2 ** (number - 1))
        return ask()

    def _once(self, method: str, path: str, image: str | None, **more: Any) -> requests.Response:
        try:
            answer: requests.Response = self._adapter().request(path, method, raise_exc=False, **more)
        except (ksa.ClientException, requests.RequestException) as error:
            raise Unavailable(part=_PART) from error
        if answer.status_code >= 300:
            _refuse(answer, image)
        return answer


def _refuse(answer: requests.Response, image: str | None) -> NoReturn:
    """Raise what an answer of Glance means."""
    status = answer.status_code
    said = " ".join(_TAG.sub(" ", answer.text[:1000]).split())[-200:] if status < 500 else status
    reason = f"The image service says: {said}"
    answer.close()
    known: dict[int, NovaError] = {
        400: BadRequest(reason=reason),
        403: Forbidden(reason=reason),
        404: ImageNotFound(id=image),
        409: Conflict(reason=reason),
        410: ImageNotFound(id=image),
        413: Forbidden(reason=reason),
        415: BadRequest(reason=reason),
        416: BadRequest(reason=reason),
    }
    if status in known:
        raise known[status]
    raise Unavailable(part=_PART) from OSError(f"HTTP status {status}")


def _read(answer: requests.Response) -> Image:
    try:
        return read_image(_json(answer))
    except (KeyError, ValueError, TypeError) as error:
        raise Unavailable(part=_PART) from error


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError as error:
        raise Unavailable(part=_PART) from error
    return found if isinstance(found, dict) else {}


def _path(image_id: str) -> str:
    refuse_strange(image_id)
    return f"/v2/images/{image_id}"


def _parameters(query: ImageQuery) -> dict[str, str]:
    asked = {key: value for key, value in query.properties.items() if key not in _NOT_PROPERTIES}
    parameters = {**asked, "limit": str(min(query.limit or _PAGE, _PAGE))}
    if query.name is not None:
        # Glance reads commas and operators in values; quotes make it take the text as it is.
        parameters["name"] = f'in:"{query.name}"' if "," in query.name else query.name
    if query.status is not None:
        parameters["status"] = query.status
    if query.marker is not None:
        parameters["marker"] = query.marker
    if query.changes_since is not None:
        parameters["updated_at"] = f"gte:{query.changes_since:%Y-%m-%dT%H:%M:%SZ}"
    return parameters
