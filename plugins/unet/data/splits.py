"""Choose images for training, validation and evaluation, reproducibly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from restore.core.errors import DataError, UsageError
from restore.core.images.checking import check_files
from restore.core.images.damaged import drop_damaged
from restore.core.images.files import image_size
from restore.core.images.warned import warn_once
from restore.plugins.common.images.folders import hold_out
from restore.plugins.common.images.turns import turn_between, warn_of_turns
from restore.plugins.common.masks.survey import survey
from restore.plugins.unet.data import discovery
from restore.plugins.unet.data.dataset import TRAIN_DRAWINGS, VALIDATION_DRAWINGS, Drawings, Files, Source
from restore.plugins.unet.options import SubsetOptions
from restore.plugins.unet.settings import ModelSettings, SegmentationSettings


def read_source(
    folder: Path,
    model: ModelSettings,
    *,
    image_ext: str | None = None,
    mask_ext: str | None = None,
    white: int | None = None,
) -> Files:
    """Return the images and masks of a folder for the classes of a model.

    Raises UsageError or DataError if the folder does not fit the model, or an image its mask.

    Args:
        folder: the folder.
        model: the model.
        image_ext: use only images with this extension.
        mask_ext: use only masks with this extension.
        white: value of white in binary masks; None: found in the masks.
    """
    layout = discovery.find(folder, image_ext=image_ext, mask_ext=mask_ext)
    layout = replace(layout, cases=tuple(drop_damaged(layout.cases, lambda case: [case.image, *chain(*case.masks)])))
    _check_pairs(layout)
    wanted = tuple(model.classes or layout.classes)
    if model.multiclass:
        if not layout.flat:
            raise DataError(f"{folder} has several masks per image, but the network expects one with class numbers")
        return Files(layout.cases, model)
    white = white or _white(layout)
    if len(wanted) == len(layout.classes) == 1:
        return Files(layout.cases, model, white)  # the name of a single class does not matter
    if layout.flat:
        raise DataError(f"{folder} has one mask per image, but the classes are {', '.join(wanted)}")
    absent = [name for name in wanted if name not in layout.classes]
    if absent:
        raise DataError(f"{folder / 'masks'} has no folder {', '.join(absent)}; available: {', '.join(layout.classes)}")
    places = [layout.classes.index(name) for name in wanted]
    cases = [discovery.Case(case.name, case.image, tuple(case.masks[k] for k in places)) for case in layout.cases]
    return Files(cases, model, white)


def _white(layout: discovery.Layout) -> int:
    """Return the value of white in the binary masks of a folder; warn of masks that may mean something else."""
    found = survey(layout.masks)
    encoding = layout.encoding("binary")
    if found.grays and not found.palette:
        warn_once(
            layout.folder,
            f"the masks hold gray regions (values {found.described}); they are read as one class, above "
            f"{encoding.white // 2}",
        )
    if encoding.white > 1 and found.only_ones:
        more = f" and {len(found.only_ones) - 1} more" if len(found.only_ones) > 1 else ""
        warn_once(
            layout.folder,
            f"{found.only_ones[0].name}{more} holds 1 where other masks hold {max(found.values)}; 1 is black there, as "
            "in the whole folder",
        )
    return encoding.white


def _check_pairs(layout: discovery.Layout) -> None:
    """Raise DataError for an image whose mask has another size; warn if EXIF data turn images but not their masks."""
    turned = []
    check_files([*(case.image for case in layout.cases), *layout.masks])
    for case in layout.cases:
        size = image_size(case.image)
        for path in (path for files in case.masks for path in files):
            if image_size(path) != size:
                (height, width), (rows, columns) = size, image_size(path)
                raise DataError(
                    f"{case.image} has {width}x{height} pixels, but its mask {path} has {columns}x{rows}"
                    f"{turn_between(case.image, path)}"
                )
        if case.masks[0] and turn_between(case.image, case.masks[0][0]):
            turned.append(case.image)
    warn_of_turns(layout.folder, turned)


def sources(settings: SegmentationSettings) -> Mapping[str, Source]:
    """Return the sources ``train`` and ``validation`` of a run. They share no image."""
    model = settings.model
    if settings.data is None:
        if settings.val_data or settings.train_list or settings.val_list:
            raise UsageError("--val-data, --train-list and --val-list need --data")
        if model.multiclass or len(model.classes or ["nucleus"]) > 1:
            raise UsageError(f"the synthetic nuclei have one class, not {', '.join(model.classes or [])}; set --data")
        last = TRAIN_DRAWINGS + VALIDATION_DRAWINGS
        return {
            "train": Drawings(range(TRAIN_DRAWINGS), model),
            "validation": Drawings(range(TRAIN_DRAWINGS, last), model),
        }
    whole = read_source(
        settings.data, model, image_ext=settings.image_ext, mask_ext=settings.mask_ext, white=settings.mask_white
    )
    everything = list(range(len(whole.cases)))
    named = read_list(whole.names, settings.train_list) if settings.train_list else None
    if settings.val_data is not None:
        other = read_source(settings.val_data, model, image_ext=settings.image_ext, mask_ext=settings.mask_ext)
        chosen = read_list(other.names, settings.val_list) if settings.val_list else range(len(other.cases))
        return {"train": whole.part(named or everything), "validation": other.part(chosen)}
    if settings.val_list:
        validation = read_list(whole.names, settings.val_list)
        train = named if named is not None else [index for index in everything if index not in set(validation)]
    elif named is not None:
        train, validation = named, [index for index in everything if index not in set(named)]
    else:
        train, validation = split_source(whole, settings.split, settings.val_fraction, settings.seed)
    if both := set(train) & set(validation):
        name = whole.names[min(both)]
        raise UsageError(f"{len(both)} images are in both --train-list and --val-list, such as {name}")
    if not train or not validation:
        raise UsageError(f"{settings.data}: no image is left for {'validation' if train else 'training'}")
    return {"train": whole.part(train), "validation": whole.part(validation)}


def split_source(source: Files, how: str, val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Return indices for training and validation: ``split_stratified`` by foreground, or ``random``."""
    if how == "random":
        return hold_out(len(source.cases), val_fraction, seed, "the data")
    shares = source.foreground()
    if not any(shares):
        raise DataError(
            f"all masks are empty, such as {source.cases[0].masks[0][0]}: expected white (255, or 1 in masks of 0 and "
            "1) where the class is; for masks with class numbers set --mask-encoding index"
        )
    return split_stratified(shares, val_fraction, seed)


