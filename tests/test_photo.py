"""Decoding a picture file: what it costs is known before, and the hostile ones are refused in one line."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlib.errors import GenlibError
from genlib.io import photo as photo_module
from genlib.io.containers import MOST_PARTS, MOST_SEGMENTS, contents, exif_orientation
from genlib.io.photo import MAX_MEGABYTES, read_photo
from tests.picture_files import HEAD, chunk, encoded, even_png, noise, png, segment
from tests.tiny import refused

ROOT = Path(__file__).parent.parent
SMALL = Image.linear_gradient("L").convert("RGB")


# What is in a file ------------------------------------------------------------------------------------------------


def test_a_jpeg_is_handed_on_without_what_surrounds_it() -> None:
    data = encoded(SMALL, "JPEG", exif=b"Exif\0\0" + b"x" * 60_000, icc_profile=b"y" * 90_000, comment=b"z" * 1000)
    found = contents(data + b"a film behind it" * 1000)
    assert (found.kind, found.width, found.height, found.passes) == ("JPEG", 256, 256, 1)
    assert found.stored == 0
    assert len(found.data) < len(data) - 151_000
    assert np.array_equal(read_photo(data).pixels, read_photo(found.data).pixels)


def test_of_a_progressive_jpeg_all_coefficients_are_counted() -> None:
    one = contents(encoded(SMALL, "JPEG", progressive=True, subsampling=0))
    half = contents(encoded(SMALL, "JPEG", progressive=True, subsampling=2))
    assert (one.stored, half.stored) == (6, 3)
    assert one.passes == half.passes == 10


def test_a_png_is_handed_on_with_its_pixels_in_one_piece() -> None:
    data = encoded(SMALL)
    texts = chunk(b"tEXt", b"a\0" + b"b" * 5000) + chunk(b"zTXt", b"c" * 9000)
    start = data.index(b"IDAT") - 4
    coded = data[start + 8 : -16]
    pieces = b"".join(chunk(b"IDAT", coded[i : i + 50]) for i in range(0, len(coded), 50))
    found = contents(data[:start] + texts + pieces + chunk(b"IEND"))
    assert found.data == data
    assert (found.stored, found.raw, found.frames) == (4, 3, False)


def test_of_a_webp_animation_the_first_picture_is_handed_on() -> None:
    frames = [Image.new("RGB", (64, 48), (i, 0, 90)) for i in range(0, 200, 40)]
    found = contents(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert (found.width, found.height, found.frames) == (64, 48, True)
    assert read_photo(found.data).pixels[0, 0].tolist() == [0, 0, 90]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_every_container_tells_the_orientation(form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(SMALL.crop((0, 0, 100, 60)), form, exif=exif)
    assert contents(data).orientation == 6
    assert read_photo(data).pixels.shape == (100, 60, 3)
    assert read_photo(data).notes == ("turned upright, as its camera noted",)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_in_both_byte_orders(order: str, orientation: int) -> None:
    magic = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHHIHH", 2, 0x0100, 3, 1, 5, 0) + struct.pack(
        f"{order}HHIHH", 0x0112, 3, 1, orientation, 0
    )
    assert exif_orientation(magic + struct.pack(f"{order}I", 8) + entries) == orientation


@pytest.mark.parametrize(
    "exif",
    [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"text" * 9]
    + [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([value, 0, 0, 0]) for value in (0, 9)],
)
def test_a_damaged_note_of_orientation_is_no_note(exif: bytes) -> None:
    assert exif_orientation(exif) == 1


# What it becomes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(512, 300), (513, 300), (2000, 1501), (5000, 7), (1, 1), (1, 3000)])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_any_size_comes_out_small_and_alike(form: str, size: tuple[int, int]) -> None:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    found = read_photo(encoded(picture, form, quality=95))
    height, width = found.pixels.shape[:2]
    assert max(height, width) <= 512
    assert found.longest == max(size)
    if min(size) > 100:
        assert abs(float(found.pixels.mean()) - float(np.asarray(picture).mean())) < 4
        assert width / height == pytest.approx(size[0] / size[1], rel=0.01)
        assert max(height, width) > 250


def test_sixteen_bits_keep_their_shades() -> None:
    levels = np.linspace(0, 65_535, 600 * 400).reshape(600, 400).astype(np.uint16)
    found = read_photo(encoded(Image.fromarray(levels)))
    expected = np.asarray(Image.fromarray((levels >> 8).astype(np.uint8)).reduce(2))
    assert np.abs(found.pixels[..., 0].astype(int) - expected).max() <= 1


# What it costs ----------------------------------------------------------------------------------------------------


COSTLY: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb of 10^8 pixels": (lambda: png(10_000, 10_000), "100.0 megapixels, and at most 52 are taken of this kind"),
    "a bomb of 10^10 pixels": (lambda: png(100_000, 100_000), "100,000 pixels long, and at most 30,000 are taken"),
    "a wide bomb": (lambda: png(2**31 - 1, 1), "pixels long"),
    "four channels": (lambda: png(5_000, 5_000, 8, 6), "25.0 megapixels, and at most 13 are taken"),
    "four of 16 bits": (
        lambda: png(5_000, 5_000, 16, 6),
        "at most 6.5 are taken of this kind: save it smaller, or as a",
    ),
    "an interlaced bomb": (
        lambda: HEAD + chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 1)) + chunk(b"IDAT", b"x"),
        "damaged",  # it has no end
    ),
    "a JPEG of 4 gigapixels": (lambda: jpeg_of(65_000, 65_000), "4225.0 megapixels, and at most 110 are taken"),
    "a progressive one of 36 megapixels": (
        lambda: jpeg_of(6_000, 6_000, progressive=True),
        "this progressive JPEG has 6000 x 6000 pixels, 36.0 megapixels, and at most 26.6 are",
    ),
    "a thousand passes": (lambda: many_passes(1_000), "this progressive JPEG .* at most"),
    "a WebP of 12 megapixels": (lambda: webp_of(4_000, 3_000), "12.0 megapixels, and at most 5.4 are taken"),
    "too large a file": (
        lambda: encoded(SMALL) + bytes(MAX_MEGABYTES << 20),
        "20.0 MB, and at most 20 MB are taken: save it",
    ),
    "a million comments": (lambda: jpeg_with(segment(0xFE) * 1_000_000), "a rare kind of JPEG"),
    "a million fillings": (lambda: jpeg_with(b"\xff" * 1_000_000), "a rare kind of JPEG"),
    "a million texts": (lambda: HEAD + chunk(b"tEXt") * 1_000_000, "a rare kind of PNG"),
}


def jpeg_of(width: int, height: int, **options: object) -> bytes:
    """A small JPEG that says it has another size."""
    data = encoded(SMALL, "JPEG", **options)
    frame = next(data.index(bytes([0xFF, kind, 0, 17])) for kind in (0xC0, 0xC2) if bytes([0xFF, kind, 0, 17]) in data)
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]


def jpeg_with(parts: bytes) -> bytes:
    data = encoded(SMALL, "JPEG")
    return data[:2] + parts + data[2:]


def many_passes(count: int) -> bytes:
    """A progressive JPEG whose last pass comes again and again."""
    data = encoded(SMALL.resize((800, 800)), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * count + data[-2:]


def webp_of(width: int, height: int) -> bytes:
    """A small lossless WebP that says it has another size."""
    data = bytearray(encoded(SMALL, "WEBP", lossless=True))
    place = data.index(b"VP8L") + 9
    bits = struct.unpack_from("<I", data, place)[0] & ~0xFFFFFFF
    struct.pack_into("<I", data, place, bits | (width - 1) | (height - 1) << 14)
    return bytes(data)


@pytest.mark.parametrize("kind", COSTLY)
def test_what_costs_too_much_is_refused_before_it_is_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, match = COSTLY[kind]
    data = make()
    monkeypatch.setattr(Image, "open", lambda *arguments, **options: pytest.fail("it was opened"))
    with refused(match):
        read_photo(data)


def test_many_parts_are_taken_up_to_a_point() -> None:
    data = encoded(SMALL)
    start = data.index(b"IDAT") - 4
    found = read_photo(data[:start] + chunk(b"tEXt") * (MOST_PARTS - 3) + data[start:])
    assert np.array_equal(found.pixels, np.asarray(SMALL))
    read_photo(jpeg_with(segment(0xFE) * (MOST_SEGMENTS - 20)))


def test_one_file_is_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, at_once, most = photo_module._decoded, [], []

    def counted(found: object) -> Image.Image:
        at_once.append(1)
        most.append(len(at_once))
        small = decode(found)
        at_once.pop()
        return small

    monkeypatch.setattr(photo_module, "_decoded", counted)
    data = encoded(noise(700, 700), "JPEG")
    threads = [threading.Thread(target=read_photo, args=(data,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_the_next_file_is_read_after_a_damaged_one() -> None:
    with refused("damaged"):
        read_photo(encoded(SMALL)[:200])
    assert read_photo(encoded(SMALL)).longest == 256


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_shade_of_gray_that_is_transparent_is_so_at_every_depth(depth: int) -> None:
    """Left half of the one shade, transparent, right half of another: the left becomes the other's opposite."""
    most = 2**depth - 1
    for clear, seen, ground in ((most, 0, 255), (0, most, 0)):
        bits = "".join(format(shade, f"0{depth}b") for shade in [clear] * 8 + [seen] * 8)
        row = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
        whole, first = png(16, 16, depth, 0, row * 16), len(HEAD) + 25  # its header
        data = whole[:first] + chunk(b"tRNS", struct.pack(">H", clear)) + whole[first:]
        found = read_photo(data).pixels
        assert (found[:, :8] == ground).all()
        assert (found[:, 8:] == 255 * seen // most).all()


def test_a_colour_of_sixteen_bits_that_is_transparent_is_so() -> None:
    row = b"\0" + struct.pack(">3H", 0x1234, 0x1234, 0x1234) * 8 + struct.pack(">3H", 60_000, 60_000, 60_000) * 8
    whole, first = png(16, 16, 16, 2, row * 16), len(HEAD) + 25
    found = read_photo(whole[:first] + chunk(b"tRNS", struct.pack(">3H", 0x1234, 0x1234, 0x1234)) + whole[first:])
    assert found.notes == ("its transparent parts made black",)
    assert (found.pixels[:, :8] == 0).all()


MEASURE = """
import re, sys
from pathlib import Path
from PIL import JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from genlib.errors import GenlibError
from genlib.io.photo import read_photo
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
before = peak()
for path in map(Path, sys.argv[1:]):
    data = path.read_bytes()
    try:
        read_photo(data)
    except GenlibError:
        pass
    print(path.name, round(peak() - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_decoding_takes_at_most_a_hundred_megabytes(tmp_path: Path) -> None:
    """The largest of each kind that is taken; the first used to take 622 MB."""
    files = {
        "gray-16.png": even_png(5_000, 5_000, 16, 0),
        "rgba.png": even_png(3_600, 3_600, 8, 6),
        "progressive.jpg": encoded(Image.new("RGB", (4_000, 3_000)), "JPEG", progressive=True, subsampling=0),
        "large.jpg": encoded(Image.new("RGB", (5_000, 4_000)), "JPEG"),
        "webp.webp": encoded(Image.new("RGB", (2_700, 1_950)), "WEBP", lossless=True, method=0),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in files]
    command = [sys.executable, "-c", MEASURE, *paths]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    taken = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}
    assert taken.keys() == files.keys()
    assert max(taken.values()) <= 100, taken
    assert max(taken.values()) > 40, "nothing was measured"


def test_the_server_takes_what_a_picture_may_have() -> None:
    """The page's text and its refusal come from the server's limit: it must be the decoder's."""
    options = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert options["server"]["maxUploadSize"] == MAX_MEGABYTES


# What is refused --------------------------------------------------------------------------------------------------


def truncated(form: str) -> bytes:
    data = encoded(noise(300, 300), form)
    return data[: len(data) // 2]


def webp_of_no_width() -> bytes:
    data = bytearray(encoded(Image.new("RGBA", (9, 9), (9, 9, 9, 99)), "WEBP"))
    place = data.index(b"VP8 ") + 14
    data[place : place + 2] = bytes(2)
    return bytes(data)


def movie(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + bytes(1000)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "no PNG, JPEG or WebP"),
    "text": (lambda: b"years of work\n" * 100, "no PNG, JPEG or WebP picture, whatever its name says"),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no PNG, JPEG or WebP"),
    "GIF": (lambda: encoded(SMALL, "GIF"), "this is a GIF picture, not PNG, JPEG or WebP: open it and save or export"),
    "TIFF": (lambda: encoded(SMALL, "TIFF"), "this is a TIFF or raw picture"),
    "BMP": (lambda: encoded(SMALL, "BMP"), "this is a BMP picture"),
    "HEIC": (
        lambda: movie(b"heic"),
        "this is a HEIC picture, .* save or export it as JPEG; an iPhone takes JPEGs once",
    ),
    "AVIF": (lambda: movie(b"avif"), "this is an AVIF picture, not"),
    "a film": (lambda: movie(b"isom"), "this is a film"),
    "half a PNG": (lambda: truncated("PNG"), "damaged or not complete"),
    "half a JPEG": (lambda: truncated("JPEG"), "damaged or not complete"),
    "half a WebP": (lambda: truncated("WEBP"), "damaged or not complete"),
    "a PNG's head": (lambda: encoded(SMALL)[:30], "damaged"),
    "a JPEG's head": (lambda: encoded(SMALL, "JPEG")[:100], "damaged"),
    "a JPEG's first bytes": (lambda: b"\xff\xd8\xff", "damaged"),
    "a WebP's head": (lambda: encoded(SMALL, "WEBP")[:14], "damaged"),
    "no pixels": (lambda: png(0, 0), "damaged"),
    "no width beside transparency": (lambda: webp_of_no_width(), "damaged"),
    "no height": (lambda: jpeg_of(256, 0), "damaged"),
    "a picture that lacks its pixels": (lambda: png(4_000, 4_000), "damaged or not complete"),
    "a wrong sum": (lambda: encoded(SMALL).replace(b"\x08\x02\0\0\0", b"\x08\x06\0\0\0", 1), "damaged"),
    "a lossless JPEG": (lambda: encoded(SMALL, "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1), "a rare kind of JPEG"),
    "twelve bits": (
        lambda: encoded(SMALL, "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c", 1),
        "rare kind",
    ),
    "nothing": (lambda: encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0))), "all of it is transparent"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_picture_is_refused_in_one_line(kind: str) -> None:
    make, match = HOSTILE[kind]
    with refused(match):
        read_photo(make())


def test_a_files_bytes_may_be_changeable() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(SMALL, "JPEG", exif=exif)
    assert read_photo(bytearray(data)).notes == read_photo(data).notes != ()


@pytest.mark.parametrize("kind", [memoryview, np.frombuffer, repr], ids=["memoryview", "ndarray", "str"])
def test_what_is_no_bytes_is_not_called_damaged(kind: Callable[[bytes], Any]) -> None:
    with refused("a picture is taken as its file's bytes, not as a (memoryview|ndarray|str)$"):
        read_photo(kind(encoded(SMALL, "PNG")[:400]))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_any_damage_is_refused_or_read(form: str) -> None:
    """Bytes flipped anywhere: a picture or one line, never another exception."""
    chance, read = np.random.default_rng(0), 0
    whole = np.frombuffer(encoded(SMALL, form, exif=b"Exif\0\0II*\0" + bytes(30)), np.uint8)
    for _ in range(40):
        data = whole.copy()
        places = chance.integers(0, len(data) if chance.random() < 0.5 else 60, 3)
        data[places] = chance.integers(0, 256, 3)
        try:
            read += max(read_photo(data.tobytes()).pixels.shape) <= 512
        except GenlibError as error:
            assert "\n" not in str(error)
    assert read or form == "PNG"
