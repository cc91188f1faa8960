"""A real Chromium, driven by its DevTools protocol over a pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_CHROMIUM: Final = "no Chromium is installed (on Debian: apt-get install chromium)"
TIMEOUT: Final = 60
PICTURE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 88 88">'
    '<rect width="88" height="88" fill="#7a4a20"/><circle cx="44" cy="44" r="26" fill="#e0b040"/></svg>'
)
"""The picture that every allowed host answers with."""
CONTRAST: Final = """
(() => {
  const read = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((each) => {
      const part = each / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const color = read(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  let lowest = [99, ""];
  for (const node of document.body.querySelectorAll("*")) {
    const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!own || node.closest("script, style, svg, option")) continue;
    const [a, b] = [light(read(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, node.outerHTML.slice(0, 200)];
  }
  return lowest;
})()
"""
"""The lowest contrast of a text with the nearest background below it (WCAG 2.2, 1.4.3)."""


def find_chromium() -> str | None:
    """The path of an installed Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A Chromium without a window. It reaches no network: pictures are answered here."""

    def __init__(self, chromium: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # Chromium reads requests from descriptor 3, and writes answers to 4.
        script = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                script,
                "bash",
                chromium,
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",  # root can't have one, as in most containers
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._number = 0
        self._events: deque[dict[str, Any]] = deque()
        self.session = ""
        self.requests: list[str] = []
        self.problems: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError, EOFError):
            self.session = ""
            self.call("Browser.close")
        os.close(self._write)
        os.close(self._read)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol; return its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], TIMEOUT)
            if not ready:
                raise TimeoutError(f"Chromium says nothing for {TIMEOUT} seconds")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise EOFError("Chromium is gone")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def _handle(self, event: dict[str, Any]) -> None:
        """Answer a request, and note an error of the page or a breach of its policy."""
        method = event.get("method")
        if event.get("sessionId") != self.session:
            return
        if method == "Fetch.requestPaused":
            self._answer(event["params"])
        if method == "Log.entryAdded":
            self.problems.append(event["params"]["entry"]["text"])
        if method in ("Runtime.exceptionThrown", "Page.javascriptDialogOpening"):
            self.problems.append(str(event["params"]))

    def _answer(self, paused: dict[str, Any]) -> None:
        url = paused["request"]["url"]
        self.requests.append(url)
        if url.startswith(("file:", "http://127.0.0.1:")):
            self.call("Fetch.continueRequest", requestId=paused["requestId"])
            return
        self.call(
            "Fetch.fulfillRequest",
            requestId=paused["requestId"],
            responseCode=200,
            responseHeaders=[{"name": "Content-Type", "value": "image/svg+xml"}],
            body=base64.b64encode(PICTURE.encode()).decode(),
        )

    # Pages

    def open(
        self,
        page: Path | str,
        *,
        width: int = 1200,
        height: int = 800,
        dark: bool = False,
        media: str = "screen",
        script: bool = True,
    ) -> None:
        """Open a file, or an address, in a tab of its own, and wait until it is loaded."""
        self.session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        self.requests = []
        self.problems = []
        self._events.clear()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Fetch.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self._navigate(page if isinstance(page, str) else page.as_uri())

    def _navigate(self, url: str) -> None:
        # Not `call`: the answer waits for the request, which waits for us.
        self._number += 1
        message = {
            "id": self._number,
            "sessionId": self.session,
            "method": "Page.navigate",
            "params": {"url": url},
        }
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            event = self._events.popleft() if self._events else self._receive()
            self._handle(event)
            if event.get("method") == "Page.loadEventFired":
                return

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the value of an expression of JavaScript in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def settle(self) -> None:
        """Answer the requests that are under way."""
        self.evaluate("new Promise((done) => setTimeout(done, 300))")
        while self._events:
            self._handle(self._events.popleft())
        self.evaluate("new Promise((done) => setTimeout(done, 100))")

    def press(self, key: str, text: str = "", *, code: int = 0) -> None:
        """Press a key and release it."""
        parameters = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **parameters)
        self.call("Input.dispatchKeyEvent", type="keyUp", **parameters)

    def take_screenshot(self, file: Path, *, whole: bool = False) -> None:
        """Write a picture of the page."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))

    def print_page(self, file: Path) -> None:
        """Write the page as it is printed."""
        answer = self.call("Page.printToPDF", printBackground=False)
        file.write_bytes(base64.b64decode(answer["data"]))
