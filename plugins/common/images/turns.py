"""EXIF orientations of images that belong together. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from restore.core.images.orientation import orientation_of
from restore.core.images.warned import warn_once


def turn_between(image: Path, partner: Path) -> str:
    """Return words for the end of a message if EXIF data turn one of two files but not the other; else nothing."""
    own, other = orientation_of(image), orientation_of(partner)
    if own == other:
        return ""
    turned = image if own not in (None, 1) else partner
    return f" (the EXIF orientation of {turned.name} turns it)"


def warn_of_turns(folder: Path, images: Sequence[Path]) -> None:
    """Log one warning about the images of a folder that EXIF data turn, unlike the files that belong to them."""
    if not images:
        return
    several = "images are" if len(images) > 1 else "image is"
    warn_once(
        folder,
        f"{len(images)} {several} turned by the EXIF orientation, unlike the file that belongs to it, such as "
        f"{images[0].name}; if it was drawn on the stored pixels, remove the orientation from the image",
    )
