"""The one exception genlib raises for bad input: a single line that says what was wrong and what is allowed."""

from __future__ import annotations

import math
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeGuard

SHOWN = 60  # characters of a wrong value
MARKS = "\\`*{}[]<>$~#|!"  # of Markdown


class GenlibError(ValueError):
    """Bad input, a damaged file or a missing resource, told in one line fit to show to a user.

    It stays one line, fit for a terminal, whatever names it quotes.
    """

    def __init__(self, line: object = "") -> None:
        super().__init__(printable(str(line)))


@contextmanager
def parsing(refusal: str) -> Iterator[None]:
    """Turns whatever a foreign file makes its reader raise into one line, "REFUSAL: why"."""
    try:
        yield
    except GenlibError:  # has its line
        raise
    except Exception as error:  # of zipfile, zlib, numpy, Pillow, ast ...: many kinds that share no ancestor
        told = re.sub(r" ?<[^<>]* at 0x[0-9a-f]+>", "", str(error))  # an object of ours, which has no name for anyone
        raise GenlibError(f"{refusal}: {in_brief(told) or type(error).__name__}") from error


def printable(text: str) -> str:
    """Fit for a terminal, though a damaged or hostile file may have given it its words."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def in_brief(text: str) -> str:
    """Someone else's words in one line that is not flooded."""
    return " ".join(printable(text).split())[:200]


def whole(name: str, value: Any, low: int, high: int) -> int:
    """The value as an int, numpy's whole numbers included; GenlibError, naming it, unless it lies in [low, high]."""
    if isinstance(value, Integral) and not isinstance(value, bool) and low <= int(value) <= high:
        return int(value)
    raise GenlibError(f"{name} takes a whole number from {low} to {high}, not {shown(value)}")


def plain(text: str) -> str:
    """Someone else's words in Markdown, in one line and as they stand: "~" would strike out, "[" begin a link."""
    return "".join(f"\\{letter}" if letter in MARKS else letter for letter in " ".join(printable(text).split()))


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
    except RecursionError:
        text = "a value that is nested too deeply"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def without_places(text: str) -> str:
    """A message with the files' names alone: where they lie on this machine is no visitor's business.

    Every place that this process knows of is cut off, whatever its name; other absolute paths are known by their form.
    """
    text = re.sub(r"\bfile:/+", "/", text)
    here = os.sep
    with suppress(OSError):  # it has been deleted
        here = os.getcwd()
    text = _known_places(tuple(os.environ.values()), here).sub("/_/", text)
    text = _QUOTED.sub(lambda found: found[1] + re.split(r"[\\/]+", found[2].rstrip("\\/"))[-1] + found[1], text)
    return _PATH.sub("", _WINDOWS_PATH.sub("", text))


@lru_cache(maxsize=4)
def _known_places(told: tuple[str, ...], here: str) -> re.Pattern[str]:
    """The places that the environment names, the package's and the working directory, as messages begin with them."""
    named = [part for each in (*told, tempfile.gettempdir(), __file__, sys.prefix) for part in each.split(os.pathsep)]
    given = {os.path.join(here, os.path.expanduser(part)) for part in (*named, "", "~") if part[:2] != "//"}  # of a URL
    known = {Path(os.path.abspath(place)) for each in given for place in (each, os.path.realpath(each))}
    starts = {str(place) for each in known for place in (each, each.parent)} - {os.sep}
    either = "|".join(re.escape(start) for start in sorted(starts, key=len, reverse=True))
    return re.compile(rf"{_BEGINS}(?:{either})/{_NAME}")


_BEGINS = r"(?<![\w/.])(?<!<(?=/\w+>))"  # neither and/or, nor https://host/, nor ../up, nor </b>
_NAME = r"(?=[^\s/\\:;\"'`])"  # follows
_WORD = r"(?:[^\s/\\:;]|[:;](?![\s/\\]))+"
_FOLDERS = rf"(?:{_WORD}(?: (?![~(\[{{<'\x22`-]){_WORD}){{0,2}}[/\\]+{_NAME})*"  # each of up to three words
_PATH = re.compile(rf"{_BEGINS}(?:~\w*)?/{_NAME}{_FOLDERS}")
_WINDOWS_PATH = re.compile(rf"(?<![\w/\\])(?:[A-Za-z]:|\\)[\\/]+{_NAME}{_FOLDERS}")
_QUOTED = re.compile(r"""(["'`])(?=[/~]|\\\\|[A-Za-z]:[\\/])([^\n]{0,1000}?[^\n\\/])[\\/]*\1(?!\w)""")
