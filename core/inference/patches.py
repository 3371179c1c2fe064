"""Methods that change only parts of an image: patches over its rows.

The output equals the main input except inside patches, such as filled holes. Rows of the input are read and leave as
bands; a patch is computed when the first of its rows is due and forgotten after its last.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from restore.core.inference.bands import Band, Compute, NotFinite, Progress
from restore.core.inference.canvas import AUTO_PIXELS, Canvas
from restore.core.inference.predictor import Patch
from restore.core.runtime.precision import autocast


def lay_patches(canvas: Canvas, patches: Iterator[Patch], compute: Compute, progress: Progress) -> Iterator[Band]:
    """Yield the rows of the main input with the patches over them.

    Args:
        canvas: the inputs.
        patches: patches in the order of their first rows; advancing the iterator computes one.
        compute: device and precision.
        progress: called with the number of finished rows and their total.
    """
    height, width = canvas.size
    step = max(1, AUTO_PIXELS // 4 // width)
    active: list[Patch] = []
    following = _next(patches, compute)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        image = canvas.window(canvas.method.main_input, rows, slice(0, width)).clone()
        while following is not None and following.top < rows.stop:
            active.append(following)
            following = _next(patches, compute)
        for patch in active:
            _put(patch, image, rows)
        active = [patch for patch in active if patch.bottom > rows.stop]
        progress(rows.stop, height)
        yield Band(rows, {canvas.method.main_output: image})


def _next(patches: Iterator[Patch], compute: Compute) -> Patch | None:
    with torch.inference_mode(), autocast(compute.device, compute.precision):
        patch = next(patches, None)
    if patch is not None and not torch.isfinite(patch.values).all():
        raise NotFinite("the networks produced NaN or infinite values")
    return patch


def _put(patch: Patch, image: Tensor, rows: slice) -> None:
    """Put the part of a patch that lies in some rows over the image (C, h, W) of these rows."""
    first, last = max(patch.top, rows.start), min(patch.bottom, rows.stop)
    if first >= last:
        return
    part = slice(first - patch.top, last - patch.top)
    target = image[:, first - rows.start : last - rows.start, patch.left : patch.left + patch.values.shape[-1]]
    target.copy_(torch.where(patch.chosen[:, part], patch.values[:, part].float(), target))
