"""A picture of one's own, brought to what the models know: a light garment on black, 28 x 28, upright and centred."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genlib.analysis.garment import LUMA, Garment, find_garment
from genlib.errors import GenlibError, is_number, shown
from genlib.io.photo import Photo, read_photo

SIZE = 28
FEWEST = 16  # pixels of the file on a side of the crop
NARROWEST = 2  # of the 28 pixels that the picture's shorter side must cover
ONE_SHADE = 0.03  # of the range from black to white: a picture with less shows nothing
FAINTEST = 0.02  # how much lighter than its background a garment is at least
WHITE = 0.94  # what an image's light end (the 98th percentile) is in the data set, median of the test split
FLOOR = 0.2  # what the darkest parts of a garment become that are darker than its background
POLARITIES = ("automatic", "dark background", "light background")
EMPTY = "there is nothing in the crop but background: move it over the garment, or make it larger"
INVERTED = "inverted: the models know light garments on black"
BACKGROUNDS = ("removed", "kept")
FRAME = (255, 169, 14)  # a crop's outline


@dataclass(frozen=True)
class Crop:
    """A square: its centre from 0 (left, top) to 1 (right, bottom), its side as a share of the picture's longer one."""

    x: float
    y: float
    size: float

    def __post_init__(self) -> None:
        for name, value, low, high in (("x", self.x, 0, 1), ("y", self.y, 0, 1), ("size", self.size, 0.01, 2)):
            if not is_number(value) or not low <= value <= high:
                raise GenlibError(f"a crop's {name} takes a number from {low} to {high}, not {shown(value)}")


WHOLE = Crop(0.5, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class OwnImage:
    """`image` uint8 (28, 28) as the models see it, `given` uint8 (H, W, 3), upright and small, the `crop` of it that is
    shown, and what was done in words.
    """

    image: Tensor
    given: np.ndarray
    crop: Crop
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Scene:
    """`gray` float32 (H, W), `mask` what of it is taken, `core` what of that decides how light it becomes, `ground` how
    light its background is, the `crop`; whether the background is `removed`, and whether it is `light`, beside the
    garment.
    """

    gray: np.ndarray
    mask: np.ndarray
    core: np.ndarray
    ground: np.ndarray
    crop: Crop
    removed: bool
    light: bool


def prepare(
    data: bytes,
    polarity: str = "automatic",
    crop: Crop | None = None,
    contrast: float = 1.0,
    background: str = "removed",
) -> OwnImage:
    """A PNG, JPEG or WebP file's bytes to an image like those of the data set (Xiao et al. 2017, section 2).

    `read_photo` decodes it within bounds, `fit` makes the image. Raises GenlibError in one line that says what to
    change, for a file that is not taken and a picture that shows nothing.
    """
    return fit(read_photo(data), polarity, crop, contrast, background)


def fit(
    photo: Photo,
    polarity: str = "automatic",
    crop: Crop | None = None,
    contrast: float = 1.0,
    background: str = "removed",
) -> OwnImage:
    """A photograph to uint8 (28, 28): cropped, on black, as light as the data set's images, scaled to 28 pixels.

    What is not given is found: the crop is a square about the garment, as close as the data set's; the polarity is
    inverted where the garment is darker than its background. `contrast` multiplies the contrast found, 0.1 to 10.
    With its `background` "kept" the picture is only made gray and stretched. A picture that is 28 x 28 already keeps
    its pixels, apart from polarity, unless a crop, a contrast or a background is given.
    """
    _check(polarity, contrast, background)
    colours = photo.pixels.astype(np.float32) / 255
    if max(float(np.ptp(colours[..., c])) for c in range(3)) < ONE_SHADE:
        raise GenlibError("there is nothing to see in this picture: all of it is one shade; choose another")
    notes = list(photo.notes)
    if colours.shape[:2] == (SIZE, SIZE) and (crop, contrast, background) == (None, 1.0, "removed"):
        levels, crop = _as_it_is(photo, polarity, notes), WHOLE
    else:
        scene = _scene(colours, crop, background, notes)
        _refuse_few_pixels(scene.crop, photo.longest)
        _refuse_narrow(scene.crop, photo)
        light = _lightened(scene, _sign(scene, polarity, notes), contrast)
        levels, crop = _scaled(light, scene.crop), scene.crop
        notes.append("cropped to a square and scaled to 28 x 28 pixels")
    image = torch.from_numpy((levels * 255).round().astype(np.uint8))
    return OwnImage(image, photo.pixels, crop, tuple(notes))


def _check(polarity: str, contrast: float, background: str) -> None:
    for name, value, allowed in (("polarity", polarity, POLARITIES), ("background", background, BACKGROUNDS)):
        if value not in allowed:
            raise GenlibError(f"{name} takes {', '.join(allowed)}, not {shown(value)}")
    if not is_number(contrast) or not 0.1 <= contrast <= 10:
        raise GenlibError(f"contrast takes a number from 0.1 to 10, not {shown(contrast)}")


def _as_it_is(photo: Photo, polarity: str, notes: list[str]) -> np.ndarray:
    levels = np.asarray(Image.fromarray(photo.pixels).convert("L"), np.float32) / 255
    if polarity == "light background" or (polarity == "automatic" and float(np.median(_border(levels))) > 0.5):
        notes.append(INVERTED)
        return 1 - levels
    return levels


def _border(levels: np.ndarray) -> np.ndarray:
    return np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])


