"""Who may open a console."""

from __future__ import annotations

import pytest

from nova.console.admission import is_plain_path, origin_is_ours, token_of


@pytest.mark.parametrize(
    ("path", "cookie", "token"),
    [
        ("/?token=abc", None, "abc"),
        ("/%3Ftoken%3Dabc", None, "abc"),
        ("/websockify?token=abc&x=1", None, "abc"),
        ("/", "token=abc; other=1", "abc"),
        ("/", None, None),
        ("/?token=", None, None),
        ("/?token=" + "a" * 300, None, None),
    ],
)
def test_a_token_is_found(path: str, cookie: str | None, token: str | None) -> None:
    assert token_of(path, cookie) == token


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://cloud:6080", "cloud:6080", True),
        ("https://cloud", "cloud:443", True),
        ("http://cloud", "cloud", True),
        ("http://friend:1", "cloud:6080", True),
        ("http://cloud:6081", "cloud:6080", False),
        ("http://evil:6080", "cloud:6080", False),
        ("http://cloud.evil:6080", "cloud:6080", False),
        ("null", "cloud:6080", False),
        (None, "cloud:6080", False),
        ("", "cloud:6080", False),
        ("file://cloud:6080", "cloud:6080", False),
        ("http://cloud:99999999", "cloud:6080", False),
        ("http://[", "cloud", False),
    ],
)
def test_foreign_pages_are_refused(origin: str | None, host: str, ours: bool) -> None:
    assert origin_is_ours(origin, host, {"friend"}) is ours


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/vnc_lite.html?path=x", True),
        ("/core/rfb.js", True),
        ("//evil/%2F..", False),
        ("/..%2f..%2fetc/passwd", False),
        ("/%252e%252e/etc", False),
        ("/\\evil", False),
        ("/%5Cevil", False),
        ("/a/../b", False),
        ("/%2Fevil", False),
    ],
)
def test_strange_paths_are_refused(path: str, plain: bool) -> None:
    assert is_plain_path(path) is plain
