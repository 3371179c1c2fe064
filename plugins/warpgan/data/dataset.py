"""Pairs of a photograph and a caricature of the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from restore.core.errors import UsageError
from restore.plugins.common.animation import resize_to_cover
from restore.plugins.common.images.folders import ImageFolder
from restore.plugins.common.images.resize import bilinear
from restore.plugins.warpgan.data.index import IdentityFiles, group_by_identity, read_entries, split_identity
from restore.plugins.warpgan.settings import SAMPLE_IDENTITIES, WarpGANSettings
from restore.plugins.warpgan.synthetic_faces import faces
from restore.plugins.warpgan.synthetic_faces.identities import identities

SAMPLE_TRAIN, SAMPLE_VALIDATION = 10, 3
"""Number of photographs, and of caricatures, of each person in the synthetic sample."""

Split = Literal["train", "validation"]


class Gallery(Protocol):
    """Faces of several people, all of one size."""

    @property
    def in_memory(self) -> bool:
        """Whether all images are or will be kept in memory."""
        ...

    @property
    def identities(self) -> int:
        """Number of people."""
        ...

    def photographs(self, identity: int) -> int:
        """Return the number of photographs of a person."""
        ...

    def caricatures(self, identity: int) -> int:
        """Return the number of caricatures of a person."""
        ...

    def face(self, identity: int, number: int, drawn: bool) -> Tensor:
        """Return an image (3, size, size) uint8."""
        ...

    def name(self, identity: int, number: int) -> str:
        """Return the name of a photograph for reports."""
        ...


@dataclass(frozen=True)
class DrawnFaces:
    """The synthetic sample as a `Gallery`."""

    size: int
    split: Split
    identities: int = SAMPLE_IDENTITIES
    in_memory: bool = True

    def photographs(self, identity: int) -> int:  # noqa: ARG002 - the same for everybody
        """Return the number of photographs of a person in this split."""
        return SAMPLE_TRAIN if self.split == "train" else SAMPLE_VALIDATION

    def caricatures(self, identity: int) -> int:
        """Return the number of caricatures of a person, as many as photographs."""
        return self.photographs(identity)

    def face(self, identity: int, number: int, drawn: bool) -> Tensor:
        """Draw a face when it is first used; training and validation share no image."""
        first = 0 if self.split == "train" else SAMPLE_TRAIN
        return _draw(self.size, identity, first + number, drawn)

    def name(self, identity: int, number: int) -> str:
        """Return a name such as ``identity07/P00011``."""
        first = 0 if self.split == "train" else SAMPLE_TRAIN
        return f"identity{identity + 1:02}/P{first + number + 1:05}"


@lru_cache(maxsize=4096)
def _draw(size: int, identity: int, number: int, drawn: bool) -> Tensor:
    someone = identities(identity + 1, seed=0)[identity]
    random = np.random.default_rng([int(drawn), identity, number])
    drawing = (faces.caricature if drawn else faces.photograph)(someone, random, size)
    return torch.from_numpy(drawing.image).permute(2, 0, 1).contiguous()


class FaceFiles:
    """Image files by person as a `Gallery`. Images of other sizes are resized and cropped to squares."""

    def __init__(self, found: Sequence[IdentityFiles], size: int) -> None:
        """Check every file. Raises DataError for a file that is not a readable image."""
        self.albums, self.size, self.identities = list(found), size, len(found)
        files = [path for album in self.albums for path in (*album.photographs, *album.caricatures)]
        self._places = {path: place for place, path in enumerate(files)}
        self._files = ImageFolder(files)
        self.in_memory = self._files.in_memory

    def photographs(self, identity: int) -> int:
        """Return the number of photographs of a person."""
        return len(self.albums[identity].photographs)

    def caricatures(self, identity: int) -> int:
        """Return the number of caricatures of a person."""
        return len(self.albums[identity].caricatures)

    def face(self, identity: int, number: int, drawn: bool) -> Tensor:
        """Read an image when it is first used."""
        album = self.albums[identity]
        image = self._files[self._places[(album.caricatures if drawn else album.photographs)[number]]]
        return image if image.shape[-2:] == (self.size, self.size) else resize_to_cover(image, self.size, self.size)

    def name(self, identity: int, number: int) -> str:
        """Return a name such as ``Alan_Rickman/P00001.jpg``."""
        path = self.albums[identity].photographs[number]
        return f"{self.albums[identity].identity}/{path.name}"


class Pairs:
    """Photographs, each with a caricature of the same person.

    Samples are ``input`` (the photograph) and ``target`` (the caricature), (3, size, size) in [0, 1], and ``identity``,
    an integer (). For training, the caricature is random and both may be flipped. Otherwise caricatures follow
    photographs in order.
    """

    def __init__(self, gallery: Gallery, *, training: bool, flip: bool = False, detail: int | None = None) -> None:
        """Make pairs of a gallery.

        Args:
            gallery: the faces.
            training: whether to choose caricatures at random.
            flip: whether to flip training images at random.
            detail: size to which images are downscaled and upscaled again; None keeps all detail.
        """
        self.gallery, self.training, self.flip, self.detail = gallery, training, flip, detail
        self.in_memory = gallery.in_memory
        self._order = [
            (identity, number)
            for identity in range(gallery.identities)
            for number in range(gallery.photographs(identity))
        ]

    def __len__(self) -> int:
        return len(self._order)

    def name(self, index: int) -> str:
        """Return the photograph's name."""
        return self.gallery.name(*self._order[index])

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        identity, number = self._order[index]
        count = self.gallery.caricatures(identity)
        chosen = int(torch.randint(count, ())) if self.training else number % count
        sample = {"input": self._face(identity, number, False), "target": self._face(identity, chosen, True)}
        return {**sample, "identity": torch.tensor(identity)}

    def _face(self, identity: int, number: int, drawn: bool) -> Tensor:
        face = self.gallery.face(identity, number, drawn).float() / 255
        if self.training and self.flip and torch.rand(()) < 0.5:
            face = face.flip(-1)
        if self.detail is None:
            return face
        height, width = face.shape[-2:]
        return bilinear(bilinear(face, (self.detail, self.detail)), (height, width)).clamp(0, 1)