def _scene(colours: np.ndarray, crop: Crop | None, background: str, notes: list[str]) -> _Scene:
    """The garment, where one stands out and its background is to go, else all of the picture."""
    gray, garment = colours @ LUMA, find_garment(colours)
    everywhere = np.ones(gray.shape, bool)
    if garment is None:
        notes.append("no garment stands out from the background: all of the picture is taken")
        ground = np.full_like(gray, np.median(_border(gray)))
        return _Scene(gray, everywhere, everywhere, ground, crop or WHOLE, False, bool(ground[0, 0] > 0.5))
    if crop is not None:
        garment = garment.within(_within(gray.shape, crop))
    removed = background == "removed"
    if not garment.core.any() and removed:
        raise GenlibError(EMPTY)
    light = bool((gray - garment.ground)[garment.core].sum() < 0)
    mask, core = (garment.mask, garment.core) if removed else (everywhere, everywhere)
    return _Scene(gray, mask, core, garment.ground, crop or _crop_about(garment, gray.shape), removed, light)


def automatic_crop(photo: Photo) -> Crop:
    """The square that `fit` takes unless it is given one: about the garment, or the whole picture."""
    shape = photo.pixels.shape[:2]
    if shape == (SIZE, SIZE):
        return WHOLE
    return _crop_about(find_garment(photo.pixels.astype(np.float32) / 255), shape)


def _crop_about(garment: Garment | None, shape: tuple[int, ...]) -> Crop:
    """94 of 100 of the data set's images leave no margin on the garment's longer side, so neither does this."""
    if garment is None:
        return WHOLE
    top, left, bottom, right = garment.box
    side = max(bottom - top, right - left) / max(shape)
    return Crop((left + right) / 2 / shape[1], (top + bottom) / 2 / shape[0], max(0.01, side))


def _refuse_few_pixels(crop: Crop, longest: int) -> None:
    side = crop.size * longest
    if side < FEWEST - 0.5:
        raise GenlibError(
            f"the crop holds {side:.0f} x {side:.0f} pixels of this picture, and at least {FEWEST} x {FEWEST} are "
            "needed: take a larger crop, or a picture with more pixels"
        )


def _refuse_narrow(crop: Crop, photo: Photo) -> None:
    """All of a long, narrow picture would be a line, or nothing, once it is scaled."""
    times = photo.longest / photo.shortest
    if NARROWEST * times * crop.size > SIZE:
        raise GenlibError(
            f"this picture is {times:,.0f} times as long as it is wide, too narrow to be seen in 28 x 28 pixels: take "
            "a smaller crop, or another picture"
        )


def _sign(scene: _Scene, polarity: str, notes: list[str]) -> float:
    """1, or -1 to invert."""
    if polarity == "light background" or (polarity == "automatic" and scene.light):
        notes.append(INVERTED)
        return -1.0
    return 1.0


