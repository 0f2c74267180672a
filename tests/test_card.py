"""The model card says what config.json and metrics.json say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from genlib.io.files import write_json
from genlib.loading import weights_directory
from genlib.metrics.evaluation import evaluate
from genlib.models import get_preset
from genlib.store import save_model
from genlib.zoo.card import card, setting_rows, write_card
from genlib.zoo.files import read_described, read_metrics
from tests.tiny import refused, save_tiny, tiny_model

WEIGHTS = weights_directory()


def test_card(tmp_path: Path) -> None:
    model = tiny_model("vae-cnn")
    save_model(tmp_path, "vae-cnn", model, {})
    metrics = evaluate(tmp_path, 50) | {"train_seconds": 600.0, "train_epochs": 2, "peak_memory_mb": 321.0}
    write_card(tmp_path, metrics)
    text = (tmp_path / "README.md").read_text()
    assert text == card(tmp_path, metrics)
    assert f"| Frechet distance, three sample seeds of 50 | {metrics['fd']:.2f} +- " in text
    assert "| training time | 10 minutes |" in text
    assert "| `latent_size` | 3 | numbers in a latent |" in text
    assert "encodes, decodes" in text
    assert "raw" not in text


@pytest.mark.parametrize("setting", [{"epochs": 3, "seed": 1}, {"generator_widths": [8]}, {}], ids=str)
def test_the_card_of_a_run_tells_its_own_settings_and_nothing_seen_in_the_presets_training(
    setting: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it lies in the place of the shipped one, too."""
    preset = get_preset("gan-dense-cnn")
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    place = tmp_path / preset.name
    shutil.copytree(WEIGHTS / preset.name, place, ignore=shutil.ignore_patterns("*.safetensors"))
    described = read_described(place)
    described |= {"config": described["config"] | setting, "sha256": "0" * 64 if setting else described["sha256"]}
    write_json(place / "config.json", described)
    text = card(place, read_metrics(WEIGHTS / preset.name))
    assert ("precision 0.88" in text) == (preset.summary in text) == ('load("gan-dense-cnn")' in text) == (not setting)
    told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in described["config"].items() if key in setting)
    assert (f"A run of gan-dense-cnn with {told}. Family" in text) == bool(setting)
    assert ('genlib.load(".")' in text) == bool(setting)


def test_the_card_of_a_mixture_says_what_it_stands_on_and_whether_its_search_was_cut_off(tmp_path: Path) -> None:
    save_tiny(tmp_path, "vae-gmm-best")
    costs = {"train_seconds": 8.4, "train_epochs": 6, "peak_memory_mb": 321.0}
    metrics = evaluate(tmp_path, 50) | costs
    curve = {"regularisation": [1e-4, 1e-3], "bic": [[3.0, 2.0], [5.0, None]]}
    text = card(tmp_path, metrics | {"bic_curve": curve})
    assert "| training time | 8 seconds, without that of vae-cnn-50 |" in text
    assert "| EM iterations trained | 6 |" in text
    assert "cut off after 6 iterations" in text
    curve |= {"bic": [[3.0, 2.0], [5.0, 4.0]]}
    assert "cut off" not in card(tmp_path, metrics | {"bic_curve": curve})


def test_settings_that_no_family_has_are_refused_in_a_line() -> None:
    with refused("VAEConfig has no field 'a'"):
        setting_rows({"config": {"a": 1}}, get_preset("vae-dense-8"))
