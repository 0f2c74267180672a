"""Training on rented machines, against a Hub that is a process's own: huggingface_hub is real, the machines are not."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

import genlib
from genlib.__main__ import main
from genlib.data import FashionMNIST
from genlib.models import get_preset
from genlib.remote import follow as hf_jobs
from genlib.remote import worker as hf_worker
from genlib.remote.repository import PACKAGES, requirements, source_archive
from genlib.remote.request import Rental, Wanted, time_limit
from genlib.training.events import Done, EpochDone
from genlib.zoo.files import CHECKPOINT
from tests.hub import READER, WRITER, Hub, Repository
from tests.test_cli import tiny_settings
from tests.test_hub import hub, writer  # noqa: F401  # fixtures
from tests.tiny import refused, thinned, tiny_config, tiny_training

ROOT = Path(__file__).parent.parent
NAME, LATENT = "vae-cnn", "ae-gmm-2"
HOME = {
    "model.safetensors",
    "config.json",
    "metrics.json",
    "history.json",
    "events.jsonl",
    "progress.png",
    "samples.png",
}
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("writer", "_at_once")


@pytest.fixture
def jobs(request: pytest.FixtureRequest) -> Hub:
    """A Hub that holds nothing and rents machines."""
    return request.getfixturevalue("hub")


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No waiting between two looks, and a working directory of its own."""
    monkeypatch.setattr(hf_jobs, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(hf_jobs, "PAUSES", (0.01,) * 4)
    monkeypatch.setattr(hf_worker, "PAUSES", (0.01, 0.01))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENLIB_RUNS")  # runs/ here


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, small_data: FashionMNIST) -> dict[str, bytes]:
    """The files of a finished run, as a job leaves them in its repository."""
    directory = tmp_path_factory.mktemp("finished") / "run"
    list(tiny_training(NAME, directory, small_data))
    return files(directory)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory, small_data: FashionMNIST) -> dict[str, bytes]:
    """Those of a run that was stopped after its first epoch."""
    directory = tmp_path_factory.mktemp("partial") / "run"
    events = tiny_training(NAME, directory, small_data)
    next(event for event in events if isinstance(event, EpochDone))
    events.close()  # type: ignore[attr-defined]
    return files(directory)


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@dataclass
class Scripted:
    """A job by its stages, one each time it is asked, the last for ever. Before its log ends something may happen."""

    stages: list[str]
    log: Iterable[str] = ()
    message: str | None = None
    happens: Callable[[], object] = field(default=lambda: None)

    def stage(self) -> str:
        return self.stages.pop(0) if len(self.stages) > 1 else self.stages[0]

    def lines(self) -> Iterator[str]:
        yield from self.log
        self.happens()

    def cancel(self) -> None:
        self.stages = ["CANCELED"]


def submit(*more: object, name: str = NAME) -> int:
    return main(["train", name, "--on", "hf-jobs", *tiny_settings(name), *map(str, more)])


def come_back(*more: object, name: str = NAME) -> int:
    """The short command that the first one tells."""
    return main(["train", name, "--on", "hf-jobs", "--run-dir", f"runs/{name}", *map(str, more)])


def repository(jobs: Hub) -> Repository:
    (found,) = jobs.repositories.values()
    return found


def leaves(jobs: Hub, run: dict[str, bytes], *stages: str, **more: Any) -> None:
    """Every job leaves a run in its repository, and goes through some stages."""

    def machine(wanted: dict[str, Any]) -> Scripted:
        repository(jobs).add({f"run/{name}": data for name, data in run.items()})
        return Scripted(list(stages or ["SCHEDULING", "SCHEDULING", "RUNNING", "COMPLETED"]), **more)

    jobs.machine = machine


