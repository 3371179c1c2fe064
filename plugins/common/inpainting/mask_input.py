"""The mask of an input image, as the options of ``restore predict`` describe it."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

import numpy as np
import torch

from restore.core.errors import DataError, UsageError
from restore.core.images.files import ImageFile, SourceImage
from restore.core.images.listing import list_images
from restore.plugins.common.images.turns import turn_between, warn_of_turns
from restore.plugins.common.inpainting.hole import iterate_strips
from restore.plugins.common.inpainting.regions import Hole, dilate_hole
from restore.plugins.common.masks.folders import INVERTED, opposite, why_no_hole
from restore.plugins.common.masks.paint import FAR, RIM, PaintNoise, count_left_at_rim, find_painted
from restore.plugins.common.masks.reading import folder_white, mask_of, read_hole_file
from restore.plugins.common.masks.settings import InpaintingPredictOptions

_log = logging.getLogger(__name__)


def read_input_hole(path: Path, image: ImageFile | SourceImage, options: InpaintingPredictOptions | None) -> Hole:
    """Return where the hole of an image is that was read from ``path``, (H, W).

    A warning is logged for an empty mask, and for one that looks inverted. Raises UsageError if no mask is given or the
    file does not exist, and DataError if the mask has another size than the image, is damaged, or covers the whole
    image.
    """
    if options is None or options.mask is None:
        raise UsageError(
            f"{path}: no mask given; use --mask FILE (white is the hole), --mask auto:color=#ff00ff (a painted hole) "
            "or --mask auto:alpha (a transparent hole)"
        )
    hole = dilate_hole(_find_hole(path, image, options), options.dilate)
    if options.color is not None:
        _warn_of_paint(path, image, hole, options)
    coverage = float(hole.mean())
    if coverage == 0:
        _log.warning(
            "%s: the mask is empty (--mask %s)%s; the image is unchanged", path, options.mask, _why_empty(path, options)
        )
    if bool(hole.all()):
        raise DataError(f"{path}: the mask covers the whole image (--mask {options.mask}), so no known pixel is left")
    if coverage > INVERTED and options.automatic is None:
        _log.warning(
            "%s: the mask covers %.0f %% of the image; if the other color marks the hole, set --mask-polarity %s",
            path,
            100 * coverage,
            opposite(options.mask_polarity),
        )
    return hole


def _find_hole(path: Path, image: ImageFile | SourceImage, options: InpaintingPredictOptions) -> Hole:
    assert options.mask is not None
    if options.automatic is not None:
        hole = np.zeros(image.size, np.bool_)
        for rows in iterate_strips(*image.size):
            if options.color is not None:
                seen = _add_rim(rows, image.size[0])
                part = find_painted(image.crop(seen, slice(None)).color, options.color, options.mask_tolerance)
                hole[rows] = part[0, rows.start - seen.start : rows.stop - seen.start].numpy() > 0
            elif (alpha := image.crop(rows, slice(None)).alpha) is not None:
                hole[rows] = (alpha < 1)[0].numpy()  # half transparent pixels too, or a rim would stay visible
        return hole
    file = mask_of(path, options.mask)
    white = _folder_white(options.mask) if options.mask.is_dir() else None
    hole = read_hole_file(file, options.mask_polarity, white)
    turned = turn_between(path, file)
    if hole.shape != image.size:
        sizes = [f"{width}x{height}" for height, width in (hole.shape, image.size)]
        raise DataError(f"{file}: the mask has {sizes[0]} pixels, but {path} has {sizes[1]}{turned}")
    if turned:
        warn_of_turns(file, [path])
    return hole


def _warn_of_paint(path: Path, image: ImageFile | SourceImage, hole: Hole, options: InpaintingPredictOptions) -> None:
    """Warn of paint that is left next to the hole, as a mixture or as the noise of compression."""
    assert options.color is not None
    left, noise = 0, PaintNoise(options.color)
    for rows in iterate_strips(*image.size):
        seen = _add_rim(rows, image.size[0], FAR[1])
        colors = image.crop(seen, slice(None)).color
        mask = torch.from_numpy(hole[seen]).float()[None]
        own = slice(rows.start - seen.start, rows.stop - seen.start)
        left += count_left_at_rim(colors[:, own], mask, own, options.color, options.mask_tolerance)
        noise.add(colors, mask, own)
    name = str(options.mask).rpartition("=")[2]
    if left:
        _log.warning(
            "%s: %d pixels around the hole still have something of the color %s, which would be spread into it; raise "
            "--dilate (now %d) or --mask-tolerance (now %d)",
            path,
            left,
            name,
            options.dilate,
            options.mask_tolerance,
        )
    elif options.dilate < RIM and noise.shows:
        _log.warning(
            "%s: compression has spread something of the color %s up to %d pixels around what was painted, and the "
            "fill of a wide hole may show it; if it does, set --dilate %d (now %d)",
            path,
            name,
            RIM,
            RIM,
            options.dilate,
        )


def _add_rim(rows: slice, height: int, rim: int = RIM) -> slice:
    """Return rows with those around them that paint may reach from."""
    return slice(max(0, rows.start - rim), min(height, rows.stop + rim))


@cache
def _folder_white(folder: Path) -> int | None:
    return folder_white(list_images(folder))


def _why_empty(path: Path, options: InpaintingPredictOptions) -> str:
    if options.mask is None or options.automatic is not None:
        return ""
    return why_no_hole(mask_of(path, options.mask), options.mask_polarity)
