"""The fields of JSON that someone else may have written: each of its kind, or one line that names one which is not.

read_fields(path, {"epochs": WHOLE, "losses": table_of(NUMBER)}, ("epochs",))
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError, is_number, shown
from genlib.io.files import read_json

MOST = 2**53  # beyond it a table or a browser no longer counts exactly
MOST_SETTINGS = 100  # of a configuration, entries of one, and letters of a word


@dataclass(frozen=True)
class Kind:
    """What a field may hold: in words, as a message has them, and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    """Whether it is text that can be shown: JSON can spell halves of characters, which no page can send."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def whole(low: int, high: int = MOST) -> Kind:
    """Whole numbers from low to high; true and false are none."""
    words = f"a whole number from {low}" + (f" to {high}" if high < MOST else "")
    return Kind(words, lambda value: type(value) is int and low <= value <= high)


def at_least(low: float) -> Kind:
    """Numbers from low on."""
    return Kind(f"a number from {low:g}", lambda value: NUMBER.fits(value) and value >= low)


def optional(kind: Kind) -> Kind:
    """Of a kind, or null."""
    return Kind(f"{kind.words} or null", lambda value: value is None or kind.fits(value))


def list_of(kind: Kind) -> Kind:
    """Lists whose entries are all of a kind."""
    return Kind(f"a list, each {kind.words}", lambda value: isinstance(value, list) and all(map(kind.fits, value)))


def table_of(kind: Kind) -> Kind:
    """Objects whose values are all of a kind."""
    return Kind(
        f"an object, each value {kind.words}",
        lambda value: isinstance(value, dict) and all(map(_is_text, value)) and all(map(kind.fits, value.values())),
    )


def record_of(kinds: Mapping[str, Kind], needed: Collection[str], others: Kind | None = None) -> Kind:
    """Objects with these fields; what else they hold is of the kind `others`, where that is given."""

    def fits(value: Any) -> bool:
        if not isinstance(value, dict) or misfit(value, kinds, needed) or not all(map(_is_text, value)):
            return False
        return others is None or all(others.fits(value[key]) for key in value.keys() - kinds.keys())

    return Kind(f"an object with {', '.join(needed)}", fits)


def _is_setting(value: Any) -> bool:
    """Whether a configuration may hold it: short, and fit to be shown."""
    entries = value if isinstance(value, list) else [value]
    return len(entries) <= MOST_SETTINGS and all(map(_is_plain, entries))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool) or NUMBER.fits(value) or _is_word(value)


def _is_word(value: Any) -> bool:
    return _is_text(value) and len(value) <= MOST_SETTINGS


TEXT = Kind("text", _is_text)
WORD = Kind("a word", lambda value: _is_word(value) and value.isalnum())
NUMBER = Kind("a finite number", lambda value: is_number(value) and abs(value) <= MOST)
WHOLE = whole(0)
SHARE = Kind("a share", lambda value: NUMBER.fits(value) and 0 <= value <= 1)
TABLE = Kind("an object", lambda value: isinstance(value, dict))
TRUTH = Kind("true or false", lambda value: isinstance(value, bool))
SETTINGS = Kind(
    "an object of settings, each a number, a word, true or false, or a list of such",
    lambda value: (
        isinstance(value, dict)
        and len(value) <= MOST_SETTINGS
        and all(_is_word(key) and _is_setting(each) for key, each in value.items())
    ),
)


def misfit(values: Mapping[str, Any], kinds: Mapping[str, Kind], needed: Collection[str] = ()) -> str:
    """What is wrong with the first field that is missing or not of its kind; empty where nothing is.

    A field that `kinds` does not name may hold anything.
    """
    for key, kind in kinds.items():
        if key not in values and key in needed:
            return f"it has no {key}"
        if key in values and not kind.fits(values[key]):
            return f"{key} is {shown(values[key])}, not {kind.words}"
    return ""


def read_fields(path: Path, kinds: Mapping[str, Kind], needed: Collection[str] = ()) -> dict[str, Any]:
    """A JSON object of these fields, or GenlibError naming the file and the field."""
    values = read_json(path)
    if wrong := misfit(values, kinds, needed):
        raise GenlibError(f"{path}: {wrong}")
    return values
