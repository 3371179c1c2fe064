"""Find images and masks in the usual folder layouts, and detect class numbers. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from restore.core.errors import DataError, UsageError
from restore.core.images.listing import counted, list_images, require_folder
from restore.plugins.common.masks.values import read_values

IGNORED = 255
"""Class number of unknown pixels, which count neither in losses nor in metrics."""

MOST_CLASSES = 64
"""A mask with larger numbers (except 255) contains gray values, not class numbers."""


def are_class_numbers(paths: Iterable[Path]) -> bool:
    """Return whether mask files contain class numbers.

    They do if there are small numbers besides 0, 1 and 255. They also do if there are 1 and 255 (unknown) with more
    pixels of 1; few ones are noise next to white.
    """
    import numpy as np

    several, ones, unknown = False, 0, 0
    for path in paths:
        values, counts = np.unique(read_values(path), return_counts=True)
        small = values[values < IGNORED]
        highest = small.max(initial=0)
        if highest > MOST_CLASSES or values.max(initial=0) > IGNORED:
            return False
        several = several or bool(highest > 1)
        if highest == 1 and len(small) < len(values):
            ones, unknown = ones + int(counts[values == 1][0]), unknown + int(counts[-1])
    return several or ones > unknown


def largest_class_number(paths: Iterable[Path]) -> int:
    """Return the largest class number in index masks, except 255 (unknown); at least 1."""
    highest = 1
    for path in paths:
        values = read_values(path)
        highest = max(highest, int(values[values < IGNORED].max(initial=0)))
    return highest


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

    cases: tuple[Case, ...]
    classes: tuple[str, ...]
    flat: bool
    """Whether each image has one mask file, which may then hold class numbers."""


def find(folder: Path, *, image_ext: str | None = None, mask_ext: str | None = None) -> Layout:
    """Find images and masks in one of these layouts, paired by name, in natural order.

    - ``images/`` and ``masks/`` with a mask ``<name>`` or ``<name>_mask`` for each image;
    - ``images/`` and ``masks/<class>/``, one folder per class;
    - ``<name>/images/`` and ``<name>/masks/``, many instance masks per image (Data Science Bowl 2018).

    Raises UsageError if the folder does not exist or has another layout, DataError if images have no mask.
    """
    require_folder(folder)
    if (folder / "images").is_dir():
        return _separate(folder, image_ext, mask_ext)
    bundles = [inner for inner in sorted(folder.iterdir(), key=counted) if (inner / "images").is_dir()]
    if not bundles:
        raise UsageError(
            f"{folder}: expected images/ and masks/, or one folder per image with its own images/ and masks/"
        )
    cases = []
    for bundle in bundles:
        images = list(_images(bundle / "images", image_ext))
        masks = tuple(_images(bundle / "masks", mask_ext)) if _holds_files(bundle / "masks") else ()
        if len(images) != 1:
            raise DataError(f"{bundle / 'images'} contains {len(images)} images; expected one")
        cases.append(Case(bundle.name, images[0], (masks,)))
    _all_have_masks(folder, {case.name: bool(case.masks[0]) for case in cases})
    return Layout(tuple(cases), ("nucleus",), flat=False)


def _separate(folder: Path, image_ext: str | None, mask_ext: str | None) -> Layout:
    masks = folder / "masks"
    if not masks.is_dir():
        raise UsageError(f"{folder} has images/ but no masks/")
    images = _by_stem(folder / "images", image_ext)
    if not images:
        raise DataError(f"{folder / 'images'} contains no images" + (f" ending in {image_ext}" if image_ext else ""))
    names = [inner.name for inner in sorted(masks.iterdir(), key=counted) if _is_shown_folder(inner)]
    found = [_by_stem(masks / name, mask_ext) for name in names] if names else [_by_stem(masks, mask_ext)]
    cases = []
    for stem, image in images.items():
        of_classes = tuple(masks_of.get(stem) or masks_of.get(f"{stem}_mask") for masks_of in found)
        for name, path in zip(names or ["masks"], of_classes, strict=True):
            if path is None:
                _all_have_masks(masks / name if names else masks, _have(images, found, names or ["masks"], name))
        cases.append(Case(stem, image, tuple((path,) for path in of_classes if path is not None)))
    return Layout(tuple(cases), tuple(names) or ("foreground",), flat=not names)


def _have(images: Iterable[str], found: Sequence[dict[str, Path]], names: Sequence[str], name: str) -> dict[str, bool]:
    masks_of = found[list(names).index(name)]
    return {stem: stem in masks_of or f"{stem}_mask" in masks_of for stem in images}


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
