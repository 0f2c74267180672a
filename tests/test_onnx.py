"""Models as ONNX: onnxruntime draws genlib's images; without the packages, one line."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from genlib.__main__ import main
from genlib.images import to_uint8
from genlib.live.onnx_file import FILE, PACKAGES, export_onnx
from genlib.loading import load
from genlib.model import Conditional
from genlib.sampling import generate
from tests.tiny import SHIPPED_PER_FAMILY, refused

N, SEED = 11, 5


def needed(package: str) -> Any:
    """A package of the extra; without it a test is skipped, but in continuous integration it fails."""
    return importlib.import_module(package) if os.environ.get("CI") == "true" else pytest.importorskip(package)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED_PER_FAMILY)
def test_onnxruntime_draws_genlibs_images(name: str, tmp_path: Path) -> None:
    runtime = [needed(package) for package in PACKAGES][-1]
    session = runtime.InferenceSession(export_onnx(name, tmp_path / "new"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]
    model = load(name)
    fed, label = {"z": model.draw_latent(N, SEED).numpy()}, None
    if isinstance(model, Conditional):
        label = torch.zeros(N, 10)
        label[:, 3], label[:, 8] = 0.25, 0.75
        fed["classes"] = label.numpy()
    assert [each.name for each in session.get_inputs()] == list(fed)
    found = to_uint8(torch.from_numpy(session.run(["images"], fed)[0]))
    expected, _ = generate(model, N, SEED, label)
    assert (found.int() - expected.int()).abs().max() <= 1


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_one_line(
    package: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in PACKAGES:
        monkeypatch.setitem(sys.modules, each, None if each == package else pytest)
    assert main(["export", "vae-cnn", "--out", str(tmp_path / "new"), "--format", "onnx"]) == 2
    assert capsys.readouterr().err == f"genlib: the ONNX format needs {package}: pip install 'genlib[onnx]'\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    for package in PACKAGES:
        needed(package)
    (tmp_path / "file").write_text("")
    with refused("cannot write"):
        export_onnx("vae-cnn", tmp_path / "file")
