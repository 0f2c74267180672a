"""Own pictures: the odd ones are converted, the hostile ones refused in one line, none is a traceback or a stall."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from genlib.analysis.own_image import MAX_BYTES, MAX_PIXELS, OwnImage, prepare
from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from tests.tiny import refused


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


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
    assert own.notes == ("cropped, scaled to 28 pixels on its longer side and centred",)
    assert own.given.shape == (200, 200)


def test_dark_on_white_is_inverted() -> None:
    own = prepare(encoded(Image.fromarray(255 - tall())))
    assert_tall(own)
    assert own.notes[0].startswith("inverted")


def test_polarity_can_be_told() -> None:
    data = encoded(Image.fromarray(255 - tall()))
    assert_tall(prepare(data, "inverted"))
    with refused("nothing lighter than the background"):
        prepare(data, "as it is")
    with refused("polarity takes automatic, as it is, inverted, not 'both'"):
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
    assert own.image.max() == 255


def test_the_first_frame_is_said_to_be_one() -> None:
    assert prepare(ODD["animated WebP"]()).notes[0] == "the first of its 2 frames"
    assert prepare(ODD["16 bits"]()).notes[0] == "16 bits a pixel made 8"


@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (3, 3), (29, 2)])
def test_thin_and_tiny_pictures_keep_their_shape(size: tuple[int, int]) -> None:
    picture = Image.new("L", size, 0)
    picture.putpixel((size[0] // 2, size[1] // 2), 255)
    own = prepare(encoded(picture), "as it is")
    assert own.image.shape == (28, 28)
    assert own.image.max() > 200


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def truncated(form: str) -> bytes:
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300), np.uint8)), form)
    return data[: len(data) // 2]


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "no PNG, JPEG or WebP"),
    "text": (lambda: b"years of work\n" * 100, "no PNG, JPEG or WebP"),
    "a GIF named .png": (lambda: encoded(Image.fromarray(tall()), "GIF"), "no PNG, JPEG or WebP"),
    "a TIFF named .png": (lambda: encoded(Image.fromarray(tall()), "TIFF"), "no PNG, JPEG or WebP"),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no PNG, JPEG or WebP"),
    "half a PNG": (lambda: truncated("PNG"), "damaged or not complete"),
    "half a JPEG": (lambda: truncated("JPEG"), "damaged or not complete"),
    "half a WebP": (lambda: truncated("WEBP"), "damaged or not complete"),
    "a PNG's head": (lambda: encoded(Image.fromarray(tall()))[:30], "PNG, JPEG or WebP|damaged"),
    "a bomb of 10^8 pixels": (lambda: bomb(10_000, 10_000), "at most 25,000,000 are taken"),
    "a bomb of 10^10 pixels": (lambda: bomb(100_000, 100_000), "at most 25,000,000 are taken"),
    "a wide bomb": (lambda: bomb(2**31 - 1, 1), "at most 25,000,000 are taken"),
    "no pixels": (lambda: bomb(0, 0), "PNG, JPEG or WebP|damaged"),
    "a picture that lacks its pixels": (lambda: bomb(4_000, 4_000), "damaged or not complete"),
    "too large a file": (lambda: encoded(Image.fromarray(tall())) + bytes(MAX_BYTES), "at most 10 MB"),
    "one shade": (lambda: encoded(Image.new("RGB", (50, 50), (200, 10, 30))), "nothing to see"),
    "nothing": (lambda: encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0))), "all of it is transparent"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused(kind: str) -> None:
    make, match = HOSTILE[kind]
    data, start = make(), time.process_time()
    with refused(match):
        prepare(data)
    assert time.process_time() - start < 5


def test_any_damage_is_refused_or_read() -> None:
    """Bytes flipped anywhere: an image or one line, never another exception."""
    chance = np.random.default_rng(0)
    read = 0
    for form in ("PNG", "JPEG", "WEBP"):
        whole = np.frombuffer(encoded(Image.fromarray(tall()), form), np.uint8)
        for _ in range(60):
            data = whole.copy()
            places = chance.integers(0, len(data), 3)
            data[places] = chance.integers(0, 256, 3)
            try:
                assert prepare(data.tobytes()).image.shape == (28, 28)
                read += 1
            except GenlibError as error:
                assert "\n" not in str(error)
    assert read


def test_the_limit_is_on_pixels_not_on_shape() -> None:
    assert MAX_PIXELS == 25_000_000
    data = encoded(Image.fromarray(np.pad(tall(), ((0, 0), (0, 20_000))).astype(np.uint8)))
    assert prepare(data).image.shape == (28, 28)
