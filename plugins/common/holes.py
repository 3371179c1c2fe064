"""Pictures with holes, to measure on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.pictures import picture_size
from restore.plugins.common.folders import PictureFolder, paired_files
from restore.plugins.common.masks import read_mask, seeded_rectangle
from restore.plugins.common.originals import Originals
from restore.plugins.common.samples import photographs


class HoledPictures:
    """``target`` (3, H, W) in [0, 1], ``mask`` (1, H, W) with one in the hole, ``input``: the target, black there."""

    def __init__(self, targets: Originals, mask: Callable[[int], Tensor]) -> None:
        """Pair pictures with the masks that ``mask`` gives for their indices."""
        self._targets, self._mask = targets, mask
        self.in_memory = targets.in_memory

    def __len__(self) -> int:
        return len(self._targets)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        target, mask = self._targets[index].float() / 255, self._mask(index)
        return {"input": target * (1 - mask), "mask": mask, "target": target}

    def name(self, index: int) -> str:
        """The picture's file name."""
        return Path(self._targets.name(index)).name


def evaluation_holes(folder: Path | None) -> HoledPictures:
    """Pictures of ``images/`` with the masks of the same names in ``masks/``, or sample photographs with rectangles.

    Raises UsageError when the folder is laid out otherwise or has no pictures, DataError naming a mask of another size
    than its picture.
    """
    if folder is None:
        pictures = photographs("validation")
        return HoledPictures(pictures, lambda index: seeded_rectangle(*pictures.size(index), seed=index))
    images, masks = folder / "images", folder / "masks"
    if not (images.is_dir() and masks.is_dir()):
        raise UsageError(f"{folder}: holes need two folders in it, images/ and masks/ (white = hole), paired by name")
    pairs = paired_files(masks, images)
    targets = PictureFolder([image for _, image in pairs])
    files = [mask for mask, _ in pairs]
    _check_sizes(targets, files)
    return HoledPictures(targets, lambda index: read_mask(files[index]))


def _check_sizes(targets: PictureFolder, masks: Sequence[Path]) -> None:
    for index, mask in enumerate(masks):
        height, width = targets.size(index)
        rows, columns = picture_size(mask)
        if (rows, columns) != (height, width):
            raise DataError(f"{mask}: {columns}x{rows} pixels, but {targets.name(index)} has {width}x{height}")
