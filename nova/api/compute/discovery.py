"""Version documents: what is served at ``/``, ``/v2`` and ``/v2.1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nova.api.wsgi.links import host_url
from nova.api.wsgi.operation import Operation
from nova.api.wsgi.request import Request
from nova.api.wsgi.response import JSON_TYPE, StartResponse, json_bytes, send
from nova.api.wsgi.version import Version
from nova.conf.api import ApiConf
from nova.errors.http import RouteNotFound

Json = dict[str, Any]

V2_UPDATED = "2025-07-04T12:00:00Z"
V21_UPDATED = "2013-07-23T11:33:21Z"
_VENDOR = "application/vnd.openstack.compute+json;version="


class Discovery:
    """Makes the version documents for one range of microversions."""

    def __init__(self, oldest: Version, newest: Version, settings: ApiConf) -> None:
        self._oldest = str(oldest)
        self._newest = str(newest)
        self._settings = settings

    def _v2(self, host: str) -> Json:
        return {
            "id": "v2.0",
            "links": [{"rel": "self", "href": f"{host}/v2/"}],
            "status": "DEPRECATED",
            "version": "",
            "min_version": "",
            "updated": V2_UPDATED,
        }

    def _v21(self, host: str) -> Json:
        return {
            "id": "v2.1",
            "links": [{"rel": "self", "href": f"{host}/v2.1/"}],
            "status": "CURRENT",
            "version": self._newest,
            "min_version": self._oldest,
            "updated": V21_UPDATED,
        }

    def all(self, host: str) -> Json:
        """Return the document of the service root."""
        return {"versions": [self._v2(host), self._v21(host)]}

    def one(self, host: str, *, legacy: bool) -> Json:
        """Return the document of one version."""
        entry = self._v2(host) if legacy else self._v21(host)
        entry["links"].append(
            {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}
        )
        entry["media-types"] = [{"base": JSON_TYPE, "type": _VENDOR + ("2" if legacy else self._oldest)}]
        return {"version": entry}

    def choices(self, host: str, path: str) -> Json:
        """Return what is answered (300) to a path below no version."""
        entries = []
        for name, status, media in (("v2.0", "DEPRECATED", "2"), ("v2.1", "CURRENT", self._oldest)):
            folder = "v2" if name == "v2.0" else "v2.1"
            entries.append(
                {
                    "id": name,
                    "status": status,
                    "links": [{"rel": "self", "href": f"{host}/{folder}{path}"}],
                    "media-types": [{"base": JSON_TYPE, "type": _VENDOR + media}],
                }
            )
        return {"choices": entries}

    def host(self, environ: dict[str, Any]) -> str:
        """Return scheme and host for the links."""
        settings = self._settings
        return host_url(
            environ, settings.compute_link_prefix, behind_proxy=settings.enable_proxy_headers_parsing
        )

    def answer(self, start_response: StartResponse, document: Json, code: int = 200) -> Iterable[bytes]:
        """Send a document."""
        return send(start_response, code, [("Content-Type", JSON_TYPE)], json_bytes(document))

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations that show a version document to authenticated callers."""

        def show(req: Request) -> Json:
            """Show the version document."""
            return self.one(self.host(req.environ), legacy=req.legacy)

        def show_named(req: Request, id: str) -> Json:
            """Show one version document by its id."""
            if id not in ("v2.0", "v2.1"):
                raise RouteNotFound()
            return self.one(self.host(req.environ), legacy=req.legacy or id == "v2.0")

        return (
            Operation(name="versions.show", method="GET", path="/", handler=show, policy=None),
            Operation(
                name="versions.show_named",
                method="GET",
                path="/versions/{id}",
                handler=show_named,
                policy=None,
            ),
        )
