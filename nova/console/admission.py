"""Who may open a console: pure checks of a websocket request."""

from __future__ import annotations

from collections.abc import Collection
from http import cookies
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN_LENGTH_MOST = 256


def token_of(path: str, cookie: str | None) -> str | None:
    """Return the token of a request: from its query, or from the cookie ``token``; None without one.

    noVNC hands its ``path`` option on, so the query may be quoted once more.
    """
    query = parse_qs(urlsplit(path).query)
    found = query.get("token") or parse_qs(unquote(urlsplit(path).path).partition("?")[2]).get("token")
    token = found[0] if found else None
    if token is None and cookie:
        jar: cookies.SimpleCookie = cookies.SimpleCookie()
        try:
            jar.load(cookie)
        except cookies.CookieError:
            return None
        token = jar["token"].value if "token" in jar else None
    if token is None or not 0 < len(token) <= TOKEN_LENGTH_MOST:
        return None
    return token


def origin_is_ours(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Tell whether a page of this origin may open consoles here.

    The origin's host and port must be those the request was sent to, or its host must be allowed by option.
    A request without an origin does not come from a page and is refused, as one from elsewhere is
    (cross-site websocket hijacking).
    """
    if not origin or not host:
        return False
    try:
        parts = urlsplit(origin)
        name, port = parts.hostname, parts.port
        asked = urlsplit(f"//{host}")
        asked_name, asked_port = asked.hostname, asked.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name or parts.path not in ("", "/"):
        return False
    if name in allowed:
        return True
    usual = 443 if parts.scheme == "https" else 80
    return name == asked_name and (port or usual) == (asked_port or usual)


def is_plain_path(path: str) -> bool:
    """Tell whether a path of a page is harmless: no empty or parent parts, no backslashes, however quoted."""
    text = urlsplit(path).path if not path.startswith("//") else path
    for _ in range(3):
        if "\\" in text or "//" in text or "\0" in text or ".." in text.split("/"):
            return False
        text = unquote(text)
    return text.startswith("/")
