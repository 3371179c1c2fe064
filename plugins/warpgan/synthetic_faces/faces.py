"""Synthetic faces with exact identities and landmarks, for a first run without data.

Each person has several photographs, which differ in light, expression, pose, background and noise, and several
caricatures with exaggerated geometry and flat colors within black lines. Images are drawn large and downscaled, so that
edges are smooth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from restore.plugins.warpgan.data.alignment import transform_points
from restore.plugins.warpgan.synthetic_faces.anatomy import Anatomy, Expression, Points
from restore.plugins.warpgan.synthetic_faces.identities import Color, Identity
from restore.plugins.warpgan.synthetic_faces.portrait import OVERSAMPLED, Inks, Portrait, mix

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Drawing:
    """An image of a person."""

    image: NDArray[np.uint8]
    """(H, W, 3)."""
    landmarks: Points
    """(5, 2): x and y in pixels, in the order of `alignment.REFERENCE`."""


def photograph(identity: Identity, random: Generator, size: int) -> Drawing:
    """Draw a photograph of a person, aligned like `alignment.align_face` except for the pose of the head."""
    expression = Expression(
        smile=random.uniform(-0.2, 1.0),
        open=max(0.0, random.uniform(-0.6, 0.8)),
        brows=random.uniform(-1, 1),
        gaze=(random.uniform(-0.8, 0.8), random.uniform(-0.5, 0.5)),
        yaw=random.uniform(-0.16, 0.16),
    )
    cloth = tuple(int(value) for value in random.integers(30, 220, 3))
    inks = Inks(
        identity.skin,
        identity.hair,
        identity.eyes,
        mix(identity.skin, (176, 52, 62), 0.5),
        cloth,  # type: ignore[arg-type]
        mix(identity.skin, (40, 16, 10), 0.55),
        0.022,
    )
    canvas = Portrait(Anatomy(identity, expression), inks, size)
    canvas.backdrop(_scenery(random, canvas.side))
    canvas.head()
    image = np.asarray(canvas.image.reduce(OVERSAMPLED), np.float64) / 255
    image = image * _light(canvas, random)[..., None]
    image = ndimage.gaussian_filter(image, (*[random.uniform(0.2, 0.6)] * 2, 0))
    image = image * random.uniform(0.92, 1.06, 3) + random.normal(0, random.uniform(0.008, 0.022), image.shape)
    return Drawing((255 * image.clip(0, 1)).round().astype(np.uint8), canvas.landmarks)


def caricature(identity: Identity, random: Generator, size: int) -> Drawing:
    """Draw a caricature of a person: exaggerated, in flat colors on paper, within black lines."""
    expression = Expression(
        smile=random.uniform(0.2, 1.0),
        open=max(0.0, random.uniform(-0.8, 0.9)),
        brows=random.uniform(-0.5, 1),
        gaze=(random.uniform(-0.5, 0.5), 0.0),
        yaw=random.uniform(-0.06, 0.06),
    )
    tint, strength = _TINTS[int(random.integers(len(_TINTS)))]

    def ink(color: Color) -> Color:
        return mix(_vivid(color), tint, strength)

    inks = Inks(
        ink(identity.skin),
        ink(identity.hair),
        ink(identity.eyes),
        ink((204, 40, 48)),
        ink(((40, 90, 170), (170, 50, 50), (60, 130, 80), (230, 180, 60))[int(random.integers(4))]),
        (16, 14, 18),
        random.uniform(0.03, 0.05),
    )
    canvas = Portrait(Anatomy(identity.exaggerate(random.uniform(1.7, 2.3)), expression), inks, size)
    paper = mix((252, 248, 238), ink((90, 170, 220)), random.choice([0.0, 0.0, 0.35]))
    canvas.backdrop(Image.new("RGB", (canvas.side, canvas.side), paper))
    canvas.head()
    return Drawing(np.array(canvas.image.reduce(OVERSAMPLED)), canvas.landmarks)


_TINTS: tuple[tuple[Color, float], ...] = (
    ((255, 255, 255), 0.0),
    ((255, 170, 60), 0.22),
    ((90, 130, 255), 0.2),
    ((255, 255, 255), 0.3),
)
"""Palettes of caricaturists: plain, warm, cool and pale."""


def _light(canvas: Portrait, random: Generator) -> Array:
    """Return the brightness of each pixel (H, W): the head is a dome under a lamp."""
    rows, columns = np.mgrid[: canvas.side : OVERSAMPLED, : canvas.side : OVERSAMPLED] + OVERSAMPLED / 2
    body = canvas.anatomy
    center = transform_points(np.array([[0.0, 0.5 * (body.skull + body.chin)]]), canvas.place)[0]
    across = (columns - center[0]) / (canvas.unit * (body.width + 0.12))
    down = (rows - center[1]) / (canvas.unit * 0.56 * (body.chin - body.skull))
    distance = np.hypot(across, down)
    tall = np.sqrt((1 - distance**2).clip(0.04, 1))
    angle = random.uniform(0, 2 * np.pi)
    lamp = np.array([np.cos(angle), -0.5 + 0.6 * np.sin(angle), 1.1])
    lamp = lamp / np.linalg.norm(lamp)
    bright = 0.5 + 0.66 * (lamp[0] * across + lamp[1] * down + lamp[2] * tall) / np.maximum(1, distance)
    inside = np.clip(6 * (1.12 - distance), 0, 1)
    return np.asarray(inside * bright + (1 - inside) * (0.8 + 0.12 * lamp[0] * across))


def _scenery(random: Generator, side: int) -> Image.Image:
    """Return a background out of focus."""
    wall = random.uniform(0.2, 0.85) + random.normal(0, 0.07, 3)
    coarse = wall + random.normal(0, 0.13, (5, 5, 1)) + random.normal(0, 0.05, (5, 5, 3))
    few = Image.fromarray((255 * coarse.clip(0, 1)).astype(np.uint8))
    return few.resize((side, side), Image.Resampling.BICUBIC)


def _vivid(color: Color) -> Color:
    """Return the same hue with more saturation."""
    middle = sum(color) / 3
    red, green, blue = (int(np.clip(middle + 1.35 * (value - middle) + 14, 0, 255)) for value in color)
    return red, green, blue
