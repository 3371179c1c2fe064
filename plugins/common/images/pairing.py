"""Pairs of folders, such as ``LR/`` and ``HR/``, and which files of them belong together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from restore.core.errors import DataError, UsageError
from restore.core.images.files import image_size
from restore.core.images.listing import list_images, require_folder

PAIRED = (("LR", "HR"), ("inputs", "targets"))
"""Names of the two folders of a paired dataset: inputs and targets."""

# What names of published sets and of common scripts add to the name of an image: 0001x4, 0001_x4, 0001_bicLRx4,
# 0001x4m (DIV2K), img_001_SRF_4_LR (Urban100), Canon_001_LR4 (RealSR), baby_GT.
_SCALE = re.compile(r"(?P<name>.+?)[-_. ]?(?:x(?P<scale>[2348])(?:[dmw]\d?)?|(?P<factor>[2348])x)", re.IGNORECASE)
_WORDS = r"bicLR|LRbic|LRBI|bicubic|bic|BI|BD|DN|LR[2348]?|HR|GT|LQ|HQ|SRF_[2348]|input|target|low|high|small|large"
_BEHIND = re.compile(rf"(?P<name>.+)[-_. ](?:{_WORDS})", re.IGNORECASE)
_BEFORE = re.compile(rf"(?:{_WORDS}|x[2348])[-_. ](?P<name>.+)", re.IGNORECASE)


def pair_folders(folder: Path) -> tuple[Path, Path] | None:
    """Return the folders of inputs and of targets inside ``folder``, or None if it has neither.

    Raises UsageError if only one of them exists, or if ``folder`` does not exist.
    """
    require_folder(folder)
    for inputs, targets in PAIRED:
        there = [name for name in (inputs, targets) if (folder / name).is_dir()]
        if len(there) == 2:
            return folder / inputs, folder / targets
        if there:
            missing = targets if there == [inputs] else inputs
            raise UsageError(f"{folder}: has {there[0]}/ but no {missing}/; paired data needs both folders")
    return None


def pair_files(inputs: Path, targets: Path, *, scaled: bool = False) -> list[tuple[Path, Path]]:
    """Return pairs of files with the same name, apart from the suffix.

    Raises UsageError for files without a partner and for two files of one name, and DataError if the scale in a name
    does not fit the sizes.

    Args:
        inputs: folder of the inputs.
        targets: folder of the targets.
        scaled: whether names may also differ by what published sets add to them, such as the scale (``0001x4.png``
            belongs to ``0001.png``) or the words LR and HR.
    """
    large = {path.stem: path for path in _distinct(list_images(targets))}
    small = _by_partner(_distinct(list_images(inputs)), large, scaled)
    for own, other, folder in ((small, large, targets), (large, small, inputs)):
        alone = [path for name, path in own.items() if name not in other]
        if alone:
            more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
            raise UsageError(f"{alone[0]}: no file of the same name in {folder}{more}")
    pairs = [(path, large[name]) for name, path in small.items()]
    for path, target in pairs:
        if path.stem != target.stem:
            _check_named_scale(path, target)
    return pairs


def strip_markers(name: str) -> str:
    """Return a name without scales and words such as LR, on either side.

    >>> strip_markers("0001_bicLRx4"), strip_markers("img_001_SRF_4_LR"), strip_markers("LR_baby"), strip_markers("box")
    ('0001', 'img_001', 'baby', 'box')
    """
    for pattern in (_SCALE, _BEHIND, _BEFORE):
        if match := pattern.fullmatch(name):
            return strip_markers(match["name"])
    return name


def _by_partner(files: Collection[Path], large: Mapping[str, Path], scaled: bool) -> dict[str, Path]:
    """Return files by the name of their partner among ``large``, or by their own."""
    loose: dict[str, list[str]] = {}
    for name in large if scaled else ():
        loose.setdefault(strip_markers(name), []).append(name)
    named: dict[str, Path] = {}
    for path in files:
        name = path.stem
        if scaled and name not in large:
            shorter = [each for each in _shorter(name) if each in large]
            alike = loose.get(strip_markers(name), [])
            name = shorter[0] if shorter else alike[0] if len(alike) == 1 else name
        if name in named:
            _refuse_ambiguous(path, named[name])
        named[name] = path
    return named


def _shorter(name: str) -> list[str]:
    """Return what is left of a name if one addition after the other is taken off."""
    found = []
    for pattern in (_SCALE, _BEHIND, _BEFORE):
        if match := pattern.fullmatch(name):
            found += [match["name"], *_shorter(match["name"])]
    return found


def _distinct(files: Collection[Path]) -> Collection[Path]:
    """Return files. Raises UsageError if two have the same name apart from the suffix."""
    named: dict[str, Path] = {}
    for path in files:
        if path.stem in named:
            _refuse_ambiguous(path, named[path.stem])
        named[path.stem] = path
    return files


def _refuse_ambiguous(path: Path, other: Path) -> None:
    raise UsageError(f"{path}: {other.name} has the same name, so the pair is ambiguous; remove one of them")


def _check_named_scale(path: Path, target: Path) -> None:
    """Raise DataError if the name of an input says another scale than the sizes."""
    match = _SCALE.fullmatch(path.stem)
    if match is None or target.stem.startswith(path.stem):
        return
    said = int(match["scale"] or match["factor"])
    sides = zip(image_size(target), image_size(path), strict=True)
    if any(abs(large - said * small) >= said for large, small in sides):  # a smaller difference is due to rounding
        raise DataError(f"{path}: the name means scale {said} to {target}, but the sizes do not match")
