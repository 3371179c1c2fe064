"""Results of methods, as folders of small images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def draw(path: Path, seed: int, size: tuple[int, int] = (48, 36)) -> Path:
    """Write an image of noise; ``size`` is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(256, size=(size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return path


@pytest.fixture
def results(tmp_path: Path) -> Callable[..., list[str]]:
    """Make folders with results of methods and a reference; return the arguments that name them."""

    def make(methods: tuple[str, ...] = ("bicubic", "gan"), images: tuple[str, ...] = ("a", "b", "c")) -> list[str]:
        for number, method in enumerate((*methods, "hr")):
            for index, image in enumerate(images):
                draw(tmp_path / method / f"{image}.png", 100 * number + index)
        inputs = [word for method in methods for word in ("--inputs", str(tmp_path / method))]
        return [*inputs, "--reference", str(tmp_path / "hr")]

    return make
