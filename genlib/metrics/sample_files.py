"""Samples of any generator, as files: genlib's shards, an .npz of images, or a directory of PNGs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from genlib import shards
from genlib.errors import GenlibError, shown
from genlib.images import read_png
from genlib.io.arrays import Arrays, open_arrays
from genlib.model import N_CLASSES

SIDE = 28
WANTED = f"images as uint8 (N, {SIDE}, {SIDE}), 0 black to 255 white"


@dataclass(frozen=True)
class SampleSource:
    """Samples to be read 10,000 at a time: `read(start)` gives uint8 images (<= 10000, 28, 28), and labels if any."""

    n: int
    labelled: bool
    read: Callable[[int], tuple[Tensor, Tensor | None]]
    facts: dict[str, Any] = field(default_factory=dict)  # what the files say of where they come from


def open_samples(path: str | Path) -> SampleSource:
    """The samples in a directory of shards, a directory of PNGs (28 x 28, in order of their names) or an .npz.

    An .npz holds `images`, uint8 (N, 28, 28), and may hold `labels`, (N,) from 0 to 9. Raises GenlibError where the
    path holds nothing of the kind, naming what is wrong and what is allowed.
    """
    try:
        return _samples(Path(path))
    except OSError as error:
        raise GenlibError(f"{shown(str(path))} cannot be read: {error.strerror or error}") from error


def _samples(source: Path) -> SampleSource:
    if source.is_dir():
        if (source / shards.INDEX).is_file():
            return _shards(source)
        pictures = sorted(source.glob("*.[pP][nN][gG]"))
        if pictures:
            return SampleSource(
                len(pictures), False, lambda start: (_pictures(pictures[start : start + shards.SHARD]), None)
            )
        raise GenlibError(
            f"{source} holds no shards and no .png files; sample NAME --n N --out {source}/ writes shards"
        )
    if not source.is_file():
        raise GenlibError(f"there is no file or directory {source}")
    if source.suffix.lower() != ".npz":
        raise GenlibError(f"samples are a directory of shards or of .png files, or an .npz file, not {source.name}")
    with open(source, "rb") as file:
        return read_npz(file, source.name)


def read_npz(file: BinaryIO, name: str, most: int = shards.MOST) -> SampleSource:
    """The samples in an .npz, at most so many. Nothing is unpickled, and what is too large is not unpacked."""
    with open_arrays(file, name) as arrays:
        _check_images(arrays, name, most)
        labelled = "labels" in arrays.keys
        if not labelled and (other := [key for key in arrays.keys if key.lower() in ("label", "labels")]):
            raise GenlibError(f"{name} has an array {shown(other[0])}; labels are read from one called 'labels'")
        labels = _labels(arrays, arrays.header("images").shape[0], name) if labelled else None
        return _in_memory(torch.from_numpy(arrays.read("images")), labels)


def _check_images(arrays: Arrays, name: str, most: int) -> None:
    if "images" not in arrays.keys:
        known = ", ".join(map(shown, arrays.keys[:5]))
        raise GenlibError(f"{name} has no array 'images' (it has {known or 'none'}); genlib measures {WANTED}")
    header = arrays.header("images")
    if len(header.shape) != 3 or header.shape[1:] != (SIDE, SIDE):
        raise GenlibError(f"{name}: images has shape {shown(header.shape)}, not (N, {SIDE}, {SIDE})")
    if not 1 <= header.shape[0] <= most:
        raise GenlibError(f"{name} holds {shown(header.shape[0])} images; 1 to {most:,} can be measured")
    if header.dtype != np.uint8:
        raise GenlibError(
            f"{name} holds images of type {str(header.dtype)[:60]}; genlib measures {WANTED}. From floats in [0, 1]: "
            "(255 * images).round().astype('uint8')"
        )


def _labels(arrays: Arrays, n: int, name: str) -> Tensor:
    header = arrays.header("labels")
    fits = header.shape == (n,) and header.dtype.kind in "iu"
    labels = arrays.read("labels") if fits else np.full(1, -1)
    if not fits or labels.min() < 0 or labels.max() >= N_CLASSES:
        raise GenlibError(f"{name}: labels are {n} whole numbers from 0 to {N_CLASSES - 1}, one an image")
    return torch.from_numpy(labels.astype(np.int64))


def _in_memory(images: Tensor, labels: Tensor | None) -> SampleSource:
    def read(start: int) -> tuple[Tensor, Tensor | None]:
        rows = slice(start, start + shards.SHARD)
        return images[rows], None if labels is None else labels[rows]

    return SampleSource(len(images), labels is not None, read)


def _shards(directory: Path) -> SampleSource:
    index = shards.read_index(directory)

    def read(start: int) -> tuple[Tensor, Tensor | None]:
        count = min(shards.SHARD, index["n"] - start)
        return shards.read_shard(shards.shard_path(directory, start), count, index["labelled"])

    return SampleSource(index["n"], bool(index["labelled"]), read, index)


def _pictures(paths: list[Path]) -> Tensor:
    images = np.empty((len(paths), SIDE, SIDE), dtype=np.uint8)
    for image, path in zip(images, paths, strict=True):
        image[:] = read_png(path, (SIDE, SIDE))
    return torch.from_numpy(images)
