"""What is inside a picture file, read without decoding it: its size, its kind, and the parts that make the picture.

A few kilobytes can unfold to gigabytes, in the pixels and in what surrounds them: texts, thumbnails, camera notes,
thousands of frames. So a decoder is given the first picture's own parts alone, and only once their cost is known.
Sources: ITU-T T.81 annex B (JPEG), W3C PNG third edition, Google's WebP container specification, TIFF 6.0 for Exif.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genlib.errors import GenlibError

MOST_PARTS = 20_000  # of a PNG file, which some programs cut into parts of a kilobyte
MOST_SEGMENTS = 2_000  # of a JPEG or WebP file before the picture itself
ORIENTATION = 0x0112
LONGEST_NOTE = 1 << 16  # bytes of Exif data looked at, as many as a JPEG can hold
DAMAGED = "this picture is damaged or not complete: it cannot be read to its end; copy or save it again"
TAKEN = "PNG, JPEG or WebP"
RARE = "this is a rare kind of {kind}; open it and save it again as a plain JPEG or PNG"
JPEG_KEPT = frozenset({0xC4, 0xDB, 0xDD, 0xE0, 0xEE})  # tables, restarts, and what says which colours these are
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
WEBP_PARTS = (b"ALPH", b"VP8 ", b"VP8L")
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
HEIC = "a HEIC picture"
AS_JPEG = "an iPhone takes JPEGs once Settings > Camera > Formats is at Most Compatible"
BRANDS = dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC)
BRANDS |= dict.fromkeys((b"avif", b"avis"), "an AVIF picture")
OTHERS = {
    b"GIF8": "a GIF picture",
    b"II*\0": "a TIFF or raw picture",
    b"MM\0*": "a TIFF or raw picture",
    b"BM": "a BMP picture",
    b"%PDF": "a PDF document",
}


@dataclass(frozen=True)
class Contents:
    """One picture of a file, not decoded.

    `data` is a file of `kind` that holds this picture and nothing else, `width` and `height` count its pixels as
    stored, `orientation` is Exif's 1 to 8. What decoding takes: `stored` bytes a pixel held at full size, `raw` bytes a
    pixel to unpack, `passes` over all of them, `copies` of `data`; what is `reducible` can be decoded at an eighth of
    its size. `frames` says whether the file holds more pictures.
    """

    kind: str
    data: bytes
    width: int
    height: int
    orientation: int
    stored: float
    raw: float
    passes: int = 1
    copies: int = 1
    reducible: bool = False
    frames: bool = False


def contents(data: bytes) -> Contents:
    """The first picture of a PNG, JPEG or WebP file. Raises GenlibError in one line: other kinds by their name, with
    what to do instead, and what is damaged.
    """
    try:
        found = _walker(data)(data)
    except GenlibError:
        raise
    except Exception as error:  # the file ends before what it announces, or announces what cannot be: of many kinds
        raise GenlibError(DAMAGED) from error
    if not found.width or not found.height:
        raise GenlibError(DAMAGED)
    return found


def _walker(data: bytes) -> Callable[[bytes], Contents]:
    if data.startswith(b"\xff\xd8"):
        return _jpeg
    if data.startswith(PNG_HEAD):
        return _png
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp
    raise GenlibError(_other(data))


def _other(data: bytes) -> str:
    """What a file that is not taken is, and what to do instead."""
    if data[4:8] == b"ftyp":
        name = BRANDS.get(data[8:12], "a film")
    else:
        name = next((each for magic, each in OTHERS.items() if data.startswith(magic)), "")
    if not name:
        return f"this is no {TAKEN} picture, whatever its name says"
    telephone = f"; {AS_JPEG}" if name == HEIC else ""
    return f"this is {name}, not {TAKEN}: open it and save or export it as JPEG{telephone}"


# JPEG -------------------------------------------------------------------------------------------------------------


def _jpeg(data: bytes) -> Contents:
    """Tables and frame, then everything from the first scan to the end of the picture."""
    whole = memoryview(data)  # parts of it are no copies
    kept, frame, orientation, scan = [whole[:2]], b"", 1, 0
    for marker, start, end in _segments(data):
        body = data[start + 4 : end]
        if marker == 0xDA:
            scan = start
            break
        if marker in JPEG_FRAMES:
            if frame or marker > 0xC2 or body[0] != 8:
                raise GenlibError(RARE.format(kind="JPEG"))
            frame = data[start:end]
        if marker in JPEG_KEPT or marker in JPEG_FRAMES:
            kept.append(whole[start:end])
        elif marker == 0xE1 and body.startswith(b"Exif\0\0") and orientation == 1:
            orientation = exif_orientation(body[6:])
    if not frame or not scan:
        raise GenlibError(DAMAGED)
    last = data.find(b"\xff\xd9", scan)  # coded data never hold it
    kept.append(whole[scan : last + 2] if last >= 0 else whole[scan:])
    return _jpeg_contents(b"".join(kept), frame, len(data) - scan - 6, data[scan + 4], orientation)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to the first scan."""
    place = 2
    for _ in range(MOST_SEGMENTS):
        if data[place] != 0xFF:
            raise GenlibError(DAMAGED)
        marker = data[place + 1]
        if marker in (0xFF, 0x01):  # filling
            place += 1 if marker == 0xFF else 2
            continue
        end = place + 2 + int(struct.unpack_from(">H", data, place + 2)[0])
        if end > len(data) or end < place + 4:
            raise GenlibError(DAMAGED)
        yield marker, place, end
        place = end
    raise GenlibError(RARE.format(kind="JPEG"))


