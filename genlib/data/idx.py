"""The IDX format: two zero bytes, a type code, the number of dimensions, big-endian sizes, then the bytes."""

import math
import struct

import numpy as np

from genlib.errors import GenlibError

UNSIGNED_BYTE = 0x08


def parse_idx(raw: bytes, name: str) -> np.ndarray:
    """A read-only uint8 view on an IDX file's content; `name` is what an error calls it."""
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != UNSIGNED_BYTE:
        raise GenlibError(f"{name}: not an IDX file of unsigned bytes")
    ndim = raw[3]
    header = 4 + 4 * ndim
    if len(raw) < header:
        raise GenlibError(f"{name}: the IDX header is cut off after {len(raw)} bytes")
    shape = struct.unpack(f">{ndim}I", raw[4:header])
    if len(raw) - header != math.prod(shape):
        raise GenlibError(f"{name}: {len(raw) - header} bytes of data where the header promises {math.prod(shape)}")
    return np.frombuffer(raw, dtype=np.uint8, offset=header).reshape(shape)


def build_idx(array: np.ndarray) -> bytes:
    """The IDX file of a uint8 array: the inverse of `parse_idx`."""
    header = bytes([0, 0, UNSIGNED_BYTE, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + np.ascontiguousarray(array, dtype=np.uint8).tobytes()
