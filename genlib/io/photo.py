"""A picture file decoded small, within bounds: memory, time, and one file at a time in the whole process."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image

from genlib.errors import GenlibError
from genlib.io.containers import DAMAGED, Contents, contents

MAX_MEGABYTES = 20  # of 2^20 bytes, as Streamlit counts them; .streamlit/config.toml says the same
MAX_MEMORY = 92_000_000  # bytes of pixels or coefficients, and of the file's copies; all in all it stays below 100 MB
MAX_SIDE = 30_000  # pixels of what cannot be reduced while it is decoded
MAX_RAW = 52_000_000  # bytes unpacked; the slowest PNG unpacks some 80 MB a second
MAX_JPEG = 165_000_000  # samples of all colours: 108 megapixels as cameras make them
MAX_PASSES = 400_000_000  # samples times passes of a progressive JPEG
LONGEST = 512  # pixels of a decoded picture's longer side
STRIP = 1 << 19  # pixels converted at once
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, eq=False)
class Photo:
    """`pixels` uint8 (H, W, 3), upright, at most 512 on the longer side; `longest` and `shortest`, the pixels of the
    file's own sides; and what was done, in words.
    """

    pixels: np.ndarray
    longest: int
    shortest: int
    notes: tuple[str, ...]


def read_photo(data: bytes) -> Photo:
    """A PNG, JPEG or WebP file's bytes, decoded small; at most 100 MB and about a second, whatever the file.

    Its cost is reckoned from its header before anything is decoded, and only one file is decoded at a time. Raises
    GenlibError in one line that says what to change: the kind of file, its size, or a picture that is damaged.
    """
    if not isinstance(data, bytes | bytearray):
        raise GenlibError(f"a picture is taken as its file's bytes, not as a {type(data).__name__}")
    megabytes = len(data) / 2**20
    if megabytes > MAX_MEGABYTES:
        raise GenlibError(
            f"this file has {megabytes:.1f} MB, and at most {MAX_MEGABYTES} MB are taken: save it smaller, or as a "
            "JPEG of lower quality"
        )
    with _ONE_AT_A_TIME:
        found = contents(bytes(data))
        _refuse_costly(found)
        small = _decoded(found)
    notes = ["the first picture of several in the file"] if found.frames else []
    if found.orientation != 1:
        small = small.transpose(TURNS[found.orientation])
        notes.append("turned upright, as its camera noted")
    sides = max(found.width, found.height), min(found.width, found.height)
    return Photo(_opaque(np.asarray(small), notes), *sides, tuple(notes))


def _refuse_costly(found: Contents) -> None:
    """A file whose decoding would take more than is given, in one line that says how small is small enough."""
    room = MAX_MEMORY - found.copies * len(found.data)
    if found.reducible:
        stored = found.stored + 4 / _scale(found) ** 2
        most = min(room / stored, MAX_JPEG / found.raw, MAX_PASSES / found.raw / max(1, found.passes))
    else:
        most = min(room / found.stored, MAX_RAW / found.raw)
        _refuse_long(found)
    pixels = found.width * found.height
    if pixels > most:
        raise GenlibError(
            f"this {_named(found)} has {found.width} x {found.height} pixels, {pixels / 1e6:.1f} megapixels, and at "
            f"most {int(most / 1e5) / 10:g} are taken of this kind: save it smaller{_or_else(found)}"
        )


def _refuse_long(found: Contents) -> None:
    longest = max(found.width, found.height)
    if longest > MAX_SIDE:
        raise GenlibError(
            f"this {_named(found)} is {longest:,} pixels long, and at most {MAX_SIDE:,} are taken: save it smaller"
        )


def _named(found: Contents) -> str:
    if found.kind == "JPEG":
        return "progressive JPEG" if found.passes > 1 else "JPEG"
    return "WebP" if found.kind == "WEBP" else "PNG"


def _or_else(found: Contents) -> str:
    return "" if found.kind == "JPEG" and found.passes == 1 else ", or as a plain JPEG"


def _scale(found: Contents) -> int:
    """The largest of a JPEG's reductions that leaves half of what is kept, or more."""
    longest = max(found.width, found.height)
    return next((scale for scale in (8, 4, 2) if longest >= scale * LONGEST // 2), 1)


def _decoded(found: Contents) -> Image.Image:
    """The picture as "RGBA", reduced by whole numbers to what is kept."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limits on pixels are below the one it warns of
            with Image.open(io.BytesIO(found.data), formats=[found.kind]) as picture:
                if picture.size != (found.width, found.height):
                    raise GenlibError(DAMAGED)
                if found.reducible:
                    scale = _scale(found)
                    picture.draft("RGB", (max(1, found.width // scale), max(1, found.height // scale)))
                picture.load()
                return _reduced(picture)
    except GenlibError:
        raise
    except Exception as error:  # decoders raise many kinds on damaged bytes
        raise GenlibError(DAMAGED) from error


def _reduced(picture: Image.Image) -> Image.Image:
    """Strip by strip, so that no second picture of full size is ever in memory."""
    (width, height), factor = picture.size, -(-max(picture.size) // LONGEST)
    rows = max(1, STRIP // (width * factor)) * factor
    small = Image.new("RGBA", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        strip = eight_bits(picture.crop((0, top, width, min(height, top + rows))))
        small.paste(strip.reduce(factor).convert("RGBA"), (0, top // factor))
    return small


def eight_bits(picture: Image.Image) -> Image.Image:
    """As "RGBA" or "LA" where something is transparent, else "L" or "RGB"; of 16 bits a shade the upper eight."""
    if picture.mode.startswith("I"):
        shades = np.asarray(picture)
        light = Image.fromarray((shades >> 8).astype(np.uint8))
        if isinstance(clear := picture.info.get("transparency"), int):
            return Image.merge("LA", [light, Image.fromarray(np.where(shades == clear, 0, 255).astype(np.uint8))])
        return light
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _opaque(pixels: np.ndarray, notes: list[str]) -> np.ndarray:
    """uint8 (H, W, 4) to (H, W, 3): what is transparent becomes black behind something light, else white."""
    colours, cover = pixels[..., :3].astype(np.float32), pixels[..., 3:].astype(np.float32) / 255
    if cover.min() == 1:
        return pixels[..., :3].copy()
    if not cover.any():
        raise GenlibError("there is nothing to see in this picture: all of it is transparent; choose another")
    light = float((colours * cover).sum() / cover.sum()) > 1.5 * 255
    notes.append(f"its transparent parts made {'black' if light else 'white'}")
    return (colours * cover + (0 if light else 255) * (1 - cover)).round().astype(np.uint8)