def galleries(settings: WarpGANSettings) -> dict[Split, Gallery]:
    """Return the galleries for training and validation: the same people, but no common image.

    If a list selects validation images of the training folder, they are removed from training. Two lists, or two
    folders, must have no common image.

    Raises UsageError or DataError for unusable data.
    """
    size, known = settings.model.size, settings.model.identities
    if settings.data is None:
        if settings.val_data or settings.list_file or settings.val_list:
            raise UsageError("--val-data, --list and --val-list need --data")
        _check_identities(known, SAMPLE_IDENTITIES, "the synthetic sample")
        return {"train": DrawnFaces(size, "train"), "validation": DrawnFaces(size, "validation")}
    found = read_identities(settings.data, settings.list_file)
    _check_identities(known, len(found), str(settings.data))
    if settings.val_data is None and settings.val_list is None:
        halves = [split_identity(album, settings.val_fraction, settings.seed) for album in found]
        train, validation = [half[0] for half in halves], [half[1] for half in halves]
    else:
        folder = settings.val_data or settings.data
        validation = _same_identities(found, read_identities(folder, settings.val_list), folder)
        chosen = settings.list_file is None and settings.val_list is not None
        train = _drop_held_out(found, validation, settings.val_list or folder) if chosen else found
        _check_apart(train, validation, settings.val_list or folder)
    return {"train": FaceFiles(train, size), "validation": FaceFiles(validation, size)}


def read_identities(folder: Path, listed: Path | None) -> list[IdentityFiles]:
    """Read the images by person from a folder or a list file. Raises UsageError or DataError for unusable data."""
    return group_by_identity(read_entries(folder, listed), listed or folder)


def _same_identities(
    known: Sequence[IdentityFiles], other: Sequence[IdentityFiles], where: Path
) -> list[IdentityFiles]:
    """Return albums in the order of the known ones, so that a person has the same index everywhere."""
    names = [album.identity for album in known]
    strangers = [album.identity for album in other if album.identity not in names]
    if strangers:
        raise UsageError(
            f"{where}: {strangers[0]} is not in the training data; validation needs other images of the same people"
        )
    by_name = {album.identity: album for album in other}
    return [by_name.get(name, IdentityFiles(name, (), ())) for name in names]


def _drop_held_out(found: Sequence[IdentityFiles], held: Sequence[IdentityFiles], where: Path) -> list[IdentityFiles]:
    """Return albums without the images that are held out. Raises UsageError if a person has no image of a kind left."""
    taken = _files(held)
    left = []
    for album in found:
        photographs, caricatures = (
            tuple(path for path in paths if path.resolve() not in taken)
            for paths in (album.photographs, album.caricatures)
        )
        if not photographs or not caricatures:
            kind = "caricature" if photographs else "photograph"
            raise UsageError(f"{where}: no {kind} of {album.identity} is left for training")
        left.append(IdentityFiles(album.identity, photographs, caricatures))
    return left


def _check_apart(train: Sequence[IdentityFiles], validation: Sequence[IdentityFiles], where: Path) -> None:
    """Raise UsageError if an image is used for both training and validation."""
    held = _files(validation)
    both = next((path for file, path in _files(train).items() if file in held), None)
    if both is not None:
        raise UsageError(f"{where}: {both} is also a training image; validation needs other images of the same people")


def _files(found: Sequence[IdentityFiles]) -> dict[Path, Path]:
    """Return every image by its resolved path."""
    return {path.resolve(): path for album in found for path in (*album.photographs, *album.caricatures)}


def _check_identities(known: int, found: int, where: str) -> None:
    if known and known != found:
        raise UsageError(
            f"{where}: {found} people, but model.identities is {known}; if the training data were different, set --data"
        )
