"""Masks of a folder: images of any size that are put over other images."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restore.core.errors import DataError
from restore.core.images.files import image_size
from restore.core.images.listing import has_images, list_images, require_folder
from restore.plugins.common.masks.reading import read_mask, resize_mask
from restore.plugins.common.masks.settings import Polarity

_log = logging.getLogger(__name__)

INVERTED = 2 / 3
"""Mean share of the holes from which on black and white are taken to be mixed up."""
_MEMORY = 2**28
"""Bytes of decoded masks that are kept, a bit for each pixel."""
_LOOKED_AT = 32
"""Masks whose shares are measured for that."""


class MaskFolder:
    """The masks of a folder and of its sub-folders, in a fixed order."""

    def __init__(self, folder: Path, polarity: Polarity = "white-hole") -> None:
        """Look at the start of every file, and at some of the masks, to warn of a set that looks inverted or empty.

        Raises UsageError for a folder that is missing or has no images, DataError naming a file that is none.
        """
        self.files = mask_files(folder)
        self._polarity = polarity
        self._kept: dict[int, tuple[NDArray[np.uint8], int, int]] = {}
        self._kept_bytes = 0
        self._told = False
        for path in self.files:
            image_size(path)
        warn_if_odd(folder, tuple(self.files), polarity)

    def __len__(self) -> int:
        return len(self.files)

    def fitted(self, index: int, height: int, width: int) -> Tensor:
        """A mask (1, height, width), resized to the nearest pixel.

        In place of one that leaves nothing known the next is given; a warning names the first of these. Raises
        DataError where none leaves anything.
        """
        for place in (*range(index, len(self)), *range(index)):
            mask = resize_mask(self._decoded(place), height, width).float()
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

    def _decoded(self, index: int) -> Tensor:
        """A mask (1, H, W) of any dtype; decoding takes longer than all the rest, so that its bits are kept."""
        if index in self._kept:
            bits, height, width = self._kept[index]
            levels = np.unpackbits(bits, count=height * width).reshape(1, height, width)
            return torch.from_numpy(levels)
        mask = read_mask(self.files[index], self._polarity)
        bits = np.packbits(mask.numpy().astype(np.uint8))
        if self._kept_bytes + bits.nbytes <= _MEMORY:
            self._kept[index] = bits, mask.shape[-2], mask.shape[-1]
            self._kept_bytes += bits.nbytes
        return mask

    def __getstate__(self) -> dict[str, object]:
        # A process that loads data decodes for itself: sending what another has decoded would cost more than it saves.
        return {**self.__dict__, "_kept": {}, "_kept_bytes": 0}


def mask_files(folder: Path) -> list[Path]:
    """Image files of a folder and its sub-folders. Raises UsageError when there are none or no such folder."""
    require_folder(folder)
    inner = sorted(path for path in folder.rglob("*") if path.is_dir() and not _is_hidden(path.relative_to(folder)))
    files: list[Path] = []
    for place in (folder, *inner):
        if has_images(place):
            files += list_images(place)
    return files or list_images(folder)  # which says why there are none


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


@cache  # once a process is enough, however many datasets are made of a folder
def warn_if_odd(folder: Path, files: tuple[Path, ...], polarity: Polarity) -> None:
    """Log one warning if the holes of masks from a folder cover most of their images, or if there are none."""
    chosen = files[:: max(1, len(files) // _LOOKED_AT)]
    mean = float(torch.stack([read_mask(path, polarity).mean() for path in chosen]).mean())
    if mean == 0:
        _log.warning(
            "%s: the masks contain no hole (for example %s); %s marks the hole unless you set --mask-polarity %s",
            folder,
            chosen[0].name,
            polarity.partition("-")[0],
            opposite(polarity),
        )
    if mean > INVERTED:
        _log.warning(
            "%s: the masks cover %.0f %% of the images on average; if the other color marks the hole, set "
            "--mask-polarity %s",
            folder,
            100 * mean,
            opposite(polarity),
        )


def opposite(polarity: Polarity) -> Polarity:
    """The other meaning of black and white."""
    return "black-hole" if polarity == "white-hole" else "white-hole"
