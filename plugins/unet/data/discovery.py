"""Find images and masks in the usual folder layouts. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from restore.core.errors import DataError, UsageError
from restore.core.images.listing import list_images, make_natural_key, require_folder
from restore.plugins.common.masks.encoding import Asked, Encoding, decide
from restore.plugins.common.masks.naming import find_mask
from restore.plugins.common.masks.survey import survey

TRAINING_PARTS, VALIDATION_PARTS = ("train", "training"), ("val", "valid", "validation")
"""Names of folders for training and validation in published datasets."""


@dataclass(frozen=True)
class Case:
    """An image and its mask files."""

    name: str
    image: Path
    masks: tuple[tuple[Path, ...], ...]
    """Files of each class, which are united; with index masks one file for all classes."""


@dataclass(frozen=True)
class Layout:
    """Content of a folder."""

    folder: Path
    cases: tuple[Case, ...]
    classes: tuple[str, ...]
    flat: bool
    """Whether each image has one mask file, which may then hold class numbers."""

    @property
    def masks(self) -> tuple[Path, ...]:
        """All mask files."""
        return tuple(path for case in self.cases for files in case.masks for path in files)

    def encoding(self, asked: Asked = "auto") -> Encoding:
        """Return what the values of the masks mean; reads them. Raises DataError if there are two readings."""
        return decide(survey(self.masks), self.folder, asked, several=not self.flat)


def find(folder: Path, *, image_ext: str | None = None, mask_ext: str | None = None) -> Layout:
    """Find images and masks in one of these layouts, paired by name, in natural order.

    - ``images/`` and ``masks/`` with a mask for each image, named as `mask_names` says;
    - ``images/`` and ``masks/<class>/``, one folder per class;
    - ``<name>/images/`` and ``<name>/masks/``, many instance masks per image (Data Science Bowl 2018).

    Raises UsageError if the folder does not exist or has another layout, DataError if images have no mask.
    """
    require_folder(folder)
    if (folder / "images").is_dir():
        return _separate(folder, image_ext, mask_ext)
    bundles = [inner for inner in sorted(folder.iterdir(), key=make_natural_key) if (inner / "images").is_dir()]
    if not bundles or _parts(bundles):
        raise UsageError(_another_layout(folder, bundles))
    cases = []
    for bundle in bundles:
        images = list(_images(bundle / "images", image_ext))
        masks = tuple(_images(bundle / "masks", mask_ext)) if _holds_files(bundle / "masks") else ()
        if len(images) != 1:
            raise DataError(f"{bundle / 'images'} contains {len(images)} images; expected one")
        cases.append(Case(bundle.name, images[0], (masks,)))
    _all_have_masks(folder, {case.name: bool(case.masks[0]) for case in cases})
    return Layout(folder, tuple(cases), ("nucleus",), flat=False)


def _parts(folders: Iterable[Path]) -> list[str]:
    """Return the names of folders that are parts of a dataset, not single images."""
    return [path.name for path in folders if path.name.lower() in (*TRAINING_PARTS, *VALIDATION_PARTS)]


def _another_layout(folder: Path, bundles: Iterable[Path]) -> str:
    """Return what to do with a folder of another layout."""
    expected = f"{folder}: expected images/ and masks/, or one folder per image with its own images/ and masks/"
    parts = {name.lower(): name for name in _parts(bundles)}
    train = next((folder / parts[name] for name in TRAINING_PARTS if name in parts), None)
    validation = next((folder / parts[name] for name in VALIDATION_PARTS if name in parts), None)
    if train is not None and validation is not None:
        return f"{folder} holds {train.name}/ and {validation.name}/; use --data {train} --val-data {validation}"
    if train is not None or validation is not None:
        return f"{folder} holds only {(train or validation).name}/; use --data {train or validation}"  # type: ignore[union-attr]
    for images, masks in (("JPEGImages", "SegmentationClass"), ("leftImg8bit", "gtFine"), ("img", "ann")):
        if (folder / images).is_dir():
            return f"{expected}. It has {images}/; link {images} as images/ and {masks} as masks/ in a new folder"
    return expected


def _separate(folder: Path, image_ext: str | None, mask_ext: str | None) -> Layout:
    masks = folder / "masks"
    if not masks.is_dir():
        raise UsageError(f"{folder} has images/ but no masks/{_other_masks(folder)}")
    images = _by_stem(folder / "images", image_ext)
    if not images:
        raise DataError(f"{folder / 'images'} contains no images" + (f" ending in {image_ext}" if image_ext else ""))
    names = [inner.name for inner in sorted(masks.iterdir(), key=make_natural_key) if _is_shown_folder(inner)]
    found = [_by_stem(masks / name, mask_ext) for name in names] if names else [_by_stem(masks, mask_ext)]
    cases = []
    for stem, image in images.items():
        of_classes = tuple(find_mask(stem, masks_of) for masks_of in found)
        for name, path in zip(names or ["masks"], of_classes, strict=True):
            if path is None:
                _all_have_masks(masks / name if names else masks, _have(images, found, names or ["masks"], name))
        cases.append(Case(stem, image, tuple((path,) for path in of_classes if path is not None)))
    return Layout(folder, tuple(cases), tuple(names) or ("foreground",), flat=not names)


def _have(images: Iterable[str], found: Sequence[dict[str, Path]], names: Sequence[str], name: str) -> dict[str, bool]:
    masks_of = found[list(names).index(name)]
    return {stem: find_mask(stem, masks_of) is not None for stem in images}


def _other_masks(folder: Path) -> str:
    """Return what to do if masks are in a folder of another name, as in ADE20K."""
    other = next((name for name in ("annotations", "labels", "gt", "targets") if (folder / name).is_dir()), None)
    if other is None:
        return ""
    parts = sorted(path.name for path in (folder / "images").iterdir() if path.is_dir())
    if parts:
        return (
            f"; its masks seem to be in {other}/, in the parts {', '.join(parts)} (ADE20K's layout). Make one folder "
            f"for each part, such as {parts[0]}/images (a link to images/{parts[0]}) and {parts[0]}/masks (a link to "
            f"{other}/{parts[0]}), and give it with --data"
        )
    return f"; its masks seem to be in {other}/: rename it to masks/"


def _all_have_masks(where: Path, have: dict[str, bool]) -> None:
    missing = [name for name, has in have.items() if not has]
    if missing:
        shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        raise DataError(f"{len(missing)} of {len(have)} images have no mask in {where}: {shown}")


def _by_stem(folder: Path, ext: str | None) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _images(folder, ext):
        if path.stem in found:
            raise DataError(
                f"{found[path.stem]} and {path.name} have the same name; select one with --image-ext or --mask-ext"
            )
        found[path.stem] = path
    return found


def _images(folder: Path, ext: str | None) -> Iterator[Path]:
    ending = f".{ext.lstrip('.')}".lower() if ext else ""
    return (path for path in list_images(folder) if path.name.lower().endswith(ending))


def _is_shown_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")  # without hidden folders, which programs leave behind


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def all_of_size(layout: Layout, size: tuple[int, int] | None) -> bool:
    """Return whether every image has ``size`` (height, width); reads only the files' headers."""
    from restore.core.images.files import image_size

    return size is None or all(image_size(case.image) == size for case in layout.cases)
