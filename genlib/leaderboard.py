"""Every trained model's figures as one table, with the spread of each and what real images score."""

from __future__ import annotations

from typing import Any

from genlib.catalogue import list_models, list_runs
from genlib.metrics.evaluation import EVALUATION_SAMPLES, KEYS
from genlib.metrics.floor import load_floor

REAL = "real training images"
APART = (
    *("fd_std", "fd_floor", "fd_averaged", "kid_se", "nearest_train_test"),
    *("spread", "floor", "bic_curve", "seeds", "extractor"),
)
FIGURES = tuple(key for key in KEYS if key not in APART)
SPREAD = ("fd", "kid", "precision", "recall", "density", "coverage", "class_consistency", "balance_kl")
COLUMNS = (
    *("model", "family"),
    *(column for key in FIGURES for column in ((key, f"{key}_spread") if key in SPREAD else (key,))),
)


def leaderboard() -> list[dict[str, Any]]:
    """A row {model, family, figure, figure_spread, ...} for each trained model, and each run measured as fully.

    The best Frechet distance comes first, after a row of what real training images score in the fakes' place. None
    where a figure does not apply or was not measured; spreads are standard deviations over the sample seeds.
    """
    runs = [run for run in list_runs() if run["metrics"].get("samples") == EVALUATION_SAMPLES]
    measured = [model for model in [*list_models(), *runs] if model["metrics"]]
    rows = [_row(model["name"], model["family"], model["metrics"]) for model in measured]
    return [_row(REAL, "data", load_floor()), *sorted(rows, key=_distance)]


def _row(name: str, family: str, metrics: dict[str, Any]) -> dict[str, Any]:
    spread = {"fd": metrics.get("fd_std")} | (metrics.get("spread") or {})
    figures = {key: metrics.get(key) for key in FIGURES} | {f"{key}_spread": spread.get(key) for key in SPREAD}
    return {column: ({"model": name, "family": family} | figures)[column] for column in COLUMNS}


def _distance(row: dict[str, Any]) -> float:
    return float("inf") if row["fd"] is None else float(row["fd"])
