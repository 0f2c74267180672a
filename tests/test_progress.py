"""Progress from events.jsonl: read as it grows, whatever a power cut has left in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from genlib.io.files import read_on
from genlib.training.events import EventLog, Started
from genlib.training.progress import MOST_EPOCHS, EventReader, Follower, Progress, read_progress
from tests.tiny import refused
from tests.workers import no_room


def line(event: str, time: float, **fields: Any) -> bytes:
    return json.dumps({"event": event, "time": time, **fields}).encode() + b"\n"


def step(number: int, time: float) -> bytes:
    return line("Step", time, step=number, epoch=1, losses={"loss": 1.0 / number})


STARTED = line("Started", 100.0, step=0, epochs=3, steps_per_epoch=10)


def test_a_line_still_being_written_waits(tmp_path: Path) -> None:
    reader, path = EventReader(tmp_path), tmp_path / "events.jsonl"
    assert list(reader.read()) == []  # the run has not begun
    path.write_bytes(STARTED + step(1, 101.0)[:-20])
    assert [event["event"] for event in reader.read()] == ["Started"]
    assert list(reader.read()) == []
    path.write_bytes(STARTED + step(1, 101.0))
    assert [event["step"] for event in reader.read()] == [1]


@pytest.mark.parametrize(
    "torn",
    [
        *(b'{"event": "Step", "ti', b"\0" * 100, b"\xff\xfe", b"[1]", b'{"event": "Step"}', b"[" * 100_000),
        *(b'{"event": ["Step"], "time": 1.0}', b'{"event": "Step", "time": "now"}'),
        line("Started", 1.0, step=0, epochs="3", steps_per_epoch=10).rstrip(),
        line("Step", 1.0, step=-1, epoch=1, losses={}).rstrip(),
        line("Step", 1.0, step=1, epoch=1, losses={"loss": "low"}).rstrip(),
        line("EpochDone", 1.0, record={"epoch": {}}).rstrip(),
        line("EpochDone", 1.0, record={"epoch": 1, "losses": {}, "fd": "near"}).rstrip(),
        line("SamplesWritten", 1.0, epoch=1, path=5).rstrip(),
        line("Measuring", 1.0, share=7).rstrip(),
    ],
)
def test_a_torn_line_is_passed_over_and_swallows_nothing(torn: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(STARTED + step(1, 101.0) + torn)
    EventLog(path).write(Started(1, 3, 10))
    assert [event["event"] for event in filter(None, EventReader(tmp_path).read())] == ["Started", "Step", "Started"]


def test_a_log_that_is_no_file_holds_no_events(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.jsonl")  # who opens it waits for a writer
    assert list(EventReader(tmp_path).read()) == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="a process' open files are counted by Linux' /proc")
def test_looking_at_a_directory_in_a_files_place_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        assert list(EventReader(tmp_path).read()) == []
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kept", [False, True])
def test_a_full_disk_promises_no_checkpoint_that_is_not_there(kept: bool, tmp_path: Path) -> None:
    if kept:
        (tmp_path / "checkpoint").mkdir()
        (tmp_path / "checkpoint" / "last.safetensors").write_bytes(b"")
    told = "; the last checkpoint is intact" if kept else ""
    with no_room(), refused(f"cannot write .*events.jsonl: File too large{told}$"):
        EventLog(tmp_path / "events.jsonl").write(Started(0, 3, 10))


def test_progress_of_a_run(tmp_path: Path) -> None:
    record = {"epoch": 1, "losses": {"loss": 0.5}, "fd": 9.0}
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        STARTED
        + step(4, 104.0)
        + line("SamplesWritten", 110.0, epoch=1, path="samples/00001.png")
        + line("EpochDone", 110.0, record=record)
        + step(15, 115.0)
    )
    progress = read_progress(tmp_path)
    assert (progress.step, progress.total, progress.epoch) == (15, 30, 2)
    assert progress.records == {1: record}
    assert progress.samples == {1: "samples/00001.png"}
    assert progress.seconds_left == pytest.approx(15.0)


def test_what_was_read_before_does_not_change(tmp_path: Path) -> None:
    path, follower = tmp_path / "events.jsonl", Follower(tmp_path)
    path.write_bytes(STARTED + step(4, 104.0))
    before = follower.now()
    with path.open("ab") as log:
        log.write(step(15, 115.0) + line("SamplesWritten", 116.0, epoch=1, path="samples/00001.png"))
    after = follower.now()
    assert (before.step, before.samples, len(before.times)) == (4, {}, 2)
    assert (after.step, len(after.samples), len(after.times)) == (15, 1, 3)


def test_a_strangers_log_fills_no_memory() -> None:
    progress = Progress()
    progress.take(json.loads(STARTED))
    for number in range(1, 3_000):
        progress.take(json.loads(step(number, 101.0)))  # all at one moment
        progress.take(json.loads(line("EpochDone", 1.0, record={"epoch": MOST_EPOCHS + number, "losses": {}})))
    assert len(progress.times) <= 1_000 and not progress.records


def test_no_more_of_a_log_is_kept_than_a_history_may_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlib.training.progress.LARGEST_JSON", 1_000)
    long = {f"loss {number}": 1.0 for number in range(100)}
    records = [line("EpochDone", 1.0, record={"epoch": epoch, "losses": {}}) for epoch in range(1, 6)]
    records.append(line("EpochDone", 2.0, record={"epoch": 6, "losses": long}))
    samples = [line("SamplesWritten", 3.0, epoch=epoch, path="a") for epoch in (0, 1, MOST_EPOCHS + 1)]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join([STARTED, *records[:5], *samples, records[5], *records[:1], step(9, 4.0)]))
    progress = read_progress(tmp_path)
    assert (sorted(progress.records), sorted(progress.samples), progress.step) == ([1, 2, 3, 4, 5], [1], 9)


def test_what_came_after_the_checkpoint_did_not_happen(tmp_path: Path) -> None:
    lines = [STARTED]
    for epoch in (1, 2):
        lines.append(line("SamplesWritten", 110.0 * epoch, epoch=epoch, path=f"samples/{epoch:05d}.png"))
        lines.append(line("EpochDone", 110.0 * epoch, record={"epoch": epoch, "losses": {}}))
    lines.append(line("Started", 900.0, step=12, epochs=3, steps_per_epoch=10))
    (tmp_path / "events.jsonl").write_bytes(b"".join(lines))
    progress = read_progress(tmp_path)
    assert (progress.step, progress.epoch) == (12, 2)
    assert (list(progress.records), list(progress.samples)) == ([1], [1])
    assert progress.seconds_left is None  # at this speed nothing was seen yet


def test_epochs_whose_events_a_power_cut_took_still_count() -> None:
    progress = Progress()
    progress.take(json.loads(line("Started", 1.0, step=20, epochs=3, steps_per_epoch=10)))
    assert progress.epoch == 3
    progress.take(json.loads(line("EpochDone", 2.0, record={"epoch": 3})))
    assert progress.step == 30
    assert progress.epoch == 3


def test_the_time_left_forgets_an_old_speed() -> None:
    progress = Progress()
    progress.take(json.loads(line("Started", 0.0, step=0, epochs=1, steps_per_epoch=10_000)))
    for second in range(1, 2000):
        done = 10 * min(second, 1000) + max(0, second - 1000)  # from ten steps a second to one
        progress.take(json.loads(line("Step", float(second), step=done, epoch=1, losses={})))
    assert progress.seconds_left == pytest.approx(10_000 - progress.step + 0.0)


def test_a_clock_that_is_set_back_leaves_no_wrong_speed() -> None:
    progress = Progress()
    for text in (STARTED, step(1, 110.0), step(2, 50.0), step(3, 60.0)):
        progress.take(json.loads(text))
    assert progress.seconds_left == pytest.approx(27 * 10.0)


@pytest.mark.parametrize("longer", [False, True])
def test_another_run_of_the_same_name_begins_anew(longer: bool, tmp_path: Path) -> None:
    """Whether its file is shorter than the one before or has grown beyond it; nor is there progress without one."""
    reader, progress, path = EventReader(tmp_path), Progress(), tmp_path / "events.jsonl"

    def look() -> Progress:
        for event in reader.read():
            progress.take(event)
        return progress

    path.write_bytes(STARTED + step(1, 101.0) + line("EpochDone", 110.0, record={"epoch": 1, "losses": {}}))
    assert look().records
    if not longer:
        path.unlink()
        assert look() == Progress()
        assert list(reader.read()) == []
    path.write_bytes(
        STARTED.replace(b"100.0", b"200.0") + b"".join(step(i, 200.0 + i) for i in range(1, 9 * longer + 2))
    )
    assert (look().records, progress.step, progress.total) == ({}, 9 * longer + 1, 30)
    assert [event["event"] for event in reader.read()] == []


def test_a_long_log_is_read_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts end anywhere, within a line too, and all that a file may hold is read."""
    text = STARTED + b"".join(step(i, 100.0 + i) for i in range(1, 40))
    (tmp_path / "events.jsonl").write_bytes(text + STARTED[:30])
    monkeypatch.setattr("genlib.training.progress.PART", 300)
    sizes: list[int] = []

    def counted(path: Path, place: int, most: int) -> bytes:
        sizes.append(len(found := read_on(path, place, most)))
        return found

    monkeypatch.setattr("genlib.training.progress.read_on", counted)
    reader = EventReader(tmp_path)
    assert [event["event"] for event in reader.read()] == ["Started"] + ["Step"] * 39
    assert max(sizes) <= 500 and sum(sizes) < 4 * len(text)
    monkeypatch.setattr("genlib.training.progress.LARGEST_LOG", 1_000)
    assert len(list(EventReader(tmp_path).read())) == text[:1_000].count(b"\n")


def test_no_run_is_no_progress(tmp_path: Path) -> None:
    progress = read_progress(tmp_path / "gone")
    assert (progress.total, progress.epoch, progress.seconds_left) == (0, 0, None)
