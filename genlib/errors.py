"""The one exception genlib raises for bad input: a single line that says what was wrong and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, TypeGuard

SHOWN = 60  # characters of a wrong value


class GenlibError(ValueError):
    """Bad input, a damaged file or a missing resource, told in one line fit to show to a user."""


@contextmanager
def parsing(refusal: str) -> Iterator[None]:
    """Turns whatever a foreign file makes its reader raise into one line, "REFUSAL: why"."""
    try:
        yield
    except GenlibError:  # has its line
        raise
    except Exception as error:  # of zipfile, zlib, numpy, Pillow, ast ...: many kinds that share no ancestor
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise GenlibError(f"{refusal}: {why}") from error


def whole(name: str, value: Any, low: int, high: int) -> int:
    """The value as an int, numpy's whole numbers included; GenlibError, naming it, unless it lies in [low, high]."""
    if isinstance(value, Integral) and not isinstance(value, bool) and low <= int(value) <= high:
        return int(value)
    raise GenlibError(f"{name} takes a whole number from {low} to {high}, not {shown(value)}")


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number that float64 can hold; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # a whole number of more digits
        return False


def shown(value: Any) -> str:
    """A wrong value as a message quotes it: in one line that is not flooded."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python writes no whole number of more than some thousand digits
        text = "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def without_places(text: str) -> str:
    """A message with the files' names alone: where they lie on this machine is no visitor's business."""
    return re.sub(r"(?<![\w/.])(?:/[^\s/:;,'\"()]+)+/(?=[^\s/])", "", text)