def select_evaluated(folder: Path, model: ModelSettings, options: SubsetOptions) -> Files:
    """Return the images to evaluate: all of a folder, those listed in a file, or one part of the split of a run."""
    whole = read_source(folder, model, image_ext=options.image_ext, mask_ext=options.mask_ext)
    if options.list_file is not None:
        if options.subset != "all":
            raise UsageError("--list and --subset cannot be combined; choose one")
        return whole.part(read_list(whole.names, options.list_file))
    if options.subset == "all":
        return whole
    train, validation = split_source(whole, options.split, options.val_fraction, options.seed)
    return whole.part(train if options.subset == "train" else validation)


def split_stratified(shares: Sequence[float], val_fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Return indices for training and validation, in ascending order, with similar fractions of foreground.

    Images are sorted by their fraction of foreground and divided into as many groups as there are validation images;
    one image of each group is drawn. Both parts get at least one image. Raises UsageError for a single image.

    Args:
        shares: fraction of foreground of each image.
        val_fraction: fraction of validation images.
        seed: seed of the draws.
    """
    count = len(shares)
    if count < 2:
        raise UsageError(f"{count} image is not enough for training and validation; add images, or use --val-data")
    wanted = min(max(1, round(val_fraction * count)), count - 1)
    random = np.random.default_rng(seed)
    order = np.argsort(np.asarray(shares), kind="stable")
    chosen = {int(random.choice(run)) for run in np.array_split(order, wanted)}
    return [index for index in range(count) if index not in chosen], sorted(chosen)


def read_list(names: Sequence[str], file: Path) -> list[int]:
    """Return the indices of the images that a text file names, one per line, with or without suffix.

    Raises UsageError if the file is missing or empty, DataError if it names unknown images.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        raise UsageError(f"{file} contains no image names")
    index_of = {name: index for index, name in enumerate(names)}
    unknown = [line for line in wanted if line not in index_of and Path(line).stem not in index_of]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        raise DataError(f"{file} names {len(unknown)} images that do not exist: {shown}")
    return sorted({index_of[line] if line in index_of else index_of[Path(line).stem] for line in wanted})
