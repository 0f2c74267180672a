"""What a host allows visitors to train, by environment variables."""

from __future__ import annotations

import hmac
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from genlib.errors import GenlibError


@dataclass(frozen=True)
class Limits:
    """Every limit with its default; None is no limit."""

    training: str = "on"
    password: str = ""
    queue: int = 20  # runs that wait or train
    at_once: int | None = None  # runs that train at the same time; None: one a GPU, or one
    runs: int | None = None  # a visitor may keep
    epochs: int | None = None  # a run
    minutes: int | None = None  # of training, a run
    disk_mb: int | None = None  # of all runs together
    shared: bool = False  # whether visitors may stop and delete each other's runs

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Limits:
        """Read GENLIB_TRAINING and GENLIB_TRAINING_*; GenlibError for a value that cannot be."""
        training = variables.get("GENLIB_TRAINING", "on").strip().lower() or "on"
        if training not in ("on", "off", "password"):
            raise GenlibError(f"GENLIB_TRAINING takes on, off or password, not {training!r}")
        password = variables.get("GENLIB_TRAINING_PASSWORD", "")
        if training == "password" and not password:
            raise GenlibError("GENLIB_TRAINING=password needs GENLIB_TRAINING_PASSWORD")
        shared = variables.get("GENLIB_TRAINING_SHARED", "off").strip().lower() or "off"
        if shared not in ("on", "off"):
            raise GenlibError(f"GENLIB_TRAINING_SHARED takes on or off, not {shared!r}")
        numbers = {key: _whole(f"GENLIB_TRAINING_{key.upper()}", variables, most) for key, most in _NUMBERS.items()}
        given = {key: number for key, number in numbers.items() if number is not None}
        return cls(training=training, password=password, shared=shared == "on", **given)

    def opens(self, password: str) -> bool:
        """Whether a visitor with this password may train.

        A wrong one is answered after a second, which holds up no one else: who can open many sessions can try as many
        a second, so the password must be one that is not guessed.
        """
        if self.training != "password":
            return self.training == "on"
        given, wanted = (text.encode("utf-8", "surrogateescape") for text in (password, self.password))
        right = bool(password) and hmac.compare_digest(given, wanted)
        if password and not right:
            time.sleep(WRONG_SECONDS)
        return right


WRONG_SECONDS = 1.0
_NUMBERS = dict.fromkeys(("queue", "at_once", "runs", "epochs", "minutes", "disk_mb"), 999_999_999)
_NUMBERS |= {"at_once": 1_000}  # places for workers, which are counted out


def _whole(key: str, variables: Mapping[str, str], most: int) -> int | None:
    text = variables.get(key, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise GenlibError(f"{key} takes a whole number from 1 to {most}, not {text[:40]!r}")
    return int(text)
