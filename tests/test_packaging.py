"""The wheel: everything under genlib is in it, and it works where there is no checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import genlib
from genlib.__main__ import main
from genlib.loading import weights_directory

ROOT = Path(__file__).parent.parent
BUILD = ("-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", "dist")


def test_the_version_is_said_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"genlib {genlib.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", genlib.__version__)
    assert genlib.__version__ not in (ROOT / "pyproject.toml").read_text()
    assert f"## {genlib.__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since setuptools writes into the tree that it builds from."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "genlib", source / "genlib", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run([sys.executable, *BUILD], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = (source / "dist").iterdir()
    return built


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    sources = (path for path in (ROOT / "genlib").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert sorted({str(path.relative_to(ROOT)) for path in sources} - inside) == []
    assert wheel.name.startswith(f"genlib-{genlib.__version__}-py3-none-any")
    outside = {name for name in inside if not name.startswith("genlib/")}
    assert {name.partition("/")[0] for name in outside} == {f"genlib-{genlib.__version__}.dist-info"}


@pytest.mark.slow
def test_the_wheel_works_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    variables = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=variables | more, capture_output=True, text=True, check=False)

    assert run("-c", "import genlib; print(genlib.__file__)").stdout.strip() == str(site / "genlib" / "__init__.py")
    listed = run("-m", "genlib", "list")
    assert listed.returncode == 0, listed.stderr
    assert "vae-cnn" in listed.stdout

    without = run("-m", "genlib", "sample", "vae-cnn", "--out", "x.npz")
    assert without.returncode == 2
    (line,) = without.stderr.splitlines()
    assert "set GENLIB_WEIGHTS to a directory" in line
    assert 'a model on the Hugging Face Hub: "owner/name"' in line

    weights = {
        "GENLIB_WEIGHTS": str(shutil.copytree(weights_directory() / "vae-cnn", tmp_path / "w" / "vae-cnn").parent)
    }
    sampled = run("-m", "genlib", "sample", "vae-cnn", "--out", "x.npz", "--n", "3", **weights)
    assert sampled.returncode == 0, sampled.stderr
    expected = genlib.generate(genlib.load("vae-cnn"), 3)[0].numpy()
    assert np.array_equal(np.load(tmp_path / "x.npz")["images"], expected)
    space = run("-m", "genlib", "space", "me/studio", "--dry-run")
    assert space.returncode == 2
    assert "a Space is built from a checkout of genlib" in space.stderr
    site = run("-m", "genlib", "site", "--out", "new")
    assert site.returncode == 2
    assert "a site is built from a checkout of genlib" in site.stderr
