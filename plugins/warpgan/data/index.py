"""Find photographs and caricatures: folders of people, and list files. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restore.core.errors import DataError, UsageError
from restore.core.images.listing import SUFFIXES, require_folder

_KIND = re.compile(r"^([CP])[-_ ]?\d+$", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One image file."""

    path: Path
    identity: str
    """Name of the person."""
    drawn: bool
    """Whether it is a caricature."""


def read_entries(folder: Path, listed: Path | None = None) -> list[Entry]:
    """Return the photographs and caricatures of a folder, or those that a list file names, by person and name.

    A folder contains one folder per person, as in WebCaricature. Photographs are called P00001, P00002, …, caricatures
    C00001, …; other files are ignored. A line of a list file is a path, which may be relative to the folder, and
    optionally the person; by default the name of the file's folder.

    Raises UsageError if the folder or file does not exist or has no images, DataError for a wrong line.
    """
    require_folder(folder)
    entries = _in_folders(folder) if listed is None else _in_list(folder, listed)
    if not entries:
        where = folder if listed is None else listed
        raise UsageError(
            f"{where}: no photographs and caricatures found; expected one folder per person, with images called "
            "P00001, P00002, … (photographs) and C00001, … (caricatures)"
        )
    return sorted(entries, key=lambda entry: (entry.identity, entry.drawn, entry.path.name))


def _in_folders(folder: Path) -> list[Entry]:
    found = []
    for identity in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for path in identity.iterdir():
            kind = _KIND.match(path.stem)
            if kind and path.suffix.lower() in SUFFIXES:
                found.append(Entry(path, identity.name, kind[1].upper() == "C"))
    return found


def _in_list(folder: Path, listed: Path) -> list[Entry]:
    try:
        lines = listed.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise UsageError(f"{listed}: no such list file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{listed}: not a text file") from error
    found = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            found.append(_entry(folder, text, f"{listed}, line {number}"))
    return found


def _entry(folder: Path, text: str, where: str) -> Entry:
    whole, (shorter, _, label) = folder / text, text.rpartition(" ")
    path, identity = (whole, whole.parent.name) if whole.is_file() or not shorter else (folder / shorter.strip(), label)
    if not path.is_file():
        raise DataError(f"{where}: no such file: {path}")
    kind = _KIND.match(path.stem)
    if kind is None:
        raise DataError(f"{where}: {path.name} is neither a photograph (P…) nor a caricature (C…); rename it")
    return Entry(path, identity, kind[1].upper() == "C")


@dataclass(frozen=True)
class IdentityFiles:
    """The images of one person, at least one of each kind."""

    identity: str
    photographs: tuple[Path, ...]
    caricatures: tuple[Path, ...]


def group_by_identity(entries: Sequence[Entry], where: Path) -> list[IdentityFiles]:
    """Group images by person. Raises UsageError for people with only one kind of image."""
    identities = dict.fromkeys(entry.identity for entry in entries)
    found = []
    for identity in identities:
        kinds = (tuple(e.path for e in entries if e.identity == identity and e.drawn == drawn) for drawn in (0, 1))
        found.append(IdentityFiles(identity, *kinds))
    for kind, lacking in (
        ("caricature", [album.identity for album in found if not album.caricatures]),
        ("photograph", [album.identity for album in found if not album.photographs]),
    ):
        if lacking:
            more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
            raise UsageError(
                f"{where}: no {kind} of {', '.join(lacking[:3])}{more}; every person needs both (P… and C…)"
            )
    return found


def split_identity(album: IdentityFiles, val_fraction: float, seed: int) -> tuple[IdentityFiles, IdentityFiles]:
    """Split the images of a person into training and validation; each gets at least one of each kind.

    Raises UsageError if there is only one image of a kind.
    """
    import random

    order = random.Random(f"{seed} {album.identity}")
    train, validation = [], []
    for kind, images in (("photograph", album.photographs), ("caricature", album.caricatures)):
        if len(images) < 2:
            raise UsageError(
                f"{album.identity}: one {kind} is not enough for training and validation; add images, or use --val-data"
            )
        wanted = min(max(1, round(val_fraction * len(images))), len(images) - 1)
        held = set(order.sample(range(len(images)), wanted))
        train.append(tuple(path for index, path in enumerate(images) if index not in held))
        validation.append(tuple(path for index, path in enumerate(images) if index in held))
    return IdentityFiles(album.identity, *train), IdentityFiles(album.identity, *validation)
