"""Models on the Hub, against a stand-in that speaks its HTTP: huggingface_hub itself is the real one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from huggingface_hub import HfApi, constants

import genlib
from genlib.__main__ import main
from genlib.analysis.directions import keep_directions
from genlib.analysis.latent import keep_fits
from genlib.cli.terminal import follow_settings
from genlib.loading import is_repository, model_directory, weights_directory
from genlib.publish.push import push
from genlib.store import save_model
from genlib.zoo.trainings import keep_trainings
from tests.hub import READER, WRITER, Hub, Repository
from tests.tiny import NAMES, SHIPPED, refused, tiny_model

ROOT = Path(__file__).parent.parent
NAME, CONDITIONAL = "vae-cnn", "cgan-mlp"
FILES = ("model.safetensors", "config.json", "metrics.json", "history.json", "progress.png")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A Hub that holds nothing. huggingface_hub read its address and its cache's place when it was imported."""
    server = Hub()
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", WRITER)


def shipped(name: str) -> dict[str, bytes]:
    return {file: (weights_directory() / name / file).read_bytes() for file in FILES}


@pytest.fixture
def published(hub: Hub) -> Repository:
    """The shipped VAE as someone/garments, beside files of theirs that are none of ours."""
    repository = hub.model("someone/garments")
    repository.add(shipped(NAME) | {"pytorch_model.bin": b"pickle", "run_me.py": b"raise SystemExit(1)"})
    return repository


def described(repository: Repository, **changes: Any) -> None:
    """Change entries of the repository's config.json."""
    repository.add({"config.json": json.dumps(json.loads(repository.files["config.json"]) | changes).encode()})


# fetching ---------------------------------------------------------------------------------------------------------


def test_a_model_is_fetched_checked_and_kept(hub: Hub, published: Repository) -> None:
    ours, theirs = genlib.load(NAME), genlib.load("someone/garments")
    for key, value in ours.state_dict().items():
        assert torch.equal(theirs.state_dict()[key], value)
    directory = model_directory("someone/garments")
    assert sorted(path.name for path in directory.iterdir()) == sorted(FILES)  # and nothing else of theirs
    del hub.asked[:]
    genlib.load("someone/garments")
    assert hub.asked == ["GET api/models/someone/garments"]  # is there a newer one? the rest is in the cache


