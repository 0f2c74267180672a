"""The studio's scripts and styles: files of static/, for a browser's own tools to check."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent.parent / "static"
STYLE = STATIC / "studio" / "studio.css"  # of every page


def source(file: str) -> str:
    """What a component is made of."""
    return (STATIC / file).read_text("utf-8")
