"""Changes of bytes that know no format."""

from __future__ import annotations

import random
from collections.abc import Callable

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**27, 2**31 - 1, 2**31, 2**32 - 1)
"""Values at which sizes and types end."""


def flip(data: bytearray, rng: random.Random) -> None:
    """Flip one to eight bits."""
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_early(data: bytearray, rng: random.Random) -> None:
    """Flip bits of the first bytes, where headers are."""
    for _ in range(rng.choice((1, 2, 4))):
        data[rng.randrange(min(len(data), 64))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: random.Random) -> None:
    """Leave the end out."""
    del data[rng.randrange(len(data)) :]


def overwrite(data: bytearray, rng: random.Random) -> None:
    """Replace a range by zeros, ones or noise."""
    start, length = _range(data, rng)
    data[start : start + length] = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))


def remove(data: bytearray, rng: random.Random) -> None:
    """Leave a range out."""
    start, length = _range(data, rng)
    del data[start : start + length]


def repeat(data: bytearray, rng: random.Random) -> None:
    """Insert a range once more, somewhere."""
    start, length = _range(data, rng)
    place = rng.randrange(len(data) + 1)
    data[place:place] = data[start : start + length]


def append(data: bytearray, rng: random.Random) -> None:
    """Add noise at the end."""
    data += rng.randbytes(rng.randint(1, 64))


def set_number(data: bytearray, rng: random.Random) -> None:
    """Write a number at which types end over two or four bytes, in either order."""
    length = rng.choice((2, 4))
    if len(data) > length:
        start = rng.randrange(min(len(data), 400) - length + 1) if len(data) > length else 0
        value = rng.choice(NUMBERS) % 256**length
        data[start : start + length] = value.to_bytes(length, rng.choice(("big", "little")))


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, flip_early, truncate, overwrite, remove, repeat, append, set_number,
)  # fmt: skip


def damage(data: bytes, rng: random.Random) -> bytes:
    """Return data after one to three changes."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if changed:
            rng.choice(CHANGES)(changed, rng)
    return bytes(changed)


def _range(data: bytearray, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, rng.randint(1, min(64, len(data) - start))
