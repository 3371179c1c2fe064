"""Draw every preset of degradations on one photograph, and measure how many patches a second each makes.

python benchmarks/degradations.py docs/degradations.png

The photograph is scikit-image's astronaut (NASA, public domain).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import get_args

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from restore.core.seeding import seeded
from restore.plugins.common.degradation.pipeline import Degradation
from restore.plugins.common.degradation.presets import Preset
from restore.plugins.common.degradation.settings import DegradationSettings
from restore.plugins.common.images.samples import Photographs, photographs
from restore.plugins.common.super_resolution.dataset import CroppedPairs

PRESETS: tuple[Preset, ...] = tuple(preset for preset in get_args(Preset) if preset != "none")
DRAWS = 4
PLACE = (60, 160)
"""Top and left of the part that is shown."""
SIDE = 112
GAP, LINE = 6, 16
CROP, SCALE = 192, 4
SECONDS = 5.0


def draw(preset: Preset, seed: int, image: Tensor) -> Image.Image:
    """Return a part of a photograph, degraded at its own size."""
    with seeded(seed):
        degraded = Degradation(DegradationSettings(preset=preset))(image)
    return Image.fromarray(degraded.permute(1, 2, 0).numpy())


def sheet() -> Image.Image:
    """Return a sheet with a row per preset: the good image, then several draws."""
    top, left = PLACE
    part = Photographs(["astronaut.png"])[0][:, top : top + SIDE, left : left + SIDE]
    step = SIDE + GAP
    drawn = Image.new("RGB", (GAP + step * (1 + DRAWS), (LINE + step) * len(PRESETS) + GAP), "gray")
    pen = ImageDraw.Draw(drawn)
    for row, preset in enumerate(PRESETS):
        above = row * (LINE + step)
        shown = [Image.fromarray(part.permute(1, 2, 0).numpy()), *(draw(preset, seed, part) for seed in range(DRAWS))]
        for column, image in enumerate(shown):
            pen.text((GAP + column * step, above + 3), preset if column else "good image", fill="white")
            drawn.paste(image, (GAP + column * step, above + LINE))
    return drawn.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def patches_a_second(preset: Preset | None) -> float:
    """Return how many training samples are made in a second of CPU time; None: bicubic alone."""
    degradation = None if preset is None else Degradation(DegradationSettings(preset=preset), SCALE)
    pairs = CroppedPairs(photographs("train"), SCALE, CROP, degradation=degradation)
    torch.manual_seed(0)
    made, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < SECONDS:
        pairs[made % len(pairs)]
        made += 1
    return made / spent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("output", type=Path)
    torch.set_num_threads(1)
    sheet().save(arguments.parse_args().output, optimize=True)
    for preset in (None, *PRESETS):
        print(f"{preset or 'bicubic'}: {patches_a_second(preset):.0f} patches of {CROP}x{CROP} a second of one core")


if __name__ == "__main__":
    main()
