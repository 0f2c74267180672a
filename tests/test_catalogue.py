"""The zoo's list, and the tables of README.md and docs/models.md, which are generated and never typed."""

from __future__ import annotations

from pathlib import Path

import pytest

import genlib
from genlib.__main__ import main
from genlib.io.files import write_json
from genlib.loading import load
from genlib.models import presets, released
from genlib.zoo.catalogue import list_models, markdown_table
from tests.tiny import save_tiny

ROOT = Path(__file__).resolve().parent.parent


def test_every_preset_is_listed() -> None:
    listed = list_models()
    assert [entry["name"] for entry in listed] == list(presets())
    for entry in listed:
        keys = {"name", "family", "capabilities", "parameters", "trained_epochs", "metrics", "sha256"}
        assert set(entry) == keys
        model = load(entry["name"]) if entry["sha256"] else presets()[entry["name"]].build()  # BIC decides a size
        assert entry["parameters"] == model.parameter_count()


def test_without_weights_the_figures_are_null(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    for entry in list_models():
        assert entry["sha256"] is None
        assert entry["metrics"] is None
        assert entry["trained_epochs"] is None
    assert len(markdown_table().splitlines()) == 2


@pytest.mark.parametrize(("page", "short"), [("README.md", True), ("docs/models.md", False)])
def test_a_page_holds_the_generated_table(page: str, short: bool) -> None:
    assert markdown_table(short) in (ROOT / page).read_text("utf-8")


def test_the_readme_counts_its_models() -> None:
    assert f"{len(released())} models" in (ROOT / "README.md").read_text("utf-8")
    assert len(markdown_table(short=True).splitlines()[0].split("|")) - 2 <= 6


def test_the_public_names_are_there() -> None:
    for name in genlib.__all__:
        assert getattr(genlib, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        genlib.nonsense  # noqa: B018


def test_a_model_whose_figures_lack_one_is_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    (tmp_path / "vae-cnn").mkdir()
    save_tiny(tmp_path / "vae-cnn", "vae-cnn")
    write_json(tmp_path / "vae-cnn" / "metrics.json", {"fd": 5.0})
    (entry,) = (entry for entry in list_models() if entry["name"] == "vae-cnn")
    assert entry["sha256"]
    assert entry["metrics"] == {"fd": 5.0}
    assert entry["parameters"] == presets()["vae-cnn"].build().parameter_count()
    assert entry["trained_epochs"] is None
    write_json(tmp_path / "vae-cnn" / "metrics.json", {"samples": 10_000})
    assert "| VAE |  |  |  |" in markdown_table(short=True)
    assert main(["list"]) == 0