def test_what_was_fetched_is_there_offline(hub: Hub, published: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    genlib.load("someone/garments")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert genlib.load("someone/garments").family == "VAE"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    hub.down = True
    assert genlib.load("someone/garments").family == "VAE"
    with refused("someone/other on the Hub: the Hub could not be reached"):
        genlib.load("someone/other")


@pytest.mark.parametrize(
    "kept", [("model.safetensors",), ("config.json",), ("config.json", "model.safetensors"), FILES[:4]]
)
@pytest.mark.parametrize("listed", [False, True])
def test_a_cache_that_a_power_cut_left_half_filled_is_filled(
    kept: tuple[str, ...], listed: bool, hub: Hub, published: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = model_directory("someone/garments")
    for name in set(FILES) - set(kept):
        (directory / name).unlink()
    if not listed:  # as a fetch of single files leaves it
        shutil.rmtree(directory.parents[1] / "trees")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    if {"config.json", "model.safetensors"} <= set(kept):
        assert genlib.load("someone/garments").family == "VAE"  # what is here must do
    else:
        with refused("HF_HUB_OFFLINE is set, and this machine's cache does not hold it"):
            genlib.load("someone/garments")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert sorted(path.name for path in model_directory("someone/garments").iterdir()) == sorted(FILES)


def test_a_model_without_figures_is_whole_as_it_is(hub: Hub) -> None:
    hub.model("someone/bare", files={name: shipped(NAME)[name] for name in ("config.json", "model.safetensors")})
    genlib.load("someone/bare")
    del hub.asked[:]
    assert genlib.load("someone/bare").family == "VAE"
    assert len(hub.asked) == 2  # its newest version, and what that holds


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), "this machine's disk refuses: No space left on device"),
        (PermissionError(13, "x", "/srv/cache/a"), "this machine's disk refuses: Permission denied"),
        (PermissionError(13, "of a firewall"), "the Hub could not be reached"),
        (ConnectionRefusedError(111, "x"), "the Hub could not be reached"),
    ],
)
def test_what_the_disk_refuses_is_not_the_hubs_fault(
    error: OSError, told: str, wrapped: bool, published: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        try:
            raise error
        except OSError as first:
            raise (RuntimeError("while writing") if wrapped else first) from (first if wrapped else None)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with refused(f"someone/garments on the Hub: {told}"):
        genlib.load("someone/garments")


def test_a_newer_version_is_fetched_and_an_older_is_found_by_its_commit(hub: Hub, published: Repository) -> None:
    old = published.commit
    assert "vae-cnn" in model_directory("someone/garments", old).joinpath("config.json").read_text()
    published.add(shipped(CONDITIONAL))
    assert genlib.load("someone/garments").family == "conditional GAN"
    assert genlib.load("someone/garments", revision=old).family == "VAE"
    assert genlib.load("someone/garments", revision="main").family == "conditional GAN"
    with refused("someone/garments on the Hub: it has no revision 'v9'"):
        genlib.load("someone/garments", revision="v9")


def test_a_revision_belongs_to_the_hub(tmp_path: Path) -> None:
    for name in (NAME, tmp_path, str(tmp_path)):
        with refused('revision goes with a model on the Hub, "owner/name"'):
            genlib.load(name, revision="main")


def test_what_is_a_path_and_what_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("owner/name", "a/b.c-d_e"):
        assert is_repository(name)
    paths = ("vae-cnn", "./owner", "../owner", "/owner", "~/owner", "owner/", "a/b/c", "a//b", "a/..", "", "/", "./a/b")
    assert [name for name in paths if is_repository(name)] == []
    assert not is_repository(Path("owner/name"))
    assert not is_repository("runs/mine")  # always a run
    with refused("runs/mine has no trained weights at"):
        model_directory("runs/mine")
    for place in ("runs/mine", "disk/mine"):  # of the queue's runs, and of what else has that name
        shutil.copytree(weights_directory() / NAME, tmp_path / place)
    assert model_directory("runs/mine") == tmp_path / "runs" / "mine"
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "disk"))
    assert model_directory("runs/mine") == tmp_path / "disk" / "mine"
    for path in ("./runs/mine", Path("runs/mine"), Path("./runs/mine")):  # no name of the queue's
        assert model_directory(path) == Path("runs/mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").symlink_to(weights_directory() / NAME)
    assert model_directory("~/mine") == tmp_path / "mine"


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("someone/missing", None, "there is none that you may read .and no directory someone/missing here."),
        ("someone/secret", {"private": True}, "there is none that you may read.*set HF_TOKEN"),
        ("someone/gated", {"gated": True}, "you may not read it; ask for access on its page"),
        ("some one/x", None, 'a repository is named "owner/name"'),
        ("someone/x..y", None, 'a repository is named "owner/name"'),
        ("someone/empty", {}, "is not a genlib model: it has no config.json"),
        ("someone/bert", {"files": {"config.json": b"{}"}}, "is not a genlib model: it has no model.safetensors"),
    ],
)
def test_what_cannot_be_fetched_is_told_in_one_line(
    name: str, options: dict[str, Any] | None, match: str, hub: Hub
) -> None:
    if options is not None:
        hub.model(name, **({"files": shipped(NAME)} | options if options else {}))
    with refused(f"{name} on the Hub.*{match}"):
        genlib.load(name)


STRANGE = {
    "a refusal of many lines": (
        418,
        json.dumps({"error": "\x1b[2J no\n" * 10_000}).encode(),
        r"answers 418: \[2J no \[",
    ),
    "HTML": (200, b"<html>" * 10_000, "could not be reached, or not be understood"),
    "another object": (200, b'{"sha": ["x"], "siblings": 5}', ""),
    "no object": (200, b"[[]]", ""),
    "a way in circles": (302, b"", "could not be reached, or not be understood"),
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_strange_answer_is_one_line(case: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    status, body, told = STRANGE[case]
    answers = hub.RequestHandlerClass
    monkeypatch.setattr(answers, "do_GET", lambda self: self._send(status, body, {"Location": self.path}))
    with refused(f"someone/garments on the Hub: .*{told}") as caught:
        genlib.load("someone/garments")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "history.json"])
def test_a_file_that_breaks_off_is_not_taken_for_whole(name: str, hub: Hub, published: Repository) -> None:
    """Nor kept, where each next look would find it."""
    cut, send = published.files[name], hub.RequestHandlerClass._send  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            hub.RequestHandlerClass,
            "_send",
            lambda self, status, data, headers: send(self, status, data[:99] if data == cut else data, headers),
        )
        with refused(f"someone/garments on the Hub: {name} has {len(cut):,} bytes, and 99 came; try again"):
            genlib.load("someone/garments")
    assert genlib.load("someone/garments").family == "VAE"


