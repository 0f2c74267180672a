"""What the JSON files of a run's directory may hold, field by field: whoever reads one reads it here."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from genlib.io.fields import (
    NUMBER,
    SETTINGS,
    TEXT,
    WHOLE,
    WORD,
    Kind,
    at_least,
    list_of,
    misfit,
    optional,
    read_fields,
    record_of,
    table_of,
    whole,
)
from genlib.zoo.figures import FIGURES, TRAINED

RUN_FILE, CONFIG_FILE, METRICS_FILE, STUDY_FILE = "run.json", "config.json", "metrics.json", "study.json"
LAST, BEFORE_DECAY = "last.safetensors", "before-decay.safetensors"  # the newest checkpoint; where extending begins
CHECKPOINT = f"checkpoint/{LAST}"
OF_TRAININGS = "trainings.png", "trainings.json"  # what is kept of other trainings: samples, and the pages' figures

ORIGIN = record_of({"name": TEXT, "sha256": TEXT}, ("name", "sha256"))
SAMPLES = Kind("two whole numbers", lambda value: list_of(whole(1, 10**6)).fits(value) and len(value) == 2)
RUN = {
    "preset": TEXT,
    "config": SETTINGS,
    "samples": SAMPLES,
    "start_from": ORIGIN,
    "extended": list_of(WHOLE),  # epochs after which it had ended before
    "extending": Kind(f"{LAST} or {BEFORE_DECAY}", lambda value: value in (LAST, BEFORE_DECAY)),  # begun, not yet done
}
DESCRIBED = {"name": TEXT, "family": TEXT, "config": SETTINGS, "sha256": TEXT}
RECORD = record_of({"epoch": whole(1), "losses": table_of(NUMBER)}, ("epoch", "losses"), others=NUMBER)

LOOKS = record_of({"samples": whole(1), "steps": whole(1), "solver": WORD}, ("samples",))  # at each distance
_BEGINNING = {"looks": LOOKS, "start_from": ORIGIN, "legs": list_of(WHOLE), "extended": list_of(WHOLE)}


def _is_curve(value: Any) -> bool:
    """Whether it holds a row of BIC for each regularisation, of which none is empty, and may say the likelihoods."""
    rows = list_of(list_of(optional(NUMBER)))
    kinds = {"regularisation": list_of(NUMBER), "bic": rows}
    if not isinstance(value, dict) or misfit(value, kinds | {"log_likelihood": rows}, kinds):
        return False
    return 0 < len(value["bic"]) == len(value["regularisation"]) and all(value["bic"])


SAID_OF_EACH = ("fd", "fd_floor", "parameters", "ms_64", "train_epochs")  # of every finished model
_SEVERAL = Kind("at least two numbers", lambda value: list_of(at_least(0)).fits(value) and len(value) > 1)
_SPREAD = optional(table_of(optional(at_least(0))))
_ALWAYS = {  # of a model that was measured
    **dict.fromkeys(("fd", "fd_std", "fd_floor", "ms_64"), at_least(0)),
    **dict.fromkeys(("parameters", "samples"), whole(1)),
    **dict.fromkeys(("protocol", "train_epochs"), WHOLE),
}
METRICS: dict[str, Kind] = {
    **{key: optional(at_least(0) if figure.log else NUMBER) for key, figure in FIGURES.items()},
    **dict.fromkeys(("fd_second_std", "fd_second_floor", "fd_averaged", "kid_se"), optional(at_least(0))),
    "nearest_train_test": optional(at_least(0)),
    "components": optional(whole(1)),
    "steps": optional(whole(1)),
    "solver": optional(WORD),
    "bic_curve": optional(Kind("a curve of BIC", _is_curve)),
    "spread": _SPREAD,
    "floor": optional(record_of({"samples": whole(1), "spread": _SPREAD}, (), others=optional(NUMBER))),
    "extractor": TEXT,
    "extractor_second": TEXT,
    "seeds": list_of(WHOLE),
    "train_device": TEXT,
    "training_seeds": list_of(WHOLE),
    "training_devices": list_of(optional(TEXT)),
    **{f"{key}_trainings": _SEVERAL for key in TRAINED},
    **_ALWAYS,
}


def has_checkpoint(directory: Path) -> bool:
    """Whether a run can go on from somewhere."""
    return (directory / CHECKPOINT).is_file()


def read_run(directory: Path) -> dict[str, Any]:
    """run.json: what a run trains."""
    return read_fields(directory / RUN_FILE, RUN, ("preset", "config"))


def read_described(directory: Path) -> dict[str, Any]:
    """config.json: which model a directory holds."""
    return read_fields(directory / CONFIG_FILE, DESCRIBED, DESCRIBED)


def read_metrics(directory: Path, needed: Collection[str] = ()) -> dict[str, Any]:
    """metrics.json: the figures of a finished model, among them the needed ones; an older protocol lacks some."""
    return read_fields(directory / METRICS_FILE, METRICS, needed)


def read_records(directory: Path) -> dict[str, Any]:
    """history.json: a record for each epoch under "epochs", and which of them have samples."""
    kinds = {"epochs": list_of(RECORD), "sample_epochs": list_of(whole(1))}
    return read_fields(directory / "history.json", kinds | _BEGINNING, kinds)


def read_study(directory: Path) -> dict[str, Any]:
    """study.json: the epochs of a shorter run with the study's own settings."""
    kinds = {"settings": table_of(NUMBER), "epochs": list_of(RECORD)}
    return read_fields(directory / STUDY_FILE, kinds, kinds)
