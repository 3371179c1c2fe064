"""One HTML page that shows what several models made of the same images: a slider, and views that zoom together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from restore.cli.prediction.crops import Crop
from restore.core.atomic import atomic_write
from restore.core.pages.embedding import embed_image
from restore.core.pages.page import Page, fill_template, read_static

LARGEST = 32 * 2**20
"""Characters of images in a page; further images are left out and counted."""

LONGEST, SHORTEST = 1024, 256
"""Longest side of a crop in pixels, for few images and for many."""

_PACKAGE = "restore.cli.prediction"
_CHARACTERS = 3.0  # of a pixel as PNG and base64: 18 bits, as photographs take


def choose_side(crops: int) -> int:
    """Return the side of crops in pixels with which so many of them fit into a page."""
    return max(SHORTEST, min(LONGEST, math.isqrt(int(LARGEST / _CHARACTERS / max(1, crops)))))


@dataclass(frozen=True)
class _Section:
    name: str
    place: str
    views: Sequence[tuple[str, str, str]]
    """Label, address and description of each version; the address is empty if it failed."""


class ComparisonPage:
    """Collects the crops of images, and writes the page."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._sections: list[_Section] = []
        self._size = self._left_out = 0

    def add(self, name: str, place: str, crops: Sequence[Crop]) -> None:
        """Add an image, unless the page would become too large.

        Args:
            name: what the image is called.
            place: which part of it the crops show.
            crops: the input, then the result of each model.
        """
        if self._left_out:
            self._left_out += 1
            return
        images = [embed_image(crop.image, max_side=None, kind="png") if crop.image else "" for crop in crops]
        self._size += sum(map(len, images))
        if self._sections and self._size > LARGEST:
            self._left_out = 1
            return
        views = [(crop.label, image, crop.about) for crop, image in zip(crops, images, strict=True)]
        self._sections.append(_Section(name, place, views))

    def write(self, path: Path) -> Path:
        """Write the page."""
        title = f"Comparison of {', '.join(self._labels[1:])}"
        body = fill_template(
            read_static("comparison.html", _PACKAGE), title=title, sections=self._sections, left_out=self._left_out
        )
        page = Page(
            title=title,
            body=body,
            styles=(read_static("page.css"), read_static("comparison.css", _PACKAGE)),
            scripts=(read_static("slider.js"), read_static("zoom.js"), read_static("comparison.js", _PACKAGE)),
        )
        with atomic_write(path) as temporary:
            temporary.write_text(page.html(), encoding="utf-8")
        return path
