"""Typed, frozen configurations: the only way a model or a run is parameterised, saved as JSON beside the weights."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self

from genlib.errors import GenlibError, is_number, shown


def option(
    default: Any, help: str, low: float | None = None, high: float | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """A documented Config field. `low` and `high` are inclusive and hold for each entry of a tuple."""
    return dataclasses.field(default=default, metadata={"help": help, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Config:
    """What every model has. A subclass adds its architecture and its loss; every field has a default."""

    epochs: int = option(100, "passes over the training split", 1, 10_000)
    seed: int = option(0, "decides initial weights, data order and training noise", 0, 2**32 - 1)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, as_python(getattr(self, field.name)))
            known = {key: field.metadata[key] for key in ("low", "high", "choices")}
            check(field.name, self._types()[field.name], getattr(self, field.name), **known)

    @classmethod
    def _types(cls) -> dict[str, Any]:
        return typing.get_type_hints(cls)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The configuration saved by `to_dict`; an unknown key or a wrong type is a GenlibError."""
        cls._refuse_unknown(values)
        given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Every field as JSON has it: tuples become lists."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in dataclasses.asdict(self).items()}

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, each checked."""
        self._refuse_unknown(changes)
        return dataclasses.replace(self, **changes)

    def parse(self, settings: dict[str, str]) -> Self:
        """A copy with fields given as text, as the command line and the training page have them."""
        self._refuse_unknown(settings)
        return self.replace(**{key: parse(key, self._types()[key], text) for key, text in settings.items()})

    @classmethod
    def _refuse_unknown(cls, values: dict[str, Any]) -> None:
        allowed = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in allowed:
                raise GenlibError(f"{cls.__name__} has no field {str(key)[:40]!r}; its fields are {', '.join(allowed)}")


@dataclass(frozen=True)
class GradientConfig(Config):
    """What every model trained by gradient descent has."""

    batch_size: int = option(64, "images a step", 2, 10_000)
    lr: float = option(2e-4, "Adam's learning rate", 1e-7, 1.0)
    beta1: float = option(0.9, "Adam's decay of the first moment", 0.0, 0.999)
    lr_decay: float = option(0.0, "last share of the epochs, over which the learning rate falls to zero", 0.0, 1.0)
    precision: str = option("float32", "of the layers' products in training", choices=("float32", "bfloat16"))
    stop_when_flat: bool = option(False, "stop once the Frechet distance has been flat for a fifth of the epochs")


def as_python(value: Any) -> Any:
    """Numbers of numpy or torch as Python's own, several of them, however they come, as a tuple; all else as it is."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(map(_number, value)) if isinstance(value, tuple | list) else _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def check(
    name: str, kind: Any, value: Any, low: float | None, high: float | None, choices: tuple[str, ...] = ()
) -> None:
    """Raise GenlibError, which names the value `name`, unless it has the type and lies in its range."""
    if typing.get_origin(kind) is tuple:
        kind = typing.get_args(kind)[0]
        if not isinstance(value, tuple) or not 1 <= len(value) <= 8:
            raise GenlibError(f"{name} takes 1 to 8 {_KINDS_OF_SEVERAL[kind]} separated by commas, not {shown(value)}")
        entries = value
    else:
        entries = (value,)
    for entry in entries:
        right = isinstance(entry, (int, float) if kind is float else kind) and (kind is bool or entry is not True)
        if not right or isinstance(entry, bool) is not (kind is bool):
            raise GenlibError(f"{name} takes {_KINDS[kind]}, not {shown(value)}")
        if kind is float and not is_number(entry):
            raise GenlibError(f"{name} takes a finite number, not {shown(value)}")
        if (low is not None and entry < low) or (high is not None and entry > high):
            raise GenlibError(f"{name} takes {low} {'or more' if high is None else f'to {high}'}, not {shown(value)}")
        if choices and entry not in choices:
            raise GenlibError(f"{name} takes {' or '.join(choices)}, not {shown(value)}")


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_KINDS_OF_SEVERAL = {int: "whole numbers", float: "numbers"}


def parse(key: str, kind: Any, text: str) -> Any:
    """A value of the type from text; GenlibError, which names it `key`, where the text is none."""
    try:
        if typing.get_origin(kind) is tuple:
            entry = typing.get_args(kind)[0]
            return tuple(entry(part) for part in text.split(","))
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError) as error:
        many = " (or several, separated by commas)" if typing.get_origin(kind) is tuple else ""
        base = typing.get_args(kind)[0] if many else kind
        raise GenlibError(f"{key} takes {_KINDS[base]}{many}, not {shown(text)}") from error
