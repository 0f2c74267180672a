"""A visitor without a browser: speaks Streamlit's websocket protocol with Streamlit's own message classes.

What the browser's side does, in the order in which it does it: the stream is opened under the subprotocol
"streamlit"; a `rerun_script` message with the address's query asks for the first run; the server answers with
`new_session`, one `delta` for each element, and `script_finished`. Moving a slider is another `rerun_script` with the
state of every slider and, where the slider belongs to a fragment, the fragment's id. Pictures are fetched over HTTP as
soon as they are named, on a connection that is kept.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import httpx2
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 120.0  # seconds for one reaction, the first of a cold server too
MOVE_PAUSE = 0.4  # seconds between two moves of a crowd
PICTURE = (b"\x89PNG", b"\xff\xd8\xff")  # how a PNG and a JPEG begin
FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class Broken(Exception):
    """The server's answer is not what a visitor should see."""


class Visitor:
    """One session on one page."""

    def __init__(self, root: str, page: str, query: dict[str, object]) -> None:
        self.root, self.page, self.query = root, page, query
        self.session = ""
        self.page_hash = ""
        self.sliders: dict[str, Slider] = {}
        self.fragments: dict[str, str] = {}
        self.positions: dict[str, float] = {}
        self.pictures: dict[tuple[int, ...], str] = {}  # addresses by place on the page
        self.http = httpx2.AsyncClient(base_url=root, timeout=PATIENCE)

    async def __aenter__(self) -> Self:
        """Connect and see the first run through. After a restart of the server this is how a visitor comes back."""
        address = f"{self.root.replace('http', 'ws', 1)}/_stcore/stream"
        protocols = ["streamlit", "none", *([self.session] if self.session else [])]
        self.stream: ClientConnection = await connect(
            address, subprotocols=protocols, max_size=None, compression=None, open_timeout=PATIENCE, proxy=None
        )
        self.pictures, self.page_hash = {}, ""
        await self._rerun("")
        if not [moment async for moment in self._new_pictures()]:
            raise Broken(f"{self.page} shows no picture")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stream.close()

    async def move(self, label: str, position: float) -> float:
        """Set a slider: seconds until the bytes of a new picture are here. Returns when the run is over, too."""
        self.positions[label] = position
        if key := self.sliders[label].query_param_key:
            self.query[key] = position
        started = time.perf_counter()
        await self._rerun(self.fragments[label])
        arrived = [moment async for moment in self._new_pictures()]
        if not arrived:
            raise Broken(f"{label} at {position} changed no picture on {self.page}")
        return arrived[0] - started

    async def _rerun(self, fragment: str) -> None:
        state = ClientState(
            query_string=urlencode(self.query),
            page_name=self.page,
            page_script_hash=self.page_hash,
            fragment_id=fragment,
        )
        state.context_info.url = f"{self.root}/{self.page}"
        for label, slider in self.sliders.items():
            widget = state.widget_states.widgets.add(id=slider.id)
            widget.double_array_value.data.append(self.positions.get(label, slider.default[0]))
        await self.stream.send(BackMsg(rerun_script=state).SerializeToString())

    async def _new_pictures(self) -> AsyncIterator[float]:
        """The moment of arrival of each picture that was not on the page, until the run is over."""
        before, places = set(self.pictures.values()), dict[tuple[int, ...], str]()
        async with asyncio.timeout(PATIENCE):
            async for data in self.stream:
                message = ForwardMsg.FromString(data)  # type: ignore[arg-type]
                kind = message.WhichOneof("type")
                if kind == "new_session":
                    self.session = message.new_session.initialize.session_id or self.session
                    self.page_hash = message.new_session.page_script_hash
                elif kind == "delta":
                    for url in self._read(message):
                        places[tuple(message.metadata.delta_path)] = url
                        if url not in before:
                            before.add(url)
                            await self._fetch(url)
                            yield time.perf_counter()
                elif kind == "script_finished" and message.script_finished in FINISHED:
                    whole = message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                    self.pictures = places if whole else self.pictures | places
                    return
        raise ConnectionResetError(f"{self.page}: the stream ended")

    def _read(self, message: ForwardMsg) -> list[str]:
        """Take note of a slider; the addresses of pictures."""
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise Broken(f"{self.page}: {element.exception.type} {element.exception.message}")
        if kind == "slider":
            self.sliders[element.slider.label] = element.slider
            self.fragments[element.slider.label] = message.delta.fragment_id
        return [image.url for image in element.imgs.imgs] if kind == "imgs" else []

    async def _fetch(self, url: str) -> None:
        answer = await self.http.get(url)
        if answer.status_code != 200 or not answer.content.startswith(PICTURE):
            raise Broken(f"{url}: status {answer.status_code}, {len(answer.content)} bytes")


@contextmanager
def crowd(root: str, page: str, queries: Sequence[dict[str, object]], label: str) -> Iterator[None]:
    """Visitors who drag a slider to and fro without a rest, one for each query, as long as the context lasts."""
    over, ready = threading.Event(), threading.Barrier(2)
    thread = threading.Thread(target=lambda: asyncio.run(_mill(root, page, queries, label, over, ready)), daemon=True)
    thread.start()
    ready.wait(PATIENCE)
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _mill(
    root: str,
    page: str,
    queries: Sequence[dict[str, object]],
    label: str,
    over: threading.Event,
    ready: threading.Barrier,
) -> None:
    visitors = [Visitor(root, page, query) for query in queries]
    async with AsyncExitStack() as stack:
        for visitor in visitors:
            await stack.enter_async_context(visitor)
        await asyncio.to_thread(ready.wait)
        await asyncio.gather(*(_to_and_fro(visitor, label, over) for visitor in visitors))
    for visitor in visitors:
        await visitor.http.aclose()


async def _to_and_fro(visitor: Visitor, label: str, over: threading.Event) -> None:
    slider = visitor.sliders[label]
    count = round((slider.max - slider.min) / slider.step)
    while not over.is_set():
        for step in [*range(count), *range(count, 0, -1)]:
            await visitor.move(label, slider.min + step * slider.step)
            await asyncio.sleep(MOVE_PAUSE)
            if over.is_set():
                return
