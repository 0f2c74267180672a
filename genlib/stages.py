"""Long work as an iterator of the share that is done, whose value is the result; parts of it make a whole."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E")
Stages = Generator[float, None, T]  # yields shares from 0 to 1, returns what was made


def part(stages: Stages[T], index: int, parts: int) -> Stages[T]:
    """One of several parts of equal length: its shares become shares of the whole."""
    return each(stages, lambda share: (index + share) / parts)


def each(stages: Stages[T], told: Callable[[float], E]) -> Generator[E, None, T]:
    """The same work, each share told in another way."""
    while True:
        try:
            share = next(stages)
        except StopIteration as finished:
            return finished.value
        yield told(share)


def finish(stages: Stages[T], progress: Callable[[float], object] = lambda share: None) -> T:
    """Do all of the work; `progress` receives the shares."""
    while True:
        try:
            progress(next(stages))
        except StopIteration as finished:
            return finished.value
