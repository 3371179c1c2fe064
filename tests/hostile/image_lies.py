"""Changes of image files that know the format: sizes, tags, palettes and EXIF data that lie, with right checksums."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator

from hostile.bits import NUMBERS, damage
from hostile.image_seeds import seeds
from image_files import chunk

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIZES = (0, 1, 2, 7, 255, 11_585, 11_586, 65_535, 2**20, 2**27, 2**31 - 1, 2**32 - 1)
_NAMES = (
    *(b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"acTL"),
    *(b"fcTL", b"fdAT", b"sBIT", b"bKGD", b"hIST", b"IDAT", b"IEND", b"cICP", b"tIME", b"zzZz"),
)
_TAGS = (
    *(254, 256, 257, 258, 259, 262, 266, 270, 273, 274, 277, 278, 279, 282, 283, 284, 296, 297, 305, 306, 315, 317),
    *(318, 319, 320, 322, 323, 324, 325, 330, 338, 339, 347, 529, 530, 532, 700, 33432, 33723, 34665, 34675, 34853),
)


def odd_image(rng: random.Random) -> tuple[str, bytes]:
    """Return suffix and content of a damaged image file."""
    suffix, data = rng.choice(seeds())
    lies = [lie for begins, lie in _LIES if data.startswith(begins)]
    if lies and rng.random() < 0.6:
        data = rng.choice(lies)(data, rng)
    if not lies or rng.random() < 0.5:
        data = damage(data, rng) if data else data
    return suffix, data


# --- PNG ------------------------------------------------------------------------------------------------------


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += length + 12


def _joined(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return _SIGNATURE + b"".join(chunk(name, body) for name, body in chunks)


def lie_in_png_header(data: bytes, rng: random.Random) -> bytes:
    """Change size, depth, color type or interlacing."""
    (name, body), *rest = _chunks(data)
    fields = list(struct.unpack(">IIBBBBB", body))
    which = rng.randrange(7)
    fields[which] = rng.choice(_SIZES) if which < 2 else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return _joined([(name, struct.pack(">IIBBBBB", *fields)), *rest])


def change_png_chunks(data: bytes, rng: random.Random) -> bytes:
    """Remove, repeat, move, damage or add chunks, with right checksums."""
    chunks = list(_chunks(data))
    for _ in range(rng.choice((1, 2, 3))):
        place = rng.randrange(len(chunks)) if chunks else 0
        match rng.randrange(5):
            case 0 if chunks:
                del chunks[place]
            case 1 if chunks:
                chunks.insert(rng.randrange(len(chunks)), chunks[place])
            case 2 if chunks:
                name, body = chunks[place]
                chunks[place] = (name, damage(body, rng) if body else rng.randbytes(9))
            case 3:
                body = rng.randbytes(rng.choice((0, 1, 3, 4, 9, 13, 32, 768, 800)))
                chunks.insert(rng.randrange(len(chunks) + 1), (rng.choice(_NAMES), body))
            case _:
                rng.shuffle(chunks)
    return _joined(chunks)


def plant_png_bomb(data: bytes, rng: random.Random) -> bytes:
    """Let text, a profile or the pixels unpack to 300 MB, or as much text."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(300)) + packer.flush()
    name, body = rng.choice(
        [
            (b"zTXt", b"Title\0\0" + packed), (b"iTXt", b"Title\0\1\0\0\0" + packed), (b"iCCP", b"icc\0\0" + packed),
            (b"IDAT", packed), (b"tEXt", b"Title\0" + b"a" * 2**23), (b"eXIf", b"II*\0" + b"\xff" * 2**20),
        ]
    )  # fmt: skip
    chunks = [each for each in _chunks(data) if each[0] != name]
    return _joined([*chunks[:1], (name, body), *chunks[1:]])


def add_png_exif(data: bytes, rng: random.Random) -> bytes:
    """Add EXIF data with tags of odd types."""
    chunks = [each for each in _chunks(data) if each[0] != b"eXIf"]
    return _joined([*chunks[:1], (b"eXIf", odd_directory(rng)), *chunks[1:]])


# --- EXIF, TIFF -----------------------------------------------------------------------------------------------


def odd_directory(rng: random.Random) -> bytes:
    """Return a TIFF structure of tags with any type, count and value."""
    order = rng.choice("<>")
    entries = [odd_entry(order, rng.choice(_TAGS), rng) for _ in range(rng.randint(1, 8))]
    start = b"II*\0" if order == "<" else b"MM\0*"
    count = rng.choice((len(entries), len(entries), len(entries) + 1, 65535))
    end = struct.pack(f"{order}I", rng.choice((0, 0, 8, 2**32 - 1)))
    return start + struct.pack(f"{order}IH", 8, count) + b"".join(entries) + end + rng.randbytes(40)


