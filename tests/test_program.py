"""Programs: every family has one, whose tensors are the shipped ones; what has none is refused in one line."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from genlib.__main__ import main
from genlib.errors import GenlibError
from genlib.io.files import read_json, write_file, write_json
from genlib.io.locks import locked
from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, export, exported, program_of
from genlib.model import Model, keeps_raw
from genlib.program import FORMAT, Program
from tests.tiny import NAMES, ONE_PER_FAMILY, refused, save_tiny, tiny_model


def saved(directory: Path, name: str) -> None:
    directory.mkdir(exist_ok=True)
    save_tiny(directory, name)


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_has_a_program(name: str) -> None:
    model = tiny_model(name)
    program, output = program_of(model)
    state = model.state_dict()
    assert output.shape == (1, 28, 28)
    assert program.operations[0] == {"op": "latent", "shape": list(model.latent_shape)} | program.operations[0]
    for key, tensor in program.tensors.items():
        assert key in program.constants or torch.equal(tensor, state[key])
    described = json.loads(json.dumps(program.described(output)))
    assert described["format"] == FORMAT
    assert all(
        before < i for i, operation in enumerate(described["operations"]) for before in operation.get("inputs", [])
    )


@pytest.mark.parametrize("name", ONE_PER_FAMILY)
def test_exports_hold_what_the_program_names_and_no_more(name: str, tmp_path: Path) -> None:
    saved(tmp_path / "model", name)
    export(tmp_path / "model", tmp_path / "out")
    program = json.loads((tmp_path / "out" / PROGRAM_FILE).read_text())
    tensors = load_file(tmp_path / "out" / WEIGHTS_FILE)
    named = {value for operation in program["operations"] for value in operation.values() if isinstance(value, str)}
    assert tensors.keys() <= named
    assert program["name"] == name
    state = load_file(tmp_path / "model" / "model.safetensors")
    for key, tensor in tensors.items():
        assert key in ("spread", "shares") or torch.equal(tensor, state.get(f"averaged.{key}", state[key]))


def test_raw_weights_are_a_program_of_their_own(tmp_path: Path) -> None:
    saved(tmp_path / "model", "gan-dense-1")
    assert keeps_raw(tiny_model("gan-dense-1"))
    assert exported(tmp_path / "model", "raw") != exported(tmp_path / "model")


def test_a_program_is_made_once_and_again_for_other_weights(tmp_path: Path) -> None:
    saved(tmp_path / "model", "vae-dense-8")
    first = exported(tmp_path / "model")
    (first / PROGRAM_FILE).write_text("kept")
    assert exported(tmp_path / "model") == first
    assert (first / PROGRAM_FILE).read_text() == "kept"
    saved(tmp_path / "model", "vae-cnn")
    assert exported(tmp_path / "model") != first


def test_an_export_that_is_killed_leaves_no_pair_of_two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "model", "vae-dense-8")
    export(tmp_path / "model", tmp_path / "out")
    saved(tmp_path / "model", "vae-cnn")
    real = Path.replace
    for killed_at in (WEIGHTS_FILE, PROGRAM_FILE):

        def replace(path: Path, target: Path, name: str = killed_at) -> Path:
            if target.name == name:
                raise KeyboardInterrupt
            return real(path, target)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Path, "replace", replace)
            export(tmp_path / "model", tmp_path / "out")
        assert not (tmp_path / "out" / PROGRAM_FILE).exists()


@pytest.mark.parametrize("full_at", [WEIGHTS_FILE, PROGRAM_FILE])
def test_an_export_that_does_not_fit_leaves_the_one_before(
    full_at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "model", "vae-dense-8")
    export(tmp_path / "model", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    saved(tmp_path / "model", "vae-cnn")

    def write(path: Path, data: bytes) -> None:
        if full_at in path.name:
            raise GenlibError(f"cannot write {path}: No space left on device")
        write_file(path, data)

    monkeypatch.setattr("genlib.live.export.write_file", write)
    with refused("No space left on device"):
        export(tmp_path / "model", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_first_visitors_at_once_have_one_program_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may read it as soon as it is told where it is: no other makes it anew."""
    saved(tmp_path / "model", "vae-dense-8")
    made: list[str] = []

    def slow(name: str | Path, directory: Path, weights: str) -> None:
        made.append(weights)
        time.sleep(0.2)
        export(name, directory, weights)

    monkeypatch.setattr("genlib.live.export.export", slow)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: (exported(tmp_path / "model") / PROGRAM_FILE).read_bytes(), range(4)))
    assert len(set(found)) == 1 and made == ["averaged"]


def test_two_exports_to_one_folder_are_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "model", "vae-dense-8")
    monkeypatch.setattr("genlib.live.export.PATIENCE_SECONDS", 0.0)
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out", 0, "taken"), refused("another process is writing to .*out; try again"):
        export(tmp_path / "model", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_model_says_of_itself_is_in_no_others_program(tmp_path: Path) -> None:
    """Someone else's copy of a model's weights, under other settings and another name."""
    saved(tmp_path / "ours", "flow-unet")
    shutil.copytree(tmp_path / "ours", tmp_path / "theirs")
    described = read_json(tmp_path / "theirs" / "config.json")
    described |= {"name": "evil", "config": described["config"] | {"steps": 3, "guidance": 0.0}}
    write_json(tmp_path / "theirs" / "config.json", described)
    theirs, ours = (json.loads((exported(tmp_path / name) / PROGRAM_FILE).read_text()) for name in ("theirs", "ours"))
    assert (theirs["name"], theirs["integrate"]["steps"]) == ("evil", 3)
    assert (ours["name"], ours["integrate"]["steps"]) == ("flow-unet", 1)


class Undescribed(Model):
    """A family of someone who has not thought of programs."""

    family = "undescribed"
    latent_shape = (4,)

    def sample(self, z, y=None):  # type: ignore[no-untyped-def]
        return z

    def train_step(self, x, y, descend):  # type: ignore[no-untyped-def]
        return {}


def test_a_family_without_a_program_is_refused() -> None:
    with refused("a undescribed model has no live program yet: its family does not describe itself"):
        program_of(Undescribed(tiny_model("vae-cnn").config))


def test_layers_without_a_program_are_refused() -> None:
    module = nn.Sequential(nn.PReLU(), nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, (3, 5)))
    program = Program(module)
    x = program.latent((4, 8, 8))
    for layer, match in zip(module, ("a PReLU has no", "without groups", "layers of equal sides"), strict=True):
        with refused(match):
            program.apply(layer, x)


def test_a_tensor_that_is_no_part_of_the_model_is_refused() -> None:
    program = Program(nn.Linear(2, 2))
    with refused("is not of the model's state; name it by `constant`"):
        program.linear(program.latent((2,)), torch.ones(2, 2), None)


def test_a_place_in_no_encoding_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "\udcff", "vae-dense-8")
    told = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(told, "utf-8", errors="strict", write_through=True))
    assert main(["export", str(tmp_path / "\udcff"), "--out", str(tmp_path / "\udcff" / "out")]) == 0
    assert b"\\udcff/out: program.json" in told.getvalue()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "vae-cnn", "--out", str(tmp_path / "a" / "b")]) == 0
    assert "program.json" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {PROGRAM_FILE, WEIGHTS_FILE}
    (tmp_path / "file").write_text("")
    for arguments in (["vae-cnn", "--out", str(tmp_path / "file")], ["no-model", "--out", str(tmp_path)]):
        assert main(["export", *arguments]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
