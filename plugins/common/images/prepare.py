"""``restore data prepare``: sub-images to train on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from restore.core.atomic import refuse_overwrite, writable_folder
from restore.core.errors import UsageError
from restore.core.images.files import read_image, write_image
from restore.core.images.listing import list_images
from restore.core.images.pixels import luma
from restore.plugins.common.images.failures import Failures
from restore.plugins.common.images.folders import name_results
from restore.plugins.common.images.prepare_settings import PrepareSettings


def prepare(settings: PrepareSettings) -> None:
    """Write the sub-images of a folder's images. Images that cannot be read are reported and skipped.

    Raises UsageError if the folder has no images, an output exists, or nothing remains; and RestoreError at the end if
    any image was skipped.
    """
    files = list_images(settings.folder)
    if settings.output.resolve() == settings.folder.resolve():
        raise UsageError(f"--output {settings.output} is the folder of the images; choose another one")
    writable_folder(settings.output)
    failures = Failures()
    written = flat = small = 0
    for path, name in name_results(files).items():
        image = failures.attempt(path, partial(_read, path, settings.max_side))
        if image is None:
            continue
        small += min(image.shape[-2:]) < settings.size
        for top, left, part in cut(image, settings.size, settings.step or settings.size):
            if measure_detail(part) < settings.min_detail:
                flat += 1
                continue
            target = settings.output / f"{name}_{top:05}_{left:05}.png"
            refuse_overwrite(target, settings.overwrite)
            write_image(target, part)
            written += 1
    told = [f"{small} images are smaller than --size {settings.size}"] if small else []
    told += [f"{flat} sub-images are flatter than --min-detail {settings.min_detail:g}"] if flat else []
    if not written and not failures.paths:
        raise UsageError(f"{settings.folder}: nothing remains: {'; '.join(told)}")
    left_out = f" (left out: {'; '.join(told)})" if told else ""
    print(f"{written} sub-images of {settings.size} x {settings.size} pixels{left_out}: {settings.output}")
    failures.raise_any(len(files), "read")


def _read(path: Path, max_side: int | None) -> Tensor:
    return halve_until(read_image(path).color, max_side)


def halve_until(image: Tensor, max_side: int | None) -> Tensor:
    """Return an image (C, H, W) halved by area averaging until no side is longer than ``max_side``; None: as it is."""
    while max_side is not None and max(image.shape[-2:]) > max_side:
        image = F.avg_pool2d(image[None], 2)[0]
    return image


def cut(image: Tensor, size: int, step: int) -> Iterator[tuple[int, int, Tensor]]:
    """Yield top, left and content of the squares of ``size`` pixels of an image (C, H, W), ``step`` pixels apart.

    The grid lies in the middle, so that what does not fit is cut equally at opposite sides.
    """
    height, width = image.shape[-2:]
    for top in _starts(height, size, step):
        for left in _starts(width, size, step):
            yield top, left, image[:, top : top + size, left : left + size]


def measure_detail(image: Tensor) -> float:
    """Return how much the luma of an image (3, H, W) in [0, 1] changes from pixel to pixel, as a mean; of 255."""
    gray = 255 * luma(image)
    return float((gray.diff(dim=-1).abs().mean() + gray.diff(dim=-2).abs().mean()) / 2)


def _starts(length: int, size: int, step: int) -> range:
    if length < size:
        return range(0)
    first = (length - size) % step // 2
    return range(first, length - size + 1, step)
