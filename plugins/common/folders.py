"""Folders of pictures, their halves for training and validation, and pairs of folders."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from restore.core.errors import UsageError
from restore.core.pictures import list_pictures, picture_size, read_picture

MEMORY = 2**30
"""Bytes of decoded pictures that a folder keeps, unless told otherwise."""

PAIRED = (("LR", "HR"), ("inputs", "targets"))
"""Names of the two folders of a paired data set: what a network is given, what it is to answer."""


class PictureFolder:
    """Picture files, decoded when first asked for; `Originals`.

    Whatever its kind, a picture becomes 8-bit RGB: gray is repeated, palettes are looked up, alpha is left out, 16 bits
    are rounded to 8. As many decoded pictures as fit into ``memory`` bytes are kept. They are the first ones asked for:
    when every picture is asked for once an epoch, throwing out the oldest would find almost none again.
    """

    def __init__(self, files: Sequence[Path], memory: int = MEMORY) -> None:
        """Look at the start of every file. Raises DataError naming a file that is no readable picture."""
        self.files = list(files)
        self._sizes = [picture_size(path) for path in self.files]
        self._memory = memory
        self._kept: dict[int, tuple[Tensor, bool]] = {}
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self.in_memory = sum(3 * height * width for height, width in self._sizes) <= memory

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        return self._decoded(index)[0]

    def size(self, index: int) -> tuple[int, int]:
        """Height and width."""
        return self._sizes[index]

    def gray(self, index: int) -> bool:
        """Whether the file is a gray picture; decodes it."""
        return self._decoded(index)[1]

    def name(self, index: int) -> str:
        """The file's path."""
        return str(self.files[index])

    def _decoded(self, index: int) -> tuple[Tensor, bool]:
        if index in self._kept:
            return self._kept[index]
        picture = read_picture(self.files[index])
        decoded = (picture.colour * 255).round().byte(), picture.gray
        worker = get_worker_info()
        allowed = self._memory // (worker.num_workers if worker else 1)  # each process keeps its own
        with self._lock:
            if index not in self._kept and self._kept_bytes + decoded[0].numel() <= allowed:
                self._kept[index] = decoded
                self._kept_bytes += decoded[0].numel()
        return decoded

    def __getstate__(self) -> dict[str, object]:
        # A process that loads data starts without what another has decoded: sending it would cost more than it saves.
        return {**self.__dict__, "_kept": {}, "_kept_bytes": 0, "_lock": None}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


def pair_folders(folder: Path) -> tuple[Path, Path] | None:
    """The folders of inputs and of targets inside ``folder``, or None if it has neither.

    Raises UsageError when there is only one of the two, or no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: {'is a file, not a folder' if folder.exists() else 'no such folder'}")
    for inputs, targets in PAIRED:
        there = [name for name in (inputs, targets) if (folder / name).is_dir()]
        if len(there) == 2:
            return folder / inputs, folder / targets
        if there:
            missing = targets if there == [inputs] else inputs
            raise UsageError(f"{folder}: has {there[0]}/ but no {missing}/; pairs need both")
    return None


def paired_files(inputs: Path, targets: Path) -> list[tuple[Path, Path]]:
    """Files of two folders that belong together: they have the same name, apart from the suffix.

    Raises UsageError naming files without a partner, or two files of one name.
    """
    by_stem = []
    for folder in (inputs, targets):
        stems: dict[str, Path] = {}
        for path in list_pictures(folder):
            if path.stem in stems:
                raise UsageError(f"{path}: which of it and {stems[path.stem].name} belongs to a pair cannot be told")
            stems[path.stem] = path
        by_stem.append(stems)
    for own, other, folder in ((by_stem[0], by_stem[1], targets), (by_stem[1], by_stem[0], inputs)):
        alone = [path for stem, path in own.items() if stem not in other]
        if alone:
            more = f" (nor {len(alone) - 1} others)" if len(alone) > 1 else ""
            raise UsageError(f"{alone[0]}: has no partner of the same name in {folder}{more}")
    return [(path, by_stem[1][stem]) for stem, path in by_stem[0].items()]


def held_out(count: int, share: float, seed: int, what: object) -> tuple[list[int], list[int]]:
    """Indices for training and for validation: a share of ``count``, at least one each, chosen by ``seed``.

    ``what`` is named in the UsageError that says that fewer than two cannot be split.
    """
    if count < 2:
        raise UsageError(
            f"{what}: one picture cannot be both trained on and held out for validation; "
            "give --val-data, or more pictures"
        )
    validation = min(max(1, round(count * share)), count - 1)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return sorted(order[validation:]), sorted(order[:validation])
