"""Firefox and WebKit by the commands of the W3C's WebDriver, with nothing but the standard library.

Firefox takes them itself, over a socket (Marionette, which geckodriver only translates to); WebKit's own driver takes
them over HTTP, and its browser needs a display, which Xvfb gives it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.pages.conftest import POLL_SECONDS, end, free_port, installed
from tests.pages.studio import TIMEOUT

PATHS = {  # of a session's commands over HTTP, by their names over the socket; all are POST
    "Navigate": "url",
    "ExecuteScript": "execute/sync",
    "PerformActions": "actions",
    "SetWindowRect": "window/rect",
}
Send = Callable[[str, Mapping[str, object]], Any]
Point = tuple[float, float]


class Window:
    """A browser's window, looked at and handled as a visitor does."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def open(self, address: str) -> None:
        """Go there and wait until it is loaded."""
        self._send("Navigate", {"url": address})

    def resize(self, width: int, height: int) -> None:
        """Of the whole window, in pixels."""
        self._send("SetWindowRect", {"width": width, "height": height})

    def call(self, function: str, *arguments: object) -> Any:
        """What a JavaScript function answers in the page."""
        script = f"return ({function})(...arguments)"
        value = self._send("ExecuteScript", {"script": script, "args": arguments})
        return value["value"] if isinstance(value, dict) and value.keys() == {"value"} else value

    def wait(self, function: str, *arguments: object) -> None:
        """Until a JavaScript function answers yes; on failure, the page's text is in the message."""
        wait(
            lambda: self.call(function, *arguments),
            lambda: f"{function} {arguments}:\n{self.call('() => document.body.innerText')}",
        )

    def press(self, key: str, selector: str) -> None:
        """A key, by its WebDriver code, on the element that a selector finds."""
        self.call("selector => document.querySelector(selector).focus()", selector)
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": keys})

    def click(self, selector: str) -> None:
        """With the mouse, in the element's middle."""
        self.down(self.call(MIDDLE, selector))
        self.up()

    def down(self, start: Point, end: Point | None = None) -> None:
        """Press the mouse somewhere, and drag it somewhere else."""
        moves = [_move(start, 0), {"type": "pointerDown", "button": 0}]
        self._point(moves if end is None else [*moves, _move(end, 200)])

    def up(self) -> None:
        self._point([{"type": "pointerUp", "button": 0}])

    def _point(self, actions: Sequence[Mapping[str, object]]) -> None:
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions})

    def _act(self, source: Mapping[str, object]) -> None:
        self._send("PerformActions", {"actions": [source]})


MIDDLE = """selector => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { left, top, width, height } = element.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}"""


def _move(to: Point, milliseconds: int) -> dict[str, object]:
    x, y = map(round, to)
    return {"type": "pointerMove", "origin": "viewport", "x": x, "y": y, "duration": milliseconds}


def wait(done: Callable[[], object], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not done():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {TIMEOUT} s for {what()}")
        time.sleep(POLL_SECONDS)


@contextmanager
def firefox(home: Path) -> Iterator[Window]:
    """Debian's Firefox without a display, with a profile of its own in `home`."""
    program = installed("firefox-esr", "firefox-esr")
    (home / "user.js").write_text('user_pref("marionette.port", 0);\n', "utf-8")  # any free one
    told = home / "MarionetteActivePort"
    with running([program, "--headless", "--marionette", "--no-remote", "--profile", str(home)], home):
        wait(lambda: told.is_file() and told.read_text("utf-8"), lambda: log_of(home))
        with socket.create_connection(("127.0.0.1", int(told.read_text("utf-8"))), TIMEOUT) as connection:
            send = _over_socket(connection)
            send("NewSession", {})
            yield Window(send)


def _over_socket(connection: socket.socket) -> Send:
    """Messages are JSON after their length and a colon; the browser speaks first."""
    incoming = connection.makefile("rb")

    def receive() -> Any:
        length = b""
        while (digit := incoming.read(1)) not in (b":", b""):
            length += digit
        return json.loads(incoming.read(int(length)))

    def send(command: str, parameters: Mapping[str, object]) -> Any:
        message = json.dumps([0, 0, f"WebDriver:{command}", parameters]).encode()
        connection.sendall(b"%d:%b" % (len(message), message))
        _, _, error, value = receive()
        if error:
            raise AssertionError(f"{command}: {error['message']}")
        return value

    receive()
    return send


@contextmanager
def webkit(home: Path) -> Iterator[Window]:
    """WebKitGTK's small browser on a display of its own."""
    program, xvfb = installed("WebKitWebDriver", "webkit2gtk-driver"), installed("Xvfb", "xvfb")
    port, display = free_port(), home / "display"
    with (
        open(display, "wb") as number,
        running([xvfb, "-displayfd", str(number.fileno()), "-nolisten", "tcp"], home, pass_fds=[number.fileno()]),
    ):
        wait(lambda: display.read_text().endswith("\n"), lambda: log_of(home))
        with running([program, f"--port={port}"], home, DISPLAY=f":{display.read_text().strip()}"):
            driver = f"http://127.0.0.1:{port}"
            wait(lambda: _is_ready(driver), lambda: log_of(home))
            session = f"{driver}/session/{_post(f'{driver}/session', {'capabilities': {}})['sessionId']}"
            try:
                yield Window(lambda command, parameters: _post(f"{session}/{PATHS[command]}", parameters))
            finally:
                urllib.request.urlopen(urllib.request.Request(session, method="DELETE"), timeout=TIMEOUT).close()


def _is_ready(driver: str) -> bool:
    try:
        with urllib.request.urlopen(f"{driver}/status", timeout=TIMEOUT) as answer:
            return answer.status == 200
    except OSError:
        return False


def _post(address: str, parameters: Mapping[str, object]) -> Any:
    try:
        with urllib.request.urlopen(address, json.dumps(parameters).encode(), timeout=TIMEOUT) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{address}: {json.load(error)['value']['message']}") from error


@contextmanager
def running(command: Sequence[str], home: Path, pass_fds: Sequence[int] = (), **variables: str) -> Iterator[None]:
    """A program, stopped at the end; `home` stands in for the user's."""
    environment = os.environ | {"HOME": str(home)} | variables
    with open(home / "log", "ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, pass_fds=pass_fds)
    try:
        yield
    finally:
        end(process)


def log_of(home: Path) -> str:
    return f"a browser to start:\n{(home / 'log').read_text('utf-8', 'replace')[-2000:]}"
