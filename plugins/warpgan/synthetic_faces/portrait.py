"""Draw a head part by part, from back to front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from restore.plugins.warpgan.data.alignment import SCALE, reference, similarity, transform_points
from restore.plugins.warpgan.synthetic_faces.anatomy import Anatomy, Points, oval, smooth
from restore.plugins.warpgan.synthetic_faces.identities import Color

OVERSAMPLED = 4
"""Scale of the drawing relative to the image."""


@dataclass(frozen=True)
class Inks:
    """Colors and line width of an image."""

    skin: Color
    hair: Color
    eyes: Color
    lips: Color
    cloth: Color
    line: Color
    width: float
    """Width of lines, in units of half a head."""

    def darken(self, color: Color, share: float) -> Color:
        """Return a color mixed with black."""
        return mix(color, (0, 0, 0), share)


class Portrait:
    """A large image on which a head is drawn part by part, from back to front."""

    def __init__(self, anatomy: Anatomy, inks: Inks, size: int) -> None:
        self.anatomy, self.inks = anatomy, inks
        self.side = OVERSAMPLED * size
        landmarks = anatomy.landmarks()
        self.place = similarity(landmarks, reference(self.side, SCALE))
        self.unit = float(np.hypot(*self.place[:, 0]))
        # Pixel centers lie at half pixels of the drawing, and at integers of the image.
        self.landmarks = (transform_points(landmarks, self.place) + 0.5) / OVERSAMPLED - 0.5

    def backdrop(self, image: Image.Image) -> None:
        """Start with a background."""
        self.image = image
        self.draw = ImageDraw.Draw(image)

    def fill(self, points: Points, color: Color, line: bool = True) -> None:
        """Draw a filled shape, with its outline."""
        places = self._place(points)
        self.draw.polygon(places, fill=color)
        if line:
            self.stroke(np.concatenate([points, points[:2]]))

    def stroke(self, points: Points, thick: float = 1.0, color: Color | None = None) -> None:
        """Draw a line along a curve."""
        width = max(1, round(thick * self.inks.width * self.unit))
        self.draw.line(self._place(points), fill=color or self.inks.line, width=width, joint="curve")

    def _place(self, points: Points) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in transform_points(points, self.place)]

    def head(self) -> None:
        """Draw the whole head."""
        self._behind()
        for side in (-1, 1):
            self.fill(self.anatomy.ear(side), self.inks.darken(self.inks.skin, 0.06))
        self.fill(self.anatomy.outline(), self.inks.skin)
        self._beard()
        for side in (-1, 1):
            self._eye(side)
        self._nose()
        self._mouth()
        self._hair()
        if self.anatomy.identity.glasses:
            self._glasses()

    def _behind(self) -> None:
        """Draw shoulders, neck, and the hair behind them."""
        body, haircut = self.anatomy, self.anatomy.identity.haircut
        if haircut in ("long", "bob"):
            length = body.chin + (0.75 if haircut == "long" else -0.1)
            wide, top = body.width + 0.24, body.skull - 0.16
            curtain = [(0.0, top), (0.8 * wide, 0.75 * top), (wide, -0.1), (1.05 * wide, length), (0.4 * wide, length)]
            self.fill(smooth([*curtain, *[(-x, y) for x, y in curtain[:0:-1]]]), self.inks.darken(self.inks.hair, 0.2))
        neck = 0.62 * body.jaw
        shadow = self.inks.darken(self.inks.skin, 0.16)
        self.fill(np.array([(-neck, 0.4), (neck, 0.4), (neck, 1.6), (-neck, 1.6)]), shadow)
        low = body.chin + 0.36
        shoulders = [(-2.4, 4.0), (-1.6, low + 0.42), (-neck, low), (0.0, low + 0.16), (neck, low), (1.6, low + 0.42)]
        self.fill(np.array([*shoulders, (2.4, 4.0)]), self.inks.cloth)
        if haircut == "curly":
            for angle in np.linspace(0.86 * np.pi, 2.14 * np.pi, 13):
                x, y = (body.width + 0.1) * np.cos(angle), 0.05 + (0.1 - body.skull) * np.sin(angle)
                self.fill(oval(x, y, 0.25, 0.25), self.inks.darken(self.inks.hair, 0.12))

    def _hair(self) -> None:
        """Draw the hair on top."""
        body, haircut = self.anatomy, self.anatomy.identity.haircut
        if haircut == "bald":
            return
        side, top = body.width + 0.03, body.skull
        line = {"short": 0.66, "parted": 0.62, "long": 0.72, "curly": 0.64, "bob": 0.5}[haircut] * top
        rise = {"short": 0.1, "parted": 0.2, "long": 0.14, "curly": 0.22, "bob": 0.16}[haircut]
        temple = -0.12 if haircut in ("long", "bob") else -0.3
        outer = [(side, temple), (1.0 * side, 0.6 * top), (0.6 * side, 0.93 * top - rise), (0.0, top - rise)]
        outer += [(-x, y) for x, y in outer[2::-1]]
        inner = [(-0.88 * side, temple), (-0.74 * side, 0.86 * line)]
        inner += [(0.42 * side, 0.98 * line)] if haircut == "parted" else [(0.0, 1.06 * line)]
        inner += [(0.74 * side, 0.86 * line), (0.88 * side, temple)]
        self.fill(self.anatomy.turn(smooth([*outer, *inner]), 0.05), self.inks.hair)
        if haircut == "curly":
            for x in np.linspace(-0.75, 0.75, 7):
                place = self.anatomy.turn([(x * side, top * (1.02 - 0.35 * x * x) + 0.06)], 0.1)[0]
                self.fill(oval(place[0], place[1], 0.19, 0.19), self.inks.hair)

    def _beard(self) -> None:
        body, beard = self.anatomy, self.anatomy.identity.beard
        color = mix(self.inks.hair, self.inks.skin, 0.15)
        low, high = body.chin, body.mouth_height
        if beard == "full":
            ring = [
                (0.98 * body.width, 0.1),
                (0.98 * body.jaw, 0.68 * low),
                (0.46 * body.jaw, 0.97 * low),
                (0, low + 0.05),
            ]
            inner = [(0.76 * body.width, 0.3), (1.35 * body.mouth_width, high - 0.16), (0.0, high - 0.13)]
            shape = [*ring, *[(-x, y) for x, y in ring[2::-1]], *[(-x, y) for x, y in inner], *inner[1::-1]]
            self.fill(self.anatomy.turn(smooth(shape), 0.1), color, line=False)
        elif beard == "goatee":
            shape = [
                (0.17, high + 0.14),
                (0.19, low - 0.06),
                (0.0, low + 0.08),
                (-0.19, low - 0.06),
                (-0.17, high + 0.14),
            ]
            self.fill(self.anatomy.turn(smooth(shape), 0.3), color, line=False)

    def _eye(self, side: int) -> None:
        body, inks = self.anatomy, self.inks
        self.fill(body.eye(side), mix((250, 250, 246), inks.skin, 0.06))
        self.fill(body.iris(side), inks.eyes, line=False)
        self.fill(body.iris(side, 0.5), (14, 12, 12), line=False)
        self.stroke(body.lid(side), 1.5)
        self.fill(body.brow(side), mix(inks.hair, (30, 20, 16), 0.4), line=False)

    def _nose(self) -> None:
        body, inks = self.anatomy, self.inks
        shade = inks.darken(inks.skin, 0.1)
        bridge, wings = body.bridge(), body.nose()
        mirrored = bridge * [-1, 1]
        mirrored[:, 0] += 2 * 0.55 * np.sin(body.expression.yaw)
        self.fill(np.concatenate([mirrored, wings, bridge[::-1]]), shade, line=False)
        self.stroke(wings, 1.1)
        self.stroke(bridge[4:], 0.7)

    def _mouth(self) -> None:
        body, inks = self.anatomy, self.inks
        if body.identity.beard in ("moustache", "full"):
            tip, high = body.nose_tip, body.mouth_height
            half = 1.15 * body.mouth_width
            shape = [(0.0, tip + 0.08), (0.6 * half, tip + 0.11), (half, high + 0.02), (0.0, high - 0.05)]
            shape += [(-half, high + 0.02), (-0.6 * half, tip + 0.11)]
            self.fill(body.turn(smooth(shape), 0.45), inks.hair)
        lips, inside = body.mouth()
        self.fill(lips, inks.lips)
        self.fill(inside, (60, 14, 18), line=False)

    def _glasses(self) -> None:
        body = self.anatomy
        frame = (24, 24, 30)
        radius = 1.5 * body.eye_size + 0.05
        for side in (-1, 1):
            ring = body.turn(oval(side * body.eye_gap, -0.1, radius, 0.9 * radius), 0.42)
            self.stroke(np.concatenate([ring, ring[:2]]), 2.0 * 0.03 / self.inks.width, frame)
        inner = body.eye_gap - radius
        self.stroke(body.turn([(-inner, -0.12), (inner, -0.12)], 0.42), 2.0 * 0.03 / self.inks.width, frame)


def mix(color: Sequence[int], other: Sequence[int], share: float) -> Color:
    """Mix two colors; ``share`` is the fraction of the second."""
    red, green, blue = (round((1 - share) * one + share * two) for one, two in zip(color, other, strict=True))
    return red, green, blue