def _jpeg_contents(data: bytes, frame: bytes, left: int, in_scan: int, orientation: int) -> Contents:
    """`frame` is its start-of-frame segment, `in_scan` the components of its first scan."""
    height, width, components = struct.unpack_from(">HHB", frame, 5)
    factors = [(frame[11 + 3 * i] >> 4, frame[11 + 3 * i] & 15) for i in range(components)]
    if components not in (1, 3, 4) or left <= 0 or any(not 1 <= side <= 4 for pair in factors for side in pair):
        raise GenlibError(DAMAGED)
    whole = max(h for h, _ in factors) * max(v for _, v in factors)
    samples = sum(h * v for h, v in factors) / whole  # a pixel
    at_once = frame[1] != 0xC2 and in_scan == components
    passes = 1 if at_once else data.count(b"\xff\xda")
    # Where one scan does not hold everything, all coefficients are kept, two bytes each
    return Contents(
        "JPEG", data, width, height, orientation, 2 * samples * (not at_once), samples, passes, reducible=True
    )


def exif_orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, in the first directory of Exif data (TIFF 6.0 section 2); 1 where there is none.

    Nothing else is read: an entry may point anywhere, and as much as it likes may be said to lie there.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, place)
        for i in range(min(entries, 1_000)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, place + 2 + 12 * i)
            if tag == ORIENTATION:
                return int(value) if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


# PNG --------------------------------------------------------------------------------------------------------------


