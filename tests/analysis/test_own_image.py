"""Own pictures: the odd ones are converted, those that show nothing are refused in one line, and every guess can be
overruled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from genlib.analysis.own_image import POLARITIES, WHITE, Crop, OwnImage, automatic_crop, fit, outlined, prepare, shrunk
from genlib.data import FashionMNIST
from genlib.io.photo import read_photo
from tests.picture_files import encoded
from tests.tiny import refused


def tall(light: int = 230, dark: int = 10) -> np.ndarray:
    """A light block, 60 wide and 120 high with a darker lower half, left of the middle of a dark 200 x 200 picture."""
    levels = np.full((200, 200), dark, np.uint8)
    levels[30:90, 20:80] = light
    levels[90:150, 20:80] = light // 2 + dark
    return levels


def assert_tall(own: OwnImage) -> None:
    """The block stands upright in the middle, as high as the picture, its light half above."""
    assert own.image.dtype == torch.uint8
    assert own.image.shape == (28, 28)
    levels = own.image.numpy().astype(int)
    columns = np.flatnonzero((levels > 40).any(0))
    assert (columns[0], columns[-1]) == (7, 20)
    assert (levels[:, 8:20] > 40).all()
    assert levels[5, 14] > levels[22, 14] + 50


def test_a_garment_is_cropped_scaled_and_centred() -> None:
    own = prepare(encoded(Image.fromarray(tall())))
    assert_tall(own)
    assert own.notes == ("cropped to a square and scaled to 28 x 28 pixels",)
    assert own.given.shape == (200, 200, 3)
    assert own.crop == Crop(0.25, 0.45, 0.6)


def test_dark_on_white_is_inverted() -> None:
    own = prepare(encoded(Image.fromarray(255 - tall())))
    assert_tall(own)
    assert own.notes[0].startswith("inverted")


def test_polarity_can_be_told() -> None:
    data = encoded(Image.fromarray(255 - tall()))
    assert_tall(prepare(data, "light background"))
    with refused("nothing in the crop is lighter than the background: choose the other polarity"):
        prepare(data, "dark background")
    with refused("polarity takes automatic, dark background, light background, not 'both'"):
        prepare(data, "both")


@pytest.mark.parametrize("number", [0, 1, 77, 9_999])
def test_an_image_of_the_data_set_stays_as_it_is(number: int, test_split: FashionMNIST) -> None:
    image = test_split.images[number]
    own = prepare(encoded(Image.fromarray(image.numpy())))
    assert torch.equal(own.image, image)
    assert own.notes == ()
    assert torch.equal(prepare(encoded(Image.fromarray(255 - image.numpy()))).image, image)


def with_orientation(orientation: int, turn: Image.Transpose) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(Image.fromarray(tall()).transpose(turn), "JPEG", exif=exif, quality=95)


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90), (8, Image.Transpose.ROTATE_270)],
)
def test_a_camera_held_sideways_is_turned_upright(orientation: int, turn: Image.Transpose) -> None:
    own = prepare(with_orientation(orientation, turn))
    assert_tall(own)
    assert own.notes[0] == "turned upright, as its camera noted"


def palette() -> Image.Image:
    return Image.fromarray(tall()).convert("RGB").quantize(8)


def transparent(levels: np.ndarray, mode: str) -> Image.Image:
    """The block alone; around it nothing."""
    alpha = np.zeros((200, 200), np.uint8)
    alpha[30:150, 20:80] = 255
    return Image.fromarray(np.dstack([levels, alpha]), "LA").convert(mode)


def transparent_palette() -> Image.Image:
    picture = palette()
    picture.info["transparency"] = picture.getpixel((0, 0))
    return picture


ODD: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(Image.fromarray(tall()), "JPEG", quality=95),
    "WebP": lambda: encoded(Image.fromarray(tall()).convert("RGB"), "WEBP", lossless=True),
    "colour": lambda: encoded(Image.fromarray(tall()).convert("RGB")),
    "CMYK JPEG": lambda: encoded(Image.fromarray(tall()).convert("CMYK"), "JPEG", quality=95),
    "16 bits": lambda: encoded(Image.fromarray(tall().astype(np.uint16) * 257)),
    "palette": lambda: encoded(palette()),
    "palette with transparency": lambda: encoded(transparent_palette()),
    "light on nothing": lambda: encoded(transparent(tall(), "RGBA")),
    "gray with alpha": lambda: encoded(transparent(tall(), "LA")),
    "animated PNG": lambda: encoded(
        Image.fromarray(tall()), save_all=True, append_images=[Image.new("L", (200, 200), 90)]
    ),
    "animated WebP": lambda: encoded(
        Image.fromarray(tall()).convert("RGB"),
        "WEBP",
        save_all=True,
        append_images=[Image.new("RGB", (200, 200), (90, 90, 90))],
        lossless=True,
    ),
    "interlaced bytes after the end": lambda: encoded(Image.fromarray(tall())) + b"<script>" * 1000,
    "damaged EXIF": lambda: encoded(Image.fromarray(tall()), "JPEG", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "large JPEG": lambda: encoded(
        Image.fromarray(tall()).resize((4000, 4000), Image.Resampling.NEAREST), "JPEG", quality=95
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_pictures_are_converted(kind: str) -> None:
    assert_tall(prepare(ODD[kind]()))


def test_dark_on_nothing_is_inverted() -> None:
    levels = 255 - tall()
    assert_tall(prepare(encoded(transparent(levels, "RGBA"))))


def test_two_levels_are_enough() -> None:
    own = prepare(encoded(Image.fromarray(tall() > 100)))
    assert own.image.max() == round(255 * WHITE)


def test_the_first_of_several_pictures_is_said_to_be_one() -> None:
    assert prepare(ODD["animated WebP"]()).notes[0] == "the first picture of several in the file"


# What a photograph is like ----------------------------------------------------------------------------------------

SHIRT = [(0.38, 0.18), (0.30, 0.22), (0.12, 0.42), (0.22, 0.50), (0.30, 0.42), (0.30, 0.85)]
OUTLINE = [*SHIRT, *[(1 - x, y) for x, y in reversed(SHIRT)]]
Colour = tuple[int, int, int]


def photograph(colour: Colour, ground: Colour, shadow: float = 0.0, waves: float = 0.0) -> Image.Image:
    """A shirt with folds, 300 x 400, on a ground that is darker to the right, may be wavy, and may take its shadow."""
    cover = Image.new("L", (300, 400))
    ImageDraw.Draw(cover).polygon([(300 * x, 400 * y) for x, y in OUTLINE], fill=255)
    cover = cover.filter(ImageFilter.GaussianBlur(1))
    y, x = np.mgrid[0:400, 0:300].astype(np.float32)
    fallen = np.roll(np.asarray(cover.filter(ImageFilter.GaussianBlur(8)), np.float32) / 255, (8, 10), (0, 1))
    light = (1 - x / 3000) * (1 - shadow * fallen) * (1 + waves * np.sin(x / 4 + 3 * np.sin(y / 60)))
    folds = 1 + 0.1 * np.sin(x / 12 + y / 40)
    alpha = np.asarray(cover, np.float32)[..., None] / 255
    colours = np.array(ground) * light[..., None] * (1 - alpha) + np.array(colour) * folds[..., None] * alpha
    noise = np.random.default_rng(0).normal(0, 2, (400, 300, 1))
    return Image.fromarray((colours + noise).clip(0, 255).round().astype(np.uint8))


def black_on_white() -> Image.Image:
    return photograph((30, 30, 35), (245, 245, 245))


PHOTOGRAPHS: dict[str, Callable[[], Image.Image]] = {
    "black on white": black_on_white,
    "blue on white, with its shadow": lambda: photograph((40, 60, 140), (245, 245, 245), shadow=0.12),
    "light on white": lambda: photograph((222, 222, 226), (248, 248, 248)),
    "white on gray": lambda: photograph((235, 235, 235), (140, 140, 140)),
    "white on wood": lambda: photograph((235, 235, 230), (150, 105, 65), waves=0.1),
    "black on wood": lambda: photograph((30, 30, 30), (150, 105, 65), waves=0.1),
    "red on green, equally light": lambda: photograph((170, 55, 55), (60, 105, 50)),
    "in the dark": lambda: photograph((8, 12, 30), (60, 60, 60)),
}


@pytest.mark.parametrize("kind", PHOTOGRAPHS)
def test_the_garment_of_a_photograph_fills_the_image_on_black(kind: str) -> None:
    own = prepare(encoded(PHOTOGRAPHS[kind](), "JPEG", quality=85))
    left, right, top, bottom = 0.12, 0.88, 0.18, 0.85
    assert own.crop.x == pytest.approx((left + right) / 2, abs=0.025)
    assert own.crop.y == pytest.approx((top + bottom) / 2, abs=0.025)
    assert own.crop.size == pytest.approx(bottom - top, abs=0.04)
    levels = own.image.numpy()
    assert (np.median(levels[:, :3]), np.median(levels[14:, 23:])) == (0, 0)
    assert np.median(levels[6:25, 9:19]) > 60
    assert levels.max() > 220


def test_a_telephone_held_sideways() -> None:
    """Turned by its EXIF, as a telephone writes it."""
    large = black_on_white().resize((1800, 2400), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    own = prepare(encoded(large.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=80, exif=exif))
    upright = prepare(encoded(black_on_white(), "JPEG", quality=85))
    assert own.given.shape[0] > own.given.shape[1]
    assert likeness(own.image, upright.image) > 0.98


def likeness(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(np.corrcoef(a.numpy().ravel(), b.numpy().ravel())[0, 1])


def framed(picture: np.ndarray, form: str) -> np.ndarray:
    """A picture of dark on white, in a dark frame of 30 pixels, a thin line, or between black bars."""
    framed = picture.copy()
    if form == "frame":
        framed = np.pad(framed[30:-30, 30:-30], 30, constant_values=40)
    elif form == "line":
        framed[20:-20, 20:-20] = np.pad(framed[23:-23, 23:-23], 3, constant_values=0)
    elif form == "bars":
        framed[:40], framed[-40:] = 0, 0
    return framed


@pytest.mark.parametrize("form", ["white", "frame", "line", "bars"])
def test_enlarged_test_images_come_back(form: str, test_split: FashionMNIST) -> None:
    """Ten times, on white, off the middle, as a JPEG: what comes back is much like the original."""
    found = []
    for number in range(0, 400, 80):
        garment = Image.fromarray(255 - test_split.images[number].numpy()).resize((280, 280), Image.Resampling.BICUBIC)
        page = np.full((460, 380), 255, np.uint8)
        page[130:410, 40:320] = garment
        own = prepare(encoded(Image.fromarray(framed(page, form)), "JPEG", quality=85))
        found.append(likeness(own.image, test_split.images[number]))
    assert np.median(found) > 0.9
    assert min(found) > 0.8


# Under one's own hand ---------------------------------------------------------------------------------------------


def two_blocks() -> bytes:
    """A large block on the left, one of a third of its sides on the right."""
    levels = np.full((200, 300), 240, np.uint8)
    levels[40:160, 30:150] = 40
    levels[80:120, 230:270] = 90
    return encoded(Image.fromarray(levels))


def test_the_largest_part_is_taken_and_a_crop_takes_another() -> None:
    data = two_blocks()
    assert automatic_crop(read_photo(data)) == prepare(data).crop
    small = prepare(data, crop=Crop(250 / 300, 0.5, 40 / 300))
    assert small.image.float().mean() > 230
    with refused("nothing in the crop but background"):
        prepare(data, crop=Crop(190 / 300, 0.5, 40 / 300))


def test_a_speck_is_no_garment() -> None:
    levels = np.full((200, 300), 240, np.uint8)
    levels[40:160, 30:150] = 40
    levels[10:14, 280:290] = 0
    assert prepare(encoded(Image.fromarray(levels))).crop == Crop(0.3, 0.5, 0.4)


def test_a_crop_larger_than_the_picture_is_black_around_it() -> None:
    own = prepare(encoded(Image.fromarray(tall())), crop=Crop(0.25, 0.45, 2.0))
    levels = own.image.numpy()
    assert levels[:5].max() == 0
    assert levels[-5:].max() == 0
    assert np.argwhere(levels).mean(0) == pytest.approx([13.5, 13.5], abs=0.6)


def test_contrast_makes_lighter_and_darker() -> None:
    photo = read_photo(encoded(black_on_white()))
    means = [float(fit(photo, contrast=contrast).image.float().mean()) for contrast in (0.3, 1.0, 2.0)]
    assert means[0] < 0.4 * means[1]
    assert means[1] < means[2]


def test_a_kept_background_is_only_stretched() -> None:
    photo = read_photo(encoded(PHOTOGRAPHS["black on wood"]()))
    kept = fit(photo, crop=Crop(0.5, 0.5, 1.0), background="kept").image.numpy()
    removed = fit(photo, crop=Crop(0.5, 0.5, 1.0)).image.numpy()
    assert removed[:4].max() == 0
    assert kept[:4, 8:20].std() > 5
    assert kept.max() > 220


@pytest.mark.parametrize("polarity", POLARITIES)
def test_a_picture_without_a_plain_border_is_taken_whole(polarity: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8)
    own = prepare(encoded(Image.fromarray(noise)), polarity)
    assert own.crop == Crop(0.5, 0.5, 1.0)
    assert own.notes[0].startswith("no garment stands out")


@pytest.mark.parametrize("length", [47, 80, 101])
@pytest.mark.parametrize("row", range(60, 74))
def test_a_hair_line_is_seen_wherever_it_falls(row: int, length: int) -> None:
    picture = np.zeros((200, 200), np.uint8)
    picture[row, 5 : 5 + length] = 220
    for turned in (picture, picture.T):
        assert int(prepare(encoded(Image.fromarray(turned))).image.max()) > 20


USELESS: dict[str, tuple[Callable[[], OwnImage], str]] = {
    "one shade": (lambda: prepare(encoded(Image.new("RGB", (50, 50), (200, 10, 30)))), "all of it is one shade"),
    "few pixels": (lambda: prepare(encoded(Image.fromarray(tall()[::12, ::12]))), "holds 10 x 10 pixels"),
    "a thin one": (lambda: prepare(encoded(Image.fromarray(tall()[::25]).crop((0, 0, 9, 8)))), "one shade|pixels"),
    "a long one": (lambda: prepare(encoded(Image.linear_gradient("L").resize((30, 3_000)))), "100 times as long as it"),
    "a line": (lambda: prepare(encoded(Image.linear_gradient("L").resize((3, 3_000)))), "1,000 times as long as it"),
    "a tiny crop": (
        lambda: prepare(encoded(Image.fromarray(tall())), crop=Crop(0.25, 0.5, 0.05)),
        "the crop holds 10 x 10 pixels of this picture, and at least 16 x 16 are needed: take a larger crop",
    ),
    "one shade of many": (
        lambda: prepare(encoded(Image.fromarray(tall())), crop=Crop(0.8, 0.8, 0.1), background="kept"),
        "all of the crop is one shade",
    ),
    "a crop outside": (
        lambda: prepare(b"", crop=Crop(1.5, 0.5, 0.5)),
        "a crop's x takes a number from 0 to 1, not 1.5",
    ),
    "a crop of nothing": (lambda: prepare(b"", crop=Crop(0.5, 0.5, float("nan"))), "a crop's size takes a number"),
    "contrast": (
        lambda: prepare(encoded(Image.fromarray(tall())), contrast=0),
        "contrast takes a number from 0.1 to 10",
    ),
    "background": (
        lambda: prepare(encoded(Image.fromarray(tall())), background="blue"),
        "background takes removed, kept, not 'blue'",
    ),
}


@pytest.mark.parametrize("kind", USELESS)
def test_what_shows_nothing_is_refused(kind: str) -> None:
    make, match = USELESS[kind]
    with refused(match):
        make()


def test_a_crop_is_framed_and_the_rest_is_darkened() -> None:
    picture = shrunk(np.full((60, 120, 3), 200, np.uint8), 60)
    assert picture.shape == (30, 60, 3)
    marked = outlined(picture, Crop(0.5, 0.5, 0.3))  # a square of 18 in 30 x 60
    assert tuple(marked[0, 0]) == (100, 100, 100) and tuple(marked[15, 30]) == (200, 200, 200)
    framed = (marked == (255, 169, 14)).all(axis=2)
    rows, columns = framed.nonzero()
    assert (rows.max() - rows.min(), columns.max() - columns.min()) == (17, 17)
    assert (outlined(picture, Crop(0, 1, 0.01)) == (255, 169, 14)).all(axis=2).any()  # however small


@pytest.mark.parametrize("turned", [False, True])
def test_a_line_along_the_edge_is_no_frame(turned: bool) -> None:
    """As a scan's cut edge leaves one, darker than the garment."""
    page = np.full((500, 150, 3), 255, np.uint8)
    page[150:350, 40:110] = 230
    page[3:497, 0] = 0
    picture = Image.fromarray(page.transpose(1, 0, 2).copy() if turned else page)
    assert prepare(encoded(picture, "PNG")).image.shape == (28, 28)
