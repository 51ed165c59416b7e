"""Links in answers: built from the request's own scheme and host, or from a configured prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

Link = dict[str, str]


class Links:
    """Makes links for one request.

    ``self`` links stay below the version (and project, if the request's URL had one); ``bookmark`` links
    leave the version out.
    """

    __slots__ = ("_bookmark", "_images", "_self", "own_url")

    def __init__(
        self, host_url: str, version_path: str, project_part: str, own_path: str, image_prefix: str = ""
    ) -> None:
        self._self = f"{host_url}{version_path}{project_part}/"
        self._bookmark = f"{host_url}{project_part}/"
        self._images = f"{image_prefix or host_url}{project_part}/images/"
        self.own_url = f"{host_url}{own_path}"

    def to(self, path: str) -> str:
        """Return the URL of a path below the version, such as ``servers/<id>``."""
        return self._self + path

    def bookmark(self, path: str) -> str:
        """Return the version-free URL of a path."""
        return self._bookmark + path

    def pair(self, path: str) -> list[Link]:
        """Return the ``self`` and ``bookmark`` links of a resource."""
        return [
            {"rel": "self", "href": self._self + path},
            {"rel": "bookmark", "href": self._bookmark + path},
        ]

    def only_bookmark(self, path: str) -> list[Link]:
        """Return just the ``bookmark`` link, as views show it for what belongs to a resource."""
        return [{"rel": "bookmark", "href": self._bookmark + path}]

    def image(self, image_id: str) -> list[Link]:
        """Return the ``bookmark`` link of an image (below ``[api]glance_link_prefix`` if that is set)."""
        return [{"rel": "bookmark", "href": self._images + image_id}]

    def following(self, query: Mapping[str, list[str]], marker: str) -> list[Link]:
        """Return the ``next`` link: this request's keys in sorted order, with the new marker."""
        pairs: list[tuple[str, Any]] = []
        for key in sorted({*query, "marker"}):
            values = [marker] if key == "marker" else query[key]
            pairs.extend((key, value) for value in values)
        return [{"rel": "next", "href": f"{self.own_url}?{urlencode(pairs)}"}]


def host_url(environ: Mapping[str, Any], configured: str = "", *, behind_proxy: bool = False) -> str:
    """Return scheme and host for links, without a slash at the end."""
    if configured:
        return configured.rstrip("/")
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    if behind_proxy:
        scheme = environ.get("HTTP_X_FORWARDED_PROTO") or scheme
        host = environ.get("HTTP_X_FORWARDED_HOST") or host
    host = host.removesuffix(":80" if scheme == "http" else ":443")
    return f"{scheme}://{host}{quote(environ.get('SCRIPT_NAME', ''))}"
