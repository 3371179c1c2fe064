"""Files of images and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def image(path: Path, size: tuple[int, int] = (12, 16), seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(levels).save(path)


def mask(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


def square(value: int = 255, size: tuple[int, int] = (12, 16), top: int = 2) -> np.ndarray:
    values = np.zeros(size, np.uint8)
    values[top : top + 4, 3:9] = value
    return values
