"""The Train page through Streamlit's test runner: its form, its limits, a run's states, and a run as a model."""

from __future__ import annotations

import inspect
import io
import json
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.io.files import read_json, write_json
from genlib.jobs import estimates, process
from genlib.jobs.archive import MODEL_FILES, archived
from genlib.jobs.queue import Queue
from genlib.jobs.run import Job
from genlib.models import families, get_preset, presets
from tests.pages.studio import assert_healthy, controls, go_to, open_page, pictures, set_control, shared
from tests.tiny import NAMES, ONE_PER_FAMILY, refused, save_tiny, thinned, tiny_training
from tests.workers import by_hand
from ui import zoo
from ui.runs import _followers, progress_of
from ui.train import DEFAULT_PRESET, KEYS, MAIN
from ui.watch import UNUSABLE, _reading

FIELDS = {name: [field for field in MAIN if hasattr(get_preset(name).config, field)] for name in ONE_PER_FAMILY}
FORMS = [(name, field) for name, fields in FIELDS.items() for field in fields]
FIRST_FORMS = [(name, fields[i % len(fields)]) for i, (name, fields) in enumerate(FIELDS.items()) if i % 4 == 1]

MEASURE = estimates._measure  # which a fixture replaces


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs wait for ever: what a page shows of them is looked at, not what a worker does."""
    monkeypatch.setattr("genlib.jobs.queue.launch", lambda job, place: None)


@pytest.fixture
def finished(tmp_path: Path, small_data: FashionMNIST) -> Job:
    """A run of the visitor "me" that is done."""
    job = Queue().submit("vae-dense-8", {"epochs": 2}, owner="me")
    shutil.rmtree(job.directory)
    list(tiny_training("vae-dense-8", job.directory, small_data))
    Job(job.directory, job.preset, job.config, "done", owner="me").save()
    return Queue().get(job.id)


def click(app: AppTest, label: str) -> AppTest:
    (button,) = (each for each in app.button if each.label == label)
    return button.click().run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def texts(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.error, *app.warning]
    return "\n".join(str(part.value) for part in parts)


def compared(app: AppTest) -> list[str]:
    """The names of the curves under "Compare runs"."""
    (chart,) = (chart for chart in app.get("plotly_chart") if chart.proto.id.endswith("compared"))
    return [line["name"] for line in json.loads(chart.proto.spec)["data"]]


def begin(app: AppTest) -> Job:
    """Press Start; the job that came of it."""
    click(app, "Start training")
    assert not app.exception
    return Queue().jobs()[-1]


def test_before_any_run_the_shipped_models_training_is_shown() -> None:
    app = open_page("train")
    assert_healthy(app)
    assert len(pictures(app)) == 1
    assert "Start training" in labels(app)
    assert controls(app)["preset"] == DEFAULT_PRESET


@pytest.mark.parametrize(
    ("name",), thinned(zip(NAMES, strict=True), lambda name: name in ("cgan-mlp", "vae-cnn", "gmm-10"))
)
def test_every_preset_has_its_form(name: str) -> None:
    app = open_page("train", {"preset": name})
    assert_healthy(app)
    config = get_preset(name).config
    for field in MAIN:
        if field != "epochs" and hasattr(config, field):
            assert controls(app)[KEYS.get(field, field)] == getattr(config, field)


@pytest.mark.parametrize(("name", "field"), thinned(FORMS, lambda *form: form in FIRST_FORMS))
def test_what_is_set_is_trained(name: str, field: str) -> None:
    app = open_page("train", {"preset": name})
    key, own = KEYS.get(field, field), controls(app)[KEYS.get(field, field)]
    (slider,) = [each for each in app.select_slider if each.key == key] or [None]
    other = own + 1 if slider is None else next(float(o) for o in slider.options if float(o) != own)
    job = begin(set_control(app, key, type(own)(other)))
    assert job.config[field] == other
    assert (job.preset, job.state) == (name, "queued")


def test_another_preset_begins_with_its_own_settings() -> None:
    app = set_control(open_page("train", {"preset": "vae-dense-8", "batch": "512"}), "preset", "cgan-mlp")
    assert_healthy(app)
    config = get_preset("cgan-mlp").config
    assert controls(app)["batch"] == config.batch_size
    assert controls(app)["latent"] == config.latent_size


def test_the_link_restores_the_form() -> None:
    app = open_page("train", {"preset": "gan-dense-1", "epochs": "7", "lr": "0.0005", "dropout": "0.3", "rng": "9"})
    page, query = shared(app)
    friend = open_page(page, query)
    assert {key: controls(friend)[key] for key in ("preset", "epochs", "lr", "dropout", "rng")} == {
        "preset": "gan-dense-1",
        "epochs": 7,
        "lr": 0.0005,
        "dropout": 0.3,
        "rng": 9,
    }


@pytest.mark.parametrize(
    "query",
    [
        {"preset": "none"},
        {"epochs": "abc", "lr": "nan", "batch": "-1"},
        {"epochs": "0", "width": "1e9", "rng": "99999999999999"},
        {"run": "../../etc", "runs": "x", "by": "y", "measure": "z"},
        {"latent": "", "beta": "inf"},
    ],
)
def test_a_malformed_address_falls_back(query: dict[str, str]) -> None:
    app = open_page("train", query)
    assert not app.exception
    assert "Start training" in labels(app)


def test_layers_that_do_not_fit_are_refused_in_a_line() -> None:
    app = open_page("train", {"preset": "gan-cnn"})
    (widths,) = [each for each in app.text_input if each.key == "generator_widths"]
    widths.set_value("1, two").run()
    click(app, "Start training")
    assert not app.exception
    assert len(app.error) == 1
    assert not Queue().jobs()


def test_a_waiting_run_is_paused_resumed_and_deleted() -> None:
    app = open_page("train")
    job = begin(app)
    assert controls(app)["run"] == job.id
    assert {"Pause", "Cancel", "Delete it"} <= set(labels(app))
    click(app, "Pause")
    assert Queue().get(job.id).state == "paused"
    click(app, "Resume")
    assert Queue().get(job.id).state == "queued"
    click(app, "Cancel")
    assert Queue().get(job.id).state == "cancelled"
    click(app, "Delete it")
    assert not app.exception
    assert Queue().jobs() == []


def test_runs_that_can_no_longer_be_read_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Queue().submit("vae-dense-8", {"epochs": 1}, owner="me")]
    looks = iter([found])

    def look(queue: Queue) -> list[Job]:
        for jobs in looks:
            return jobs
        raise GenlibError("cannot read the directory of runs /srv/genlib/runs: Input/output error")

    monkeypatch.setattr(Queue, "jobs", look)
    app = open_page("train")
    assert not app.exception
    assert [each.value for each in app.warning] == ["cannot read the directory of runs runs: Input/output error"] * 2


def test_a_full_queue_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_TRAINING_QUEUE", "1")
    app = open_page("train")
    begin(app)
    click(app, "Start training")
    assert "queue is full" in app.error[0].value
    assert len(Queue().jobs()) == 1


def test_another_visitors_run_can_be_looked_at_only(monkeypatch: pytest.MonkeyPatch) -> None:
    job = begin(open_page("train"))
    stranger = open_page("train", {"run": job.id})
    assert not {"Pause", "Cancel", "Delete it"} & set(labels(stranger))
    assert "Another visitor's run" in texts(stranger)
    monkeypatch.setenv("GENLIB_TRAINING_SHARED", "on")
    assert {"Pause", "Cancel", "Delete it"} <= set(labels(open_page("train", {"run": job.id})))


@pytest.mark.parametrize(
    ("address", "headers", "limits", "may_touch"),
    [
        (None, {}, {}, True),
        ("192.0.2.7", {}, {}, False),
        (None, {"X-Forwarded-For": "192.0.2.7"}, {}, False),
        (None, {"Forwarded": "for=127.0.0.1"}, {}, False),
        (None, {}, {"GENLIB_TRAINING_RUNS": "3"}, False),
    ],
)
def test_the_hosts_runs_are_touched_from_the_machine_itself_alone(
    address: str | None,
    headers: dict[str, str],
    limits: dict[str, str],
    may_touch: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = SimpleNamespace(ip_address=address, headers=headers)
    monkeypatch.setattr("ui.visitor.st.context", seen)
    for key, value in limits.items():
        monkeypatch.setenv(key, value)
    job = Queue().submit("vae-dense-8", {"epochs": 1})
    app = open_page("train", {"run": job.id})
    assert ({"Pause", "Cancel", "Delete it"} <= set(labels(app))) is may_touch
    assert ("The host's run" in texts(app)) is not may_touch
    if may_touch:
        click(app, "Pause")
        assert Queue().get(job.id).state == "paused"


def test_why_a_run_failed_is_told_to_all_and_its_log_to_its_owner() -> None:
    app = open_page("train")
    job = begin(app)
    (job.directory / "log.txt").write_text("the last words\n")
    job.become("failed", "training diverged: the loss is nan by step 7")
    app.run()
    stranger = open_page("train", {"run": job.id})
    for each, may_read in ((app, True), (stranger, False)):
        assert not each.exception
        assert any("diverged" in error.value for error in each.error)
        assert any("the last words" in code.value for code in each.code) is may_read
    assert "Resume" in labels(app)


def test_a_run_with_damaged_files_can_be_deleted() -> None:
    app = open_page("train")
    job = begin(app)
    (job.directory / "run.json").write_text("{")
    job.become("failed", "something")
    app = app.run()
    assert not app.exception
    assert any("damaged" in error.value for error in app.error)
    click(app, "Delete it")
    assert not app.exception
    assert Queue().jobs() == []


@pytest.mark.parametrize(
    "run", [{"preset": "nonesuch"}, {"config": {"epochs": "\ud800"}}], ids=["another preset", "half a letter"]
)
def test_a_strangers_run_disables_itself_alone(run: dict[str, Any]) -> None:
    queue = Queue()
    job = by_hand(queue, "vae-dense-8-run-1", state="paused")
    write_json(job.directory / "run.json", read_json(job.directory / "run.json") | run)
    record = b'{"event": "EpochDone", "time": 1.0, "record": {"epoch": 1, "losses": {}, "fd": null}}'
    (job.directory / "events.jsonl").write_bytes(record + b"\n")
    app = open_page("train")
    assert not app.exception
    (told,) = (each.value for each in app.error)
    assert "nonesuch" in told or "Its files are damaged" in told


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", "Resume begins anew: there is no checkpoint yet."),
        (UNUSABLE, f"Checkpoint last.safetensors is damaged and {UNUSABLE}."),
    ],
)
def test_what_resuming_does_is_said_where_it_can_be_done(reason: str, told: str) -> None:
    because = reason and f"checkpoint last.safetensors is damaged and {reason}"
    by_hand(Queue(), "vae-dense-8-run-1", state="failed", reason=because or "it was killed")
    app = open_page("train")
    (said,) = (each.value for each in app.error)
    assert said.endswith(told)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (None, ("that of 5,000 samples", "measured by the full protocol")),
        ((5_000, 10_000), ("that of 5,000 samples", "measured by the full protocol")),
        ((1_000, 1_000), ("that of 1,000 samples", "gets a quick look too")),
    ],
)
def test_what_a_distance_is_of_is_said(samples: tuple[int, int] | None, told: tuple[str, str]) -> None:
    reading = _reading(Job(Path("run"), "vae-dense-8", {}, "running", samples=samples))
    assert all(part in reading for part in told)


def test_every_runs_log_is_read_once_however_many_there_are(tmp_path: Path) -> None:
    by_hand(Queue(), "vae-dense-8-run-1", state="paused")
    for job in [Job(tmp_path / str(number), "vae-dense-8", {}, "done") for number in range(250)] * 2:
        progress_of(job)
        first = _followers()[tmp_path / "0"]
    assert len(_followers()) == 250 and _followers()[tmp_path / "0"] is first
    open_page("train")  # which knows none of these
    assert [directory.name for directory in _followers()] == ["vae-dense-8-run-1"]


def test_training_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_TRAINING", "off")
    app = open_page("train")
    assert "Start training" not in labels(app)
    assert "switched off" in texts(app)


@pytest.mark.parametrize("training", ["off", "password", "on"])
def test_a_run_goes_on_only_for_who_may_train(training: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_TRAINING", training)
    monkeypatch.setenv("GENLIB_TRAINING_PASSWORD", "word")
    monkeypatch.setattr("ui.watch.Queue.may_touch", lambda *_: True)
    job = by_hand(Queue(), "vae-dense-8-run-1", state="paused", owner="me")
    app = open_page("train")
    assert_healthy(app)
    assert ("Resume" in labels(app)) is (training == "on")
    assert "Delete it" in labels(app)
    if training == "off":
        for change in (lambda: Queue().resume(job.id, "me"), lambda: Queue().submit("vae-dense-8", {}, "me")):
            with refused("training is switched off on this host"):
                change()


def test_a_host_that_set_a_limit_wrongly_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_TRAINING_EPOCHS", "many")
    app = open_page("train")
    assert not app.exception
    assert "GENLIB_TRAINING_EPOCHS takes a whole number" in app.warning[0].value


GOOD = '{"seconds": 9.0, "evaluation_seconds": 3.0, "megabytes": 1.0, "at_most": false}'


@pytest.mark.parametrize(
    ("code", "printed", "told", "expected"),
    [
        (0, GOOD.encode(), b"", estimates.Estimate(9.0, 3.0, 1.0, False)),
        (0, b"a library greets\n\xff\n" + GOOD.encode() + b"\n", b"\xfe", estimates.Estimate(9.0, 3.0, 1.0, False)),
        (0, b"", b"", estimates.FAILED),
        (0, b"{}", b"", estimates.FAILED),
        (0, b"[" * 9, b"", estimates.FAILED),
        (0, GOOD.replace("9.0", "Infinity").encode(), b"", estimates.FAILED),
        (2, b"", b"\xff\ngenlib: /srv/a/data is not a directory\n", "data is not a directory"),
        (1, b"", b"Traceback", estimates.FAILED),
    ],
)
def test_an_estimate_is_read_whatever_else_is_printed(
    code: int, printed: bytes, told: bytes, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a real process, which prints bytes."""
    words = f"import os; os.write(1, {printed!r}); os.write(2, {told!r}); os._exit({code})"
    run = subprocess.run
    monkeypatch.setattr(
        "genlib.jobs.estimates.subprocess.run", lambda _, **how: run([sys.executable, "-S", "-c", words], **how)
    )
    assert MEASURE(("vae-dense-8", "{}")) == expected


