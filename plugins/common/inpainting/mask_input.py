"""Where the hole of a picture file is, as the options of ``restore predict`` say."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import Tensor

from restore.core.errors import DataError, UsageError
from restore.core.images.files import Picture
from restore.plugins.common.masks.folders import INVERTED, opposite
from restore.plugins.common.masks.reading import colour_mask, dilate, mask_of, read_mask
from restore.plugins.common.masks.settings import FillingPredict

_log = logging.getLogger(__name__)


def read_input_mask(path: Path, picture: Picture, options: FillingPredict | None) -> Tensor:
    """The mask (1, H, W) of a picture that was read from ``path``.

    A picture without a hole, and one that looks as if black and white were mixed up, are warned of. Raises UsageError
    when nobody said where the hole is or there is no such mask, DataError when the mask has another size than the
    picture, is damaged, or leaves nothing known.
    """
    if options is None or options.mask is None:
        raise UsageError(
            f"{path}: where is the hole? Give --mask FILE, a picture that is white there; --mask auto:color=#ff00ff if "
            "it is painted in a colour; or --mask auto:alpha if it is transparent"
        )
    mask = _found(path, picture, options)
    mask = dilate(mask, options.dilate) if options.dilate else mask
    share = float(mask.mean())
    if share == 0:
        _log.warning("%s: there is no hole in it (--mask %s); it comes out as it is", path, options.mask)
    if bool(mask.all()):
        raise DataError(f"{path}: all of it is hole (--mask {options.mask}); nothing is left to fill it from")
    if share > INVERTED and options.automatic is None:
        _log.warning(
            "%s: the hole covers %.0f %% of the picture; if the other colour marks the hole, give --mask-polarity %s",
            path,
            100 * share,
            opposite(options.mask_polarity),
        )
    return mask


def _found(path: Path, picture: Picture, options: FillingPredict) -> Tensor:
    assert options.mask is not None
    if options.colour is not None:
        return colour_mask(picture.colour, options.colour, options.mask_tolerance)
    if options.automatic is not None:  # by alpha; a half transparent rim is filled too, lest it stays seen
        return (picture.colour[:1] * 0) if picture.alpha is None else (picture.alpha < 1).float()
    file = mask_of(path, options.mask)
    mask = read_mask(file, options.mask_polarity)
    if mask.shape[-2:] != picture.colour.shape[-2:]:
        raise DataError(f"{file}: {_size(mask)} pixels, but {path} has {_size(picture.colour)}")
    return mask


def _size(picture: Tensor) -> str:
    return f"{picture.shape[-1]}x{picture.shape[-2]}"
