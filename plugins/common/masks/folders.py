"""Masks of a folder: pictures of any size that are put over other pictures."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.pictures.files import picture_size
from restore.core.pictures.listing import SUFFIXES, list_pictures
from restore.plugins.common.masks.reading import read_mask, resized_mask
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
        """Look at the start of every file, and at some of the masks, to warn of a set that looks inverted.

        Raises UsageError for a folder that is missing or has no pictures, DataError naming a file that is none.
        """
        self.files = mask_files(folder)
        self._polarity = polarity
        self._kept: dict[int, tuple[NDArray[np.uint8], int, int]] = {}
        self._kept_bytes = 0
        for path in self.files:
            picture_size(path)
        warn_if_inverted(folder, polarity)

    def __len__(self) -> int:
        return len(self.files)

    def fitted(self, index: int, height: int, width: int) -> Tensor:
        """A mask (1, height, width), resized to the nearest pixel. Raises DataError when it leaves nothing known."""
        mask = resized_mask(self._decoded(index), height, width).float()
        if bool(mask.all()):
            raise DataError(
                f"{self.files[index]}: the hole covers the whole picture; leave the mask out, or give --mask-polarity "
                f"{opposite(self._polarity)} if the other colour marks the hole"
            )
        return mask

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
    """Picture files of a folder and its sub-folders. Raises UsageError when there are none or no such folder."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: {'is a file, not a folder of masks' if folder.exists() else 'no such folder'}")
    inner = sorted(path for path in folder.rglob("*") if path.is_dir() and not path.name.startswith("."))
    files: list[Path] = []
    for place in (folder, *inner):
        if any(path.suffix.lower() in SUFFIXES and not path.name.startswith(".") for path in place.iterdir()):
            files += list_pictures(place)
    return files or list_pictures(folder)  # which says why there are none


@cache  # once a process is enough, however many data sets are made of a folder
def warn_if_inverted(folder: Path, polarity: Polarity) -> None:
    """Log one warning if the holes of a folder's masks cover most of their pictures."""
    files = mask_files(folder)
    chosen = files[:: max(1, len(files) // _LOOKED_AT)]
    mean = float(torch.stack([read_mask(path, polarity).mean() for path in chosen]).mean())
    if mean > INVERTED:
        _log.warning(
            "%s: the holes cover %.0f %% of the pictures on average; if the other colour marks the hole, give "
            "--mask-polarity %s",
            folder,
            100 * mean,
            opposite(polarity),
        )


def opposite(polarity: Polarity) -> Polarity:
    """The other meaning of black and white."""
    return "black-hole" if polarity == "white-hole" else "white-hole"
