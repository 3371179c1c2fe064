"""Synthetic people: the traits of their faces, and how a caricature exaggerates them.

Traits are distances from the mean face. A caricature multiplies them: a long nose gets longer, small eyes get smaller.
The sample has that in common with real caricatures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

TRAITS = (
    "width",
    "jaw",
    "chin",
    "skull",
    "eye_size",
    "eye_gap",
    "eye_tilt",
    "brow_weight",
    "brow_tilt",
    "nose_length",
    "nose_width",
    "mouth_width",
    "lips",
    "ears",
)
"""Traits of a face; each is 0 in the mean face and mostly between -1 and 1."""

LARGEST = 2.6
"""Limit of exaggerated traits; beyond it eyes would leave the face."""

Color = tuple[int, int, int]

SKINS: tuple[Color, ...] = ((246, 214, 190), (229, 184, 150), (198, 144, 106), (150, 98, 66), (102, 66, 46))
HAIRS: tuple[Color, ...] = (
    (36, 28, 26),
    (92, 58, 34),
    (168, 112, 52),
    (222, 190, 118),
    (150, 62, 32),
    (168, 166, 164),
)
EYES: tuple[Color, ...] = ((70, 44, 28), (64, 96, 130), (74, 104, 66), (96, 90, 84))
HAIRCUTS = ("bald", "short", "parted", "long", "curly", "bob")
BEARDS = ("none", "none", "moustache", "full", "goatee")


@dataclass(frozen=True)
class Identity:
    """What makes a person recognizable."""

    traits: dict[str, float] = field(hash=False)
    skin: Color
    hair: Color
    eyes: Color
    haircut: str
    beard: str
    glasses: bool

    def exaggerate(self, factor: float) -> Identity:
        """Return the person with every distance from the mean face multiplied by ``factor``."""
        stretched = {name: float(np.clip(factor * value, -LARGEST, LARGEST)) for name, value in self.traits.items()}
        return replace(self, traits=stretched)


def identities(count: int, seed: int) -> list[Identity]:
    """Return ``count`` people who differ in most traits; the first ones do not depend on ``count``."""
    return [_draw(np.random.default_rng([seed, number]), number) for number in range(count)]


def _draw(random: Generator, number: int) -> Identity:
    # The square root moves traits away from zero, so that nobody is average.
    signs = random.choice([-1.0, 1.0], len(TRAITS))
    traits = dict(zip(TRAITS, (signs * np.sqrt(random.uniform(0.02, 1, len(TRAITS)))).tolist(), strict=True))
    haircut = HAIRCUTS[(number + int(random.integers(2))) % len(HAIRCUTS)]
    beard = "none" if haircut in ("long", "bob") else BEARDS[int(random.integers(len(BEARDS)))]
    return Identity(
        traits,
        SKINS[(2 * number + int(random.integers(2))) % len(SKINS)],
        HAIRS[int(random.integers(len(HAIRS)))],
        EYES[int(random.integers(len(EYES)))],
        haircut,
        beard,
        glasses=bool(random.random() < 0.3),
    )
