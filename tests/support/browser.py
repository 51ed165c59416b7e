"""A headless Chromium, spoken to over a pipe (the Chrome DevTools Protocol, one JSON text a NUL byte)."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.netns import Namespace

_PROGRAMS = ("/usr/lib/chromium/chromium", "chromium", "chromium-browser", "google-chrome")
_ANSWER_S = 120.0
_VIRTUAL_KEYS = {"Enter": 13, " ": 32, "-": 189, "/": 191, ">": 190, ".": 190}
_CODES = {"Enter": "Enter", " ": "Space", "-": "Minus", "/": "Slash", ">": "Period", ".": "Period"}
_SHIFT = 8


def program() -> str | None:
    """Return Chromium itself (the wrapper script of Debian minds root), None when there is none."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


class Page:
    """One page: what it shows, and a keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], to_browser: int, from_browser: int) -> None:
        self._process = process
        self._to, self._from = to_browser, from_browser
        self._unread = b""
        self._count = 0
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def _send(self, method: str, session: str | None = None, **params: Any) -> Any:
        self._count += 1
        asked = {"id": self._count, "method": method, "params": params}
        if session:
            asked["sessionId"] = session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        end = time.monotonic() + _ANSWER_S
        while True:
            answer = self._receive(end)
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _receive(self, end: float) -> Any:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._from, 1 << 20) if ready else b""
            assert part, f"Chromium does not answer (it {'ended' if self._process.poll() else 'runs'})"
            self._unread += part
        text, _, self._unread = self._unread.partition(b"\0")
        return json.loads(text)

    def _ask(self, method: str, **params: Any) -> Any:
        return self._send(method, self._session, **params)

    def open(self, url: str) -> None:
        """Go to a page."""
        said = self._ask("Page.navigate", url=url)
        assert "errorText" not in said, said

    def value(self, expression: str) -> Any:
        """Return what a JavaScript expression is."""
        said = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def screenshot(self) -> bytes:
        """Return the page as it looks, a PNG file."""
        return base64.b64decode(self._ask("Page.captureScreenshot")["data"])

    def type(self, text: str) -> None:
        """Press and let go one key after another, as a person does; ends with Enter for a newline."""
        for letter in text:
            self.press("Enter" if letter == "\n" else letter)

    def press(self, key: str) -> None:
        """Press and let go of a key of a US keyboard."""
        shift = _SHIFT if (key.isupper() and len(key) == 1) or key == ">" else 0
        code = _CODES.get(key) or (f"Digit{key}" if key.isdigit() else f"Key{key.upper()}")
        facts: dict[str, Any] = {
            "key": key,
            "code": code,
            "windowsVirtualKeyCode": _VIRTUAL_KEYS.get(key) or ord(key.upper()),
            "modifiers": shift,
        }
        around = {"key": "Shift", "code": "ShiftLeft", "windowsVirtualKeyCode": 16}
        if shift:
            self._ask("Input.dispatchKeyEvent", type="keyDown", modifiers=shift, **around)
        text = "\r" if key == "Enter" else key
        self._ask("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **facts)
        if shift:
            self._ask("Input.dispatchKeyEvent", type="keyUp", **around)


@contextmanager
def browser(network: Namespace) -> Iterator[Page]:
    """Run a browser in a network namespace and give its page."""
    chromium = program()
    assert chromium is not None
    profile = Path(tempfile.mkdtemp(prefix="nova-test-browser-"))
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    words = [
        chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--no-proxy-server", f"--user-data-dir={profile}", "--window-size=900,600", "--remote-debugging-pipe",
    ]  # fmt: skip
    # Chromium reads from descriptor 3 and writes to 4.
    script = f'exec "$@" 3<&{in_read} 4>&{out_write}'
    process = subprocess.Popen(
        ["ip", "netns", "exec", network.name, "bash", "-c", script, "browser", *words],
        pass_fds=(in_read, out_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(in_read)
    os.close(out_write)
    try:
        yield Page(process, in_write, out_read)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(in_write)
        os.close(out_read)
        shutil.rmtree(profile, ignore_errors=True)
