"""The parts of a face as curves in the plane.

Coordinates are (x, y) with y downwards. The origin lies between eyes and nose; half a head is about 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restore.plugins.warpgan.synthetic_faces.identities import Identity

Points = NDArray[np.float64]
"""Points (N, 2)."""


@dataclass(frozen=True)
class Expression:
    """What changes between images of a person."""

    smile: float = 0.2
    """Corners of the mouth: -1 down, 1 up."""
    open: float = 0.0
    """How far the mouth is open, 0 to 1."""
    brows: float = 0.0
    """How far the brows are raised, -1 to 1."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Where the eyes look, -1 to 1 across and down."""
    yaw: float = 0.0
    """Turn of the head to the side, in radians."""


class Anatomy:
    """The curves of a person's face with one expression."""

    def __init__(self, identity: Identity, expression: Expression) -> None:
        self.identity, self.expression = identity, expression
        trait = identity.traits
        self.width = 0.74 * (1 + 0.14 * trait["width"])
        self.jaw = self.width * (0.74 + 0.13 * trait["jaw"])
        self.chin = 1.02 + 0.13 * trait["chin"]
        self.skull = -1.04 - 0.12 * trait["skull"]
        self.eye_size = 0.135 * (1 + 0.28 * trait["eye_size"])
        self.eye_gap = 0.33 * (1 + 0.13 * trait["eye_gap"])
        self.nose_tip = 0.26 + 0.11 * trait["nose_length"]
        self.nose_width = 0.15 * (1 + 0.34 * trait["nose_width"])
        self.mouth_height = 0.5 * (self.nose_tip + self.chin) - 0.03
        self.mouth_width = 0.27 * (1 + 0.28 * trait["mouth_width"])
        self.lips = 0.065 * (1 + 0.36 * trait["lips"])
        self.ears = 0.17 * (1 + 0.36 * trait["ears"])

    def turn(self, points: Points | Sequence[tuple[float, float]], depth: float) -> Points:
        """Return points of a part that stands out from the head by ``depth``, as seen when the head is turned."""
        moved = np.array(points, float)
        yaw = self.expression.yaw
        moved[:, 0] = moved[:, 0] * np.cos(yaw) + depth * np.sin(yaw)
        return moved

    def outline(self, grow: float = 0.0) -> Points:
        """Return the outline of the face, or a curve around it at a distance."""
        side, jaw, chin, skull = self.width + grow, self.jaw + grow, self.chin + grow, self.skull - grow
        right = [(0.55 * side, 0.88 * skull), (0.92 * side, 0.5 * skull), (side, 0.0), (0.97 * side, 0.3 * chin)]
        right += [(jaw, 0.68 * chin), (0.45 * jaw, 0.95 * chin)]
        left = [(-x, y) for x, y in reversed(right)]
        return self.turn(smooth([(0.0, skull), *right, (0.0, chin), *left]), 0.0)

    def ear(self, side: int) -> Points:
        """Return an ear; side -1 is the left of the image."""
        return self.turn(oval(side * (self.width + 0.3 * self.ears), 0.02, 0.62 * self.ears, 1.25 * self.ears), -0.15)

    def eye(self, side: int) -> Points:
        """Return the eyeball between the lids."""
        return self.turn(self._tilt(side, oval(0, 0, self.eye_size, 0.62 * self.eye_size, 1.3)), 0.35)

    def eye_corners(self, side: int) -> Points:
        """Return the left and the right corner of an eye (2, 2)."""
        return self.turn(self._tilt(side, np.array([[-self.eye_size, 0.0], [self.eye_size, 0.0]])), 0.35)

    def iris(self, side: int, share: float = 1.0) -> Points:
        """Return the iris of an eye, or with a smaller share the pupil."""
        across, down = self.expression.gaze
        center = 0.35 * self.eye_size * across, 0.18 * self.eye_size * down
        radius = 0.5 * self.eye_size * share
        return self.turn(self._tilt(side, oval(*center, radius, radius)), 0.35)

    def lid(self, side: int) -> Points:
        """Return the upper lid, an open curve."""
        angles = np.linspace(np.pi, 2 * np.pi, 16)
        curve = np.stack([1.08 * self.eye_size * np.cos(angles), 0.68 * self.eye_size * np.sin(angles)], axis=1)
        return self.turn(self._tilt(side, curve), 0.36)

    def brow(self, side: int) -> Points:
        """Return an eyebrow."""
        trait = self.identity.traits
        half, thick = 0.19, 0.038 * (1 + 0.36 * trait["brow_weight"])
        height = -0.12 - 0.7 * self.eye_size - 0.13 - 0.05 * self.expression.brows
        along = np.linspace(-1, 1, 12)
        arch = height - 0.04 * (1 - along**2) + side * 0.05 * trait["brow_tilt"] * along
        taper = thick * (1 - 0.5 * np.clip(side * along, 0, 1))
        upper, lower = np.stack([half * along, arch - taper], 1), np.stack([half * along, arch + taper], 1)
        shape = np.concatenate([upper, lower[::-1]])
        return self.turn(shape + np.array([side * self.eye_gap, 0]), 0.38)

    def nose(self) -> Points:
        """Return the lower end of the nose (nostril, tip, nostril), an open curve."""
        wing, tip = self.nose_width, self.nose_tip
        curve = [(-0.7 * wing, tip - 0.14), (-wing, tip - 0.03), (-0.55 * wing, tip + 0.05), (0.0, tip + 0.06)]
        return self.turn(smooth([*curve, *[(-x, y) for x, y in curve[-2::-1]]], closed=False), 0.6)

    def bridge(self) -> Points:
        """Return one side of the nose, from the brow to the nostril, an open curve."""
        wing, tip = self.nose_width, self.nose_tip
        return self.turn(smooth([(0.07, -0.14), (0.06, 0.3 * tip), (0.72 * wing, tip - 0.12)], closed=False), 0.55)

    def nose_tip_place(self) -> Points:
        """Return the tip of the nose (1, 2)."""
        return self.turn([(0.0, self.nose_tip)], 0.6)

    def mouth(self) -> tuple[Points, Points]:
        """Return the outline of both lips, and the opening between them."""
        along = np.linspace(-1, 1, 24)
        smile = -0.09 * self.expression.smile * along**2
        gap = 0.12 * self.expression.open * (1 - along**2)
        bow = 1 - along**2
        upper = self.mouth_height + smile - self.lips * bow * (0.8 - 0.35 * np.exp(-((along / 0.16) ** 2)))
        lower = self.mouth_height + smile + gap + 1.1 * self.lips * bow
        return tuple(
            self.turn(_close(self.mouth_width * along, above, below), 0.4)
            for above, below in (
                (upper, lower),
                (self.mouth_height + smile - 0.008, self.mouth_height + smile + gap + 0.012 * bow),
            )
        )  # type: ignore[return-value]

    def mouth_corners(self) -> Points:
        """Return the left and the right corner of the mouth (2, 2)."""
        height = self.mouth_height - 0.09 * self.expression.smile
        return self.turn([(-self.mouth_width, height), (self.mouth_width, height)], 0.4)

    def landmarks(self) -> Points:
        """Return the centers of the left and the right eye, the tip of the nose and the corners of the mouth, (5,
        2)."""
        eyes = [self.eye_corners(side).mean(0, keepdims=True) for side in (-1, 1)]
        return np.concatenate([*eyes, self.nose_tip_place(), self.mouth_corners()])

    def _tilt(self, side: int, points: Points) -> Points:
        angle = side * 0.16 * self.identity.traits["eye_tilt"]
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return np.asarray(points @ turn + [side * self.eye_gap, -0.12])


def _close(across: Points, above: Points, below: Points) -> Points:
    return np.concatenate([np.stack([across, above], 1), np.stack([across, below], 1)[::-1]])


def oval(x: float, y: float, across: float, down: float, pointed: float = 1.0) -> Points:
    """Return an ellipse; ``pointed`` above 1 gives it corners at the left and the right."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    sine = np.sin(angles)
    return np.stack([x + across * np.cos(angles), y + down * np.sign(sine) * np.abs(sine) ** pointed], axis=1)


def smooth(corners: Sequence[tuple[float, float]], closed: bool = True, steps: int = 8) -> Points:
    """Return a Catmull-Rom curve through corners."""
    points = np.array(corners, float)
    ring = (
        np.concatenate([points[-1:], points, points[:2]])
        if closed
        else np.concatenate([points[:1], points, points[-1:]])
    )
    share = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for before, start, end, after in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        bend = 2 * before - 5 * start + 4 * end - after
        turn = 3 * (start - end) + after - before
        parts.append(start + 0.5 * share * (end - before + share * (bend + share * turn)))
    return np.concatenate(parts if closed else [*parts, points[-1:]])
