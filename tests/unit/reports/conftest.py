"""A real browser for the tests of reports: Chromium, spoken to through its debugging pipe (no driver, no port)."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 30.0
_PIPES = """import fcntl, os, sys
a, b = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD, 10), fcntl.fcntl(int(sys.argv[2]), fcntl.F_DUPFD, 10)
os.dup2(a, 3)
os.dup2(b, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page. `said` are console messages and errors, `asked` the URLs that were requested."""

    def __init__(self, program: str, folder: Path) -> None:
        """Start it; the pipe are the file descriptors 3 (to it) and 4 (from it), messages end with a NUL byte."""
        to_it, self._out = os.pipe()
        self._in, from_it = os.pipe()
        command = [
            *(
                program,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
            ),
            *(f"--user-data-dir={folder}", "--disable-dev-shm-usage", "--no-first-run", "about:blank"),
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-SEc", _PIPES, str(to_it), str(from_it), *command],
            pass_fds=(to_it, from_it),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_it)
        os.close(from_it)
        self._buffer, self._number = b"", 0
        self.said: list[str] = []
        self.asked: list[str] = []
        self._loaded = False
        self._session = ""
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        (page,) = [i for i in self.do("Target.getTargets")["targetInfos"] if i["type"] == "page"]
        self._session = self.do("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and give its result."""
        self._number += 1
        call: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            call["sessionId"] = self._session
        os.write(self._out, json.dumps(call).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], end - time.monotonic())
            data = os.read(self._in, 1 << 20) if ready else b""
            assert data, "the browser says nothing more"
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        method, params = message.get("method", ""), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.said.append(json.dumps(params)[:500])
        elif method == "Page.loadEventFired":
            self._loaded = True
        return message

    def open(self, page: Path, width: int, height: int = 900) -> None:
        """Open a file in a window of this width in CSS pixels; below 600 it is a phone's."""
        self.said, self.asked, self._loaded = [], [], False
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.do("Page.navigate", url=page.as_uri())
        while not self._loaded:
            self._next()

    def evaluate(self, script: str) -> Any:
        """Give the value of an expression in the page."""
        found = self.do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, file: Path) -> None:
        """Save a picture of the whole page."""
        shot = self.do("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def paper(self) -> bytes:
        """Print it on A4 and give the PDF."""
        found = self.do("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(found["data"])

    def close(self) -> None:
        """End it."""
        try:
            self._session = ""
            self.do("Browser.close")
        except (AssertionError, OSError):
            pass
        os.close(self._out)
        os.close(self._in)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("chromium is not on PATH: reports are looked at in a real browser")
    found = Browser(program, tmp_path_factory.mktemp("browser"))
    yield found
    found.close()