def _png(data: bytes) -> Contents:
    """Header, palette, transparency and pixels; the pixels as one part, however finely they were cut."""
    kept: dict[bytes, bytes] = {}
    pixels: list[memoryview] = []
    orientation, frames = 1, False
    for kind, body in _chunks(data):
        if kind in (b"IHDR", b"PLTE", b"tRNS"):
            kept.setdefault(kind, bytes(body))
        elif kind == b"IDAT":
            pixels.append(body)
        elif kind == b"eXIf":
            orientation = exif_orientation(bytes(body[:LONGEST_NOTE]))
        frames = frames or kind == b"acTL"
    if not pixels or len(kept.get(b"IHDR", b"")) != 13:
        raise GenlibError(DAMAGED)
    width, height, depth, colour = struct.unpack_from(">IIBB", kept[b"IHDR"])
    if colour not in PNG_CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise GenlibError(DAMAGED)
    if colour == 0 and depth in (2, 4) and len(kept.get(b"tRNS", b"")) == 2:  # Pillow widens the shades, and not this
        (shade,) = struct.unpack(">H", kept[b"tRNS"])
        kept[b"tRNS"] = struct.pack(">H", shade % 2**depth * 255 // (2**depth - 1))
    if colour == 2 and depth == 16 and len(kept.get(b"tRNS", b"")) == 6:  # nor this, where it narrows them
        kept[b"tRNS"] = struct.pack(">3H", *(shade >> 8 for shade in struct.unpack(">3H", kept[b"tRNS"])))
    channels = PNG_CHANNELS[colour]
    stored = 4 if channels > 1 else 2 if depth == 16 else 1
    return Contents(
        "PNG", _png_file(kept, pixels), width, height, orientation, stored, channels * depth / 8, frames=frames
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and body of each part up to the end, those that are used checked by their sums."""
    place, whole = len(PNG_HEAD), memoryview(data)
    for _ in range(MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 8 + length
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT"):
            (expected,) = struct.unpack_from(">I", data, end)
            if zlib.crc32(whole[place + 4 : end]) != expected:
                raise GenlibError(DAMAGED)
        if kind == b"IEND":
            return
        yield kind, whole[place + 8 : end]
        place = end + 4
    raise GenlibError(RARE.format(kind="PNG"))


def _png_file(kept: dict[bytes, bytes], pixels: list[memoryview]) -> bytes:
    parts: list[bytes | memoryview] = [PNG_HEAD]
    for kind, bodies in [
        *((kind, [memoryview(body)]) for kind, body in kept.items()),
        (b"IDAT", pixels),
        (b"IEND", []),
    ]:
        total = zlib.crc32(kind)
        for body in bodies:
            total = zlib.crc32(body, total)
        parts += [struct.pack(">I", sum(map(len, bodies))), kind, *bodies, struct.pack(">I", total)]
    return b"".join(parts)


# WebP -------------------------------------------------------------------------------------------------------------


def _webp(data: bytes) -> Contents:
    """The picture or, of an animation, its first, with its transparency."""
    first: dict[bytes, memoryview] = {}
    orientation, frames = 1, False
    for kind, body in _riff(memoryview(data), 12):
        if kind == b"ANMF":
            frames = bool(first)
            first = first or {k: b for k, b in _riff(body, 16) if k in WEBP_PARTS}
        elif kind in WEBP_PARTS:
            first.setdefault(kind, body)
        elif kind == b"EXIF":
            orientation = exif_orientation(bytes(body[:LONGEST_NOTE]).removeprefix(b"Exif\0\0"))
    width, height = _webp_size(first)
    used = (b"VP8L",) if b"VP8L" in first else WEBP_PARTS
    parts: list[tuple[bytes, bytes | memoryview]] = [(kind, first[kind]) for kind in used if kind in first]
    if parts[0][0] == b"ALPH":
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        parts.insert(0, (b"VP8X", b"\x10\0\0\0" + sides))
    cut = [each for kind, b in parts for each in (kind + struct.pack("<I", len(b)), b, b"\0" * (len(b) % 2))]
    file = b"".join([b"RIFF" + struct.pack("<I", sum(map(len, cut)) + 4) + b"WEBP", *cut])
    # The decoder keeps the picture four times over: measured, 17 bytes a pixel
    return Contents("WEBP", file, width, height, orientation, 17, 4, copies=2, frames=frames)


def _riff(data: memoryview, place: int) -> Iterator[tuple[bytes, memoryview]]:
    """Name and body of each part; what comes after very many is passed over."""
    for _ in range(MOST_SEGMENTS):
        if place + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _webp_size(first: dict[bytes, memoryview]) -> tuple[int, int]:
    """Width and height as the coded picture itself has them (RFC 6386 section 9.1; WebP lossless section 3)."""
    if (lossless := first.get(b"VP8L")) is not None:
        (bits,) = struct.unpack_from("<I", lossless, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if b"VP8 " not in first:
        raise GenlibError(DAMAGED)
    width, height = struct.unpack_from("<HH", first[b"VP8 "], 6)
    return width & 0x3FFF, height & 0x3FFF
