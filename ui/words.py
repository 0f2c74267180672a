"""Words that are none of ours, on a page that reads Markdown."""

from __future__ import annotations

from genlib.errors import GenlibError, plain, without_places
from genlib.zoo.entry import capitalised

__all__ = ["capitalised", "line_of", "plain"]


def line_of(error: GenlibError) -> str:
    """What went wrong, for a visitor: a stranger's file may have given it its words, and no place here is named."""
    return plain(without_places(str(error)))
