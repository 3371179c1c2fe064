"""Which pictures a run trains on, validates on, or is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restore.core.errors import DataError, UsageError
from restore.plugins.common.images.folders import held_out
from restore.plugins.unet.data import discovery, splitting
from restore.plugins.unet.data.dataset import TRAIN_DRAWINGS, VALIDATION_DRAWINGS, Drawings, Files, Source
from restore.plugins.unet.options import MeasuredSettings
from restore.plugins.unet.settings import ModelSettings, SegmentationSettings


def read_source(
    folder: Path, model: ModelSettings, *, image_ext: str | None = None, mask_ext: str | None = None
) -> Files:
    """The pictures and masks of a folder, for the classes of a model. Raises UsageError, DataError."""
    layout = discovery.find(folder, image_ext=image_ext, mask_ext=mask_ext)
    wanted = tuple(model.classes or layout.classes)
    if model.exclusive:
        if not layout.flat:
            raise DataError(f"{folder} has several masks a picture, but the network expects one with class numbers")
        return Files(layout.cases, model)
    if len(wanted) == len(layout.classes) == 1:
        return Files(layout.cases, model)  # a single class is the same by whatever name
    if layout.flat:
        raise DataError(f"{folder} has one mask a picture, but the classes are {', '.join(wanted)}")
    absent = [name for name in wanted if name not in layout.classes]
    if absent:
        raise DataError(f"{folder / 'masks'} has no folder {', '.join(absent)}; it has {', '.join(layout.classes)}")
    places = [layout.classes.index(name) for name in wanted]
    cases = [discovery.Case(case.name, case.picture, tuple(case.masks[k] for k in places)) for case in layout.cases]
    return Files(cases, model)


def sources(settings: SegmentationSettings) -> Mapping[str, Source]:
    """What ``train`` and ``validation`` mean for a run. They share no picture."""
    model = settings.model
    if settings.data is None:
        if settings.val_data or settings.train_names or settings.val_names:
            raise UsageError("--val-data, --train-names and --val-names need --data")
        if model.exclusive or len(model.classes or ["nucleus"]) > 1:
            raise UsageError(f"the drawn nuclei are of one class, not of {', '.join(model.classes or [])}; give --data")
        last = TRAIN_DRAWINGS + VALIDATION_DRAWINGS
        return {
            "train": Drawings(range(TRAIN_DRAWINGS), model),
            "validation": Drawings(range(TRAIN_DRAWINGS, last), model),
        }
    whole = read_source(settings.data, model, image_ext=settings.image_ext, mask_ext=settings.mask_ext)
    everything = list(range(len(whole.cases)))
    named = splitting.listed(whole.names, settings.train_names) if settings.train_names else None
    if settings.val_data is not None:
        other = read_source(settings.val_data, model, image_ext=settings.image_ext, mask_ext=settings.mask_ext)
        chosen = splitting.listed(other.names, settings.val_names) if settings.val_names else range(len(other.cases))
        return {"train": whole.part(named or everything), "validation": other.part(chosen)}
    if settings.val_names:
        validation = splitting.listed(whole.names, settings.val_names)
        train = named if named is not None else [index for index in everything if index not in set(validation)]
    elif named is not None:
        train, validation = named, [index for index in everything if index not in set(named)]
    else:
        train, validation = divided(whole, settings.split, settings.val_share, settings.seed)
    if both := set(train) & set(validation):
        name = whole.names[min(both)]
        raise UsageError(f"{len(both)} pictures are named for training and for validation, such as {name}")
    if not train or not validation:
        raise UsageError(f"no picture of {settings.data} is left to {'validate' if train else 'train'} on")
    return {"train": whole.part(train), "validation": whole.part(validation)}


def divided(source: Files, how: str, val_share: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices of a source to train on and to validate on: ``stratified`` by foreground, or ``random``."""
    if how == "random":
        return held_out(len(source.cases), val_share, seed, "the data")
    shares = source.foreground()
    if not any(shares):
        raise DataError(
            f"no mask marks anything, such as {source.cases[0].masks[0][0]}: a mask is white (255, or 1 in one of "
            "zeros and ones) where its class is; masks that hold class numbers are told by --masks index"
        )
    return splitting.stratified(shares, val_share, seed)


def evaluated_source(folder: Path, model: ModelSettings, options: MeasuredSettings) -> Files:
    """The pictures of a folder that were asked for: all, those named in a file, or one part of a run's division."""
    whole = read_source(folder, model, image_ext=options.image_ext, mask_ext=options.mask_ext)
    if options.names is not None:
        if options.part != "all":
            raise UsageError("--names and --part are two ways of choosing; give one")
        return whole.part(splitting.listed(whole.names, options.names))
    if options.part == "all":
        return whole
    train, validation = divided(whole, options.split, options.val_share, options.seed)
    return whole.part(train if options.part == "train" else validation)
