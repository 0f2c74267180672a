"""Files that someone else wrote, or that are damaged: each is one line, costs little, and is no other's trouble."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from genlib.__main__ import main
from genlib.analysis.directions import FILE, load_directions
from genlib.analysis.history import read_history
from genlib.analysis.latent import FILE as FITS
from genlib.analysis.latent import load_fits
from genlib.data import FashionMNIST
from genlib.errors import GenlibError, shown
from genlib.findings import judge
from genlib.findings.claims import CLAIMS
from genlib.io.files import read_file, read_json, read_on, write_json
from genlib.io.tensor_file import read_tensors, write_tensors
from genlib.jobs.queue import Queue
from genlib.loading import load, model_directory, weights_directory
from genlib.metrics import floor
from genlib.metrics.evaluation import _carried
from genlib.metrics.sample_files import open_samples
from genlib.metrics.settings import load_settings
from genlib.models import get_preset
from genlib.publish.site.shown import Shown
from genlib.questions import Reconstruct
from genlib.shards import INDEX, write_shards
from genlib.training.progress import EventReader
from genlib.training.run import _enter
from genlib.zoo.card import remarks
from genlib.zoo.catalogue import list_runs
from genlib.zoo.files import CHECKPOINT, read_metrics, read_run
from genlib.zoo.signs import signs
from tests.tiny import refused, save_tiny, tiny_config, tiny_training
from tests.workers import by_hand, finish

GAN = "dcgan-32"


@pytest.fixture
def gan(tmp_path: Path) -> Path:
    """A copy of a shipped model."""
    shutil.copytree(weights_directory() / GAN, tmp_path / "gan")
    return tmp_path / "gan"


def change(path: Path, **fields: Any) -> None:
    write_json(path, read_json(path) | fields)


# What is shipped --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff\xfe\xfa", b"[" * 100_000, b"{}", b'{"extractors": 5}'),
        *({"sizes": {}}, {"sizes": {"10000": {"fd": "x"}}}, {"whole": 5}, {"spoiled": {"noise": {}}}),
    ],
)
def test_damaged_figures_of_photographs_are_one_line(
    content: bytes | dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = read_json(floor.FILE)
    monkeypatch.setattr(floor, "FILE", tmp_path / "floor.json")
    floor._read.cache_clear()
    floor.FILE.write_bytes(content if isinstance(content, bytes) else json.dumps(kept | content).encode())
    with refused("floor.json"):
        floor.load_floor()
    assert main(["list", "--markdown"]) == 2
    assert capsys.readouterr().err.startswith("genlib: ")
    floor._read.cache_clear()


GOOD: dict[str, Any] = {"number": 1, "verdict": "holds", "parts": [], "why": ""}


@pytest.mark.parametrize(
    "findings",
    [
        *(None, 3, {"a": 1}, [[]], [GOOD | {"number": [1]}], [GOOD | {"verdict": ["holds"]}], [GOOD | {"why": 5}]),
        *([GOOD | {"parts": [{"rule": "r", "holds": h, "figures": f}]}] for h, f in (("no", "f"), (True, "\ud800"))),
    ],
)
def test_damaged_findings_are_one_line(findings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "FILE", tmp_path / "findings.json")
    write_json(judge.FILE, {"findings": findings})
    with refused("findings.json: findings is .*; python -m genlib findings --json writes it anew"):
        judge.shipped_findings()


@pytest.mark.parametrize(
    "damage",
    [
        *({"steps": value} for value in ({"a": 1}, [[10**400]], [[1.0, 2.0]], [], [["x"]], None)),
        *({"names": value} for value in (["one"], ["\ud800"] * 5, 5)),
    ],
)
def test_damaged_directions_are_fitted_anew(damage: dict[str, Any], gan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = load_directions(gan).steps
    monkeypatch.setattr("genlib.analysis.directions.strongest_directions", lambda model: fitted)
    change(gan / FILE, **damage)
    found = load_directions(gan)
    assert found.names == tuple(f"Direction {i}" for i in range(1, 6))


@pytest.mark.parametrize("accuracies", [[0.1, 0.2, 0.3], [0.1], {}, "ab", [10**400, 0.1], [float("nan")] * 2, [1, 2]])
def test_damaged_fits_are_fitted_anew(accuracies: Any, gan: Path) -> None:
    tensors, facts = read_tensors(gan / FITS)
    layer = next(iter(facts["accuracies"]))
    write_tensors(gan / FITS, tensors, facts | {"accuracies": {layer: accuracies}})
    assert load_fits(gan) == {}


def test_fits_of_no_points_are_fitted_anew(gan: Path) -> None:
    tensors, facts = read_tensors(gan / FITS)
    layer = next(iter(facts["accuracies"]))
    flat = {f"{layer}/mean": torch.tensor(1.0), f"{layer}/axes": torch.zeros(3)}
    write_tensors(gan / FITS, tensors | flat, facts)
    assert load_fits(gan) == {}


def test_fits_that_never_answer_or_never_end_are_fitted_anew(gan: Path) -> None:
    (gan / FITS).unlink()
    os.mkfifo(gan / FITS)
    assert load_fits(gan) == {}
    (gan / FITS).unlink()
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}).encode()
    with open(gan / FITS, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 4 * 10**9)
    assert load_fits(gan) == {}


@pytest.mark.parametrize(
    "damage",
    [
        *({"epochs": value} for value in ([], [{"epoch": 1, "losses": {}, "fd": None}])),
        *({"sample_epochs": value} for value in ([2, 1], [1, 1], [10**6])),
        *({key: 5} for key in ("start_from", "legs", "extended", "looks")),
    ],
)
def test_a_history_that_is_not_of_one_run_is_one_line(damage: dict[str, Any], gan: Path) -> None:
    change(gan / "history.json", **damage)
    with refused("history.json"):
        read_history(gan)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"epochs": [], "settings": {}}', ""),
        ('{"epochs": [], "settings": {"lr": "\\ud800"}}', "settings is"),
        ('{"epochs": 5, "settings": {}}', "epochs is"),
        ("{", "not readable JSON"),
    ],
)
def test_a_damaged_study_is_one_line(text: str, told: str, gan: Path) -> None:
    (gan / "study.json").write_text(text)
    if not told:
        assert remarks(gan, {"samples": 10_000}, "lr")[-1] == "Against its study: lr"
        return
    with refused(f"study.json.*{told}"):
        remarks(gan, {"samples": 10_000}, "lr")


@pytest.mark.parametrize(
    "damage", [{"fd_trainings": "x"}, {"training_seeds": [None]}, {"train_device": 5}, {"bic_curve": []}, {"cas": "1"}]
)
def test_what_is_carried_over_when_a_model_is_measured_is_typed(damage: dict[str, Any], gan: Path) -> None:
    change(gan / "metrics.json", **damage)
    with refused(f"metrics.json: {next(iter(damage))} is"):
        _carried(gan / "metrics.json")


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("metrics.json", {"fd": None}),
        ("history.json", {"epochs": []}),
        ("history.json", {"epochs": [{"epoch": 1, "losses": {}}]}),
    ],
)
def test_a_claim_about_damaged_files_is_one_line(
    file: str, damage: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = CLAIMS[0]
    for name in claim.models:
        shutil.copytree(weights_directory() / name, tmp_path / name)
        change(tmp_path / name / file, **damage)
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    with refused(f"{file}: |claim 1 cannot be judged by what is kept of {claim.models[0]}"):
        judge.judge_claim(claim)


def numbers(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The places of numbers in a JSON value; of a list, in its first and last entry."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from numbers(each, *path, key)
    elif isinstance(value, list):
        for i in {0, len(value) - 1} if value else ():
            yield from numbers(value[i], *path, i)
    elif isinstance(value, int | float):
        yield path


READ: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "config.json": (GAN, load),
    "metrics.json": ("ae-gmm-best", lambda path: (read_metrics(path), _carried(path / "metrics.json"))),
    "history.json": (GAN, lambda path: (read_history(path), signs(path))),
    "directions.json": (GAN, load_directions),
    "study.json": ("gan-dense-2", lambda path: remarks(path, {"samples": 10_000}, "lr")),
    "settings.json": ("flow-unet", load_settings),
}


@pytest.mark.parametrize("file", READ)
def test_no_number_of_a_strangers_is_too_large(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10**400 is more than a float can hold: read, or refused in a line."""
    name, read = READ[file]
    shutil.copytree(weights_directory() / name, tmp_path / name)
    fitted = load_directions(GAN).steps
    monkeypatch.setattr("genlib.analysis.directions.strongest_directions", lambda model: fitted)
    known = read_json(tmp_path / name / file)
    for path in numbers(known):
        inner = changed = json.loads(json.dumps(known))
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = 10**400
        write_json(tmp_path / name / file, changed)
        with suppress(GenlibError):
            read(tmp_path / name)


# Runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config", [{"epochs": "\ud800"}, {"\ud800": 1}, {"x" * 200: 1}, {"a": "x" * 200}, {"a": [[1]]}, {"a": [1] * 200}]
)
def test_settings_that_no_page_can_show_are_that_runs_damage(config: dict[str, Any], queue: Queue) -> None:
    job = by_hand(queue, "vae-dense-8-run-1", state="paused")
    change(job.directory / "run.json", config=config)
    with refused("run.json: config is"):
        read_run(job.directory)
    (found,) = queue.jobs()
    assert (found.state, found.config) == ("failed", {})


def test_a_run_with_a_huge_number_in_its_name_does_not_use_the_numbers_up(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Queue, "_start_waiting", lambda _: None)
    for name in ("a-run-999999999999999", f"a-run-{'9' * 60}"):
        by_hand(queue, name, state="paused")
    assert [queue.submit("vae-dense-8", {"epochs": 1}).id for _ in range(2)] == [
        "vae-dense-8-run-1",
        "vae-dense-8-run-2",
    ]


@pytest.fixture
def nobody() -> Iterator[Callable[[], None]]:
    """Become another user, whom directories can be closed to; the superuser sees all."""
    if os.geteuid() == 0:
        yield lambda: os.seteuid(65534)
        os.seteuid(0)
    else:
        yield lambda: None


