"""Image folders, and their split into training and validation."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from restore.core.errors import UsageError
from restore.core.images.checking import check_files
from restore.core.images.damaged import drop_damaged
from restore.core.images.files import image_size, open_image
from restore.core.images.listing import list_images
from restore.core.settings import RunSettings

Split = Literal["train", "validation"]
AnySplit = Literal["train", "validation", "evaluation"]
"""What a dataset is made for: ``evaluation`` is all images of a folder, or what a dataset has for it."""
File = TypeVar("File")

MEMORY = 2**30
"""Default number of bytes of decoded images that a folder keeps."""


class ImageFolder:
    """Image files, decoded when first used; an `ImageSource`.

    All images become 8-bit RGB: gray is repeated, palettes are looked up, alpha is dropped, 16 bits are rounded to 8.
    Up to ``memory`` bytes of decoded images are kept: the ones used first, and not the latest ones, because an epoch
    uses every image once and would find almost none of the latest again.
    """

    def __init__(self, files: Sequence[Path], memory: int = MEMORY) -> None:
        """Read the header of every file. Raises DataError for a file that is no image or is cut off."""
        self.files = list(files)
        check_files(self.files)
        self._sizes = [image_size(path) for path in self.files]
        self._memory = memory
        self._kept: dict[int, tuple[Tensor, bool]] = {}
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self.in_memory = sum(3 * height * width for height, width in self._sizes) <= memory

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        return self._decode(index)[0]

    def size(self, index: int) -> tuple[int, int]:
        """Return height and width."""
        return self._sizes[index]

    def gray(self, index: int) -> bool:
        """Return whether the file is a gray image; decodes it."""
        return self._decode(index)[1]

    def name(self, index: int) -> str:
        """Return the file's path."""
        return str(self.files[index])

    def _decode(self, index: int) -> tuple[Tensor, bool]:
        if index in self._kept:
            return self._kept[index]
        image = open_image(self.files[index])
        decoded = image.to_uint8(), image.gray
        worker = get_worker_info()
        allowed = self._memory // (worker.num_workers if worker else 1)  # each process keeps its own
        with self._lock:
            if index not in self._kept and self._kept_bytes + decoded[0].numel() <= allowed:
                self._kept[index] = decoded
                self._kept_bytes += decoded[0].numel()
        return decoded

    def __getstate__(self) -> dict[str, object]:
        # Worker processes start without decoded images: sending them costs more than it saves.
        return {**self.__dict__, "_kept": {}, "_kept_bytes": 0, "_lock": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


@overload
def split_files(settings: RunSettings, split: Split) -> list[Path] | None: ...
@overload
def split_files(settings: RunSettings, split: Split, find: Callable[[Path], Sequence[File]]) -> list[File] | None: ...
def split_files(
    settings: RunSettings, split: Split, find: Callable[[Path], Sequence[object]] = list_images
) -> list[object] | list[Path] | list[File] | None:
    """Return the files that a run trains or validates on, or None if it uses its sample.

    Validation uses ``settings.val_data``, or the part of ``settings.data`` that is held out by the seed; training uses
    the rest. Files are listed, not read. Raises what ``find`` raises, and UsageError as `hold_out`.

    Args:
        settings: settings of the run: ``data``, ``val_data``, ``val_fraction`` and ``seed`` are used.
        split: which files to return.
        find: lists a folder: its image files, or anything that stands for one image, such as a pair of files.
    """
    return files_of(**split_arguments(settings, split), find=find)


def split_arguments(settings: RunSettings, split: Split) -> dict[str, Any]:
    """Return what a factory of datasets is told about a split of a run: ``split, folder, val_fraction, seed``.

    ``folder`` is that of the split, and ``val_fraction`` is zero if validation has a folder of its own.
    """
    own = settings.val_data is not None
    folder = settings.val_data if own and split == "validation" else settings.data
    return {
        "split": split,
        "folder": folder,
        "val_fraction": 0.0 if own else settings.val_fraction,
        "seed": settings.seed,
    }


def files_of(
    split: AnySplit,
    folder: Path | None,
    val_fraction: float,
    seed: int,
    find: Callable[[Path], Sequence[Any]] = list_images,
) -> list[Any] | None:
    """Return the files of a split of a folder, or None if there is no folder.

    Files are listed, not read. Raises what ``find`` raises, and UsageError as `hold_out`.

    Args:
        split: which files to return; ``evaluation``: all of the folder.
        folder: the folder.
        val_fraction: fraction of the files that is held out for validation; 0: the folder is that of the split alone.
        seed: seed of the choice.
        find: lists a folder, as in `split_files`.
    """
    if folder is None:
        return None
    files = list(find(folder))
    if split == "evaluation":
        return drop_damaged(files, list_paths)
    if not val_fraction:
        return files
    train, validation = hold_out(len(files), val_fraction, seed, folder)
    return [files[index] for index in (train if split == "train" else validation)]


def list_paths(item: object) -> list[Path]:
    """Return the files of what a folder was listed as: a file, or several with gaps."""
    parts = item if isinstance(item, (tuple, list)) else [item]
    return [part for part in parts if isinstance(part, Path)]


def hold_out(count: int, share: float, seed: int, what: object) -> tuple[list[int], list[int]]:
    """Return indices for training and for validation, chosen by ``seed``; each gets at least one.

    Raises UsageError for fewer than two.

    Args:
        count: number of images.
        share: fraction for validation.
        seed: seed of the choice.
        what: name of the data in the error.
    """
    if count < 2:
        raise UsageError(f"{what}: one image is not enough for training and validation; add images, or use --val-data")
    validation = min(max(1, round(count * share)), count - 1)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return sorted(order[validation:]), sorted(order[:validation])


def name_results(files: Sequence[Path]) -> dict[Path, str]:
    """Return a name without suffix for what is made of each image; two that differ in the suffix alone keep it."""
    stems = Counter(path.stem for path in files)
    return {path: path.stem if stems[path.stem] == 1 else path.name for path in files}
