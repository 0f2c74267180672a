"""The command line in process: what it prints and writes, and one line with exit 2 for everything it refuses."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genlib
import genlib.training.run
from genlib.__main__ import main
from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.io.files import write_json
from genlib.model import capabilities
from genlib.models import presets
from genlib.sampling import MAX_SAMPLES
from genlib.training.events import Event, Step
from tests.tiny import SHIPPED_PER_FAMILY, TINY, comparable_history, save_tiny, thinned

CONDITIONAL, VAE, MIXTURE = "cgan-mlp", "vae-cnn", "gmm-10"
WEIGHTS = Path(genlib.__file__).resolve().parent.parent / "weights"
every_family = pytest.mark.parametrize("name", SHIPPED_PER_FAMILY)
Capture = pytest.CaptureFixture[str]


def run(*arguments: object) -> int:
    """The exit status of `python -m genlib ...`."""
    return main([str(argument) for argument in arguments])


def assert_refused(capsys: Capture, match: str, *arguments: object) -> None:
    """Exit 2 and one line on stderr that matches; nothing on stdout."""
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("genlib: ")
    assert match in line


def tree(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, hidden and temporary ones too."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


# list -------------------------------------------------------------------------------------------------------------


def test_list_has_a_line_for_every_model(capsys: Capture) -> None:
    assert run("list") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["name", "family"]
    assert [line.split()[0] for line in lines] == list(presets())


def test_list_as_json(capsys: Capture) -> None:
    assert run("list", "--json") == 0
    models = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in models] == list(presets())
    kinds = {
        "name": str,
        "family": str,
        "capabilities": list,
        "parameters": int,
        "trained_epochs": int,
        "metrics": dict,
        "sha256": str,
    }
    for model in models:
        if model["name"] in SHIPPED_PER_FAMILY:
            assert {key: type(value) for key, value in model.items()} == kinds
            assert len(model["sha256"]) == 64
            assert 0 < model["metrics"]["fd"] < 100
            assert model["parameters"] == model["metrics"]["parameters"] > 0
            assert model["trained_epochs"] == model["metrics"]["train_epochs"] > 0


def takes_a_class(name: str) -> bool:
    return "conditional" in capabilities(presets()[name].model_class)


# sample -----------------------------------------------------------------------------------------------------------


def sampled(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


@every_family
def test_sample_npz_is_what_the_library_draws(name: str, tmp_path: Path) -> None:
    out = tmp_path / "samples.npz"
    assert run("sample", name, "--out", out, "--n", 12, "--seed", 3) == 0
    arrays, (images, labels) = sampled(out), genlib.generate(genlib.load(name), 12, 3)
    assert arrays["images"].dtype == np.uint8
    assert np.array_equal(arrays["images"], images.numpy())
    assert (labels is not None) == takes_a_class(name) == ("labels" in arrays)
    if labels is not None:
        assert arrays["labels"].dtype == np.int64
        assert arrays["labels"].tolist() == [*range(10), 0, 1]  # the classes in turn


@every_family
def test_sample_png_is_a_grid(name: str, tmp_path: Path) -> None:
    out = tmp_path / "samples.png"
    assert run("sample", name, "--out", out, "--n", 20) == 0
    image = Image.open(out)
    columns, rows = (10, 2) if takes_a_class(name) else (5, 4)  # ten columns where they are the classes
    assert (image.format, image.mode) == ("PNG", "L")
    assert image.size == (columns * 116 - 4, rows * 116 - 4)
    first = np.asarray(image)[:112:4, :112:4]
    assert np.array_equal(first, genlib.generate(genlib.load(name), 1, 0)[0][0].numpy())


def test_sample_draws_64_of_seed_0_unless_told(tmp_path: Path) -> None:
    assert run("sample", VAE, "--out", tmp_path / "plain.npz") == 0
    assert run("sample", VAE, "--out", tmp_path / "told.npz", "--n", 64, "--seed", 0) == 0
    assert sampled(tmp_path / "plain.npz")["images"].shape == (64, 28, 28)
    assert np.array_equal(sampled(tmp_path / "plain.npz")["images"], sampled(tmp_path / "told.npz")["images"])


@pytest.mark.parametrize("suffix", [".png", ".npz"])
def test_the_same_seed_is_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for file, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert run("sample", CONDITIONAL, "--out", tmp_path / (file + suffix), "--n", 6, "--seed", seed) == 0
    a, b, c = ((tmp_path / (file + suffix)).read_bytes() for file in "abc")
    assert a == b != c


def test_a_class_has_a_number_and_a_name(tmp_path: Path) -> None:
    for place, label in enumerate(("9", "Ankle boot", "ankle BOOT")):
        assert run("sample", CONDITIONAL, "--out", tmp_path / f"{place}.npz", "--n", 3, "--label", label) == 0
    numbered, named, shouted = (sampled(tmp_path / f"{place}.npz") for place in range(3))
    assert numbered["labels"].tolist() == [9, 9, 9]
    for other in (named, shouted):
        assert all(np.array_equal(numbered[key], other[key]) for key in ("images", "labels"))
    assert run("sample", CONDITIONAL, "--out", tmp_path / "mixed.npz", "--n", 3) == 0
    assert not np.array_equal(numbered["images"], sampled(tmp_path / "mixed.npz")["images"])


def test_sample_replaces_a_file_and_leaves_no_other(tmp_path: Path) -> None:
    out = tmp_path / "samples.PNG"
    out.write_bytes(b"old")
    assert run("sample", VAE, "--out", out, "--n", 1) == 0
    assert set(tree(tmp_path)) == {"samples.PNG"}
    Image.open(out).load()


# Bad input --------------------------------------------------------------------------------------------------------

BAD_SAMPLES = {
    "unknown model": (["nope"], "no model 'nope'; models are ae-cnn, cgmm"),
    "label 10": ([CONDITIONAL, "--label", "10"], "no class '10'; classes are 0 T-shirt/top"),
    "label -1": ([CONDITIONAL, "--label=-1"], "no class '-1'"),
    "label coatt": ([CONDITIONAL, "--label", "coatt"], "no class 'coatt'"),
    "a label for a model without": ([VAE, "--label", "Coat"], "takes no label"),
    "seed -1": ([VAE, "--seed", "-1"], "--seed takes 0 to 4294967295, not -1"),
    "seed 2**32": ([VAE, "--seed", "4294967296"], "--seed takes 0 to 4294967295"),
    "seed abc": ([VAE, "--seed", "abc"], "seed takes a whole number, not 'abc'"),
    "seed 1.5": ([VAE, "--seed", "1.5"], "seed takes a whole number, not '1.5'"),
    "n 0": ([VAE, "--n", "0"], f"--n takes 1 to {MAX_SAMPLES}, not 0"),
    "n a million": ([VAE, "--n", "1000000"], f"--n takes 1 to {MAX_SAMPLES}, not 1000000"),
    "n text": ([VAE, "--n", "many"], "n takes a whole number, not 'many'"),
    "n of 5000 digits": ([VAE, "--n", "9" * 5000], "n takes a whole number"),
    "an unknown option": ([VAE, "--sead", "1"], "unrecognized arguments: --sead 1"),
}


@pytest.mark.parametrize("case", BAD_SAMPLES)
def test_sample_refuses(case: str, capsys: Capture, tmp_path: Path) -> None:
    arguments, match = BAD_SAMPLES[case]
    assert_refused(capsys, match, "sample", *arguments, "--out", tmp_path / "out.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("out", "match"),
    [
        ("out.jpg", "--out takes a file ending in .png or .npz"),
        ("out", "--out takes a file ending in .png or .npz"),
        ("nowhere/out.png", "there is no directory"),
        ("file/out.png", "there is no directory"),
        ("folder.png", "it is a directory"),
    ],
)
def test_sample_refuses_a_place_it_cannot_write(out: str, match: str, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"mine")
    assert_refused(capsys, match, "sample", VAE, "--out", tmp_path / out)
    assert tree(tmp_path) == {"file": b"mine"}


def test_a_write_that_fails_leaves_the_old_file(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a directory that is not ours."""
    out = tmp_path / "out.png"
    out.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert_refused(capsys, "No space left on device", "sample", VAE, "--out", out, "--n", 1)
    assert tree(tmp_path) == {"out.png": b"old"}


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="a directory that even root cannot write in is Linux's")
def test_an_unwritable_directory_is_refused(capsys: Capture) -> None:
    assert_refused(capsys, "cannot write /proc/out.png", "sample", VAE, "--out", "/proc/out.png", "--n", 1)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "required: COMMAND"),
        (["dream"], "invalid choice: 'dream'"),
        (["sample"], "required: NAME, --out"),
        (["sample", VAE], "required: --out"),
        (["list", "--yaml"], "unrecognized arguments"),
        (["train", "nope"], "no model 'nope'"),
        (["train", VAE, "--set", "epochs"], "--set takes key=value, not 'epochs'"),
        (["train", VAE, "--set", "epocks=3"], "has no field 'epocks'; its fields are epochs"),
        (["train", VAE, "--epochs", "many"], "epochs takes a whole number, not 'many'"),
        (["train", VAE, "--epochs", "0"], "epochs takes 1 to 10000, not 0"),
        (["train", VAE, "--lr", "nan"], "lr takes a finite number"),
        (["train", VAE, "--seed", "-1"], "seed takes 0 to"),
        (["train", MIXTURE, "--lr", "0.1"], "has no field 'lr'"),
        (["train", VAE, "--device", "abacus"], "no device 'abacus' here"),
        (["train"], "train takes the name of a model, or --all"),
        (["train", VAE, "--all"], "train takes the name of a model, or --all"),
        (["train", "--all", "--lr", "0.1"], "--all changes only what every preset has, epochs and seed, not 'lr'"),
        (["train", "--all", "--set", "width=4"], "what every preset has, epochs and seed, not 'width'"),
        (["train", "--all", "--epochs", "many"], "epochs takes a whole number, not 'many'"),
        (["train", "--all", "--on", "hf-jobs"], "--all trains here; --on hf-jobs takes one model"),
        (["train", "--all", "--run-dir", "d"], "--run-dir goes with one model"),
        (["train", "--all", "--device", "cpu"], "CUDA_VISIBLE_DEVICES chooses, not --device"),
        (["train", "--all", "--evaluation-samples", "1"], "a distance takes 10 to"),
        (["evaluate"], "evaluate takes names of models, --all, or --samples"),
        (["evaluate", VAE, "--all"], "evaluate takes names of models, --all, or --samples"),
        (["evaluate", "nope"], "no model 'nope'"),
        (["evaluate", VAE, "--n", "1"], "n takes a whole number from 10"),
        (["evaluate", VAE, "--json", "nowhere/f.json"], "there is no directory nowhere"),
        (["evaluate", VAE, "--json", "f.txt"], "a file ending in .json"),
        (["interpolate", VAE, "--out", "walk.gif"], "a file ending in .png"),
        (["interpolate", VAE, "--out", "walk.png", "--rows", "0"], "--rows takes 1 to 1000"),
        (["interpolate", VAE, "--out", "walk.png", "--steps", "1"], "--steps takes 2 to 1000"),
        (["interpolate", VAE, "--out", "walk.png", "--path", "round"], "--path takes spherical or straight"),
        (["interpolate", VAE, "--out", "walk.png", "--seed", "-1"], "--seed takes 0 to 4294967295"),
    ],
)
def test_a_command_refuses(
    arguments: list[str], match: str, capsys: Capture, small_train: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if arguments[:1] == ["evaluate"]:  # the table's head is out before a name is looked up
        assert run(*arguments) == 2
        captured = capsys.readouterr()
        assert match in captured.err
        assert captured.err.count("\n") == 1
    else:
        assert_refused(capsys, match, *arguments)
    assert not tree(small_train)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one model's weights to damage; returns its directory."""
    shutil.copytree(WEIGHTS / VAE, tmp_path / "weights" / VAE)
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights" / VAE


def test_half_a_weights_file_is_refused(capsys: Capture, shipped: Path, tmp_path: Path) -> None:
    weights = shipped / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    assert_refused(capsys, "model.safetensors is damaged", "sample", VAE, "--out", tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_an_old_config_with_an_unknown_key_is_refused(capsys: Capture, shipped: Path, tmp_path: Path) -> None:
    described = json.loads((shipped / "config.json").read_text())
    described["config"]["dropped_option"] = 1
    (shipped / "config.json").write_text(json.dumps(described))
    assert_refused(capsys, "has no field 'dropped_option'", "sample", VAE, "--out", tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_model_without_weights_is_refused_and_listed(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "none"))
    assert_refused(capsys, "train it: python -m genlib train", "sample", VAE, "--out", tmp_path / "out.png")
    assert run("list", "--json") == 0
    assert {model["sha256"] for model in json.loads(capsys.readouterr().out)} == {None}


def test_help_is_no_error(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    assert "COMMAND" in capsys.readouterr().out


def test_help_says_what_a_flag_is_chosen_from_and_no_empty_default(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        run("sample", "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "last weights themselves; one of: averaged, raw; averaged unless given" in told
    assert "--moves MOVES how far along each named direction, in standard deviations: 0,2,-1 --steps" in told
    assert "--n N pictures; 64 unless given" in told


# train ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_train(monkeypatch: pytest.MonkeyPatch, small_data: FashionMNIST, tmp_path: Path) -> Path:
    """A new working directory where 200 images are the training split and measuring takes 50; returns the directory."""
    load = FashionMNIST.load
    monkeypatch.setattr(
        FashionMNIST, "load", lambda split, progress=None: small_data if split == "train" else load(split)
    )
    monkeypatch.setattr(
        genlib.training.run.train, "__kwdefaults__", genlib.training.run.train.__kwdefaults__ | SMALL_MEASUREMENTS
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENLIB_RUNS")  # runs/ here
    return tmp_path


SMALL_MEASUREMENTS = {"distance_samples": 50, "evaluation_samples": 50}


def tiny_settings(name: str) -> list[str]:
    """The tiny configuration as the command line has it."""
    family = presets()[name].family
    batch = {"batch_size": 50} if hasattr(presets()[name].config, "batch_size") else {}
    values = TINY[family] | batch | {"epochs": 2}
    texts = {key: ",".join(map(str, value)) if isinstance(value, tuple) else value for key, value in values.items()}
    return [part for key, text in texts.items() for part in ("--set", f"{key}={text}")]


@pytest.mark.parametrize(
    ("name",), thinned(zip(SHIPPED_PER_FAMILY, strict=True), lambda name: name in (CONDITIONAL, VAE, MIXTURE))
)
def test_train_makes_a_model_that_samples(name: str, capsys: Capture, small_train: Path) -> None:
    assert run("train", name, *tiny_settings(name), "--device", "cpu") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"runs/{name} holds the trained {name}: Frechet distance ")
    assert "epoch 2: " in captured.err
    assert "Traceback" not in captured.err
    assert run("sample", f"runs/{name}", "--out", "own.png", "--n", 4) == 0
    assert Image.open("own.png").size[0] > 0


def test_options_are_short_for_set(small_train: Path) -> None:
    options = ("--epochs", 1, "--batch-size", 40, "--lr", "0.01", "--seed", 9)
    assert run("train", VAE, "--set", "width=4", "--set", "latent_size=3", *options, "--run-dir", "here") == 0
    config = json.loads(Path("here/config.json").read_text())["config"]
    assert {key: config[key] for key in ("epochs", "batch_size", "lr", "seed", "width", "latent_size")} == {
        "epochs": 1,
        "batch_size": 40,
        "lr": 0.01,
        "seed": 9,
        "width": 4,
        "latent_size": 3,
    }


def test_a_run_is_not_begun_over_another(capsys: Capture, small_train: Path) -> None:
    arguments = ("train", VAE, *tiny_settings(VAE), "--run-dir", "d")
    assert run(*arguments) == 0
    before = tree(Path("d"))
    capsys.readouterr()
    assert_refused(capsys, "d already holds a run; continue with --resume", *arguments)
    other = ("train", MIXTURE, *tiny_settings(MIXTURE), "--run-dir", "d", "--resume")
    assert_refused(capsys, "d holds a run of vae-cnn, not of gmm-10", *other)
    assert_refused(capsys, "was started with seed=0", "train", VAE, "--run-dir", "d", "--resume", "--seed", 1)
    assert tree(Path("d")) == before
    assert run("train", VAE, "--run-dir", "d", "--resume") == 0  # finished: nothing to do, and what was set is known
    assert tree(Path("d")).keys() == before.keys()
    assert run("train", VAE, "--run-dir", "d", "--resume", "--epochs", 3) == 0  # but to go on, where more was asked for
    assert json.loads(Path("d/history.json").read_text())["extended"] == [2]


def test_a_directory_of_something_else_is_left_alone(capsys: Capture, small_train: Path) -> None:
    (small_train / "mine").mkdir()
    (small_train / "mine" / "thesis.txt").write_text("years of work")
    assert_refused(capsys, "is not empty and holds no run", "train", VAE, "--run-dir", "mine")
    assert tree(small_train) == {"mine/thesis.txt": b"years of work"}


@pytest.fixture
def after_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], None]], None]:
    """Does something in the middle of a run of the command line: when the loop has told of a step."""
    train = genlib.training.run.train

    def watch(step: int, act: Callable[[], None]) -> None:
        def watched(*arguments: object, **options: object) -> Iterator[Event]:
            events = train(*arguments, **options)
            try:
                for event in events:
                    if isinstance(event, Step) and event.step == step:
                        act()
                    yield event
            finally:
                events.close()

        monkeypatch.setattr(genlib.training.run, "train", watched)

    return watch


@pytest.mark.parametrize(
    ("name", "number"),
    thinned(
        [(name, number) for name in SHIPPED_PER_FAMILY for number in (signal.SIGTERM, signal.SIGINT)],
        lambda name, number: name == CONDITIONAL,
    ),
)
def test_a_stopped_run_resumes_to_the_same_bytes(
    name: str,
    number: signal.Signals,
    capsys: Capture,
    small_train: Path,
    after_step: Callable[[int, Callable[[], None]], None],
) -> None:
    """SIGTERM and Ctrl-C: a checkpoint after the step under way, exit 0, and --resume goes on as if nothing was."""
    command = ("train", name, "--device", "cpu")
    assert run(*command, *tiny_settings(name), "--run-dir", "whole") == 0
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    step = 5 if hasattr(presets()[name].config, "batch_size") else 1  # of 8 and of 2
    after_step(step, lambda: signal.raise_signal(number))
    assert run(*command, *tiny_settings(name), "--run-dir", "parts") == 0
    assert {each: signal.getsignal(each) for each in handlers} == handlers
    assert "--run-dir parts --resume" in capsys.readouterr().err
    assert (small_train / "parts/checkpoint/last.safetensors").is_file()
    assert not (small_train / "parts/metrics.json").exists()
    last = json.loads((small_train / "parts/events.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["step"]) == ("Checkpointed", step)
    assert run(*command, "--run-dir", "parts", "--resume") == 0
    for file in ("model.safetensors", "config.json", "samples.png", "progress.png"):
        assert (small_train / "parts" / file).read_bytes() == (small_train / "whole" / file).read_bytes(), file
    assert comparable_history(small_train / "parts") == comparable_history(small_train / "whole")


# evaluate and interpolate -----------------------------------------------------------------------------------------


def test_evaluate_prints_and_writes_figures(capsys: Capture, tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    assert run("evaluate", VAE, MIXTURE, "--n", 50, "--json", target) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split()[:7] == ["name", "FD", "+-", "floor", "2nd", "FD", "raw"]
    figures = json.loads(target.read_text())
    assert [line.split()[0] for line in lines] == list(figures) == [VAE, MIXTURE]
    for line, (name, found) in zip(lines, figures.items(), strict=True):
        assert found["samples"] == 50
        assert found["fd"] > found["fd_floor"] > 0
        assert line.split()[1] == f"{found['fd']:.2f}", name
    assert set(tree(tmp_path)) == {"figures.json"}


@pytest.mark.parametrize("more", [(), ("--inception",)])
def test_evaluate_refuses_a_mistyped_name_before_it_measures_another(
    more: tuple[str, ...], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []
    monkeypatch.setattr("genlib.cli.terminal.follow_evaluation", lambda name, *_: measured.append(name))
    monkeypatch.setattr("genlib.metrics.inception.inception_distance", lambda name, *_, **__: measured.append(name))
    assert run("evaluate", VAE, "nope", *more) == 2
    assert "no model 'nope'" in capsys.readouterr().err
    assert measured == []


@pytest.mark.slow
def test_evaluate_goes_on_past_a_damaged_model(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    for name in (VAE, MIXTURE):
        (tmp_path / name).mkdir()
        write_json(save_tiny(tmp_path / name, name) / "metrics.json", {"fd": 5.0})
    (tmp_path / MIXTURE / "model.safetensors").write_bytes(b"no tensors")
    assert run("evaluate", "--all", "--n", 50, "--json", tmp_path / "f.json") == 2
    told = capsys.readouterr().err
    assert f"{MIXTURE}: not measured" in told
    assert told.splitlines()[-1] == f"genlib: not measured: {MIXTURE}"
    assert list(json.loads((tmp_path / "f.json").read_text())) == [VAE]


def test_a_path_that_no_system_has_is_told_in_one_line(capsys: Capture, tmp_path: Path) -> None:
    for arguments in (("sample", "x" * 300, "--out", tmp_path / "a.png"), ("sample", VAE, "--out", "x" * 300 + ".png")):
        assert run(*arguments) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_evaluate_measures_a_gan_raw_too(tmp_path: Path) -> None:
    assert run("evaluate", CONDITIONAL, "--n", 50, "--json", tmp_path / "f.json") == 0
    figures = json.loads((tmp_path / "f.json").read_text())[CONDITIONAL]
    assert figures["fd"] == figures["fd_averaged"] != figures["fd_raw"]


@every_family
def test_interpolate_draws_rows_of_steps(name: str, tmp_path: Path) -> None:
    out = tmp_path / "walk.png"
    assert run("interpolate", name, "--out", out, "--rows", 2, "--steps", 4, "--seed", 3) == 0
    image = np.asarray(Image.open(out))
    assert image.shape == (2 * 116 - 4, 4 * 116 - 4)
    ends, _ = genlib.generate(genlib.load(name), 4, 3)  # a row walks from one sample of the seed to the next
    corners = [image[y : y + 112 : 4, x : x + 112 : 4] for y in (0, 116) for x in (0, 3 * 116)]
    for corner, end in zip(corners, ends.numpy(), strict=True):
        assert np.abs(corner.astype(int) - end).max() <= 1


def test_the_path_of_a_walk_matters(tmp_path: Path) -> None:
    for path in ("spherical", "straight"):
        assert run("interpolate", VAE, "--out", tmp_path / f"{path}.png", "--rows", 1, "--path", path) == 0
    assert (tmp_path / "spherical.png").read_bytes() != (tmp_path / "straight.png").read_bytes()


@pytest.mark.parametrize(
    "words", [("evaluate", "--all"), ("push", "--all", "me"), ("space", "me/studio", "--dry-run", "s")]
)
def test_every_model_of_none_is_told(
    words: tuple[str, ...], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "hf_x")
    assert_refused(capsys, f"no trained model is in {tmp_path}; GENLIB_WEIGHTS names a directory of models", *words)
    assert not list(tmp_path.iterdir())


def test_a_damaged_model_does_not_keep_the_others_from_being_measured(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inception_distance(name: str, *_: object, **__: object) -> float:
        if name == MIXTURE:
            raise GenlibError("it is damaged")
        return 12.5

    monkeypatch.setattr("genlib.metrics.inception.inception_distance", inception_distance)
    target = tmp_path / "f.json"
    assert run("evaluate", MIXTURE, VAE, "--inception", "--json", target) == 2
    told = capsys.readouterr().err.splitlines()
    assert f"{MIXTURE}: not measured: it is damaged" in told
    assert told[-1] == f"genlib: not measured: {MIXTURE}"
    assert json.loads(target.read_text()) == {VAE: 12.5}
    assert_refused(capsys, "--score goes without --inception", "evaluate", VAE, "--inception", "--score")
