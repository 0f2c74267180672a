"""Picture files for tests, made by hand where no encoder would make them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

HEAD = b"\x89PNG\r\n\x1a\n"


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int = 8, colour: int = 0, pixels: bytes | None = None) -> bytes:
    """A PNG that says so; with no more pixels than a thousand where none are given."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    coded = zlib.compress(bytes(1000) if pixels is None else pixels, 1)
    return HEAD + chunk(b"IHDR", header) + chunk(b"IDAT", coded) + chunk(b"IEND")


def even_png(width: int, height: int, depth: int, colour: int) -> bytes:
    """A PNG of black, complete."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    return png(width, height, depth, colour, bytes(height * (1 + width * channels * depth // 8)))


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def segment(marker: int, body: bytes = b"") -> bytes:
    """A part of a JPEG file."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