def only_line(capsys: Capture) -> str:
    """Of an error: the last one, and the only one that is ours."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.count("genlib: ") == 1
    return told.splitlines()[-1]


# what is asked for ------------------------------------------------------------------------------------------------


def test_a_training_is_submitted_followed_and_brought_home(
    jobs: Hub, finished: dict[str, bytes], capsys: Capture
) -> None:
    leaves(jobs, finished, log=("epoch 1: loss 3", "epoch 2: \x1b[2J loss 2"))
    assert submit() == 0
    told = capsys.readouterr()
    assert re.fullmatch(rf"runs/{NAME} holds the trained {NAME}: Frechet distance \d+\.\d\d\n", told.out)
    lines = told.err.splitlines()
    assert lines.count("waiting for a machine") == lines.count("epoch 1: loss 3") == 1
    assert "epoch 2:  [2J loss 2" in lines  # nothing moves the reader's cursor
    (name,) = jobs.repositories
    assert lines[-1] == f"its repository is no longer needed; delete it with: hf repos delete {name[7:]}"
    assert re.fullmatch(rf"models/me/genlib-run-{NAME}-[0-9a-f]{{8}}", name)
    assert repository(jobs).private or repository(jobs).created["visibility"] == "private"
    home = files(Path("runs") / NAME)
    assert home.keys() > HOME
    for name in finished.keys() - {CHECKPOINT, "run.json"}:
        assert home[name] == finished[name]
    assert json.loads(home["run.json"]) == json.loads(finished["run.json"])  # its samples among it
    assert genlib.load(f"runs/{NAME}").config == tiny_config(NAME)
    assert submit() == 0  # again: it is there
    assert len(jobs.requests) == 1


def test_the_request(jobs: Hub, finished: dict[str, bytes]) -> None:
    leaves(jobs, finished)
    assert submit("--flavor", "l4x1", "--distance-samples", 60, "--evaluation-samples", 70) == 0
    (wanted,) = jobs.requests
    assert wanted["dockerImage"] == f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
    assert (wanted["flavor"], wanted["timeoutSeconds"]) == ("l4x1", 6 * 3_600)
    assert wanted["secrets"] == {"HF_TOKEN": WRITER}
    assert WRITER not in json.dumps(wanted | {"secrets": None})
    assert not [data for data in repository(jobs).files.values() if WRITER.encode() in data]
    shell, option, script = wanted["command"]
    assert (shell, option) == ("bash", "-c")
    (name,) = jobs.repositories
    training = f"{name[7:]} {NAME} --device cuda --distance-samples 60 --evaluation-samples 70"
    assert script.endswith(f"&& exec python -m genlib.remote.worker {training}")
    assert subprocess.run(["bash", "-n", "-c", script], check=False).returncode == 0
    run = json.loads(repository(jobs).files["run/run.json"])
    assert run == {"preset": NAME, "config": tiny_config(NAME).to_dict(), "samples": [50, 50]}


@pytest.mark.slow
@pytest.mark.parametrize(("flavor", "device"), [(None, "cuda"), ("cpu-basic", "cpu"), ("a100-large", "cuda")])
def test_the_device_is_the_machines(flavor: str | None, device: str, jobs: Hub, finished: dict[str, bytes]) -> None:
    leaves(jobs, finished)
    assert submit(*(["--flavor", flavor] if flavor else [])) == 0
    assert jobs.requests[0]["flavor"] == (flavor or "t4-small")
    assert jobs.requests[0]["command"][2].endswith(f" --device {device}")


def members(preset: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(source_archive(get_preset(preset)))) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}  # type: ignore[union-attr]


def test_the_sources_are_this_very_package_and_what_the_preset_starts_from() -> None:
    held = members(NAME)
    package = {f"genlib/{name}": data for name, data in files(ROOT / "genlib").items() if "__pycache__" not in name}
    assert held == package | {"requirements.txt": requirements().encode()}
    latent = members(LATENT)
    assert latent.keys() - held.keys() == {"weights/ae-cnn/config.json", "weights/ae-cnn/model.safetensors"}


def test_the_pins_are_of_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert list(PACKAGES) == [re.split(r"[<>=]", each)[0] for each in project["dependencies"]]
    assert all(re.fullmatch(r"[\w-]+==\d[\w.]*", line) for line in requirements().splitlines())


def test_the_time_limit_follows_the_shipped_models_own_training() -> None:
    preset = get_preset(NAME)
    measured = json.loads((ROOT / "weights" / NAME / "metrics.json").read_text())
    assert time_limit(preset, preset.config) == round(1_800 + 3 * measured["train_seconds"])
    assert time_limit(preset, preset.config.replace(epochs=10_000)) == 24 * 3_600
    assert time_limit(preset, preset.config.replace(width=64)) == 6 * 3_600


# what is refused --------------------------------------------------------------------------------------------------


REFUSED: dict[str, tuple[list[str], str]] = {
    "flavor": (["--flavor", "t5"], "'t5' is no machine of Hugging Face Jobs; choose one of cpu-basic, "),
    "many GPUs": (["--flavor", "a100x4"], "'a100x4' has several GPUs, of which genlib uses one; choose one of cpu-"),
    "device": (["--device", "cpu"], "--device is for this machine"),
    "counts": (["--distance-samples", "7"], "a distance takes 10 to 100000 samples, not 7"),
    "settings": (["--epochs", "0"], "epochs takes 1 to 10000, not 0"),
    "run directory": (["--run-dir", "mine"], "mine is not empty and holds no run"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_for_is_one_line(case: str, jobs: Hub, capsys: Capture) -> None:
    arguments, match = REFUSED[case]
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    assert submit(*arguments) == 2
    assert match in only_line(capsys)
    assert files(Path()) == {"mine/thesis.txt": b"years of work"}
    assert jobs.asked == []


def test_a_flavor_needs_a_place(capsys: Capture) -> None:
    assert main(["train", NAME, "--flavor", "t4-small"]) == 2
    assert only_line(capsys) == "genlib: --flavor goes with --on hf-jobs"
    assert main(["train", NAME, "--on", "aws"]) == 2
    assert "invalid choice: 'aws'" in only_line(capsys)


def _offline(jobs: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def _gone(jobs: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.shutdown()
    jobs.server_close()


UNAVAILABLE: dict[str, tuple[str, int, Callable[[Hub, pytest.MonkeyPatch], None] | None, str]] = {
    "no token": ("", 0, None, "Hugging Face Jobs take a token that may write repositories and start jobs: log in"),
    "stale token": ("hf_stale", 0, None, "Hugging Face Jobs: the Hub does not know your token; log in"),
    "no right to write": (READER, 0, None, "your token may not do that: it needs the rights to write repositories"),
    "no right to jobs": (WRITER, 403, None, "Hugging Face Jobs: your token may not do that: it needs the rights"),
    "no credit": (WRITER, 402, None, "Hugging Face Jobs: your account has no credit for it; add some at https://"),
    "offline": (WRITER, 0, _offline, "HF_HUB_OFFLINE is set, and Hugging Face Jobs take the network"),
    "no network": (WRITER, 0, _gone, "Hugging Face Jobs: the Hub could not be reached"),
}


@pytest.mark.parametrize("case", UNAVAILABLE)
def test_what_is_not_to_be_had_is_one_line_and_leaves_nothing(
    case: str, jobs: Hub, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    token, jobs.no_jobs, change, match = UNAVAILABLE[case]
    monkeypatch.setenv("HF_TOKEN", token)
    if change:
        change(jobs, monkeypatch)
    assert submit() == 2
    assert match in only_line(capsys)
    assert jobs.repositories == {}
    assert files(Path()) == {}
    assert not (Path("runs") / NAME).exists()


# a job is found again ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_following_finds_the_job_again(
    number: signal.Signals, jobs: Hub, finished: dict[str, bytes], capsys: Capture
) -> None:
    over = threading.Event()

    def leave() -> None:
        os.kill(os.getpid(), number)
        over.wait(60)

    leaves(jobs, finished, "RUNNING", "RUNNING", log=("epoch 1",), happens=leave)
    assert submit() == 0
    over.set()
    *_, goes_on, follow, stop = capsys.readouterr().err.splitlines()
    job = f"me/{0:024x}"
    assert goes_on == f"no longer following; {jobs.url}/jobs/{job} goes on until it is over"
    assert follow == f"follow it again with: python -m genlib train {NAME} --on hf-jobs --run-dir runs/{NAME}"
    assert stop == f"stop it with: hf jobs cancel {job}"
    assert come_back("--flavor", "l4x1") == 2
    assert "trains the run on t4-small; stop it first: hf jobs cancel me/" in only_line(capsys)
    assert submit("--seed", 7) == 2
    assert "was submitted with seed=0; leave that as it was" in only_line(capsys)
    assert main(["train", "gmm-10", "--on", "hf-jobs", "--run-dir", f"runs/{NAME}"]) == 2
    assert f"holds a run of {NAME}, not of gmm-10" in only_line(capsys)
    assert main(["train", NAME, "--run-dir", f"runs/{NAME}"]) == 2  # nor is it trained here meanwhile
    assert "is not empty and holds no run" in only_line(capsys)

    jobs.jobs[job[3:]] = Scripted(["RUNNING", "RUNNING", "COMPLETED"], ("epoch 1", "epoch 2"))
    assert come_back() == 0
    assert f"following {jobs.url}/jobs/{job}" in capsys.readouterr().err
    assert len(jobs.requests) == 1
    assert genlib.load(f"runs/{NAME}").config == tiny_config(NAME)


@pytest.mark.slow
def test_a_submission_whose_answer_is_lost_is_looked_for(
    jobs: Hub, finished: dict[str, bytes], capsys: Capture
) -> None:
    leaves(jobs, finished)
    jobs.no_jobs = -1
    assert submit() == 2
    line = only_line(capsys)
    assert "whether the job was submitted is not known: python -m genlib train" in line
    jobs.no_jobs = 0
    assert come_back() == 0
    assert len(jobs.requests) == 1
    assert len(jobs.repositories) == 1


@pytest.mark.slow
def test_a_submission_that_never_arrived_is_made_again(jobs: Hub, finished: dict[str, bytes], capsys: Capture) -> None:
    leaves(jobs, finished)
    jobs.no_jobs = 504
    assert submit() == 2
    assert "is not known" in only_line(capsys)
    jobs.no_jobs = 0
    assert come_back() == 0
    assert len(jobs.requests) == len(jobs.repositories) == 1


class Outage:
    """The network is away for so many requests."""

    def __init__(self, requests: int) -> None:
        self.requests = requests

    def __bool__(self) -> bool:
        self.requests -= 1
        return self.requests >= 0


@pytest.mark.slow
def test_a_network_that_comes_back_costs_no_line_and_doubles_none(
    jobs: Hub, finished: dict[str, bytes], capsys: Capture
) -> None:
    def cut() -> None:
        if not isinstance(jobs.down, Outage):
            jobs.down = Outage(3)  # type: ignore[assignment]

    lines = [f"epoch {number}" for number in range(5)]
    leaves(jobs, finished, "RUNNING", "RUNNING", "RUNNING", "COMPLETED", log=lines, happens=cut)
    assert submit() == 0
    shown = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epoch ")]
    assert shown == lines
    assert isinstance(jobs.down, Outage)
    assert jobs.down.requests < 0


@pytest.mark.slow
def test_a_network_that_stays_away_is_one_line_and_loses_nothing(
    jobs: Hub, finished: dict[str, bytes], capsys: Capture
) -> None:
    leaves(jobs, finished, "RUNNING", "RUNNING", "RUNNING", "COMPLETED", happens=lambda: setattr(jobs, "down", True))
    assert submit() == 2
    line = only_line(capsys)
    assert "the Hub answers 503" in line
    assert f"/jobs/me/{0:024x} goes on; come back with: python -m genlib train {NAME} --on hf-jobs" in line
    assert len(line) < 1_000
    jobs.down = False
    jobs.jobs[f"{0:024x}"] = Scripted(["COMPLETED"])
    assert come_back() == 0
    assert len(jobs.requests) == 1


# a job that fails -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "message", "match"),
    thinned(
        [
            ("ERROR", "Job timeout", "the job failed (Job timeout): "),
            ("ERROR", None, "the job failed: "),
            ("CANCELED", None, "the job was cancelled: "),
            ("DELETED", None, "the job was deleted: "),
            ("COMPLETED", None, "the job ended before the training did: "),
        ],
        lambda stage, message, match: message,
    ),
)
def test_an_end_that_leaves_no_model_is_one_line_and_can_be_resumed(
    stage: str,
    message: str | None,
    match: str,
    jobs: Hub,
    partial: dict[str, bytes],
    finished: dict[str, bytes],
    capsys: Capture,
) -> None:
    leaves(jobs, partial, "RUNNING", stage, log=("", "installing PyTorch", "out of memory"), message=message)
    for again in (submit, come_back):
        assert again() == 2
        line = only_line(capsys)
        assert line.startswith(
            f"genlib: {match}{jobs.url}/jobs/me/{0:024x}; continue with: python -m genlib train {NAME}"
        )
        assert line.endswith("--resume; the end of its log: installing PyTorch | out of memory")
    home = files(Path("runs") / NAME)
    assert home[CHECKPOINT] == partial[CHECKPOINT]
    assert {"run.json", "events.jsonl", "samples/00001.png"} < home.keys()
    assert len(jobs.requests) == 1

    leaves(jobs, finished, "RUNNING", "COMPLETED")
    assert come_back("--resume", "--flavor", "a10g-small") == 0
    assert len(jobs.repositories) == 1
    assert jobs.requests[1]["flavor"] == "a10g-small"
    assert jobs.requests[1]["labels"] != jobs.requests[0]["labels"]


@pytest.mark.slow
def test_a_job_that_the_hub_forgot(jobs: Hub, partial: dict[str, bytes], capsys: Capture) -> None:
    leaves(jobs, partial, "RUNNING", "ERROR")
    assert submit() == 2
    capsys.readouterr()
    jobs.jobs.clear()
    assert come_back() == 2
    assert "the Hub no longer knows the job" in only_line(capsys)


@pytest.mark.slow
def test_no_credit_to_go_on_with_changes_nothing(jobs: Hub, partial: dict[str, bytes], capsys: Capture) -> None:
    leaves(jobs, partial, "RUNNING", "ERROR")
    assert submit() == 2
    before = files(Path("runs") / NAME)
    capsys.readouterr()
    jobs.no_jobs = 402
    assert come_back("--resume") == 2
    assert "no credit" in only_line(capsys)
    assert files(Path("runs") / NAME) == before
    assert len(jobs.repositories) == 1


def begin_here(run: dict[str, bytes]) -> Path:
    directory = Path("runs") / NAME
    for name, data in run.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(data)
    return directory


def test_a_mistyped_directory_is_no_new_job(jobs: Hub, capsys: Capture) -> None:
    assert come_back("--resume") == 2
    assert "there is no run in runs/" in only_line(capsys)
    assert not jobs.repositories
    assert not (Path("runs") / NAME).exists()


def test_a_run_that_was_begun_here_goes_on_there(
    jobs: Hub, partial: dict[str, bytes], finished: dict[str, bytes], capsys: Capture
) -> None:
    also = {"extended": [1], "start_from": {"name": "vae-cnn", "sha256": "0" * 64}}  # which it keeps
    begin_here(partial | {"run.json": json.dumps(json.loads(partial["run.json"]) | also).encode()})
    assert submit() == 2
    assert "already holds a run; continue with --resume" in only_line(capsys)
    sent: dict[str, bytes] = {}

    def machine(wanted: dict[str, Any]) -> Scripted:
        sent.update(repository(jobs).files)
        repository(jobs).add({f"run/{name}": data for name, data in finished.items()})
        return Scripted(["RUNNING", "COMPLETED"])

    jobs.machine = machine
    assert come_back("--resume") == 0  # the settings are those it was begun with
    for name, data in partial.items():
        if name != "run.json":
            assert sent[f"run/{name}"] == data
    for run in (sent["run/run.json"], (Path("runs") / NAME / "run.json").read_bytes()):
        assert json.loads(run) == json.loads(partial["run.json"]) | also
    assert (Path("runs") / NAME / "metrics.json").is_file()


@pytest.mark.parametrize("begun", ["here", "there"])
def test_other_counts_of_samples_are_refused_before_a_machine_is_rented(
    begun: str, jobs: Hub, partial: dict[str, bytes], finished: dict[str, bytes], capsys: Capture
) -> None:
    if begun == "here":
        begin_here(partial)
    else:
        leaves(jobs, partial, "RUNNING", "ERROR")
        assert submit() == 2
    rented = len(jobs.requests)
    capsys.readouterr()
    assert come_back("--resume", "--evaluation-samples", 5_000) == 2
    assert "was started with distances of [50, 50] samples; leave that as it was" in only_line(capsys)
    assert len(jobs.requests) == rented
    leaves(jobs, finished)
    assert come_back("--resume", "--evaluation-samples", 50) == 0
    assert jobs.requests[-1]["command"][2].endswith(" --distance-samples 50 --evaluation-samples 50")


def test_a_run_that_begins_with_weights_of_here_is_not_begun_there(
    jobs: Hub, partial: dict[str, bytes], capsys: Capture
) -> None:
    run = json.loads(partial["run.json"]) | {"start_from": {"name": "vae-cnn", "sha256": "0" * 64}}
    begin_here({"run.json": json.dumps(run).encode()})
    assert come_back("--resume") == 2
    assert "begins with the weights of vae-cnn, which a rented machine does not have" in only_line(capsys)
    assert jobs.requests == [] and jobs.repositories == {}


@pytest.mark.parametrize("name", ["samples.png", "samples", CHECKPOINT])
def test_a_link_that_leads_out_of_a_run_is_not_followed(
    name: str, jobs: Hub, partial: dict[str, bytes], finished: dict[str, bytes], tmp_path: Path, capsys: Capture
) -> None:
    directory, outside = begin_here(partial), tmp_path / "outside"
    outside.mkdir()
    if name == "samples":  # what comes back would be written there
        shutil.rmtree(directory / name)
        (directory / name).symlink_to(outside)
    else:
        (outside / "secret").write_bytes((directory / name).read_bytes() if name == CHECKPOINT else b"secret")
        (directory / name).unlink(missing_ok=True)
        (directory / name).symlink_to(outside / "secret")
    leaves(jobs, finished)
    before = files(outside)
    assert come_back("--resume") == 2
    assert "leads out of" in only_line(capsys)
    assert files(outside) == before
    assert not any(data == b"secret" for each in jobs.repositories.values() for data in each.files.values())


def test_a_checkpoint_here_that_is_further_stays(
    jobs: Hub, partial: dict[str, bytes], finished: dict[str, bytes]
) -> None:
    further = finished[CHECKPOINT]
    directory = begin_here(partial | {CHECKPOINT: further})
    leaves(jobs, partial, "RUNNING", "ERROR")
    assert come_back("--resume") == 2
    assert (directory / CHECKPOINT).read_bytes() == further


HOSTILE: dict[str, tuple[dict[str, bytes], str]] = {
    "large": ({"metrics.json": b" " * 9_000_000}, "metrics.json has 9,000,000 bytes; it takes at most 8,000,000"),
    "weights": ({"model.safetensors": b"x"}, "does not hold the finished run: .*model.safetensors is damaged"),
    "large weights": ({"model.safetensors": b" " * 3_000_000}, "model.safetensors has 3,000,000 bytes"),
    "large checkpoint": ({CHECKPOINT: b" " * 40_000_000}, "last.safetensors has 40,000,000 bytes"),
    "no figures": ({"metrics.json": b"{}"}, "metrics.json: it has no fd"),
    "a word": ({"metrics.json": b'{"fd": "best"}'}, "metrics.json: fd is 'best', not a number from 0"),
    "no settings": ({"config.json": b"{}"}, "does not hold the finished run: .*config.json is of format None"),
    "no JSON": ({"history.json": b"["}, "history.json is not readable JSON"),
    "no weights": ({"model.safetensors": b""}, "model.safetensors is damaged"),
}


@pytest.mark.parametrize(("case",), thinned(zip(HOSTILE, strict=True), lambda case: case in ("a word", "no weights")))
def test_what_comes_back_is_checked(case: str, jobs: Hub, finished: dict[str, bytes], capsys: Capture) -> None:
    changes, match = HOSTILE[case]
    leaves(jobs, finished | changes)
    assert submit() == 2
    assert re.search(match, only_line(capsys))
    assert files(Path("runs") / NAME).keys() == {"hf-job.json"}


def test_a_damaged_checkpoint_is_the_repositorys(jobs: Hub, partial: dict[str, bytes], capsys: Capture) -> None:
    leaves(jobs, partial | {CHECKPOINT: b"damaged"}, "ERROR")
    assert submit() == 2
    line = only_line(capsys)
    assert re.search(r"\w+/[\w.-]+ on the Hub: checkpoint last.safetensors is damaged", line) and "/tmp" not in line


@pytest.mark.slow
def test_a_setting_that_is_newer_than_the_job_had_its_default(jobs: Hub, finished: dict[str, bytes]) -> None:
    """It was submitted and trained before an update that added the setting."""
    known = json.loads(finished["config.json"])
    del known["config"]["stop_when_flat"]
    leaves(jobs, finished | {"config.json": json.dumps(known).encode()})
    assert submit() == 0
    memory = Path("runs") / NAME / "hf-job.json"
    rental = json.loads(memory.read_text())
    del rental["config"]["stop_when_flat"]
    memory.write_text(json.dumps(rental))
    assert come_back() == 0
    assert genlib.load(f"runs/{NAME}").config == tiny_config(NAME)


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (True, "it is not of the preset and the settings that were asked for"),
        (False, "last.safetensors is that of a run with seed 7, and this one has 0"),
    ],
)
def test_another_model_is_not_taken(
    whole: bool, told: str, jobs: Hub, small_data: FashionMNIST, capsys: Capture, tmp_path: Path
) -> None:
    events = tiny_training(NAME, tmp_path / "other", small_data, seed=7)
    next(event for event in events if isinstance(event, Done if whole else EpochDone))
    events.close()  # type: ignore[attr-defined]
    leaves(jobs, files(tmp_path / "other"))
    assert submit("--run-dir", "mine") == 2
    assert told in only_line(capsys)
    assert files(Path("mine")).keys() == {"hf-job.json"}


@pytest.mark.slow
def test_only_what_a_run_holds_comes_back(jobs: Hub, finished: dict[str, bytes]) -> None:
    strange = {
        "evil.pkl": b"x",
        "samples/x.png": b"x",
        "job.json": b"{}",
        "samples/00001.png/x": b"x",
        "run.json": b"x",
    }
    leaves(jobs, finished | strange)
    assert submit() == 0
    home = files(Path("runs") / NAME)
    assert home.keys() == (finished.keys() - {CHECKPOINT}) | {"hf-job.json"}
    assert json.loads(home["run.json"]) == {"preset": NAME, "config": tiny_config(NAME).to_dict()}


def test_a_damaged_memory_of_the_job_is_one_line(capsys: Capture) -> None:
    directory = Path("runs") / NAME
    directory.mkdir(parents=True)
    known = {"preset": NAME, "config": {}, "counts": [], "flavor": "t4-small", "repository": "me/run", "label": "0"}
    wrong = (
        {"config": 5},
        {"counts": "no"},
        {"counts": ["--on", "hf-jobs"]},
        {"repository": "nobody"},
        {"job": None},
        {"label": ["0"]},
    )
    for text in ("{}", "[", "[" * 100_000, *(json.dumps(known | change) for change in wrong)):
        (directory / "hf-job.json").write_text(text)
        assert come_back() == 2
        assert "hf-job.json" in only_line(capsys)


def test_a_machine_that_a_file_names_is_checked_before_it_is_rented() -> None:
    before = Rental(NAME, {}, [], "a100x8", "me/run", "0")
    wanted = Wanted(get_preset(NAME), tiny_config(NAME), Path("mine"), None, True, [])
    with refused("'a100x8' has several GPUs"):
        hf_jobs._planned(HfApi(), wanted, before)
