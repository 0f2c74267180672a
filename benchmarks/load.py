"""Many visitors dragging sliders at once: from a slider's move to the picture's bytes, beside a bare Streamlit page.

Visitors speak Streamlit's protocol (`visitor.py`): as many browsers would measure the browsers. Three in four drag
Generate's temperature, one in four Interpolate's position, each with a seed of its own and the models in turn, so that
few find their picture in a cache. A person drags in bursts: a few steps with short pauses, then a look. Half-way the
server is ended and started again on its port; visitors come back with the address that their browser would show.

The clients run beside the server on the same cores; the share of the time they took is printed. Aims: no error, 95 %
of moves under 1.5 s on two cores, and memory that does not grow once every visitor is there.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from benchmarks.report import Unavailable, load_average, percentile, print_table
from benchmarks.server import ROOT, START_SECONDS, Server, streamlit
from benchmarks.visitor import Broken, Visitor
from genlib.loading import weights_directory
from genlib.models import presets

VISITORS, SECONDS = 32, 120.0
QUICK_VISITORS, QUICK_SECONDS = 4, 16.0
BURST = (3, 8)  # moves
STEP_PAUSE = (0.25, 0.6)  # seconds
LOOK_PAUSE = (1.0, 3.0)
ARRIVALS = 0.1  # seconds between two visitors
RETRY = 0.5
AIM = 1.5
SETTLED = 5.0  # seconds after the last visitor came
STEPS: dict[str, tuple[str, Sequence[float]]] = {
    "generate": ("Temperature", [step / 20 for step in range(41)]),
    "interpolate": ("Position", range(101)),
}
GONE = (ConnectionClosed, InvalidHandshake, OSError, EOFError, httpx2.TransportError)


@dataclass
class Record:
    """What all visitors of one server saw."""

    moves: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: dict[str, float] = field(default_factory=dict)
    present: int = 0
    interrupted: int = 0
    restarting: bool = False
    counting: bool = False
    client_share: float = 0.0


def run(quick: bool) -> None:
    """Print the tables."""
    visitors, seconds = (QUICK_VISITORS, QUICK_SECONDS) if quick else (VISITORS, SECONDS)
    names = [name for name in presets() if (weights_directory() / name / "config.json").is_file()]
    if not names:
        raise Unavailable("no preset has weights")
    records = {}
    for name, script in {"studio": ROOT / "app.py", "bare page": ROOT / "benchmarks" / "bare_page.py"}.items():
        records[name] = asyncio.run(_measure(script, names, visitors, seconds))
    _print_moves(records, visitors, seconds)
    _print_memory(records)
    for name, record in records.items():
        for error in sorted(set(record.errors))[:5]:
            print(f"  error, {name}: {error}")


async def _measure(script: Path, names: list[str], visitors: int, seconds: float) -> Record:
    """Two halves with all visitors, and a restart of the server between them."""
    record, over = Record(), asyncio.Event()
    with streamlit(script) as server:
        started, used = time.perf_counter(), time.process_time()
        people = [asyncio.create_task(_Person(server, n, names, record, over).stay()) for n in range(visitors)]
        for half in ("first half", "after the restart"):
            await _half(server, record, half, visitors, seconds / 2)
            if half == "first half":
                record.restarting = True
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
        over.set()
        await asyncio.gather(*people)
        record.client_share = (time.process_time() - used) / (time.perf_counter() - started)
        record.memory["when all have left"] = server.memory()
    return record


async def _half(server: Server, record: Record, half: str, visitors: int, seconds: float) -> None:
    """The server's memory at the start, once all are there and settled, and at the end."""
    record.memory[f"{half}, empty"] = server.memory()
    deadline = time.perf_counter() + START_SECONDS
    while record.present < visitors and time.perf_counter() < deadline:
        await asyncio.sleep(RETRY)
    await asyncio.sleep(SETTLED)
    record.restarting, record.counting = False, True
    record.memory[f"{half}, all there"] = server.memory()
    await asyncio.sleep(seconds)
    record.counting = False
    record.memory[f"{half}, end"] = server.memory()


