"""Links as clients follow them."""

from __future__ import annotations

from nova.api.wsgi.links import Links, host_url


def environ(**more: str) -> dict[str, str]:
    return {"wsgi.url_scheme": "http", "SERVER_NAME": "srv", "SERVER_PORT": "8774", **more}


def test_host() -> None:
    assert host_url(environ()) == "http://srv:8774"
    assert host_url(environ(HTTP_HOST="cloud:8774")) == "http://cloud:8774"
    assert host_url(environ(HTTP_HOST="cloud:80")) == "http://cloud"
    assert host_url({**environ(HTTP_HOST="cloud:443"), "wsgi.url_scheme": "https"}) == "https://cloud"
    assert host_url(environ(), "https://public/compute/") == "https://public/compute"


def test_proxy_headers_count_only_when_told() -> None:
    forwarded = environ(
        HTTP_HOST="inner:8774", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="public"
    )
    assert host_url(forwarded) == "http://inner:8774"
    assert host_url(forwarded, behind_proxy=True) == "https://public"


def test_images() -> None:
    links = Links("http://h", "/v2.1", "/p1", "/v2.1/p1/servers")
    assert links.image("i") == [{"rel": "bookmark", "href": "http://h/p1/images/i"}]
    links = Links("http://h", "/v2.1", "", "/v2.1/servers", "http://glance")
    assert links.image("i") == [{"rel": "bookmark", "href": "http://glance/images/i"}]


def test_next_repeats_the_query_in_sorted_order() -> None:
    links = Links("http://h", "/v2.1", "", "/v2.1/servers/detail")
    (link,) = links.following(
        {"sort_key": ["b", "a"], "limit": ["2"], "marker": ["old"], "name": ["x y"]}, "new"
    )
    assert link["href"] == ("http://h/v2.1/servers/detail?limit=2&marker=new&name=x+y&sort_key=b&sort_key=a")