def test_no_settings_end_the_estimates_thread() -> None:
    assert MEASURE(("vae-dense-8", "\0")) == estimates.FAILED


def test_the_estimates_thread_ends_and_what_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["no such directory", *(estimates.Estimate(s, 3.0, 1.0, False) for s in (9.0, 7.0))])
    clock = [0.0]
    monkeypatch.setattr("genlib.jobs.estimates._measure", lambda question: next(answers))
    monkeypatch.setattr("genlib.jobs.estimates.time", SimpleNamespace(monotonic=lambda: clock[0]))
    estimator = estimates.Estimator()

    def asked() -> object:
        estimator.ask("session", "vae-dense-8", {})
        for thread in threading.enumerate():
            if thread.name == "estimates":
                thread.join(60)
                assert not thread.is_alive()
        return estimator.ask("session", "vae-dense-8", {})

    assert asked() == asked() == "no such directory"
    clock[0] = estimates.RETRY_SECONDS + 1
    assert asked() == estimates.Estimate(9.0, 3.0, 1.0, False)
    clock[0] += estimates.FRESH_SECONDS - 1
    assert asked() == estimates.Estimate(9.0, 3.0, 1.0, False)
    clock[0] += 2
    assert asked() == estimates.Estimate(7.0, 3.0, 1.0, False)  # of a machine that is less busy by now
    assert estimates.estimator() is estimates.estimator()


