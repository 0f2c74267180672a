"""Every trained model's figures as one table, with the spread of each and what real images score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from genlib.errors import GenlibError, shown
from genlib.io.fields import misfit
from genlib.metrics.evaluation import EVALUATION_SAMPLES, KEYS, MEASURED_BY
from genlib.metrics.floor import load_floor, load_random
from genlib.zoo.catalogue import list_models, list_runs
from genlib.zoo.figures import FIGURES as KNOWN
from genlib.zoo.figures import RANDOM, REAL, TRAINED
from genlib.zoo.files import METRICS

APART = (
    *("fd_std", "fd_floor", "fd_second_std", "fd_second_floor", "fd_averaged", "kid_se", "nearest_train_test"),
    *("spread", "floor", "bic_curve", "seeds", "solver", "extractor", "extractor_second"),
)
FIGURES = tuple(key for key in KEYS if key not in APART)
LARGEST_FIGURES = 100_000  # bytes; those of a model are four thousand
OPINIONS = ("fd", "fd_second")  # the distance as two extractors of different kinds see it
SPREAD = (*OPINIONS, "kid", "precision", "recall", "density", "coverage", "class_consistency", "balance_kl")
COLUMNS = (
    *("model", "family", "disputed"),
    *(column for key in FIGURES for column in ((key, f"{key}_spread") if key in SPREAD else (key,))),
    *(f"{key}_trainings" for key in TRAINED),
)


def leaderboard() -> list[dict[str, Any]]:
    """A row for each trained model, and each run measured as fully and in the same way; see `ranked`."""
    alike = {"samples": EVALUATION_SAMPLES} | MEASURED_BY
    runs = [run for run in list_runs() if alike.items() <= run["metrics"].items()]
    return ranked([model for model in [*list_models(), *runs] if model["metrics"]])


def ranked(measured: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row {model, family, figure, figure_spread, ...} for each of some models, {name, family, metrics}.

    The best Frechet distance comes first, after a row of what real training images score in the fakes' place. None
    where a figure does not apply or was not measured; spreads are standard deviations over the sample seeds, and
    `figure_trainings` lists what each training scored of a model that has several, the shipped one first.
    `disputed` names the models that this one is clearly ahead of by the first extractor and clearly behind by the
    second: which is better depends on who looks.
    """
    rows = [row_of(model["name"], model["family"], model["metrics"]) for model in measured]
    for row, model in zip(rows, measured, strict=True):
        against = [other["name"] for other in measured if disputed(model["metrics"], other["metrics"])]
        row["disputed"] = ", ".join(against) or None
    return [row_of(REAL, "data", load_floor()), *sorted(rows, key=_distance)]


def nothing_learned() -> dict[str, Any]:
    """The row of what one would see without any learning: random pixels in the fakes' place."""
    return row_of(RANDOM, "data", load_random())


def better(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether one model's metrics are clearly better than another's in both opinions."""
    return all(is_ahead(a, b, key) for key in OPINIONS)


def disputed(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether the first opinion puts a clearly ahead of b, and the second b clearly ahead of a."""
    return is_ahead(a, b, OPINIONS[0]) and is_ahead(b, a, OPINIONS[1])


def is_ahead(a: dict[str, Any], b: dict[str, Any], key: str) -> bool:
    """Whether a's distance is at least 10 % lower, by more than twice the two spreads added; see `over_trainings`."""
    if None in [each.get(name) for each in (a, b) for name in (key, f"{key}_std")]:
        return False
    (low, spread), (high, other) = over_trainings(a, key), over_trainings(b, key)
    return bool(low <= 0.9 * high and high - low > 2 * (spread + other))


def over_trainings(metrics: Mapping[str, Any], key: str) -> tuple[float, float]:
    """A distance and its spread: of several trainings their mean, and what is larger, their standard deviation or that
    over sample seeds; of one training its own.
    """
    trainings, spread = metrics.get(f"{key}_trainings"), metrics[f"{key}_std"]
    return (mean(trainings), max(stdev(trainings), spread)) if trainings else (metrics[key], spread)


def row_of(name: str, family: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """A row of the table from the figures of metrics.json. A 0 that a logarithmic axis cannot show is left out."""
    spread = {key: metrics.get(f"{key}_std") for key in OPINIONS} | (metrics.get("spread") or {})
    figures = {key: (metrics.get(key) or None) if KNOWN[key].log else metrics.get(key) for key in FIGURES}
    figures |= {f"{key}_spread": spread.get(key) for key in SPREAD}
    figures |= {f"{key}_trainings": metrics.get(f"{key}_trainings") for key in TRAINED}
    return {column: ({"model": name, "family": family, "disputed": None} | figures)[column] for column in COLUMNS}


def written_with_spread(row: Mapping[str, Any], key: str) -> str:
    """A row's figure with its spread between sample seeds, where that was measured, as a reader would write it."""
    figure, spread = KNOWN[key], row.get(f"{key}_spread")
    text = figure.text(row[key])
    return text if spread is None else f"{text} ± {figure.text(spread)}"


def _distance(row: dict[str, Any]) -> float:
    return float("inf") if row["fd"] is None else float(row["fd"])


def own_figures(content: bytes, name: str) -> dict[str, float]:
    """The figures alone of what `evaluate --samples --json` wrote, anyone's file. GenlibError where it holds none, or
    such as cannot be set beside the zoo's.
    """
    if len(content) > LARGEST_FIGURES:
        raise GenlibError(f"{name} has {len(content):,} bytes; a file of figures takes at most {LARGEST_FIGURES:,}")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise GenlibError(f"{name} is not readable JSON") from error
    found = found if isinstance(found, dict) else {}
    again = f"evaluate --samples FILE --json {name} writes them"
    if not found.get("fd") or "samples" not in found:
        raise GenlibError(f"{name} has no figures; {again}")
    if wrong := misfit(found, {key: METRICS[key] for key in KNOWN}):
        raise GenlibError(f"{name}: {wrong}")
    for key, ours in MEASURED_BY.items():
        if found.get(key, ours) != ours:
            raise GenlibError(f"{name} was measured with {key} {shown(found[key])}, the zoo with {ours}; {again} anew")
    return {key: found[key] for key in KNOWN if found.get(key) is not None}
