"""Samples of any generator, as files: genlib's shards, an .npz of images, or a directory of PNGs."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlib import shards
from genlib.errors import GenlibError
from genlib.model import N_CLASSES

SIDE = 28
WANTED = f"images as uint8 (N, {SIDE}, {SIDE}), 0 black to 255 white"
_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError)


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
    source = Path(path)
    if source.is_dir():
        if (source / shards.INDEX).is_file():
            return _shards(source)
        pictures = sorted(source.glob("*.[pP][nN][gG]"))
        if pictures:
            return SampleSource(
                len(pictures), False, lambda start: (_pictures(pictures[start : start + shards.SHARD]), None)
            )
        raise GenlibError(f"{path} holds no shards and no .png files; sample NAME --n N --out {path}/ writes shards")
    if not source.is_file():
        raise GenlibError(f"there is no file or directory {path}")
    if source.suffix.lower() != ".npz":
        raise GenlibError(f"samples are a directory of shards or of .png files, or an .npz file, not {source.name}")
    with open(source, "rb") as file:
        return read_npz(file, source.name)


def read_npz(file: BinaryIO, name: str, most: int = shards.MOST) -> SampleSource:
    """The samples in an .npz, at most so many. Nothing is unpickled, and what is too large is not unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            images = _array(archive, "images", name, most, (SIDE, SIDE))
            found = _array(archive, "labels", name, most, ()) if "labels.npy" in archive.namelist() else None
    except GenlibError:
        raise
    except _DAMAGED as error:
        raise GenlibError(f"{name} is not a readable .npz: {error}") from error
    if images.dtype != np.uint8:
        raise GenlibError(
            f"{name} holds images of type {images.dtype}; genlib measures {WANTED}. From floats in [0, 1]: "
            "(255 * images).round().astype('uint8')"
        )
    labels = None if found is None else _checked_labels(found, len(images), name)
    return _in_memory(torch.from_numpy(images), labels)


def _array(archive: zipfile.ZipFile, key: str, name: str, most: int, shape: tuple[int, ...]) -> np.ndarray:
    """An array of (N, *shape), whose header is looked at before it is unpacked."""
    if f"{key}.npy" not in archive.namelist():
        known = ", ".join(entry.removesuffix(".npy") for entry in archive.namelist()[:5])
        raise GenlibError(f"{name} has no array {key!r} (it has {known or 'none'}); genlib measures {WANTED}")
    with archive.open(f"{key}.npy") as entry:
        version = np.lib.format.read_magic(entry)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        found = read(entry)[0]
    if len(found) != 1 + len(shape) or found[1:] != shape:
        told = f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
        raise GenlibError(f"{name}: {key} has shape {found}, not {told}")
    if not 1 <= found[0] <= most:
        raise GenlibError(f"{name} holds {found[0]:,} images; 1 to {most:,} can be measured")
    with archive.open(f"{key}.npy") as entry:
        return np.lib.format.read_array(io.BytesIO(entry.read()), allow_pickle=False)


def _checked_labels(labels: np.ndarray, n: int, name: str) -> Tensor:
    whole = np.issubdtype(labels.dtype, np.integer)
    if not whole or len(labels) != n or labels.min() < 0 or labels.max() >= N_CLASSES:
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
        try:
            with Image.open(path) as picture:
                if picture.size != (SIDE, SIDE):
                    width, height = picture.size
                    raise GenlibError(f"{path} has {width} x {height} pixels; every picture takes {SIDE} x {SIDE}")
                image[:] = np.asarray(picture.convert("L"))
        except GenlibError:
            raise
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise GenlibError(f"{path} is not a readable PNG: {error}") from error
    return torch.from_numpy(images)
