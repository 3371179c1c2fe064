"""Synthetic nuclei with exact masks, for a first run without data.

They imitate microscope images: bright on black (fluorescence), violet on pink (hematoxylin and eosin), dark on light
gray (bright field). Nuclei touch each other and differ in texture and focus; the light is uneven. Fibers, dust and
vesicles have the brightness of nuclei, so a threshold alone does badly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]

STAINS = ("fluorescence", "hematoxylin", "bright-field")


@dataclass(frozen=True)
class Scene:
    """A synthetic image with its mask."""

    image: NDArray[np.uint8]
    """(H, W, 3)."""
    mask: NDArray[np.bool_]
    """(H, W): whether the center of a pixel lies inside a nucleus."""
    stain: str


def draw(seed: int, index: int, size: int = 96) -> Scene:
    """Draw the image with a seed and an index, ``size`` x ``size`` pixels; the same on every machine."""
    random = np.random.default_rng([seed, index])
    stain = STAINS[index % len(STAINS)]
    nuclei = _nuclei(random, size)
    image = _LOOKS[stain](random, nuclei)
    focus = random.uniform(0.3, 1.1)
    image = ndimage.gaussian_filter(image, (focus, focus, 0))
    image += random.normal(0, random.uniform(0.01, 0.04), image.shape)
    return Scene((255 * image.clip(0, 1)).round().astype(np.uint8), nuclei.numbers > 0, stain)


@dataclass(frozen=True)
class _Nuclei:
    numbers: NDArray[np.int64]
    """(H, W): index of the nucleus, 0 outside."""
    depth: Array
    """(H, W): 0 at the border of a nucleus and outside, 1 in its middle."""
    clutter: Array
    """(H, W) in [0, 1]: amount of other structures."""
    light: Array
    """(H, W) around 1: brightness of the light."""


def _nuclei(random: Generator, size: int) -> _Nuclei:
    rows, columns = np.mgrid[:size, :size].astype(np.float64)
    numbers, depth = np.zeros((size, size), np.int64), np.zeros((size, size))
    radius = random.uniform(4, 10)
    place = random.uniform(0, size, 2)
    for number in range(1, 1 + int(random.integers(3, 8 + int(160 / radius)))):
        # Two in five lie next to the previous one and touch it.
        near = random.random() < 0.4
        step = random.normal(0, 1, 2)
        place = place + 1.7 * radius * step / np.hypot(*step) if near else random.uniform(0, size, 2)
        own = radius * random.uniform(0.7, 1.3)
        window = tuple(slice(max(0, int(at - 3 * own)), max(0, int(at + 3 * own) + 1)) for at in place)
        inside = _blob(random, rows[window] - place[0], columns[window] - place[1], own)
        free = (inside > 0) & (numbers[window] == 0)
        numbers[window][free], depth[window][free] = number, inside[free]
    return _Nuclei(numbers, depth, _clutter(random, rows, columns), _light(random, rows / size, columns / size))


def _blob(random: Generator, down: Array, across: Array, radius: float) -> Array:
    """Return 1 in the middle of an irregular ellipse, falling to 0 at its border."""
    turn, stretch = random.uniform(0, np.pi), random.uniform(1, 1.6)
    along, beside = np.cos(turn) * down + np.sin(turn) * across, np.cos(turn) * across - np.sin(turn) * down
    distance = np.hypot(along / stretch, beside * stretch**0.5)
    angle = np.arctan2(beside, along)
    border = radius * (1 + sum(random.normal(0, 0.07) * np.cos(k * angle + random.uniform(0, 6)) for k in (2, 3, 4)))
    return np.asarray(1 - distance / border).clip(0, 1)


def _light(random: Generator, down: Array, across: Array) -> Array:
    """Return a slow wave around 1."""
    waves, start = random.uniform(-1, 1, 2), random.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * (waves[0] * down + waves[1] * across) + start)
    return np.asarray(1 + random.uniform(0.1, 0.45) * wave)


def _clutter(random: Generator, rows: Array, columns: Array) -> Array:
    """Return fibers and vesicles: as bright as nuclei but narrower or hollow."""
    clutter = np.zeros_like(rows)
    for _ in range(int(random.integers(1, 5))):  # fibers
        turn, offset, bend = random.uniform(0, np.pi), random.uniform(0, rows.shape[0]), random.uniform(0, 6)
        along = np.cos(turn) * rows + np.sin(turn) * columns
        beside = np.cos(turn) * columns - np.sin(turn) * rows + 4 * np.sin(along / 9 + bend) - offset
        clutter = np.maximum(clutter, np.exp(-((beside / random.uniform(0.6, 1.4)) ** 2)) * random.uniform(0.5, 1))
    for _ in range(int(random.integers(2, 9))):  # vesicles: rings
        place, radius = random.uniform(0, rows.shape[0], 2), random.uniform(2, 6)
        distance = np.hypot(rows - place[0], columns - place[1])
        clutter = np.maximum(clutter, np.exp(-(((distance - radius) / 0.9) ** 2)) * random.uniform(0.5, 1))
    return clutter


def _texture(random: Generator, size: int, grain: float) -> Array:
    """Return smooth noise with standard deviation 1."""
    noise = ndimage.gaussian_filter(random.normal(size=(size, size)), grain)
    return np.asarray(noise / noise.std())


def _strength(random: Generator, nuclei: _Nuclei, softness: float) -> Array:
    """Return the amount of stain at each pixel, which differs between and within nuclei."""
    size = len(nuclei.depth)
    of_each = np.concatenate([[0.0], random.uniform(0.5, 1.0, int(nuclei.numbers.max()))])
    shape = (nuclei.depth / softness).clip(0, 1)
    return np.asarray(of_each[nuclei.numbers] * (0.6 + 0.4 * shape) * (1 + 0.18 * _texture(random, size, 1.2)))


def _color(strength: Array, color: tuple[float, float, float]) -> Array:
    return np.asarray(strength[..., None] * np.asarray(color))


def _fluorescence(random: Generator, nuclei: _Nuclei) -> Array:
    inside = nuclei.numbers > 0
    haze = ndimage.gaussian_filter(inside.astype(np.float64), 7) * random.uniform(0.1, 0.35)
    strength = _strength(random, nuclei, 0.5) * random.uniform(0.4, 0.9)
    strength = strength + haze + 0.55 * nuclei.clutter * ~inside * random.uniform(0.3, 1)
    color = [(1.0, 1.0, 1.0), (0.25, 0.45, 1.0), (0.2, 1.0, 0.4)][int(random.integers(3))]
    return _color((strength * nuclei.light + 0.03).clip(0, 1), color)


def _hematoxylin(random: Generator, nuclei: _Nuclei) -> Array:
    # Stains absorb light: the transmitted light is 10^-(amount x absorbance) (Ruifrok and Johnston, 2001, equation 1).
    size, inside = len(nuclei.depth), nuclei.numbers > 0
    violet = _strength(random, nuclei, 0.4) * random.uniform(0.5, 1.0) + 0.04
    pink = (0.45 + 0.22 * _texture(random, size, 3) + 0.5 * nuclei.clutter * ~inside).clip(0.05, 1.6)
    pink = pink * random.uniform(0.4, 1.0)
    absorbed = _color(violet, (0.65, 0.70, 0.29)) + _color(pink, (0.07, 0.55, 0.30))
    return 0.97 * nuclei.light[..., None] ** 0.4 * 10**-absorbed


def _bright_field(random: Generator, nuclei: _Nuclei) -> Array:
    inside = nuclei.numbers > 0
    dark = _strength(random, nuclei, 0.6) * random.uniform(0.32, 0.55) + 0.35 * nuclei.clutter * ~inside
    gray = random.uniform(0.65, 0.85) * nuclei.light - dark + 0.03 * _texture(random, len(dark), 2)
    return np.repeat(gray[..., None], 3, axis=2)


_LOOKS: dict[str, Callable[[Generator, _Nuclei], Array]] = {
    "fluorescence": _fluorescence,
    "hematoxylin": _hematoxylin,
    "bright-field": _bright_field,
}
