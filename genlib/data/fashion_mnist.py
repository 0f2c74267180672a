"""The data set as two tensors per split, and the names of its classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genlib.config import as_python
from genlib.data.idx import parse_idx
from genlib.data.sources import is_local, read_raw
from genlib.errors import GenlibError, shown, without_places

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def parse_label(text: str | float) -> int:
    """A class from its number 0-9 or its official name, case aside ("Ankle boot", "t-shirt/top", 9)."""
    wanted = text.strip().lower() if isinstance(text, str) else shown(as_python(text))
    for number, name in enumerate(CLASS_NAMES):
        if wanted in (str(number), name.lower()):
            return number
    allowed = ", ".join(f"{i} {name}" for i, name in enumerate(CLASS_NAMES))
    raise GenlibError(f"no class {shown(text)}; classes are {allowed}")


@dataclass(frozen=True)
class FashionMNIST:
    """One split: `images` uint8 (N, 28, 28), 0 black to 255 white, and `labels` int64 (N,), 0 to 9."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    @staticmethod
    def load(split: str, progress: Callable[[str], None] | None = None) -> FashionMNIST:
        """The official "test" (10,000 images, shipped with genlib) or "train" split (60,000, found or fetched).

        The tensors are shared between callers: treat them as read-only. `progress` receives a line for each
        source that is tried. Raises GenlibError where a file is damaged or, for "train", none is reachable.
        """
        if split not in ("train", "test"):
            raise GenlibError(f'no split {split!r}; splits are "train" and "test"')
        if split not in _loaded:
            images = parse_idx(read_raw(split, "images", progress), f"{split} images")
            labels = parse_idx(read_raw(split, "labels", progress), f"{split} labels")
            _loaded[split] = FashionMNIST(torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64)))
        return _loaded[split]

    @staticmethod
    def available(split: str) -> bool:
        """Whether `load` needs no download."""
        return split == "test" or split in _loaded or is_local(split)

    @staticmethod
    def trouble(split: str) -> str | None:
        """Why a split cannot be read; None where its files are sound, empty where they are not here."""
        try:
            if not FashionMNIST.available(split):
                return ""
            FashionMNIST.load(split)
        except GenlibError as error:
            return without_places(str(error))
        return None


_loaded: dict[str, FashionMNIST] = {}