def test_an_answer_that_names_a_file_elsewhere_touches_none(
    hub: Hub, published: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As only a server could give it that is not the Hub."""
    mine, real = tmp_path / "mine.txt", HfApi.get_paths_info
    mine.write_text("precious")

    def answer(api: HfApi, *args: Any, **options: Any) -> list[Any]:
        return [*real(api, *args, **options), SimpleNamespace(path=str(mine), size=3)]

    monkeypatch.setattr(HfApi, "get_paths_info", answer)
    genlib.load("someone/garments")
    assert mine.read_text() == "precious"


def test_nothing_of_ours_is_kept_in_the_hubs_cache(hub: Hub) -> None:
    hub.model("someone/garments").add(shipped("cgan-mlp"))
    before = sorted(model_directory("someone/garments").iterdir())
    keeps: tuple[Callable[[str], Any], ...] = (
        lambda name: keep_directions(name, ["a", "b", "c", "d", "e"]),
        keep_fits,
        follow_settings,
        lambda name: keep_trainings(name, [weights_directory() / "cgan-mlp"]),
    )
    for keep in keeps:
        with refused("someone/garments is on the Hub; to keep something beside it: hf download someone/garments"):
            keep("someone/garments")
    assert sorted(model_directory("someone/garments").iterdir()) == before


def test_a_private_model_is_fetched_with_a_token(hub: Hub, writer: None) -> None:
    hub.model("me/secret", private=True, files=shipped(NAME))
    assert genlib.load("me/secret").family == "VAE"
    with refused("someone/missing on the Hub: there is none"):
        genlib.load("someone/missing")


def test_offline_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with refused("someone/garments on the Hub: HF_HUB_OFFLINE is set, and this machine's cache does not hold it"):
        genlib.load("someone/garments")


def test_nobody_listens(hub: Hub) -> None:
    hub.shutdown()
    hub.server_close()
    with refused("someone/garments on the Hub: the Hub could not be reached"):
        genlib.load("someone/garments")


HOSTILE: dict[str, tuple[Callable[[Repository], None], str]] = {
    "foreign": (lambda r: r.add({"config.json": b'{"architectures": ["BertModel"]}'}), "config.json is of format None"),
    "family": (lambda r: described(r, family="os.system"), "names no known family but 'os.system'"),
    "class": (lambda r: described(r, family="genlib.models.vae.VAE"), "names no known family"),
    "path": (lambda r: described(r, family="../../etc/passwd"), "names no known family"),
    "huge": (lambda r: described(r, config={"latent_size": 10**12}), "latent_size takes 1 to 1024"),
    "not finite": (lambda r: described(r, config={"lr": float("nan")}), "lr takes a finite number"),
    "not a number": (lambda r: described(r, config={"width": {"a": 1}}), "width takes a whole number"),
    "true": (lambda r: described(r, config={"width": True}), "width takes a whole number"),
    "many digits": (lambda r: r.add({"config.json": b'{"format": ' + b"9" * 10_000 + b"}"}), "not readable JSON"),
    "deep": (lambda r: r.add({"config.json": b"[" * 100_000}), "not readable JSON"),
    "large JSON": (lambda r: r.add({"config.json": b" " * 9_000_000}), "config.json has 9,000,000 bytes"),
    "large history": (lambda r: r.add({"history.json": b" " * 9_000_000}), "history.json has 9,000,000 bytes"),
    "large weights": (lambda r: r.add({"model.safetensors": b" " * 9_000_000}), "model.safetensors has 9,000,000"),
    "other weights": (lambda r: r.add({"model.safetensors": b"x"}), "someone/garments: model.safetensors is damaged"),
    "hash": (lambda r: described(r, sha256="0" * 64), "model.safetensors is damaged"),
    "link": (lambda r: r.add({"config.json": b"../../../etc/passwd"}), "not readable JSON"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_repository_is_refused_in_one_line(
    case: str, hub: Hub, published: Repository, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    HOSTILE[case][0](published)
    assert main(["sample", "someone/garments", "--out", str(tmp_path / "x.png")]) == 2
    told = capsys.readouterr().err
    line = told.splitlines()[-1]  # above it the progress of what was fetched
    assert told.count("genlib: ") == 1
    assert line.startswith("genlib: someone/garments")
    assert HOSTILE[case][1] in line
    assert len(line) < 1_100
    assert not (tmp_path / "x.png").exists()


def test_a_size_that_is_allowed_takes_no_memory_before_its_weights_are_there(published: Repository) -> None:
    """A convolutional VAE of width 4096 has two billion parameters: refused by the size of its weights' file."""
    described(published, config={"width": 4096, "latent_size": 1024})
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with refused("tensor .* has shape"):
        genlib.load("someone/garments")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


# publishing -------------------------------------------------------------------------------------------------------


def front_matter(card: str) -> dict[str, Any]:
    _, matter, _ = card.split("---\n", 2)
    return yaml.safe_load(matter)


@pytest.mark.parametrize("name", [NAME, CONDITIONAL])
def test_what_is_pushed_can_be_loaded(name: str, hub: Hub, writer: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", name, "me/garments"]) == 0
    assert capsys.readouterr().out.strip() == f"{hub.url}/me/garments"
    files = hub.repositories["models/me/garments"].files
    assert set(files) == {*FILES, "samples.png", "trainings.png", "README.md"}
    assert {file: files[file] for file in FILES} == shipped(name)
    card = files["README.md"].decode()
    assert 'genlib.load("me/garments")' in card
    assert "](samples.png)" in card
    images, theirs = (genlib.generate(genlib.load(each), 4, 1)[0] for each in (name, "me/garments"))
    assert torch.equal(images, theirs)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_on_the_hub_carries_the_measured_figures(name: str) -> None:
    from genlib.zoo.card import hub_card

    directory = weights_directory() / name
    card = hub_card(directory, f"me/{name}")
    matter, metrics = front_matter(card), json.loads((directory / "metrics.json").read_text())
    conditional = "conditional" in genlib.list_models()[NAMES.index(name)]["capabilities"]
    assert (matter["license"], matter["library_name"]) == ("mit", "genlib")
    ((model,), (result,)) = matter["model-index"], matter["model-index"][0]["results"]
    assert model["name"] == name
    assert result["dataset"] == {"name": "Fashion-MNIST", "type": "zalando-datasets/fashion_mnist", "split": "test"}
    kind = "class-conditional" if conditional else "unconditional"
    assert result["task"]["type"] == f"{kind}-image-generation"
    assert matter.get("pipeline_tag") == (None if conditional else "unconditional-image-generation")
    told = {entry["type"]: entry["value"] for entry in result["metrics"]}
    assert told["fd"] == metrics["fd"]
    assert told == {key: metrics[key] for key in told}
    assert {"kid", "precision", "recall", "density", "coverage"} <= told.keys()
    here = (directory / "README.md").read_text()
    assert card.endswith(here.replace(f'genlib.load("{name}")', f'genlib.load("me/{name}")'))


def test_a_run_is_pushed_by_its_directory(hub: Hub, writer: None, tmp_path: Path) -> None:
    shutil.copytree(weights_directory() / NAME, tmp_path / "run")
    assert main(["push", str(tmp_path / "run"), "me/run"]) == 0
    (tmp_path / "run" / "samples.png").unlink()
    with refused("lacks samples.png: what can be published is a finished run"):
        push(tmp_path / "run", "me/run")


def test_what_genlib_did_not_publish_is_not_replaced(
    hub: Hub, writer: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strange = hub.model("me/bert", files={"config.json": b"{}", "tokenizer.json": b"{}", "README.md": b"# BERT"})
    before = strange.commit
    assert main(["push", "vae-dense-8", "me/bert"]) == 2
    assert "me/bert on the Hub holds what genlib did not publish; take another name" in capsys.readouterr().err
    assert strange.commit == before
    notes = hub.model("me/notes")
    for text in (b"", b"# My notes"):
        notes.add({"README.md": text})
    assert main(["push", "vae-dense-8", "me/notes"]) == 2
    assert notes.files == {"README.md": b"# My notes"}


def test_private_stays_private(hub: Hub, writer: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", NAME, "me/secret", "--private"]) == 0
    assert hub.repositories["models/me/secret"].private
    assert main(["push", NAME, "me/secret", "--private"]) == 0
    hub.model("me/open")
    assert main(["push", NAME, "me/open", "--private"]) == 2
    assert "me/open is there and public" in capsys.readouterr().err
    assert hub.repositories["models/me/open"].files == {}


@pytest.mark.parametrize(
    ("token", "repository", "match"),
    [
        ("", "me/x", "publishing needs a token with write permission: log in with `hf auth login` or set HF_TOKEN"),
        ("hf_stale", "me/x", "me/x on the Hub: the Hub does not know your token"),
        (READER, "me/x", "me/x on the Hub: your token may not write there"),
        (WRITER, "someone/x", "someone/x on the Hub: your token may not write there"),
        (WRITER, "me/x y", 'a repository is named "owner/name"'),
    ],
)
def test_a_refused_push_is_one_line(
    token: str,
    repository: str,
    match: str,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    for arguments in (["push", NAME, repository], ["space", repository]):
        assert main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert match in line
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["push"], "push takes a model and where to publish it"),
        (["push", NAME], "push takes a model and where to publish it"),
        (["push", "--all"], "push --all takes the owner alone"),
        (["push", "--all", "me/x"], "push --all takes the owner alone"),
        (["push", "nosuch", "me/x"], "no model 'nosuch'; models are"),
        (["push", NAME, "me"], 'is named "owner/name"'),
    ],
)
def test_a_misread_push_is_one_line(
    arguments: list[str], match: str, hub: Hub, writer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert match in line


def test_no_link_is_followed_out_of_a_run_that_is_pushed(hub: Hub, writer: None, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(weights_directory() / NAME, run)
    (tmp_path / "secret.json").write_text('{"token": 1}')
    (run / "samples.png").unlink()
    (run / "samples.png").symlink_to(tmp_path / "secret.json")
    with refused("'samples.png' leads out of"):
        push(run, "me/run")
    disguised = tmp_path / "snapshots" / "run"  # as a stranger's archive may call its folders
    shutil.copytree(run, disguised, symlinks=True)
    with refused("'samples.png' leads out of"):
        push(disguised, "me/run")
    assert hub.repositories == {}
    hub.model("someone/garments", files=shipped(NAME) | {"samples.png": b"x"})
    with refused("lacks samples.png"):  # which is not fetched
        push("someone/garments", "me/run")
    (model_directory("someone/garments") / "samples.png").symlink_to("../../blobs/x")
    (model_directory("someone/garments").parents[1] / "blobs" / "x").write_bytes(b"x")
    push("someone/garments", "me/run")  # whose files are links to what lies beside them


def test_push_all_passes_over_the_damaged(
    hub: Hub, writer: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ae-cnn", NAME, "vae-dense-8"):
        shutil.copytree(weights_directory() / name, tmp_path / "zoo" / name)
    (tmp_path / "zoo" / NAME / "model.safetensors").write_bytes(b"damaged")
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "zoo"))
    assert main(["push", "--all", "me"]) == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"{name}: {hub.url}/me/genlib-{name}" for name in ("ae-cnn", "vae-dense-8")]
    assert f"{NAME}: not published: " in told.err
    assert told.err.splitlines()[-1] == f"genlib: not published: {NAME}"
    assert sorted(hub.repositories) == ["models/me/genlib-ae-cnn", "models/me/genlib-vae-dense-8"]


def test_push_all_stops_where_the_hub_refuses(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", READER)
    assert main(["push", "--all", "me"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert hub.asked.count("POST api/repos/create") == 1


def test_a_model_that_never_trained_is_not_pushed(hub: Hub, writer: None, tmp_path: Path) -> None:
    from genlib.publish.push import push

    save_model(tmp_path, NAME, tiny_model(NAME), {})
    with refused("lacks metrics.json"):
        push(tmp_path, "me/x")
    shutil.copytree(weights_directory() / NAME, tmp_path, dirs_exist_ok=True)
    for metrics, match in (({}, "does not hold the figures"), ({"fd": float("nan")}, "fd is nan, not a number from 0")):
        (tmp_path / "metrics.json").write_text(json.dumps(metrics))
        with refused(match):
            push(tmp_path, "me/x")
    assert hub.repositories == {}


@pytest.mark.slow
def test_the_command_in_a_process_of_its_own(hub: Hub, published: Repository, tmp_path: Path) -> None:
    """Nothing is patched here: HF_ENDPOINT and HF_HOME lead to the stand-in as they lead to a mirror."""
    surroundings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    out = tmp_path / "x.npz"
    done = subprocess.run(
        [sys.executable, "-m", "genlib", "sample", "someone/garments", "--out", out, "--n", "3"],
        cwd=ROOT,
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    expected = genlib.generate(genlib.load(NAME), 3)[0].numpy()
    assert np.array_equal(np.load(out)["images"], expected)
