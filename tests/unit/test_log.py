"""Log lines carry request and instance, and never a secret."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator

import pytest

from nova import conf, log
from nova.context import RequestContext

CTX = RequestContext(request_id="req-1", user_id="u1", project_id="p1", global_request_id="req-g")


def _record(message: str, *args: object, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("nova.x", logging.INFO, "f", 1, message, args, None)
    record.__dict__.update(more)
    return record


def test_text_lines_say_for_whom() -> None:
    formatter = log.TextFormatter()
    assert formatter.format(_record("hello %s", "you")).endswith(" INFO nova.x [-] hello you")
    with log.bound(CTX, "9c1"):
        assert formatter.format(_record("hi")).endswith("INFO nova.x [req-1 u1 p1] [instance: 9c1] hi")
        with log.about("77"):
            assert "[req-1 u1 p1] [instance: 77] hi" in formatter.format(_record("hi"))
    assert log.current() is None


def test_json_lines_say_for_whom() -> None:
    with log.bound(CTX):
        line = json.loads(log.JsonFormatter().format(_record("hi", instance_uuid="9c1")))
    assert line["request_id"] == "req-1" and line["instance_uuid"] == "9c1" and line["message"] == "hi"
    assert line["global_request_id"] == "req-g" and line["level"] == "INFO"


def test_a_thread_has_a_context_of_its_own() -> None:
    seen: list[object] = []
    with log.bound(CTX):
        thread = threading.Thread(target=lambda: seen.append(log.current()))
        thread.start()
        thread.join(5)
        assert log.current() is CTX
    assert seen == [None]


@pytest.mark.parametrize(
    "text",
    [
        "X-Auth-Token: CANARY",
        "headers={'X-Auth-Token': 'CANARY', 'Accept': 'x'}",
        '{"adminPass":"CANARY","name":"a"}',
        "{'adminPass': 'CANARY with spaces'}",
        "admin_password = CANARY",
        "GET /vnc?token=CANARY&path=/",
        "GET /vnc_lite.html?path=%3Ftoken%3DCANARY HTTP/1.1",
        "GET /vnc_lite.html?path=%253Ftoken%253DCANARY&x=1",
        "GET /vnc_lite.html?path=websockify%3Fa%3D1%26token%3DCANARY",
        "GET /v2.1/os-console-auth-tokens/CANARY HTTP/1.1",
        "rabbit://nova:CANARY@host:5672/",
        "user_data=CANARY",
        "secret=b'CANARY'",
        "Authorization: CANARY",
        "-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nCANARY",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "CANARY" not in log.mask(text)
    try:
        raise ValueError(text)
    except ValueError:
        import sys

        for formatter in (log.TextFormatter(), log.JsonFormatter()):
            record = logging.LogRecord("n", logging.INFO, "f", 1, "%s", (text,), sys.exc_info())
            assert "CANARY" not in formatter.format(record)


@pytest.mark.parametrize("text", ["the token was refused", "3 tokens: left", "http://host:80/path", "a:b@c"])
def test_ordinary_words_stay(text: str) -> None:
    assert log.mask(text) == text


@pytest.fixture
def root_as_it_was() -> Iterator[None]:
    """Take away the handlers that a test adds: their streams are closed when it ends."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("root_as_it_was")
def test_lines_go_to_stderr_for_what_is_printed_is_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    log.setup(conf.load([], files=[]), "nova-manage")
    logging.getLogger("nova.x").warning("here it is")
    out, err = capsys.readouterr()
    assert out == ""
    assert "WARNING nova.x [-] here it is" in err
