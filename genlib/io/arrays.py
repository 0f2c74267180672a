"""Arrays in an .npz that someone else may have written: nothing is unpickled, nothing is unpacked unchecked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

import numpy as np

from genlib.errors import GenlibError, parsing

HEADER = 12_000  # bytes read in search of an array's header; numpy refuses longer ones
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # numpy's two; with others no bound holds while unpacking
_ENCRYPTED = 1


@dataclass(frozen=True)
class Header:
    """What an array is said to be, known before any of it is unpacked; `length` is the header's own in bytes."""

    shape: tuple[int, ...]
    dtype: np.dtype
    by_columns: bool
    length: int

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return prod(self.shape) * self.dtype.itemsize


class Arrays:
    """The arrays of an open .npz. Every method raises GenlibError, naming the file, where it is damaged."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self.keys = tuple(entry.removesuffix(".npy") for entry in archive.namelist())

    def header(self, key: str) -> Header:
        """Shape and type of an array: look here, then read."""
        with parsing(self._damaged), self._open(key) as entry:
            start = io.BytesIO(entry.read(HEADER))
            version = np.lib.format.read_magic(start)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_columns, dtype = read(start)
            return Header(shape, dtype, by_columns, start.tell())

    def read(self, key: str) -> np.ndarray:
        """An array of plain numbers, in this machine's order of bytes: as many bytes as its header says, or none."""
        header = self.header(key)
        if header.dtype.kind not in "biuf":
            raise GenlibError(f"{self._damaged}: {key} is of type {str(header.dtype)[:60]}, not of numbers")
        if self._archive.getinfo(f"{key}.npy").file_size != header.length + header.size:
            raise GenlibError(f"{self._damaged}: {key} does not have the bytes of its shape {header.shape}")
        with parsing(self._damaged), self._open(key) as entry:
            entry.read(header.length)
            found = np.frombuffer(entry.read(header.size), header.dtype)
            array = found.reshape(header.shape, order="F" if header.by_columns else "C")
            return array.astype(header.dtype.newbyteorder("="), order="C")

    @property
    def _damaged(self) -> str:
        return f"{self._name} is not a readable .npz"

    def _open(self, key: str) -> io.BufferedIOBase:
        info = self._archive.getinfo(f"{key}.npy")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise GenlibError(f"{self._damaged}: it is encrypted, or not packed as numpy.savez_compressed packs")
        return self._archive.open(info)  # type: ignore[return-value]  # IO[bytes], says typeshed


@contextmanager
def open_arrays(file: BinaryIO, name: str) -> Iterator[Arrays]:
    """Look into an .npz; `name` is what messages call it. Raises GenlibError where it is none."""
    with parsing(f"{name} is not a readable .npz"):
        archive = zipfile.ZipFile(file)
    with archive:
        yield Arrays(archive, name)