def test_no_estimate_is_made_for_who_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though he came a hundred times under as many names."""
    clock, made, under_way, go = [0.0], [], threading.Event(), threading.Event()

    def measure(question: tuple[str, str]) -> str:
        made.append(question[0])
        under_way.set()
        assert go.wait(60)
        return "none"

    monkeypatch.setattr("genlib.jobs.estimates._measure", measure)
    monkeypatch.setattr("genlib.jobs.estimates.time", SimpleNamespace(monotonic=lambda: clock[0]))
    estimator = estimates.Estimator()
    estimator.ask("first", "a", {})
    assert under_way.wait(60)
    for number in range(100):
        estimator.ask(f"visitor {number}", f"preset {number}", {})
    clock[0] = estimates.GONE_SECONDS
    estimator.ask("last", "b", {})
    thread = estimator._thread
    assert thread
    go.set()
    thread.join(60)
    assert made == ["a", "b"]


def test_training_behind_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_TRAINING", "password")
    monkeypatch.setenv("GENLIB_TRAINING_PASSWORD", "open sesame")
    monkeypatch.setattr("genlib.jobs.limits.WRONG_SECONDS", 0.0)
    app = open_page("train")
    assert "Start training" not in labels(app)
    (field,) = [each for each in app.text_input if each.key == "password"]
    field.set_value("wrong").run()
    assert "not the password" in texts(app)
    field.set_value("open sesame").run()
    assert begin(app).state == "queued"
    monkeypatch.setattr("ui.train.Limits.opens", lambda *_: pytest.fail("asked again"))
    assert "Start training" in labels(app.run())  # whoever is in stays in, without the password
    assert app.session_state["let_in"] is True


def test_the_hosts_epochs_bound_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_TRAINING_EPOCHS", "3")
    (epochs,) = [each for each in open_page("train").number_input if each.key == "epochs"]
    assert (epochs.value, epochs.max) == (3, 3)


@pytest.mark.parametrize(
    ("page",),
    thinned(
        zip(["generate", "interpolate", "latent", "reconstruct", "history", "compare", "home"], strict=True),
        lambda page: page in ("generate", "history", "home"),
    ),
)
def test_a_finished_run_is_a_model_on_every_page(page: str, finished: Job) -> None:
    app = open_page(page, {"model": finished.name})
    assert_healthy(app)
    assert pictures(app)
    if page == "home":
        assert f"**{finished.name}**" in [card.proto.label for card in app.get("page_link")]
    elif page != "compare":
        assert controls(app)["model"] == finished.name


def test_a_finished_run_can_be_opened_and_downloaded(finished: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page("train", {"run": finished.id})
    assert not app.exception and not app.error
    (sign,) = (each.value for each in app.warning)
    assert sign.startswith("A Frechet distance of") and "is that of no garments" in sign  # of 200 images and two epochs
    assert finished.name in [
        link.proto.query_string.removeprefix("model=").replace("%2F", "/") for link in app.get("page_link")
    ]
    assert pictures(app)
    (finished.directory / "README.md").unlink()  # as of a run that was killed at its end
    with zipfile.ZipFile(io.BytesIO(archived(finished))) as archive:
        assert {Path(name).name for name in archive.namelist()} == set(MODEL_FILES) - {"README.md"}
    first = archived(finished)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert archived(finished) == first  # which is kept once, however often it is taken


def test_a_finished_run_of_endless_weights_is_not_packed_into_memory(finished: Job) -> None:
    with open(finished.directory / "model.safetensors", "wb") as file:
        file.truncate(10**12)  # which takes no room
    with refused("model.safetensors has 1,000,000,000,000 bytes"):
        archived(finished)
    app = open_page("train", {"run": finished.id})
    assert "It cannot be downloaded here: model.safetensors has 1,000,000,000,000 bytes" in texts(app)
    assert "Download" not in [button.proto.label for button in app.get("download_button")]


def test_a_link_shows_the_run_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_, newest = [by_hand(Queue(), f"vae-dense-8-run-{number}", state="paused").id for number in (1, 2, 3)]
    assert controls(open_page("train"))["run"] == newest
    app = set_control(open_page("train"), "run", first)
    page, query = shared(app)
    for link in (query, {"run": f"{first} · its own settings"}):  # as addresses were once
        friend = open_page(page, link)
        assert_healthy(friend)
        assert controls(friend)["run"] == first
    assert controls(go_to(go_to(app, "dataset"), "train"))["run"] == first
    gone = open_page("train", {"run": "vae-*9*"})
    assert [each.value for each in gone.warning] == [r"vae-\*9\* is no run here any more."]
    assert controls(gone)["run"] == newest


def test_the_command_that_is_advised_is_one_whatever_the_name(finished: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.watch.Queue.may_touch", lambda *_: True)
    finished.directory.rename(finished.directory.with_name("my run; *touch* it"))
    app = open_page("train")
    assert not app.exception
    assert "python -m genlib push 'runs/my run; *touch* it' owner/name" in [each.value for each in app.code]
    assert r"Delete my run; \*touch\* it with its model" in texts(app)


def test_a_damaged_run_disables_itself_alone(finished: Job) -> None:
    assert finished.name in zoo.usable()
    zoo.entries.clear()  # as half a minute does
    (finished.directory / "model.safetensors").write_bytes(b"no tensors")
    app = open_page("generate")
    assert not app.exception
    assert finished.name in app.warning[0].value
    assert "Train page" in app.warning[0].value


def test_runs_are_compared_by_what_differs(finished: Job, small_data: FashionMNIST, tmp_path: Path) -> None:
    other = finished.directory.with_name("vae-dense-8-run-77")
    list(tiny_training("vae-dense-8", other, small_data, lr=0.005))
    Job(other, finished.preset, finished.config | {"lr": 0.005}, "done", owner="me").save()
    app = open_page("train")
    assert not app.exception and not app.error
    assert compared(app) == ["77: lr 0.005", "1: lr 0.001"]
    app = set_control(set_control(app, "by", "squared error"), "runs", [other.name])
    page, query = shared(app)
    friend = open_page(page, query)
    assert [name.split(":")[0] for name in compared(friend)] == ["77"]
    assert controls(friend)["by"] == "squared error"


def test_every_family_of_genlib_has_its_idea() -> None:
    assert all("Source" in vars(each).get("idea", "") for each in families().values())


def test_a_family_of_ones_own_is_explained_by_its_docstring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(families()["VAE"], "idea")
    app = open_page("train", {"preset": "vae-dense-8"})
    assert_healthy(app)
    assert inspect.getdoc(families()["VAE"]) in [each.value for each in app.markdown]


def test_no_address_has_the_server_build_a_giant() -> None:
    def layers(app: AppTest) -> list:
        return [table for table in app.dataframe if "output shape" in table.value]

    wide = ",".join(["4096"] * 8)
    (table,) = layers(
        open_page("train", {"preset": "cgan-mlp", "generator_widths": "8,16", "discriminator_widths": "8"})
    )
    assert {"8", "16"} <= set(table.value["output shape"])
    giant = open_page("train", {"preset": "cgan-mlp", "generator_widths": wide, "discriminator_widths": wide})
    assert not giant.exception
    assert wide in [each.value for each in giant.text_input]
    assert layers(giant) == []


def test_a_wrong_place_for_the_data_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlib.data.fashion_mnist._loaded", {})
    monkeypatch.setenv("GENLIB_DATA", "/nowhere")
    app = open_page("train")
    assert not app.exception
    assert "GENLIB_DATA=nowhere is not a directory" in texts(app)


def test_a_run_trained_again_is_drawn_anew(finished: Job) -> None:
    app = open_page("generate", {"model": finished.name, "n": 4})
    before = pictures(app)
    save_tiny(finished.directory, finished.preset)  # other weights under the same name
    zoo.entries.clear()
    assert pictures(app.run()) != before


def test_a_quick_look_is_told_wherever_its_distance_is(finished: Job) -> None:
    figures = read_json(finished.directory / "metrics.json")
    write_json(finished.directory / "metrics.json", figures | {"samples": 1_000})
    assert "of 1,000 samples (a quick look" in texts(open_page("generate", {"model": finished.name}))
    history = read_json(finished.directory / "history.json")
    write_json(finished.directory / "history.json", history | {"looks": {"samples": 300}})
    assert "that of 300 samples" in texts(open_page("history", {"model": finished.name}))
    assert "of 1,000 samples" in texts(open_page("compare"))


def test_a_run_of_a_shipped_model_is_no_second_model(tmp_path: Path) -> None:
    from genlib.loading import weights_directory
    from genlib.zoo.catalogue import list_runs

    directory = Queue().directory / "vae-cnn"
    shutil.copytree(weights_directory() / "vae-cnn", directory)
    assert list_runs() == []
    write_json(directory / "config.json", read_json(directory / "config.json") | {"sha256": "0" * 64})
    assert [run["name"] for run in list_runs()] == ["runs/vae-cnn"]


def test_presets_that_share_a_key_agree_on_its_meaning() -> None:
    """A key of the address is one field everywhere, or a link of one preset would misread in another's form."""
    names: dict[str, set[str]] = {}
    for preset in presets().values():
        for field in vars(preset.config):
            names.setdefault(KEYS.get(field, field), set()).add(field)
    assert all(len(fields) == 1 for fields in names.values())


@pytest.mark.slow
@pytest.mark.usefixtures("training_split")
def test_the_code_trains_what_the_form_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines as shown, in a real worker on the whole training split: half a minute on an idle core."""
    monkeypatch.setattr("genlib.jobs.queue.launch", process.launch)  # workers start, as they do for a reader
    app = open_page("train", {"preset": "vae-dense-8", "epochs": "1", "batch": "1024", "measure": "Quick look"})
    monkeypatch.chdir(tmp_path)
    exec(compile(app.code[1].value, "snippet", "exec"), {"__name__": "__main__"})
    (job,) = Queue().jobs()
    assert (job.state, job.config["epochs"], job.config["batch_size"]) == ("done", 1, 1024)
    assert "'event': 'Done'" in capsys.readouterr().out
