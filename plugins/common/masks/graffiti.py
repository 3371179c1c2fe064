"""Masks that look like graffiti: words in a small alphabet of our own, and doodles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from restore.plugins.common.masks.brush import DIRECTIONS, MOST_STROKES, UNIT, Brush, IntegerRNG, Integers, sample_lines

# The lines of each letter. A corner is given by its column (0 to 4) and its row (0 at the top, to 6).
_LETTERS = {
    "A": "06 20 46, 14 34",
    "B": "03 33 42 41 30 00 06 36 45 44 33",
    "C": "41 30 10 01 05 16 36 45",
    "D": "00 06 26 45 41 20 00",
    "E": "40 00 06 46, 03 33",
    "F": "40 00 06, 03 33",
    "G": "41 30 10 01 05 16 36 45 43 23",
    "H": "00 06, 40 46, 03 43",
    "I": "20 26, 10 30, 16 36",
    "J": "40 45 36 16 05",
    "K": "00 06, 40 03 46",
    "L": "00 06 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "O": "20 10 01 05 16 36 45 41 30 20",
    "P": "06 00 30 41 42 33 03",
    "Q": "20 10 01 05 16 36 45 41 30 20, 34 46",
    "R": "06 00 30 41 42 33 03, 23 46",
    "S": "41 30 10 01 02 13 33 44 45 36 16 05",
    "T": "00 40, 20 26",
    "U": "00 05 16 36 45 40",
    "V": "00 26 40",
    "W": "00 16 23 36 40",
    "X": "00 46, 40 06",
    "Y": "00 23 40, 23 26",
    "Z": "00 40 06 46",
}
_ROUND = frozenset("BCDGJOPQRSU")
_VOWELS, _CONSONANTS = "AEIOUY", "BCDFGHJKLMNPQRSTVWXZ"
_HEIGHT, _WIDTH, _ADVANCE = 6, 4, 6

Lines = Sequence[Integers]
"""Lines of corners (N, 2), rows and columns, in units of 1/UNIT pixel."""


def graffiti(height: int, width: int, wanted: int, rng: IntegerRNG) -> Integers:
    """Draw thick tilted words and doodles where there is room, smaller ones where there is little."""
    largest, smallest = (max(8, min(height, width) * part // 256) for part in (72, 28))
    brush = Brush(height, width, thickest=largest // 4)
    for _ in range(MOST_STROKES):
        if brush.covered >= wanted:
            break
        size = rng.randint(max(8, largest // 2), largest)
        thickness = max(2, size * rng.randint(14, 24) // 100)
        crossings, path = _place(sample_lines(_draw(size, width, rng), max(1, thickness // 3)), brush, thickness, rng)
        if crossings < _CROWDED or largest <= smallest:
            brush.draw(path, np.full(len(path), thickness, dtype=np.int64))
        else:
            largest = largest * 4 // 5
    return brush.order


_CROWDED = 12
"""Percentage of crossing points from which words become smaller."""


def _draw(size: int, width: int, rng: IntegerRNG) -> Lines:
    """Return the lines of a word with letters of ``size`` pixels, or of a doodle, tilted."""
    if rng.randint(0, 3) == 0:
        doodle = _DOODLES[rng.randint(0, len(_DOODLES) - 1)]
        return _tilt(doodle(size * 3 // 4, rng), rng.randint(-UNIT // 12, UNIT // 12))
    longest = max(2, min(8, width * _HEIGHT // (size * _ADVANCE)))
    return _tilt(write_word(_word(rng.randint(2, longest), rng), size), rng.randint(-UNIT // 16, UNIT // 16))


def write_word(word: str, size: int) -> Lines:
    """Return the lines of a word in capital letters of ``size`` pixels, with its first letter at the origin."""
    lines = []
    for place, letter in enumerate(word):
        for text in _LETTERS[letter].split(", "):
            corners = np.array([[int(corner[1]), int(corner[0])] for corner in text.split()], dtype=np.int64)
            corners[:, 1] += place * _ADVANCE
            scaled = corners * size * UNIT // _HEIGHT
            lines.append(_round(scaled) if letter in _ROUND else scaled)
    return lines


def _word(length: int, rng: IntegerRNG) -> str:
    """Return letters that are nearly pronounceable."""
    starts = rng.randint(0, 1)
    groups = [(_VOWELS, _CONSONANTS)[(place + starts) % 2] for place in range(length)]
    return "".join(group[rng.randint(0, len(group) - 1)] for group in groups)


def _round(corners: Integers) -> Integers:
    """Round corners by cutting them twice, at a quarter and three quarters of each line (Chaikin, 1974); ends stay."""
    for _ in range(2):
        first, last = corners[:-1], corners[1:]
        cut = np.stack([(3 * first + last) // 4, (first + 3 * last) // 4], axis=1).reshape(-1, 2)
        corners = np.concatenate([corners[:1], cut[1:-1], corners[-1:]])
    return corners


def _tilt(lines: Lines, angle: int) -> Lines:
    sine, cosine = DIRECTIONS[angle % UNIT]
    turn = np.array([[cosine, -sine], [sine, cosine]], dtype=np.int64)
    return [line @ turn // UNIT for line in lines]


def _place(path: Integers, brush: Brush, thickness: int, rng: IntegerRNG) -> tuple[int, Integers]:
    """Return the position of a path, among a few, with the fewest crossings, and its percentage of crossings."""
    low, high = path.min(0) // UNIT - thickness // 2, path.max(0) // UNIT + thickness // 2
    some = path[::3]
    best: tuple[int, Integers] | None = None
    for _ in range(4):
        place = np.zeros(2, dtype=np.int64)
        for axis, length in enumerate((brush.height, brush.width)):
            room = length - int(high[axis] - low[axis])
            place[axis] = rng.randint(min(0, room), max(0, room)) - low[axis]
        crossings = 100 * brush.crossings(some + place * UNIT) // len(some)
        if best is None or crossings < best[0]:
            best = crossings, place
        if not crossings:
            break
    assert best is not None
    return best[0], path + best[1] * UNIT


def _circle(radius: int, start: int = 0, stop: int = UNIT) -> Integers:
    return DIRECTIONS[np.arange(start, stop + 1, 8) % UNIT] * radius


def _spiral(size: int, rng: IntegerRNG) -> Lines:
    angles = np.arange(0, UNIT * rng.randint(2, 3) + 1, 8)
    return [DIRECTIONS[angles % UNIT] * (angles * size // angles[-1])[:, None]]


def _star(size: int, rng: IntegerRNG) -> Lines:  # noqa: ARG001
    return [DIRECTIONS[np.array([0, 102, 205, 51, 154, 0])] * size]


def _zigzag(size: int, rng: IntegerRNG) -> Lines:
    teeth = np.arange(2 * rng.randint(3, 5), dtype=np.int64)
    return [np.stack([teeth % 2 * size, teeth * size // 2], axis=1) * UNIT]


def _smile(size: int, rng: IntegerRNG) -> Lines:  # noqa: ARG001
    eye = np.array([[-size // 3, 0], [-size // 5, 0]], dtype=np.int64) * UNIT
    aside = np.array([0, size // 3], dtype=np.int64) * UNIT
    return [_circle(size), eye - aside, eye + aside, _circle(size * 3 // 5, 16, 112)]


def _heart(size: int, rng: IntegerRNG) -> Lines:  # noqa: ARG001
    half = np.array([[-4, 0], [-7, 2], [-8, 5], [-6, 8], [-2, 9], [2, 7], [9, 0]], dtype=np.int64)
    corners = np.concatenate([half, (half * [1, -1])[::-1]])
    return [_round(corners * size * UNIT // 9)]


def _cross(size: int, rng: IntegerRNG) -> Lines:  # noqa: ARG001
    return [np.array([[-size, 0], [size, 0]]) * UNIT, np.array([[0, -size], [0, size]]) * UNIT]


_DOODLES: tuple[Callable[[int, IntegerRNG], Lines], ...] = (_spiral, _star, _zigzag, _smile, _heart, _cross)
