"""The model families, one file each; every module here is imported when the registry is first asked."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

from genlib import model
from genlib.errors import GenlibError, shown

T = TypeVar("T")


def _sort(table: dict[str, T], home: Callable[[T], type[model.Model]]) -> None:
    """By the files of the families, whichever was imported first."""
    known = sorted(table.items(), key=lambda item: home(item[1]).__module__)
    table.clear()
    table.update(known)


@cache
def _import_families() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    _sort(model.PRESETS, lambda preset: preset.model_class)
    _sort(model.FAMILIES, lambda family: family)


def presets() -> Mapping[str, model.Preset]:
    """Every preset of the zoo by name."""
    _import_families()
    return model.PRESETS


def released() -> list[str]:
    """The presets whose training is over; of another, what weights/ may hold is a leg of it, to go on from."""
    return [name for name, preset in presets().items() if not preset.in_training]


def families() -> Mapping[str, type[model.Model]]:
    """Every family's class by its name."""
    _import_families()
    return model.FAMILIES


def get_preset(name: str) -> model.Preset:
    """The preset of a name, or GenlibError with the names there are."""
    try:
        return presets()[name]
    except KeyError:
        raise GenlibError(f"no model {shown(name)}; models are {', '.join(presets())}") from None


def students_of(name: str) -> list[str]:
    """The presets that learn from what the preset `name` answers, so that they draw what it draws in fewer steps."""
    _import_families()
    return model.students_of(name)
