"""What questions compute and several of them need: kept where someone keeps it, as the studio does, else made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from genlib.loading import load
from genlib.model import Model

P = ParamSpec("P")
R = TypeVar("R")
Function = Callable[..., Any]
Keeper = Callable[[Function, int, str], Function]
_keepers: list[Keeper] = []
_remembered: ContextVar[dict[Any, Any] | None] = ContextVar("remembered", default=None)


def keep_with(keeper: Keeper) -> None:
    """From now on `keeper(function, entries, said)` makes of a function one that keeps its last answers."""
    _keepers[:] = [keeper]
    _keeping.cache_clear()


@cache
def _keeping(function: Function, entries: int, said: str) -> Function:
    return _keepers[0](function, entries, said) if _keepers else function


@contextmanager
def remembering() -> Iterator[None]:
    """While one answer is made, nothing is computed twice, keeper or not."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def kept(entries: int, said: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep a function's last answers where there is a keeper; `said` is what a visitor reads while it works.

    The function takes hashable values by place; nobody changes what it gives.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            found, asked = _remembered.get(), (function, args, tuple(kwargs.items()))
            if found is None:
                return _keeping(function, entries, said)(*args, **kwargs)
            if asked not in found:
                found[asked] = _keeping(function, entries, said)(*args, **kwargs)
            return found[asked]

        return call

    return decorate


@kept(48)
def loaded(name: str, weights: str = "averaged") -> Model:
    """A model by its name; never changed."""
    return load(name, weights)