class _Person:
    """One visitor from arrival to the end, through every loss of the connection."""

    def __init__(self, server: Server, number: int, names: list[str], record: Record, over: asyncio.Event) -> None:
        self.number, self.record, self.over = number, record, over
        self.chance = random.Random(number)
        page = "interpolate" if number % 4 == 3 else "generate"
        self.label, self.steps = STEPS[page]
        self.at = len(self.steps) // 2
        query: dict[str, object] = {"model": names[number % len(names)], "seed": number}
        query |= {"between": "seeds", "seed2": 1000 + number} if page == "interpolate" else {"n": 40}
        bare = server.script.name != "app.py"
        self.visitor = Visitor(server.address, "" if bare else page, query | ({"draw": page} if bare else {}))

    async def stay(self) -> None:
        """Come, drag, come back where the connection was lost, until it is over."""
        await asyncio.sleep(ARRIVALS * self.number)
        self.without_page = time.perf_counter()
        times = self.record.arrivals
        while not self.over.is_set():
            try:
                async with self.visitor:
                    times.append(time.perf_counter() - self.without_page)
                    times = self.record.returns
                    self.record.present += 1
                    await self._drag()
            except (Broken, TimeoutError) as error:  # a TimeoutError is an OSError, too
                self.record.errors.append(f"{type(error).__name__} {error}")
            except GONE as error:
                self._was_cut_off(error)
            await asyncio.sleep(RETRY)
        await self.visitor.http.aclose()

    async def _drag(self) -> None:
        try:
            while not self.over.is_set():
                for _ in range(self.chance.randint(*BURST)):
                    await self._move()
                    await asyncio.sleep(self.chance.uniform(*STEP_PAUSE))
                await asyncio.sleep(self.chance.uniform(*LOOK_PAUSE))
        finally:
            self.record.present -= 1
            self.without_page = time.perf_counter()

    async def _move(self) -> None:
        """A few steps to either side, away from the ends."""
        stride = self.chance.randint(2, len(self.steps) // 8)
        back = self.at + stride >= len(self.steps) or (self.at >= stride and self.chance.random() < 0.5)
        self.at += -stride if back else stride
        counted, seconds = self.record.counting, await self.visitor.move(self.label, self.steps[self.at])
        if counted:
            self.record.moves.append(seconds)

    def _was_cut_off(self, error: BaseException) -> None:
        if self.record.restarting:
            self.record.interrupted += 1
        else:
            self.record.errors.append(f"cut off: {type(error).__name__} {error}")


def _print_moves(records: dict[str, Record], visitors: int, seconds: float) -> None:
    bare = _share(records["bare page"].moves, 0.5)
    print_table(
        f"load: seconds from a slider's move to the picture's bytes, {visitors} visitors dragging for {seconds:.0f} s",
        ("server", "moves", "errors", "median", "p95", "p99", "longest", "median / bare", "clients' share of a core"),
        [
            (
                name,
                len(record.moves),
                len(record.errors),
                *(_share(record.moves, share) for share in (0.5, 0.95, 0.99, 1.0)),
                f"{_share(record.moves, 0.5) / bare:.2f}x",
                record.client_share,
            )
            for name, record in records.items()
        ],
        "moves made while all visitors were there; errors at any time",
        f"aims: no errors, studio's p95 under {AIM} s; load average {load_average()} at the end",
    )
    print_table(
        "load: coming and coming back",
        ("server", "first picture, median s", "longest", "cut off by the restart", "back after, median s", "longest"),
        [
            (
                name,
                *(_share(record.arrivals, share) for share in (0.5, 1.0)),
                record.interrupted,
                *(_share(record.returns, share) for share in (0.5, 1.0)),
            )
            for name, record in records.items()
        ],
        "back after: from the loss of the connection to the page's picture, the server's start included",
    )


def _share(seconds: list[float], share: float) -> float:
    """A percentile; not a number where nothing was measured."""
    return percentile(seconds, share) if seconds else float("nan")


def _print_memory(records: dict[str, Record]) -> None:
    print_table(
        "load: the server's resident memory, MiB",
        ("moment", *records),
        [(moment, *(record.memory[moment] for record in records.values())) for moment in records["studio"].memory],
        "aim: the end of a half no higher than its beginning but for caches, which have limits",
    )
