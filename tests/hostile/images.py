"""Folders of damaged images: one message for each file that cannot be used, results of all others."""

from __future__ import annotations

import random
import re
from functools import partial
from pathlib import Path

from hostile.commands import check_in, leftovers, run
from hostile.image_lies import odd_image, plant_png_bomb
from hostile.image_seeds import seeds
from PIL import Image

BATCH = 20
"""Files in a folder, before a sound one."""
_SUMMARY = re.compile(r"images written to|images could not be processed|pixels, \d+ tiles, about")
_BOMBS = 0.004  # of all files


def check_images(numbers: range, seed: int, folder: Path) -> list[str]:
    """Make damaged images, put each `BATCH` of them through ``restore predict``, and return what was wrong.

    Args:
        numbers: the files to make; each depends on its number and the seed alone.
        seed: another seed makes other files.
        folder: place for files; those of a batch in which something was wrong stay.
    """
    problems = []
    for first in range(numbers.start, numbers.stop, BATCH):
        batch = range(first, min(first + BATCH, numbers.stop))
        problems += check_in(folder / f"images-{seed}-{first}", partial(_check_batch, numbers=batch, seed=seed))
    return problems


def make_image(number: int, seed: int) -> tuple[str, bytes]:
    """Return suffix and content of a damaged image."""
    rng = random.Random(f"image {seed} {number}")
    if rng.random() < _BOMBS:
        return "png", plant_png_bomb(seeds()[0][1], rng)
    return odd_image(rng)


def _check_batch(batch: Path, numbers: range, seed: int) -> list[str]:
    for number in numbers:
        suffix, data = make_image(number, seed)
        (batch / f"{number:05}.{suffix}").write_bytes(data)
    (batch / "sound.png").write_bytes(seeds()[0][1])
    output = batch / "out"
    outcome = run(["predict", "nearest", batch, "--scale", "1", "--output", output])
    problems = list(outcome.problems)
    lines = outcome.err.splitlines()
    paths = sorted(path for path in batch.iterdir() if path.is_file())
    for path in paths:
        errors = [line for line in lines if line.startswith(f"Error: {path}")]
        result = output / f"{path.stem}.png"
        if len(errors) > 1:
            problems.append(f"{path.name} has {len(errors)} errors")
        if not errors and not result.is_file() and outcome.status in (0, 1):
            problems.append(f"{path.name} has neither a result nor an error")
        if errors and result.exists():
            problems.append(f"{path.name} has a result and an error")
    about = tuple(f"{kind}: {path}" for kind in ("Error", "Warning") for path in paths)
    if stray := [line for line in lines if not line.startswith(about) and not _SUMMARY.search(line)]:
        problems.append(f"says {stray[:3]}")
    for result in output.glob("*"):
        try:
            with Image.open(result) as image:
                image.load()
        except Exception as error:  # noqa: BLE001 - Pillow raises anything
            problems.append(f"{result.name} cannot be opened: {error}")
    return problems + [f"left {name}" for name in leftovers(batch)]
