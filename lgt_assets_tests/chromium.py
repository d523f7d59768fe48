"""A real browser without a window, driven over its debugging protocol: real clicks, real downloads."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import aiohttp
import pytest

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: apt-get install chromium")
STARTED = "DevTools listening on "
SECONDS = 120.0


class Browser:
    """One page of a running browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse):
        self._socket = socket
        self._numbers = count(1)
        self._events: list[dict] = []
        self.session: str | None = None

    async def call(self, method: str, **parameters: object) -> dict:
        """The result of one command."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session and not method.startswith(("Browser.", "Target.")):
            message["sessionId"] = self.session
        await self._socket.send_json(message)
        while True:
            answer = await self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._events.append(answer)

    async def _receive(self) -> dict:
        return await self._socket.receive_json(timeout=SECONDS)

    async def event(self, method: str, **expected: object) -> dict:
        """Parameters of the next event of that name that has the expected values; earlier ones of that name are passed over."""
        while True:
            event = self._events.pop(0) if self._events else await self._receive()
            if event.get("method") == method and expected.items() <= event["params"].items():
                return event["params"]

    async def open(self, address: str) -> None:
        """Load a page and wait until it is there."""
        if self.session is None:
            target = await self.call("Target.createTarget", url="about:blank")
            attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            self.session = attached["sessionId"]
            await self.call("Page.enable")
        self._events.clear()
        await self.call("Page.navigate", url=address)
        await self.event("Page.loadEventFired")

    async def evaluate(self, expression: str) -> object:
        """The value of a JavaScript expression in the page."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element."""
        box = await self.evaluate(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}});"
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    async def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        await self.click(selector)
        await self.call("Input.insertText", text=text)

    async def download(self, selector: str, folder: Path) -> Path:
        """Click what starts a download; the file when it is whole."""
        await self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)
        self._events.clear()
        await self.click(selector)
        begun = await self.event("Browser.downloadWillBegin")
        await self.event("Browser.downloadProgress", guid=begun["guid"], state="completed")
        return folder / begun["suggestedFilename"]


@asynccontextmanager
async def running_browser(profile: Path) -> AsyncIterator[Browser]:
    """A browser with a profile folder of its own; it can reach no network."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--no-first-run", "--proxy-server=127.0.0.1:1", "--remote-debugging-port=0", f"--user-data-dir={profile}",
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(SECONDS):
            while not (line := (await process.stderr.readline()).decode()).startswith(STARTED):
                assert line, "Chromium ended before it listened"
        draining = asyncio.create_task(process.stderr.read())
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(line.removeprefix(STARTED).strip(), max_msg_size=0) as socket,
        ):
            yield Browser(socket)
        draining.cancel()
    finally:
        process.kill()
        await process.wait()