def _lightened(scene: _Scene, sign: float, contrast: float) -> np.ndarray:
    """float32 (H, W), 0 to 1: black where the background is, its light end within the crop as the data set's."""
    inside = scene.core & _within(scene.gray.shape, scene.crop)
    if not inside.any():
        raise GenlibError(EMPTY)
    levels = sign * (scene.gray - scene.ground) if scene.removed else sign * scene.gray
    dark, light = (float(each) for each in np.percentile(levels[inside], (5, 98)))
    if light - (0 if scene.removed else dark) < FAINTEST:
        raise GenlibError(_nothing_to_see(scene, sign))
    if not scene.removed or dark < 0:
        levels = _lifted(levels, dark, light, FLOOR if scene.removed else 0)
        light = 1.0
    return np.where(scene.mask, (levels * (WHITE * contrast / light)).clip(0, 1), 0).astype(np.float32)


def _nothing_to_see(scene: _Scene, sign: float) -> str:
    if not scene.removed:
        return "all of the crop is one shade: move it over the garment, or make it larger"
    than = "lighter" if sign > 0 else "darker"
    return f"nothing in the crop is {than} than the background: choose the other polarity, or move the crop"


def _lifted(levels: np.ndarray, dark: float, light: float, floor: float) -> np.ndarray:
    """Levels from `dark` to `light` stretched to 1, the lower end to `floor`, or less where it is just below zero.

    A garment with parts lighter and parts darker than its background must not lose one of them to black.
    """
    floor = min(floor, max(-dark, 0) / (light - dark))
    return floor + (1 - floor) * (levels - dark) / (light - dark)


def _edges(shape: tuple[int, ...], crop: Crop) -> tuple[float, float, float]:
    """Left, top and side of the crop in pixels."""
    side = crop.size * max(shape)
    return crop.x * shape[1] - side / 2, crop.y * shape[0] - side / 2, side


def _within(shape: tuple[int, ...], crop: Crop) -> np.ndarray:
    left, top, side = _edges(shape, crop)
    y, x = np.ogrid[: shape[0], : shape[1]]
    return ((y + 0.5 >= top) & (y + 0.5 <= top + side)) & ((x + 0.5 >= left) & (x + 0.5 <= left + side))


def _scaled(levels: np.ndarray, crop: Crop) -> np.ndarray:
    """The crop as float32 (28, 28), black where it lies outside the picture; each pixel the mean of what it covers."""
    left, top, side = _edges(levels.shape, crop)
    first = math.floor(top), math.floor(left)
    count = math.ceil(side) + 2
    rows = np.arange(first[0], first[0] + count).clip(-1, levels.shape[0])
    columns = np.arange(first[1], first[1] + count).clip(-1, levels.shape[1])
    cut = np.ascontiguousarray(np.pad(levels, 1)[np.ix_(rows + 1, columns + 1)])
    x, y = left - first[1], top - first[0]
    if side > SIZE:
        return (_covered(y, side, count) @ cut @ _covered(x, side, count).T).clip(0, 1)
    wanted = (x, y, x + side, y + side)
    return np.asarray(Image.fromarray(cut).resize((SIZE, SIZE), Image.Resampling.BICUBIC, wanted)).clip(0, 1)


def _covered(start: float, side: float, count: int) -> np.ndarray:
    """What each of 28 equal parts of a side is made of, float32 (28, count): shares of `count` pixels, which sum to 1.

    Pillow's BOX takes a pixel whole or not at all, by its middle: a line on the border of two parts is in neither.
    """
    edges, pixels = start + side * np.arange(SIZE + 1) / SIZE, np.arange(count)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (overlap.clip(0) * (SIZE / side)).astype(np.float32)


def shrunk(pixels: np.ndarray, longest: int) -> np.ndarray:
    """A picture uint8 (H, W, 3) of at most so many pixels on its longer side."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((longest, longest))
    return np.asarray(picture)


def outlined(pixels: np.ndarray, crop: Crop) -> np.ndarray:
    """A picture uint8 (H, W, 3) with what the crop takes in a frame, and the rest at half its light."""
    height, width = pixels.shape[:2]
    half = crop.size * max(height, width) / 2
    columns = _inside(crop.x * width, half, width)
    rows = _inside(crop.y * height, half, height)
    marked = pixels // 2
    marked[rows, columns] = FRAME
    inner = tuple(slice(part.start + 2, max(part.start + 2, part.stop - 2)) for part in (rows, columns))
    marked[inner] = pixels[inner]
    return marked


def _inside(middle: float, half: float, length: int) -> slice:
    """From edge to edge of the crop, as far as it lies in the picture and wide enough to be seen."""
    start = min(max(round(middle - half), 0), length - 1)
    return slice(start, max(start + 1, min(round(middle + half), length)))
