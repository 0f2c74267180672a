"""The frame of every page, and pieces of HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from genlib.errors import MARKS

TEMPLATES = Path(__file__).with_name("templates")
TITLES = {
    "index.html": "Live",
    "models.html": "Models",
    "leaderboard.html": "Leaderboard",
    "findings.html": "Findings",
}


def filled(name: str, /, **values: object) -> str:
    """A template with its places filled."""
    return Template((TEMPLATES / name).read_text("utf-8")).substitute(values)


def whole_page(path: str, title: str, description: str, body: str, head: str = "") -> str:
    """A page of the site at a path below its root, to which every address in it is relative."""
    root = "../" * path.count("/")
    here = {path: ' aria-current="page"'} if path in TITLES else {"models.html": ' aria-current="true"'}
    links = "".join(f'<a href="{root}{file}"{here.get(file, "")}>{text}</a>' for file, text in TITLES.items())
    words = {"title": escape(title), "description": escape(description)}
    return filled("page.html", **words, root=root, head=head, links=links, body=body)


def embedded(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def rows(cells: Iterable[Sequence[str]]) -> str:
    """Rows of a table, from HTML."""
    return "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells)


def from_markdown(text: str) -> str:
    """A paragraph of a model's card, whose Markdown is bold words, code, and marks that stand for themselves."""
    marks = [escape(mark, quote=False) for mark in re.findall(rf"\\([{re.escape(MARKS)}])", text)]
    text = escape(re.sub(rf"\\[{re.escape(MARKS)}]", "\0", text), quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    return f"<p>{re.sub(chr(0), lambda _: marks.pop(0), text)}</p>"
