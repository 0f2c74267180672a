"""Configurations are typed, checked, and survive JSON and the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from genlib.config import GradientConfig, option
from tests.tiny import refused


@dataclass(frozen=True)
class Sample(GradientConfig):
    widths: tuple[int, ...] = option((4, 8), "hidden widths", 1, 64)
    loss: str = option("wasserstein", "which loss", choices=("wasserstein", "hinge"))
    spectral: bool = option(False, "spectral norm")


def test_json_round_trip() -> None:
    config = Sample(epochs=3, lr=0.5, widths=(1, 2, 3), spectral=True)
    assert Sample.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_text_becomes_typed_values() -> None:
    config = Sample().parse({"epochs": "7", "lr": "1e-3", "widths": "5,6", "loss": "hinge", "spectral": "True"})
    assert config == Sample(epochs=7, lr=1e-3, widths=(5, 6), loss="hinge", spectral=True)


def test_numbers_of_numpy_are_numbers() -> None:
    """Those that a sweep has: kept as Python's own, which JSON can hold."""
    config = Sample().replace(epochs=np.int64(3), lr=np.float32(0.5), widths=(np.uint8(8), np.int16(9)))
    assert json.loads(json.dumps(config.to_dict())) == Sample(epochs=3, lr=0.5, widths=(8, 9)).to_dict()
    assert Sample().replace(widths=[5, 6]) == Sample().replace(widths=np.array([5, 6])) == Sample(widths=(5, 6))
    with refused("epochs takes a whole number"):
        Sample().replace(epochs=np.float64(3))


def test_a_whole_number_is_also_a_number() -> None:
    assert Sample(lr=1).lr == 1


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"lrr": 1.0}, "has no field 'lrr'; its fields are epochs, seed"),
        ({"epochs": 0}, "epochs takes 1 to 10000, not 0"),
        ({"epochs": 1.5}, "epochs takes a whole number"),
        ({"epochs": True}, "epochs takes a whole number"),
        ({"seed": -1}, "seed takes 0 to 4294967295"),
        ({"lr": float("nan")}, "lr takes a finite number"),
        ({"lr": "0.1"}, "lr takes a number"),
        ({"lr": 10**400}, "lr takes a finite number, not 1000000"),
        ({"epochs": 10**400}, "epochs takes 1 to 10000, not 1000000"),
        ({"epochs": 10**5000}, "epochs takes 1 to 10000, not a number of thousands of digits"),
        ({"widths": ()}, "widths takes 1 to 8 whole numbers"),
        ({"widths": [[[4]]]}, "widths takes a whole number"),
        ({"widths": np.ones((2, 2))}, "widths takes a whole number"),
        ({"widths": 4}, "widths takes 1 to 8 whole numbers"),
        ({"widths": (4, 65)}, "widths takes 1 to 64"),
        ({"loss": "mse"}, "loss takes wasserstein or hinge, not 'mse'"),
        ({"spectral": 1}, "spectral takes true or false"),
    ],
)
def test_a_bad_value_is_refused(changes: dict[str, Any], match: str) -> None:
    with refused(match):
        Sample().replace(**changes)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"epochs": "many"}, "epochs takes a whole number, not 'many'"),
        ({"lr": "fast"}, "lr takes a number, not 'fast'"),
        ({"widths": "4,x"}, "widths takes a whole number .or several, separated by commas., not '4,x'"),
        ({"spectral": "perhaps"}, "spectral takes true or false, not 'perhaps'"),
        ({"depth": "3"}, "has no field 'depth'"),
        ({"lr": "inf"}, "lr takes a finite number"),
    ],
)
def test_bad_text_is_refused(settings: dict[str, str], match: str) -> None:
    with refused(match):
        Sample().parse(settings)


def test_an_old_file_with_an_unknown_key_is_refused() -> None:
    with refused("has no field 'momentum'"):
        Sample.from_dict(Sample().to_dict() | {"momentum": 0.9})
