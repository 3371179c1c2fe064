"""Photographs that ship in the scikit-image wheel, for training without a download.

They are split by scene, so that validation shows no scene of training: the two views of the motorcycle are one scene.
Validation has three color photographs (an animal, a still life, a rocket); training has all others, including gray
textures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from torch import Tensor

from restore.core.errors import DataError
from restore.core.images.files import read_image
from restore.core.images.pixels import to_uint8

SCENES: Mapping[str, tuple[str, ...]] = {
    "train": (
        "astronaut.png",
        "motorcycle_left.png",
        "motorcycle_right.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "retina.jpg",
        "brick.png",
        "camera.png",
        "coins.png",
        "grass.png",
        "gravel.png",
        "moon.png",
    ),
    "validation": ("chelsea.png", "coffee.png", "rocket.jpg"),
}
"""Files by split."""


class Photographs:
    """Photographs in memory; an `ImageSource`."""

    in_memory = True

    def __init__(self, files: Sequence[str], largest: int | None = None) -> None:
        """Read photographs by file name; larger ones are cropped to their center ``largest`` x ``largest`` pixels."""
        self._names = [file.partition(".")[0] for file in files]
        read = [_read(file) for file in files]
        self._gray = [gray for _, gray in read]
        self._images = [_middle(image, largest) for image, _ in read]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Tensor:
        return self._images[index]

    def size(self, index: int) -> tuple[int, int]:
        """Return height and width."""
        height, width = self._images[index].shape[-2:]
        return height, width

    def gray(self, index: int) -> bool:
        """Return whether the photograph is gray."""
        return self._gray[index]

    def name(self, index: int) -> str:
        """Return the photograph's name, such as ``astronaut``."""
        return self._names[index]


def photographs(split: Literal["train", "validation"], largest: int | None = None) -> Photographs:
    """Return the photographs of a split.

    Without ``largest``, training images are whole. Validation images are cropped to their center 256 x 256 pixels, so
    that an evaluation takes a second or two on a small machine.
    """
    if largest is None and split == "validation":
        largest = 256
    return Photographs(SCENES[split], largest)


@lru_cache(maxsize=32)
def _read(file: str) -> tuple[Tensor, bool]:
    """Read a photograph as (3, H, W) uint8, and whether it is gray."""
    package = find_spec("skimage")  # not imported, because its data module may start a download
    path = Path(package.origin).parent / "data" / file if package is not None and package.origin else Path(file)
    if not path.is_file():
        raise DataError(
            f"{path}: the sample photographs of scikit-image are missing; install scikit-image from its wheel"
        )
    image = read_image(path)
    return to_uint8(image.color), image.gray


def _middle(image: Tensor, largest: int | None) -> Tensor:
    height, width = image.shape[-2:]
    rows, columns = min(height, largest or height), min(width, largest or width)
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[:, top : top + rows, left : left + columns].contiguous()
