"""``restore degrade``: pairs of degraded and good images."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from restore.core.atomic import refuse_overwrite, writable_folder
from restore.core.errors import UsageError
from restore.core.images.files import write_image
from restore.core.images.listing import has_images, list_images
from restore.plugins.common.degradation.pipeline import degradation_of
from restore.plugins.common.images.failures import Failures
from restore.plugins.common.images.folders import ImageFolder, name_results
from restore.plugins.common.images.pairing import PAIRED
from restore.plugins.common.super_resolution.dataset import WholePairs
from restore.plugins.common.super_resolution.degrade_settings import DegradeSettings


def degrade(settings: DegradeSettings) -> None:
    """Write the pairs of a folder's images. Images that cannot be read are reported and skipped.

    Raises UsageError if the folder has no images or an output exists, and RestoreError at the end if any image was
    skipped.
    """
    files = _list_good_images(settings.folder)
    inputs, targets = (settings.output / name for name in PAIRED[settings.scale == 1])
    if settings.folder.resolve() in (each.resolve() for each in (settings.output, inputs, targets)):
        raise UsageError(f"--output {settings.output}: {settings.folder} has the images to degrade; choose another one")
    names = {path: f"{name}.png" for path, name in name_results(files).items()}
    for name in names.values():
        for each in (inputs, targets):
            refuse_overwrite(each / name, settings.overwrite)
    writable_folder(inputs)
    writable_folder(targets)
    failures = Failures()
    for path, name in names.items():
        failures.attempt(path, partial(_write_pair, path, inputs / name, targets / name, settings))
    written = len(files) - len(failures.paths)
    print(f"{written} pairs of scale {settings.scale}, {settings.degradation}: {settings.output}")
    failures.raise_any(len(files), "degraded")


def _list_good_images(folder: Path) -> list[Path]:
    inside = [folder / targets for _, targets in PAIRED if (folder / targets).is_dir()]
    if inside and not has_images(folder):
        raise UsageError(f"{folder}: the good images of these pairs are in {inside[0]}; degrade that folder")
    return list_images(folder)


def _write_pair(path: Path, degraded: Path, good: Path, settings: DegradeSettings) -> None:
    degradation = degradation_of(settings.degradation, settings.scale, settings.seed)
    pair = WholePairs(ImageFolder([path]), settings.scale, degradation=degradation)[0]
    write_image(good, pair["target"].expand(3, -1, -1))
    write_image(degraded, pair["input"])
