"""Draw every kind of mask at three coverages, and measure how long each takes.

python benchmarks/mask_kinds.py docs/masks.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from restore.plugins.common.masks.generators import draw_mask
from restore.plugins.common.masks.settings import KINDS, MaskKind

COVERAGES = (0.1, 0.25, 0.45)
SIDE = 256
SHOWN = 160
GAP, LINE = 8, 16
TIMED = 100


def image(kind: MaskKind, coverage: float) -> Image.Image:
    """Draw one mask, downscaled so that its edges are smooth."""
    mask = draw_mask(kind, SIDE, SIDE, coverage, torch.Generator().manual_seed(round(1000 * coverage)))
    return Image.fromarray((mask[0] * 255).byte().numpy()).resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)


def sheet() -> Image.Image:
    """Return a sheet with a column per kind and a row per coverage."""
    step = SHOWN + GAP
    drawn = Image.new("L", (GAP + step * len(KINDS), LINE + step * len(COVERAGES) + GAP), 128)
    pen = ImageDraw.Draw(drawn)
    for column, kind in enumerate(KINDS):
        pen.text((GAP + column * step, 3), kind, fill=255)
        for row, coverage in enumerate(COVERAGES):
            drawn.paste(image(kind, coverage), (GAP + column * step, LINE + GAP // 2 + row * step))
    return drawn


def milliseconds(kind: MaskKind) -> float:
    """Return the mean CPU time of one mask, over coverages from 10 to 40 percent."""
    begun = time.process_time()
    for seed in range(TIMED):
        draw_mask(kind, SIDE, SIDE, 0.1 + 0.3 * seed / TIMED, torch.Generator().manual_seed(seed))
    return 1000 * (time.process_time() - begun) / TIMED


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("output", type=Path)
    torch.set_num_threads(1)
    sheet().save(arguments.parse_args().output, optimize=True)
    for kind in KINDS:
        print(f"{kind}: {milliseconds(kind):.1f} ms for {SIDE}x{SIDE}")


if __name__ == "__main__":
    main()
