"""Words that are none of ours, on a page that reads Markdown, and figures among words."""

from __future__ import annotations

from genlib.errors import GenlibError, plain, without_places
from genlib.zoo.entry import capitalised

__all__ = ["capitalised", "figure", "line_of", "plain"]


def figure(value: float | None, form: str) -> str:
    """A figure on one line with its sign; "none" where there is none."""
    return "none" if value is None else format(value, form).replace("%", "\N{NO-BREAK SPACE}%")


def line_of(error: GenlibError) -> str:
    """What went wrong, for a visitor: a stranger's file may have given it its words, and no place here is named."""
    return plain(without_places(str(error)))
