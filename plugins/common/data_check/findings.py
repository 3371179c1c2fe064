"""What is wrong with the files of a folder of data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from restore.core.errors import RestoreError
from restore.plugins.common.data_check.files import File, find_doubles
from restore.plugins.common.data_check.layout import MASKS, Part
from restore.plugins.common.images.pairing import PAIRED, pair_files
from restore.plugins.common.masks.encoding import decide
from restore.plugins.common.masks.naming import find_mask
from restore.plugins.common.masks.survey import FileSurvey, combine

INPUTS = tuple(inputs for inputs, _ in PAIRED)
SHOWN = 5  # files of a finding in the text


@dataclass(frozen=True)
class Finding:
    """One thing that a person should know."""

    problem: bool
    """Whether a training would fail or be wrong; otherwise it is only worth knowing."""
    text: str
    files: tuple[Path, ...] = ()

    def __str__(self) -> str:
        more = f" and {len(self.files) - SHOWN} more" if len(self.files) > SHOWN else ""
        return self.text + (f": {', '.join(path.name for path in self.files[:SHOWN])}{more}" if self.files else "")


def find_all(parts: Sequence[Part], files: Mapping[Path, File], crop_size: int | None) -> Iterator[Finding]:
    """Yield everything about the decoded files of all parts of a folder, problems and notes as they come.

    Args:
        parts: the splits.
        files: descriptions of all their files.
        crop_size: side of training crops in pixels; None: images may have any size.
    """
    for path, file in files.items():
        if file.error:
            yield Finding(True, f"cannot be read: {file.error}", (path,))
    for part in parts:
        yield from _find_doubles(part, files)
        if crop_size is not None:
            yield from _find_small(part, files, crop_size)
        if part.kind == "pairs":
            yield from _check_pairs(part, files)
        if part.kind == "images with masks":
            yield from _check_masks(part, files)
        yield from _find_mixed(part, files)
    yield from _find_shared(parts, files)


def _targets(part: Part) -> list[Path]:
    """Return the images of a part that stand for themselves: neither inputs of pairs nor masks."""
    return [path for name, paths in part.groups.items() if name not in (*INPUTS, MASKS) for path in paths]


def _find_doubles(part: Part, files: Mapping[Path, File]) -> Iterator[Finding]:
    for paths in find_doubles(files[path] for path in _targets(part)):
        yield Finding(False, "the same pixels, so that this image counts more than others", tuple(paths))


def _find_shared(parts: Sequence[Part], files: Mapping[Path, File]) -> Iterator[Finding]:
    """Yield images that lie in two splits."""
    split_of = {path: part.name for part in parts for path in _targets(part)}
    for paths in find_doubles(files[path] for path in split_of):
        splits = sorted({split_of[path] for path in paths})
        if len(splits) > 1:
            yield Finding(True, f"the same pixels in {' and '.join(splits)}; remove them from one", tuple(paths))


def _find_small(part: Part, files: Mapping[Path, File], crop_size: int) -> Iterator[Finding]:
    small = [path for path in _targets(part) if not files[path].error and min(files[path].size) < crop_size]
    if small:
        yield Finding(
            True, f"smaller than a crop of {crop_size} pixels; remove them, or lower --crop-size", tuple(small)
        )


def _find_mixed(part: Part, files: Mapping[Path, File]) -> Iterator[Finding]:
    kinds = defaultdict(list)
    for path in _targets(part):
        if not files[path].error:
            kinds[files[path].kind].append(path)
    if len(kinds) > 1:
        usual = max(kinds, key=lambda kind: len(kinds[kind]))
        for kind, paths in kinds.items():
            if kind != usual:
                yield Finding(False, f"{kind}, where most are {usual}", tuple(paths))


def _check_pairs(part: Part, files: Mapping[Path, File]) -> Iterator[Finding]:
    inputs, targets = part.groups
    try:
        pairs = pair_files(part.folder / inputs, part.folder / targets, scaled=True)
    except RestoreError as error:
        yield Finding(True, str(error))
        return
    scales: dict[Path, tuple[float, float]] = {}
    for small, large in pairs:
        sizes = files[small].size, files[large].size
        if not files[small].error and not files[large].error:
            scales[small] = (sizes[1][0] / sizes[0][0], sizes[1][1] / sizes[0][1])
    if not scales:
        return
    usual, _ = Counter(scales.values()).most_common(1)[0]
    other = [path for path, scale in scales.items() if scale != usual]
    yield Finding(False, f"targets are {usual[0]:g} times larger than inputs")
    if other:
        yield Finding(True, f"another scale than {usual[0]:g}", tuple(other))


def _check_masks(part: Part, files: Mapping[Path, File]) -> Iterator[Finding]:
    images, masks = part.groups["images"], {path.stem: path for path in part.groups[MASKS]}
    found = {image: find_mask(image.stem, masks) for image in images}
    without = [image for image, mask in found.items() if mask is None]
    if without:
        yield Finding(True, "no mask of this name", tuple(without))
    alone = set(masks.values()) - set(found.values())
    if alone:
        yield Finding(True, "no image of this name", tuple(sorted(alone)))
    pairs = [(image, mask) for image, mask in found.items() if mask is not None]
    whole = [(image, mask) for image, mask in pairs if not files[image].error and not files[mask].error]
    unlike = [mask for image, mask in whole if files[image].size != files[mask].size]
    if unlike:
        yield Finding(True, "another size than its image", tuple(unlike))
    surveyed = [values for _, mask in whole if (values := files[mask].values) is not None]
    if surveyed:
        yield from _describe_encoding(part.folder / MASKS, surveyed)


def _describe_encoding(folder: Path, masks: Iterable[FileSurvey]) -> Iterator[Finding]:
    try:
        yield Finding(False, str(decide(combine(masks), folder)))
    except RestoreError as error:
        yield Finding(True, str(error))
