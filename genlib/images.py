"""Images at the edges: model tensors to and from uint8, grids, PNG and GIF bytes.

Inside genlib an image batch is float32 (N, 1, 28, 28) in [-1, 1]; files, browsers and metrics see
uint8 (N, 28, 28), where 0 is black. `to_uint8` and `from_uint8` are the only pair that converts.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlib.errors import GenlibError, parsing
from genlib.io.files import read_file
from genlib.io.photo import eight_bits

LARGEST_PNG = 20_000_000  # bytes; a progress.png of 60 epochs has 0.7 million
LARGEST_PIXELS = 5_000_000  # and one million of these


def from_uint8(images: Tensor | np.ndarray) -> Tensor:
    """Bytes to model range: uint8 (N, 28, 28) to float32 (N, 1, 28, 28) in [-1, 1]."""
    return torch.as_tensor(images).unsqueeze(1).to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> Tensor:
    """Model range to bytes: float (N, 1, 28, 28) in [-1, 1], clipped, to uint8 (N, 28, 28) on the CPU.

    GenlibError for numbers that are not finite, which no pixel shows: weights may be finite and what they give not.
    """
    if not images.isfinite().all():
        raise GenlibError("the model draws nothing: its numbers overflow")
    scaled = images.detach().squeeze(1).float().add(1.0).mul_(127.5).round_()
    return scaled.clamp_(0, 255).to("cpu", torch.uint8)


def grid(images: Tensor | np.ndarray, columns: int, scale: int = 1, gap: int = 0, background: int = 255) -> np.ndarray:
    """Tile uint8 (N, H, W) images row by row into one uint8 picture, each pixel enlarged to scale x scale.

    `gap` is the space between tiles in screen pixels, painted `background` as are the cells the last row lacks.
    """
    tiles = np.asarray(images, dtype=np.uint8)
    count, height, width = tiles.shape
    if not count or columns < 1:
        raise GenlibError(f"a grid needs at least one image and one column, not {count} and {columns}")
    rows = -(-count // columns)
    step_y, step_x = height * scale + gap, width * scale + gap
    canvas = np.full((rows * step_y - gap, columns * step_x - gap), background, dtype=np.uint8)
    enlarged = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    for i, tile in enumerate(enlarged):
        y, x = (i // columns) * step_y, (i % columns) * step_x
        canvas[y : y + height * scale, x : x + width * scale] = tile
    return canvas


def picture(images: Tensor | np.ndarray, columns: int | None = None) -> np.ndarray:
    """The grid a page shows and a command writes: near square unless told, enlarged four times up to 100 images."""
    n = len(images)
    few = n <= 100
    return grid(images, columns or math.ceil(math.sqrt(n)), scale=4 if few else 1, gap=4 if few else 1)


def png_bytes(picture: np.ndarray) -> bytes:
    """Encode a uint8 picture, (H, W) gray or (H, W, 3) colour, as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def read_png(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a PNG as gray uint8 (H, W), of `size` (H, W) where that is given.

    Raises GenlibError for what is none, of another size, or of more bytes or pixels than any of ours has.
    """
    data = read_file(path, LARGEST_PNG)
    with parsing(f"{path} is not a readable PNG"), Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
        width, height = picture.size
        if size and (height, width) != size:
            raise GenlibError(f"{path} has {width} x {height} pixels; every picture takes {size[1]} x {size[0]}")
        if width * height > LARGEST_PIXELS:
            raise GenlibError(f"{path} has {width:,} x {height:,} pixels; it takes at most {LARGEST_PIXELS:,}")
        eight = eight_bits(picture)
        if picture.mode.startswith("I") and 0 < np.asarray(picture).max() <= 255:
            raise GenlibError(f"{path} has 16 bits a pixel and nothing above 255: save its shades as 8 bits")
        if eight.has_transparency_data and np.asarray(eight.getchannel("A")).min() < 255:
            raise GenlibError(f"{path} has transparent parts; every pixel takes a gray level: put it on black first")
        return np.asarray(eight.convert("L"))


def gif_bytes(frames: Sequence[np.ndarray], milliseconds: int = 80) -> bytes:
    """Encode uint8 (H, W) frames as an animated GIF that loops for ever."""
    first, *rest = [Image.fromarray(np.ascontiguousarray(frame)) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0)
    return buffer.getvalue()


def npz_bytes(**arrays: np.ndarray) -> bytes:
    """Pack named arrays as a compressed NPZ (no pickled objects)."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # it fears a name allow_pickle
    return buffer.getvalue()
