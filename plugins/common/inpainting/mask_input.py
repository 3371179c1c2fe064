"""The mask of an input image, as the options of ``restore predict`` describe it."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.images.files import ImageFile
from restore.core.images.listing import list_images
from restore.plugins.common.images.turns import turn_between, warn_of_turns
from restore.plugins.common.masks.folders import INVERTED, opposite, why_no_hole
from restore.plugins.common.masks.reading import color_mask, dilate, folder_white, mask_of, read_mask
from restore.plugins.common.masks.settings import InpaintingPredictOptions

_log = logging.getLogger(__name__)


def read_input_mask(path: Path, image: ImageFile, options: InpaintingPredictOptions | None) -> Tensor:
    """Return the mask (1, H, W) of an image that was read from ``path``.

    A warning is logged for an empty mask, and for one that looks inverted. Raises UsageError if no mask is given or the
    file does not exist, and DataError if the mask has another size than the image, is damaged, or covers the whole
    image.
    """
    if options is None or options.mask is None:
        raise UsageError(
            f"{path}: no mask given; use --mask FILE (white is the hole), --mask auto:color=#ff00ff (a painted hole) "
            "or --mask auto:alpha (a transparent hole)"
        )
    mask = _found(path, image, options)
    mask = dilate(mask, options.dilate) if options.dilate else mask
    coverage = float(mask.mean())
    if coverage == 0:
        _log.warning(
            "%s: the mask is empty (--mask %s)%s; the image is unchanged", path, options.mask, _why_empty(path, options)
        )
    if bool(mask.all()):
        raise DataError(f"{path}: the mask covers the whole image (--mask {options.mask}), so no known pixel is left")
    if coverage > INVERTED and options.automatic is None:
        _log.warning(
            "%s: the mask covers %.0f %% of the image; if the other color marks the hole, set --mask-polarity %s",
            path,
            100 * coverage,
            opposite(options.mask_polarity),
        )
    return mask


def _found(path: Path, image: ImageFile, options: InpaintingPredictOptions) -> Tensor:
    assert options.mask is not None
    if options.color is not None:
        return color_mask(image.color, options.color, options.mask_tolerance)
    if options.automatic is not None:  # by alpha; half transparent pixels are filled too, or a rim would stay visible
        return (image.color[:1] * 0) if image.alpha is None else (image.alpha < 1).float()
    file = mask_of(path, options.mask)
    white = _folder_white(options.mask) if options.mask.is_dir() else None
    mask = read_mask(file, options.mask_polarity, white)
    turned = turn_between(path, file)
    if mask.shape[-2:] != image.color.shape[-2:]:
        raise DataError(f"{file}: the mask has {_size(mask)} pixels, but {path} has {_size(image.color)}{turned}")
    if turned:
        warn_of_turns(file, [path])
    return mask


@cache
def _folder_white(folder: Path) -> int | None:
    return folder_white(list_images(folder))


def _why_empty(path: Path, options: InpaintingPredictOptions) -> str:
    if options.mask is None or options.automatic is not None:
        return ""
    return why_no_hole(mask_of(path, options.mask), options.mask_polarity)


def _size(image: Tensor) -> str:
    return f"{image.shape[-1]}x{image.shape[-2]}"