@pytest.mark.parametrize("mode", [0o000, 0o311, 0o644])
def test_a_run_that_is_closed_to_us_hides_no_other(
    mode: int, nobody: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Queue, "_start_waiting", lambda _: None)
    place = Path(tempfile.mkdtemp())  # the test's own is closed to others
    try:
        place.chmod(0o777)
        monkeypatch.setenv("GENLIB_RUNS", str(place))
        queue = Queue(place)
        for number in (1, 2):
            finish(by_hand(queue, f"vae-dense-8-run-{number}", state="done").directory)
        (place / "vae-dense-8-run-1" / "job.json").unlink()
        nobody()
        closed = place / "vae-dense-8-run-1"
        if os.geteuid() != 65534:
            closed.chmod(mode)
        else:
            os.seteuid(0)
            closed.chmod(mode)
            nobody()
        assert [job.id for job in queue.jobs()] == ["vae-dense-8-run-2"]
        assert [run["name"] for run in list_runs()] == ["runs/vae-dense-8-run-2"]
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        (place / "vae-dense-8-run-1").chmod(0o755)
        shutil.rmtree(place)


def test_what_is_looked_at_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that led to a small file a moment before."""
    path = tmp_path / "metrics.json"
    path.write_bytes(b" " * 5_000)
    small = os.stat(tmp_path / path)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: os.stat_result((small.st_mode, *[0] * 9)))
    with refused("metrics.json has 5,000 bytes; it takes at most 1,000"):
        read_file(path, 1_000)


def test_a_log_is_read_from_its_end_and_not_through_a_link(queue: Queue, tmp_path: Path) -> None:
    job = by_hand(queue, "vae-dense-8-run-1", state="failed")
    log = job.directory / "log.txt"
    with open(log, "wb") as file:
        file.truncate(10**12)  # which takes no room
        file.seek(0, os.SEEK_END)
        file.write(b"\ngenlib: the end\n")
    assert job.log == "genlib: the end"
    log.unlink()
    (tmp_path / "secret").write_text("secret")
    log.symlink_to(tmp_path / "secret")
    assert job.log == ""


def test_a_log_of_events_without_end_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 2_000_000)  # no line ever
    reader = EventReader(tmp_path)
    assert list(reader.read()) == []
    with open(path, "ab") as file:
        file.write(b'\n{"event": "Checkpointed", "time": 1.0, "step": 3}\n')
    assert [event["step"] for event in reader.read()] == [3]
    assert read_on(path, 0, most=10) == b"x" * 10
    assert read_on(path, 20, most=10) == b""


@pytest.mark.parametrize("name", ["events.jsonl", "samples", "checkpoint"])
def test_a_training_writes_through_no_link_that_leads_out(name: str, small_data: FashionMNIST, tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run.mkdir()
    elsewhere.mkdir()
    write_json(run / "run.json", {"preset": "vae-cnn", "config": tiny_config("vae-cnn").to_dict()})
    (run / name).symlink_to(elsewhere / name)
    with refused("leads out of"):
        next(tiny_training("vae-cnn", run, small_data, resume=True))
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(("name", "told"), [("events.jsonl", "not a regular file"), ("samples", "cannot make")])
def test_what_stands_where_a_run_writes_is_one_line(
    name: str, told: str, small_data: FashionMNIST, tmp_path: Path
) -> None:
    write_json(tmp_path / "run.json", {"preset": "vae-cnn", "config": tiny_config("vae-cnn").to_dict()})
    os.mkfifo(tmp_path / name)  # who opens it waits for a reader
    with refused(told):
        next(tiny_training("vae-cnn", tmp_path, small_data, resume=True))


def test_a_kill_before_the_first_word_leaves_a_directory_that_can_be_used(tmp_path: Path) -> None:
    run, samples, preset = tmp_path / "run", tmp_path / "samples", get_preset("vae-cnn")

    def begin(resume: bool) -> None:
        with ExitStack() as stack:
            _enter(stack, run, preset, preset.config, [50, 50], run / CHECKPOINT, resume, None)

    for directory, name in ((run, "run.json"), (samples, INDEX)):
        directory.mkdir()
        (directory / f".{name}.77.88.tmp").write_bytes(b"{")
    (run / ".mine.tmp").mkdir()  # is no file of ours
    with refused("is not empty and holds no run"):
        begin(resume=False)
    (run / ".mine.tmp").rmdir()
    begin(resume=False)
    (run / ".mine.9.tmp").mkdir()
    begin(resume=True)
    (tmp_path / "model").mkdir()
    assert list(write_shards(save_tiny(tmp_path / "model", "vae-cnn"), samples, 10)) == [10]
    assert not [path for path in (*run.rglob("*.tmp"), *samples.rglob("*.tmp")) if path.is_file()]


def test_an_unfinished_run_of_a_preset_in_many_lines_is_one_line(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"preset": {"a": [1] * 1_000}, "config": {}})
    with refused("run.json: preset is"):
        model_directory(tmp_path)


def test_nesting_of_any_depth_is_told() -> None:
    value: Any = 0
    for _ in range(1_000):
        value = [value]
        assert len(shown(value)) <= 70


def test_nesting_that_json_reads_and_a_message_cannot_write(tmp_path: Path) -> None:
    for depth in range(700, 1_000, 3):
        (tmp_path / "metrics.json").write_text(f'{{"fd": {"[" * depth}{"]" * depth}}}')
        with refused("metrics.json"):
            read_metrics(tmp_path)


def test_of_an_index_of_shards_its_own_words_alone_are_taken(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    list(write_shards(save_tiny(tmp_path / "model", "vae-cnn"), tmp_path / "samples", 10))
    change(tmp_path / "samples" / INDEX, **{"\x1b[2J": 1, "fd": 0.0})
    facts = open_samples(tmp_path / "samples").facts
    assert facts.keys() == {"model", "sha256", "seed", "n", "labelled", "label"}
    change(tmp_path / "samples" / INDEX, seed="\x1b[2J")
    with refused(f"{INDEX}: seed is"):
        open_samples(tmp_path / "samples")


@pytest.mark.parametrize("damage", [{"format": "x" * 10**6}, {"family": ["x" * 10**6]}, {"family": None}])
def test_a_description_of_a_megabyte_is_a_short_line(damage: dict[str, Any], gan: Path) -> None:
    change(gan / "config.json", **damage)
    with refused("config.json") as caught:
        load(gan)
    assert len(str(caught.value)) < 1_000


# Names and words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a" * 300, "a/" + "b" * 300, "runs/" + "a" * 300, "a" * 300 + "/b/c", "a\0b", "x/\0"])
def test_a_name_that_no_path_can_have_is_one_line(name: str) -> None:
    with refused("."):
        load(name)


def test_a_name_that_no_file_can_have_is_one_line(tmp_path: Path) -> None:
    readers: tuple[Callable[[Path], Any], ...] = (read_tensors, lambda path: read_on(path, 0), read_json)
    for name, read in product(("a\0b", "x" * 300, "\ud800"), readers):
        with refused("cannot be read"):
            read(tmp_path / name)


def test_a_model_in_the_working_directory_is_shown_by_its_name(gan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(gan)
    assert (Shown.of(".").name, Shown.of("../gan/.").folder) == ("gan", "models/gan")


def test_a_picture_of_ones_own_is_read_within_bounds(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(10**12)
    for name, told in (
        ("pipe.png", "not a regular file"),
        ("huge.png", "bytes; it takes at most"),
        ("no.png", "No such"),
    ):
        with refused(told):
            _ = Reconstruct("vae-cnn", file=str(tmp_path / name)).images


@pytest.mark.parametrize(
    "words",
    [
        ["train", "vae-cnn", "--start-from", ""],
        ["train", "vae-cnn", "--run-dir="],
        ["train", "vae-cnn", "--flavor", ""],
        ["sample", "vae-cnn", "--out", "d/", "--n", ""],
        ["evaluate", "vae-cnn", "--json", ""],
        ["evaluate", ""],
        [""],
    ],
)
def test_a_variable_that_is_not_set_is_no_flag_left_out(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "has an empty value; give one, or leave it out" in capsys.readouterr().err
