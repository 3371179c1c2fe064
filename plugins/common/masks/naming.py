"""Which mask belongs to which image: one rule for all tasks. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

File = TypeVar("File")

_BEHIND = ("_mask", "-mask", ".mask", " mask", "_masks", "_segmentation", "_seg", "_label", "_labels", "_gt")
_BEFORE = ("mask_", "mask-")


def mask_names(image: str) -> list[str]:
    """Return the names, without suffix, that the mask of an image may have; the likeliest first.

    >>> mask_names("photo")[:3]
    ['photo', 'photo_mask', 'photo-mask']
    """
    return [image, *(image + word for word in _BEHIND), *(word + image for word in _BEFORE)]


def find_mask(image: str, masks: Mapping[str, File]) -> File | None:
    """Return the mask of an image among masks by name; None if there is none."""
    return next((masks[name] for name in mask_names(image) if name in masks), None)
