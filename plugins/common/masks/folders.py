"""Folders of masks that are used with other images."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restore.core.errors import DataError
from restore.core.images.files import image_size, read_image
from restore.core.images.listing import has_images, list_images, require_folder
from restore.plugins.common.masks.reading import folder_white, read_mask, resize_mask
from restore.plugins.common.masks.settings import Polarity

_log = logging.getLogger(__name__)

INVERTED = 2 / 3
"""Mean coverage above which masks are taken for inverted."""
_MEMORY = 2**28
"""Bytes of decoded masks that are kept, one bit per pixel."""
_LOOKED_AT = 32
"""Number of masks whose coverage is measured for the warning."""


class MaskFolder:
    """The masks of a folder and of its subfolders, in a fixed order."""

    def __init__(self, folder: Path, polarity: Polarity = "white-hole") -> None:
        """Check every file, and warn if some of the masks look inverted or empty.

        Raises UsageError if the folder does not exist or has no images, DataError for a file that is not an image.
        """
        self.files = mask_files(folder)
        self._polarity = polarity
        self._kept: dict[int, tuple[NDArray[np.uint8], int, int]] = {}
        self._kept_bytes = 0
        self._told = False
        for path in self.files:
            image_size(path)
        self._white = folder_white(self.files)
        warn_if_odd(folder, tuple(self.files), polarity)

    def __len__(self) -> int:
        return len(self.files)

    def read_resized(self, index: int, height: int, width: int) -> Tensor:
        """Return a mask (1, height, width), resized with nearest-neighbor interpolation.

        A mask that covers the whole image is replaced by the next one; a warning names the first of them. Raises
        DataError if all masks cover the whole image.
        """
        for place in (*range(index, len(self)), *range(index)):
            mask = resize_mask(self._decode(place), height, width).float()
            if bool(mask.all()):
                continue
            if place != index and not self._told:
                self._told = True
                _log.warning(
                    "%s: the mask covers the whole image; this mask and others like it are skipped",
                    self.files[index],
                )
            return mask
        raise DataError(
            f"{self.files[index]}: this mask and all others cover the whole image; remove them, or set "
            f"--mask-polarity {opposite(self._polarity)} if the other color marks the hole"
        )

    def _decode(self, index: int) -> Tensor:
        """Return a mask (1, H, W) of any dtype. Decoding is slow, so its bits are kept."""
        if index in self._kept:
            bits, height, width = self._kept[index]
            levels = np.unpackbits(bits, count=height * width).reshape(1, height, width)
            return torch.from_numpy(levels)
        mask = read_mask(self.files[index], self._polarity, self._white)
        bits = np.packbits(mask.numpy().astype(np.uint8))
        if self._kept_bytes + bits.nbytes <= _MEMORY:
            self._kept[index] = bits, mask.shape[-2], mask.shape[-1]
            self._kept_bytes += bits.nbytes
        return mask

    def __getstate__(self) -> dict[str, object]:
        # Worker processes decode for themselves: sending decoded masks costs more than it saves.
        return {**self.__dict__, "_kept": {}, "_kept_bytes": 0}


def mask_files(folder: Path) -> list[Path]:
    """Return the image files of a folder and its subfolders. Raises UsageError if there are none or no such folder."""
    require_folder(folder)
    inner = sorted(path for path in folder.rglob("*") if path.is_dir() and not _is_hidden(path.relative_to(folder)))
    files: list[Path] = []
    for place in (folder, *inner):
        if has_images(place):
            files += list_images(place, parts=True)
    return files or list_images(folder)  # its error says why there are none


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


@cache  # once per process
def warn_if_odd(folder: Path, files: tuple[Path, ...], polarity: Polarity) -> None:
    """Log a warning if the masks of a folder cover most of their images, or if they have no holes."""
    chosen = files[:: max(1, len(files) // _LOOKED_AT)]
    white = folder_white(files)
    mean = float(torch.stack([read_mask(path, polarity, white).mean() for path in chosen]).mean())
    if mean == 0:
        _log.warning(
            "%s: the masks contain no hole (for example %s)%s",
            folder,
            chosen[0].name,
            why_no_hole(chosen[0], polarity),
        )
    if mean > INVERTED:
        _log.warning(
            "%s: the masks cover %.0f %% of the images on average; if the other color marks the hole, set "
            "--mask-polarity %s",
            folder,
            100 * mean,
            opposite(polarity),
        )


def why_no_hole(path: Path, polarity: Polarity) -> str:
    """Return the end of a warning about a mask without holes: what is visible of it, and the option that helps."""
    image = read_image(path)
    visible = torch.ones_like(image.color[:1]) if image.alpha is None else (image.alpha >= 0.5).float()
    marking = polarity.partition("-")[0]
    advice = f"{marking} marks the hole unless you set --mask-polarity {opposite(polarity)}"
    if image.alpha is None or not bool(visible.any()):
        return f"; {advice}"
    return f": all that is visible of it is {'black' if marking == 'white' else 'white'}, and {advice}"


def opposite(polarity: Polarity) -> Polarity:
    """Return the opposite polarity."""
    return "black-hole" if polarity == "white-hole" else "white-hole"
