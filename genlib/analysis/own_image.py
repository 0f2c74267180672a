"""A picture of one's own, brought to what the models know: a light garment on black, 28 x 28, upright and centred."""

from __future__ import annotations

import io
import math
import warnings
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from genlib.errors import GenlibError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 10_000_000
MAX_PIXELS = 25_000_000
SIZE = 28
SHOWN = 280  # longest edge, in pixels, of the picture kept for showing
ABOVE = 0.12  # a pixel this much lighter than the background belongs to the garment
POLARITIES = ("automatic", "as it is", "inverted")


@dataclass(frozen=True)
class OwnImage:
    """`image` uint8 (28, 28) as the models see it, `given` uint8 (H, W), gray and small, and what was done in words."""

    image: Tensor
    given: np.ndarray
    notes: tuple[str, ...]


def prepare(data: bytes, polarity: str = "automatic") -> OwnImage:
    """A PNG, JPEG or WebP file's bytes to an image like those of the data set (Xiao et al. 2017, section 2).

    Turned as its camera noted, made gray, inverted where the background (the border) is light, cropped to what stands
    out from the background, scaled to 28 pixels on its longer side and centred. A picture that is 28 x 28 already
    keeps its pixels, apart from polarity. Raises GenlibError in one line for what cannot be read.
    """
    if polarity not in POLARITIES:
        raise GenlibError(f"polarity takes {', '.join(POLARITIES)}, not {polarity!r}")
    notes: list[str] = []
    gray = _gray(data, notes)
    given = np.asarray(_fitted(gray, SHOWN))
    levels = np.asarray(gray, dtype=np.float32) / 255
    if float(levels.max() - levels.min()) < ABOVE:
        raise GenlibError("there is nothing to see in this picture: all of it is one shade of gray")
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    if polarity == "inverted" or (polarity == "automatic" and float(np.median(border)) > 0.5):
        levels, border = 1 - levels, 1 - border
        notes.append("inverted: the models know light garments on black")
    if levels.shape != (SIZE, SIZE):
        levels = _centred(levels, float(np.median(border)), notes)
    return OwnImage(torch.from_numpy((levels * 255).round().astype(np.uint8)), given, tuple(notes))


def _gray(data: bytes, notes: list[str]) -> Image.Image:
    """The file as an upright "L" picture, with what it took."""
    if len(data) > MAX_BYTES:
        raise GenlibError(f"this file has {len(data) / 1e6:.1f} MB; at most {MAX_BYTES // 10**6} MB are taken")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit on pixels is below the one it warns of
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _refuse_many_pixels(picture)
                return _flat(picture, notes)
    except GenlibError:
        raise
    except Image.DecompressionBombError:
        raise GenlibError(f"this picture has too many pixels; at most {MAX_PIXELS:,} are taken") from None
    except UnidentifiedImageError:
        raise GenlibError("this is no PNG, JPEG or WebP picture, whatever its name says") from None
    except Exception as error:  # decoders raise many kinds on damaged bytes
        raise GenlibError("this picture is damaged or not complete: it cannot be read to its end") from error


def _refuse_many_pixels(picture: Image.Image) -> None:
    """Before anything is decoded: a file of a few kilobytes may unfold to gigabytes."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise GenlibError(f"this picture has {width} x {height} pixels; at most {MAX_PIXELS:,} are taken")


def _flat(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Decode the first frame; turn it, put what is transparent on a background, and make it gray."""
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes.append(f"the first of its {frames} frames")
    picture.draft("L", (SHOWN * 2, SHOWN * 2))  # a JPEG need not be decoded at full size
    picture.load()
    upright = picture
    with suppress(Exception):  # a damaged note of orientation is no note
        if picture.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            upright = ImageOps.exif_transpose(picture)
            notes.append("turned upright, as its camera noted")
    if upright.mode.startswith(("I", "F")):
        notes.append("16 bits a pixel made 8")
        return _eight_bits(upright)
    if upright.has_transparency_data:
        return _opaque(upright.convert("RGBA"), notes)
    return upright.convert("L")


def _eight_bits(picture: Image.Image) -> Image.Image:
    levels = np.nan_to_num(np.asarray(picture, dtype=np.float64))
    return Image.fromarray((levels.clip(0, 65_535) / 257).round().astype(np.uint8))


def _opaque(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Transparent parts become black behind something light and white behind something dark."""
    small = np.asarray(_fitted(picture, SHOWN), dtype=np.float32) / 255
    weight = small[..., 3]
    if not weight.any():
        raise GenlibError("there is nothing to see in this picture: all of it is transparent")
    light = float((small[..., :3].mean(2) * weight).sum() / weight.sum()) > 0.5
    notes.append(f"its transparent parts made {'black' if light else 'white'}")
    ground = Image.new("RGBA", picture.size, "black" if light else "white")
    return Image.alpha_composite(ground, picture).convert("L")


def _fitted(picture: Image.Image, longest: int) -> Image.Image:
    """A copy no longer than `longest` on either side, at least one pixel on the other."""
    shrink = min(1.0, longest / max(picture.size))
    size = [max(1, round(side * shrink)) for side in picture.size]
    return picture.resize((size[0], size[1]), Image.Resampling.BOX)


def _centred(levels: np.ndarray, background: float, notes: list[str]) -> np.ndarray:
    """What stands out from the background, as large as 28 x 28 allows, in its middle, on black."""
    levels = ((levels - background) / max(1 - background, 1e-6)).clip(0, 1)
    rows, columns = (np.flatnonzero((levels > ABOVE).any(axis)) for axis in (1, 0))
    if not len(rows):
        raise GenlibError("there is nothing lighter than the background in this picture; try it inverted")
    cut = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = SIZE / max(cut.shape)
    height, width = (min(SIZE, max(1, math.floor(side * scale + 0.5))) for side in cut.shape)
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    small = np.asarray(Image.fromarray(cut).resize((width, height), how)).clip(0, 1)
    canvas = np.zeros((SIZE, SIZE), np.float32)
    top, left = (SIZE - height) // 2, (SIZE - width) // 2
    canvas[top : top + height, left : left + width] = small
    notes.append("cropped, scaled to 28 pixels on its longer side and centred")
    return canvas