def odd_entry(order: str, tag: int, rng: random.Random) -> bytes:
    """Return an entry of a directory."""
    kind, count = rng.choice((*range(1, 14), 16, 0, 99)), rng.choice((0, 1, 1, 1, 2, 3, 4, 8, 2**16, 2**31, 2**32 - 1))
    value = rng.choice((rng.randint(0, 200), rng.choice(NUMBERS), rng.randint(0, 8)))
    return struct.pack(f"{order}HHII", tag, kind, count, value)


def change_tiff_tags(data: bytes, rng: random.Random) -> bytes:
    """Change the type, the count or the value of tags of the first directory, or replace a tag."""
    order = "<" if data.startswith(b"II") else ">"
    if data[2:4] in (b"+\0", b"\0+"):
        return damage(data, rng)
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = start + 2 + 12 * rng.randrange(count)
        tag, kind, number, value = struct.unpack_from(f"{order}HHII", changed, place)
        entry = struct.pack(f"{order}HHII", tag, kind, number, rng.choice((*NUMBERS, value + 1, 6, 8)) % 2**32)
        match rng.randrange(4):
            case 0:
                entry = odd_entry(order, tag, rng)
            case 1:
                entry = odd_entry(order, rng.choice(_TAGS), rng)
            case 2:
                entry = struct.pack(f"{order}HHII", tag, kind, rng.choice(NUMBERS) % 2**32, value)
        changed[place : place + 12] = entry
    return bytes(changed)


# --- JPEG, BMP, GIF, WebP, PPM --------------------------------------------------------------------------------


def change_jpeg_segments(data: bytes, rng: random.Random) -> bytes:
    """Change the size in the frame header, the length of a segment, or add EXIF data."""
    if rng.random() < 0.4:
        body = b"Exif\0\0" + odd_directory(rng)
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    places = [place for place in range(len(data) - 9) if data[place] == 0xFF and 0xC0 <= data[place + 1] <= 0xEF]
    if not places:
        return data
    changed, place = bytearray(data), rng.choice(places)
    if changed[place + 1] in (0xC0, 0xC1, 0xC2) and rng.random() < 0.7:
        changed[place + 5 : place + 9] = struct.pack(
            ">HH", rng.choice((0, 1, 65535, 16, 11_000)), rng.choice((0, 65535))
        )
    else:
        changed[place + 2 : place + 4] = struct.pack(">H", rng.choice((0, 1, 2, 65535, 300)))
    return bytes(changed)


def change_bmp_header(data: bytes, rng: random.Random) -> bytes:
    """Change a number of the header."""
    changed = bytearray(data)
    place = rng.choice((10, 14, 18, 22, 26, 28, 30, 34, 46))
    changed[place : place + 4] = struct.pack("<I", rng.choice((*NUMBERS, *_SIZES)) % 2**32)
    return bytes(changed)


def change_gif_sizes(data: bytes, rng: random.Random) -> bytes:
    """Change the size of the screen or of the first frame, or the size of the palette."""
    changed = bytearray(data)
    frame = data.find(b"\x2c", 13)
    place = rng.choice((6, 8, 10, frame + 5 if frame > 0 else 6, frame + 9 if frame > 0 else 10))
    changed[place : place + 2] = struct.pack("<H", rng.choice((0, 1, 255, 65535, 11_000)))
    return bytes(changed)


def change_webp_sizes(data: bytes, rng: random.Random) -> bytes:
    """Change the declared length, or the size of the canvas or of the pixels."""
    changed = bytearray(data)
    place = rng.choice((4, 16, 24, 26, 27))
    changed[place : place + 4] = struct.pack("<I", rng.choice((*NUMBERS, *_SIZES)) % 2**32)
    return bytes(changed)


def change_map_header(data: bytes, rng: random.Random) -> bytes:
    """Replace a number of the header."""
    parts = data.split(maxsplit=4)
    place = rng.randrange(1, min(4, len(parts)))
    parts[place] = rng.choice((b"0", b"-1", b"1", b"70000", b"4294967296", b"9" * 30, b"x", b"1e3", b"11585", b""))
    return b" ".join(parts)


Lie = Callable[[bytes, random.Random], bytes]
_LIES: tuple[tuple[bytes, Lie], ...] = (
    (_SIGNATURE, lie_in_png_header),
    (_SIGNATURE, change_png_chunks),
    (_SIGNATURE, add_png_exif),
    (b"\xff\xd8", change_jpeg_segments),
    (b"II", change_tiff_tags),
    (b"MM", change_tiff_tags),
    (b"BM", change_bmp_header),
    (b"GIF8", change_gif_sizes),
    (b"RIFF", change_webp_sizes),
    *((kind, change_map_header) for kind in (b"P3", b"P4", b"P5", b"P6")),
)
