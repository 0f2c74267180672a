"""Which split of Fashion-MNIST can be read here."""

from __future__ import annotations

from genlib.data import FashionMNIST
from genlib.errors import GenlibError, without_places


def trouble(split: str) -> str | None:
    """Why a split cannot be shown; None where its files are here and sound, the empty text where they are not here."""
    try:
        if not FashionMNIST.available(split):
            return ""
        FashionMNIST.load(split)
    except GenlibError as error:
        return without_places(str(error))
    return None
